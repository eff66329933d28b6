"""Seen from inside a confined process: what it does not need is out of reach, and what it needs still works.

Each user has one process, confined as `run` confines itself; the tests ask it to try things.
"""

from __future__ import annotations

import asyncio
import os
import pty
import socket
import ssl
import sys
import termios
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.inside import NOBODY, TOKEN, Inside, a_place, interpreter_for
from twilio_notifications.adapters.isolation import discover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.certificates import Certificates
    from tests.support.inside import Place

pytestmark = pytest.mark.landlock

FORBIDDEN = "EACCES"
PR_SET_DUMPABLE = 4


@pytest.fixture(scope="module", params=["this user", "an ordinary user"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    user = os.geteuid() if request.param == "this user" else NOBODY
    if user == NOBODY and os.geteuid() != 0:
        pytest.skip("this user is an ordinary one already")
    if not interpreter_for(user):
        pytest.skip("no Python of this version is installed where an ordinary user may run it")
    with a_place(user) as place:
        yield place


class Peers:
    """Servers outside: their ports are allowed, or not, by what they are for."""

    def __init__(self, broker: int, twilio: int, stranger: int, abstract: str) -> None:
        self.broker = broker
        self.twilio = twilio
        self.stranger = stranger
        self.abstract = abstract


@contextmanager
def tls_server(certificates: Certificates) -> Iterator[int]:
    """Shakes hands with every client, and hangs up."""
    context = certificates.server_context()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(plain, server_side=True).close()
            except (OSError, ssl.SSLError):
                plain.close()

    with listening() as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield port_of(listener)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def http_server() -> Iterator[int]:
    """Answers every request with 204."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def listening() -> closing[socket.socket]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return closing(listener)


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def peers(place: Place) -> Iterator[Peers]:
    name = f"twilio-notifications-{os.getpid()}"
    with (
        tls_server(place.certificates) as broker,
        http_server() as twilio,
        listening() as stranger,
        closing(socket.socket(socket.AF_UNIX)) as abstract,
    ):
        abstract.bind("\0" + name)
        abstract.listen()
        yield Peers(broker=broker, twilio=twilio, stranger=port_of(stranger), abstract=name)


@pytest.fixture(scope="module")
def inside(place: Place, peers: Peers) -> Iterator[Inside]:
    place.configure(
        transport={
            "url": f"mqtts://localhost:{peers.broker}",
            "ca_file": str(place.certificates.ca_file),
            "certificate_file": str(place.certificates.client_certificate_file),
            "key_file": str(place.certificates.client_key_file),
        },
        twilio={"base_url": f"http://127.0.0.1:{peers.twilio}"},
        delivery={"deduplicate_by_id_seconds": 60},
    )
    with Inside(place) as inside:
        yield inside


# Files.


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/passwd", "/proc/1/status", "/etc/ssl/private"])
def test_the_files_of_the_system_cannot_be_read(inside: Inside, path: str) -> None:
    assert FORBIDDEN == inside.tries("listed" if path.endswith("private") else "read", path)


def test_files_elsewhere_cannot_be_read_although_they_are_the_users_own(inside: Inside, place: Place) -> None:
    assert FORBIDDEN == inside.tries("read", place.elsewhere / "file")
    assert FORBIDDEN == inside.tries("listed", place.elsewhere)


def test_a_secret_among_the_files_of_others_opens_none_of_them(place: Place) -> None:
    """In a process of its own, because what is allowed is decided at the start."""
    other = place.token.parent / "other"
    other.write_text("not the connector's business")
    place.own()
    try:
        with Inside(place) as inside:
            assert TOKEN == inside.tries("secret")
            assert FORBIDDEN == inside.tries("read", other)
            assert FORBIDDEN == inside.tries("listed", other.parent)
            assert "" == inside.tries("lost_file")
            replace(place.token, lambda _new: None, place)
            assert str(place.token) == inside.tries("lost_file"), "so that the connector is started again"
    finally:
        other.unlink()


def test_nothing_is_written_elsewhere(inside: Inside, place: Place) -> None:
    before = (place.elsewhere / "file").read_text()
    assert FORBIDDEN == inside.tries("write", place.elsewhere / "new")
    assert FORBIDDEN == inside.tries("write", place.elsewhere / "file")
    assert FORBIDDEN == inside.tries("truncate", place.elsewhere / "file")
    assert FORBIDDEN == inside.tries("remove", place.elsewhere / "file")
    assert FORBIDDEN == inside.tries("make_folder", place.elsewhere / "folder")
    assert ["file"] == [path.name for path in place.elsewhere.iterdir()]
    assert before == (place.elsewhere / "file").read_text()


@pytest.mark.parametrize("name", ["config", "token"])
def test_what_is_read_cannot_be_changed(inside: Inside, place: Place, name: str) -> None:
    path: Path = getattr(place, name)
    assert FORBIDDEN == inside.tries("write", path)
    assert FORBIDDEN == inside.tries("remove", path)
    assert FORBIDDEN == inside.tries("write", path.parent / "new")


def test_files_of_the_journals_folder_can_be_made_changed_and_removed(inside: Inside, place: Place) -> None:
    new = place.journal.parent / "new"
    assert None is inside.tries("write", new)
    assert None is inside.tries("truncate", new)
    assert None is inside.tries("rename", new, new.with_name("newer"))
    assert None is inside.tries("remove", new.with_name("newer"))


def test_nothing_but_files_is_made_beside_the_journal(inside: Inside, place: Place) -> None:
    assert FORBIDDEN == inside.tries("make_folder", place.journal.parent / "folder")
    assert FORBIDDEN == inside.tries("link", place.journal.parent / "link", "/etc/shadow")


def test_nothing_moves_out_of_the_journals_folder(inside: Inside, place: Place) -> None:
    inside.tries("write", place.journal.parent / "smuggled")
    assert inside.tries("rename", place.journal.parent / "smuggled", place.elsewhere / "smuggled") in {
        FORBIDDEN,
        "EXDEV",
    }


# Programs.


@pytest.mark.parametrize("program", ["/bin/true", "/bin/sh", "/lib64/ld-linux-x86-64.so.2", sys.executable])
def test_no_program_can_be_executed(inside: Inside, program: str) -> None:
    assert inside.tries("execute", program) in {FORBIDDEN, "ENOENT"}


def test_not_even_one_of_its_own_making(inside: Inside, place: Place) -> None:
    program = place.journal.parent / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    place.own()
    assert FORBIDDEN == inside.tries("execute", program)


# Network.


def test_a_port_that_is_not_configured_cannot_be_connected_to(inside: Inside, peers: Peers) -> None:
    assert FORBIDDEN == inside.tries("connect", peers.stranger)


def test_the_brokers_and_twilios_ports_can_be_connected_to(inside: Inside, peers: Peers) -> None:
    assert None is inside.tries("connect", peers.broker)
    assert None is inside.tries("connect", peers.twilio)


def test_the_http_clients_own_threads_are_confined_too(inside: Inside, peers: Peers) -> None:
    assert 204 == inside.tries("fetch", f"http://127.0.0.1:{peers.twilio}/")
    assert "Permission denied" in inside.tries("fetch", f"http://127.0.0.1:{peers.stranger}/")


@pytest.mark.parametrize("port", [0, 18_999])
def test_it_cannot_listen_where_no_listener_is_configured(inside: Inside, port: int) -> None:
    assert FORBIDDEN == inside.tries("listen", port)


def test_abstract_sockets_and_signals_end_at_the_border(inside: Inside, peers: Peers) -> None:
    assert "EPERM" == inside.tries("connect_abstract", peers.abstract)
    assert "EPERM" == inside.tries("signal", os.getpid())


# What Landlock does not see, and the filter of system calls does.

filtered = pytest.mark.skipif(
    bool(discover().no_filter), reason=f"system calls cannot be filtered: {discover().no_filter}"
)
FILTERED = {"EPERM", "EACCES", "ENOSYS"}
MPTCP, SCTP, UDP_LITE = 262, 132, 136


@filtered
@pytest.mark.parametrize(
    ("family", "kind", "protocol"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, MPTCP),
        (socket.AF_INET6, socket.SOCK_STREAM, MPTCP),
        (socket.AF_INET, socket.SOCK_STREAM, SCTP),
        (socket.AF_INET, socket.SOCK_DGRAM, UDP_LITE),
        (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
        (43, socket.SOCK_STREAM, 0),  # SMC
        (40, socket.SOCK_STREAM, 0),  # of virtual machines
        (38, socket.SOCK_SEQPACKET, 0),  # the kernel's ciphers
    ],
)
def test_no_socket_goes_around_the_ports(inside: Inside, family: int, kind: int, protocol: int) -> None:
    assert inside.tries("open_socket", family, kind, protocol) in FILTERED


@filtered
@pytest.mark.parametrize("by", ["sendto", "sendmsg"])
def test_nothing_is_sent_to_a_port_before_a_connection(inside: Inside, peers: Peers, by: str) -> None:
    assert "EPERM" == inside.tries("send_at_once", peers.stranger, by)


@filtered
@pytest.mark.parametrize(("option", "value"), [(23, 1), (30, 1), (34, 1), (31, "smc"), (31, "tls")])
def test_no_option_makes_another_connection_of_one(inside: Inside, option: int, value: int | str) -> None:
    assert "EPERM" == inside.tries("set_tcp_option", option, value)


@filtered
def test_it_cannot_listen_without_a_port_of_its_choice_either(inside: Inside) -> None:
    assert FORBIDDEN == inside.tries("listen_unbound")


@filtered
def test_no_socket_with_a_path_can_be_used(inside: Inside, place: Place) -> None:
    """Such as those of Docker and of a session bus, which would carry out whatever is asked of them."""
    path = place.elsewhere / "socket"
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen()
        place.own()
        assert "EPERM" == inside.tries("connect_path", path)
    path.unlink()
    assert "EPERM" == inside.tries("pair", int(socket.SOCK_DGRAM))
    assert None is inside.tries("pair", int(socket.SOCK_STREAM))


@filtered
@pytest.mark.parametrize(
    "call",
    [
        ("unshare", 0x1000_0000),
        ("unshare", 0x0002_0000),
        ("setns", 0, 0),
        ("clone", 0x1000_0000 | 17),
        ("clone3", 0, 0),
        ("io_uring_setup", 8, 0),
        ("add_key", "user", "name", "value", 5, -2),
        ("keyctl", 0, -3, 0),
        ("request_key", "user", "name", 0, 0),
        ("userfaultfd", 1),
        ("shmget", 0, 4096, 0o1600),
        ("shmat", 0, 0, 0),
        ("semget", 0, 1, 0o1600),
        ("msgget", 0, 0o1600),
        ("mq_open", "/name", 0o102, 0o600, 0),
        ("bpf", 0, 0, 0),
        ("perf_event_open", 0, 0, -1, -1, 0),
        ("ptrace", 0, 0, 0, 0),
        ("process_vm_readv", 1, 0, 0, 0, 0, 0),
        ("process_vm_writev", 1, 0, 0, 0, 0, 0),
        ("pidfd_getfd", 0, 0, 0),
        ("kcmp", 1, 1, 0, 0, 0),
        ("mount", "none", "/mnt", "tmpfs", 0, 0),
        ("umount2", "/mnt", 0),
        ("pivot_root", "/", "/"),
        ("chroot", "/"),
        ("fsopen", "tmpfs", 0),
        ("open_tree", -100, "/", 1),
        ("move_mount", 0, 0, 0, 0, 0),
        ("fanotify_init", 0, 0),
        ("inotify_init1", 0),
        ("open_by_handle_at", 0, 0, 0),
        ("init_module", 0, 0, 0),
        ("kexec_load", 0, 0, 0, 0),
        ("personality", 0),
        ("execveat", 0, "", 0, 0, 0x1000),
    ],
    ids=lambda call: " ".join(map(str, call)),
)
def test_the_kernels_other_doors_are_shut(inside: Inside, call: tuple[Any, ...]) -> None:
    assert inside.tries("call", *call) in FILTERED


@filtered
@pytest.mark.parametrize("number", [500, 1 << 30, (1 << 30) + 41])
def test_a_system_call_that_is_too_new_or_of_another_kind_does_not_exist(inside: Inside, number: int) -> None:
    assert "ENOSYS" == inside.tries("call_number", number)


@filtered
def test_modes_owners_and_times_stay_even_of_its_own_files(inside: Inside, place: Place) -> None:
    """Landlock does not govern them, and root owns most files of the system."""
    for path in (place.token, place.config, Path("/usr/share"), place.elsewhere / "file"):
        before = path.stat()
        assert "EPERM" == inside.tries("change_mode", path, 0o777), path
        assert "EPERM" == inside.tries("change_owner", path), path
        assert "EPERM" == inside.tries("set_times", path), path
        assert "EPERM" == inside.tries("set_attribute", path), path
        assert before == path.stat()
    assert "EPERM" == inside.tries("change_mode_of_what_is_open", place.token, 0o644)


@filtered
def test_its_memory_cannot_be_opened_again_from_inside(inside: Inside) -> None:
    assert "EPERM" == inside.tries("prctl", PR_SET_DUMPABLE, 1)


@filtered
def test_limits_of_other_processes_stay(inside: Inside) -> None:
    assert "EPERM" == inside.tries("limit_of", os.getpid())
    assert 2 == len(inside.tries("limit_of", 0))


@filtered
def test_nothing_is_typed_into_the_operators_terminal(place: Place) -> None:
    """The standard error may be the terminal from which the connector was started; it is open already."""
    ours, theirs = pty.openpty()
    try:
        with Inside(place, stderr=theirs) as inside:
            for control in (termios.TIOCSTI, 0x541C, termios.TIOCSETD):
                assert "EPERM" == inside.tries("control_terminal", control)
            assert {"error": "EPERM"} == inside.tries("in_a_thread", "control_terminal", termios.TIOCSTI)
    finally:
        os.close(ours)
        os.close(theirs)


# Threads, privileges, memory.


@pytest.mark.parametrize("attempt", [("read", "/etc/shadow"), ("execute", "/bin/true"), ("listen", 0)])
def test_threads_that_start_later_are_confined_too(inside: Inside, attempt: tuple[Any, ...]) -> None:
    assert {"error": FORBIDDEN} == inside.tries("in_a_thread", *attempt)


def test_no_thread_has_capabilities_or_can_gain_privileges(inside: Inside, peers: Peers) -> None:
    inside.tries("fetch", f"http://127.0.0.1:{peers.twilio}/")  # so that there are threads of every kind
    assert ["1"] == inside.tries("status", "NoNewPrivs")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert ["0" * 16] == inside.tries("status", name), name


def test_the_bounds_of_capabilities_are_empty_where_root_could_empty_them(
    inside: Inside, place: Place
) -> None:
    if place.user != 0:
        pytest.skip("an ordinary user cannot, and no program can be executed that would use them")
    assert ["0" * 16] == inside.tries("status", "CapBnd")


def test_its_memory_is_neither_dumped_nor_looked_into(inside: Inside) -> None:
    assert [0, 0] == inside.tries("core_limit")
    assert 0 == inside.tries("dumpable")


# What must go on working.


def test_names_are_resolved(inside: Inside) -> None:
    assert "127.0.0.1" == inside.tries("resolve", "localhost")
    assert inside.tries("read", "/etc/resolv.conf") > 0
    assert None is inside.tries("send_datagram", 53)
    assert inside.tries("connect", 53) in {None, "ECONNREFUSED"}  # allowed, whether or not a program listens


def test_tls_with_the_configured_certificates(inside: Inside, peers: Peers) -> None:
    assert inside.tries("shake_hands", peers.broker).startswith("TLS")


def test_the_authorities_that_the_system_trusts_are_found(inside: Inside) -> None:
    expected = ssl.create_default_context().cert_store_stats()["x509_ca"]
    assert expected == inside.tries("trusted_authorities")


def test_the_journal_works_and_needs_no_room_elsewhere(inside: Inside) -> None:
    """So many requests that SQLite would like a temporary file for their index."""
    assert 30_000 == inside.tries("journal", 30_000)


def replace(path: Path, change: Callable[[Path], None], place: Place) -> None:
    """As careful programs do it: a new file in the old one's place."""
    new = path.with_name("new")
    new.write_bytes(path.read_bytes())
    new.chmod(path.stat().st_mode)
    change(new)
    place.own()
    new.replace(path)


def test_a_secret_that_was_replaced_is_read(inside: Inside, place: Place) -> None:
    assert TOKEN == inside.tries("secret")
    replace(place.token, lambda new: (new.write_text("another"), None)[1], place)
    assert "another" == inside.tries("secret")


def test_a_configuration_that_was_replaced_is_read_again(inside: Inside, place: Place) -> None:
    assert "INFO" == inside.tries("reload")
    replace(
        place.config, lambda new: (new.write_text(new.read_text().replace("INFO", "DEBUG")), None)[1], place
    )
    assert "DEBUG" == inside.tries("reload")


def test_certificates_that_were_replaced_are_used(inside: Inside, place: Place, peers: Peers) -> None:
    for path in (place.certificates.ca_file, place.certificates.client_key_file):
        replace(path, lambda _new: None, place)
    assert inside.tries("shake_hands", peers.broker).startswith("TLS")
