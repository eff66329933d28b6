"""The filter of system calls, run by an interpreter: the same answers on both architectures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.bpf import ALLOW, answer
from twilio_notifications.adapters.isolation import Offer
from twilio_notifications.adapters.isolation.confinement import Confinement
from twilio_notifications.adapters.isolation.seccomp import program
from twilio_notifications.adapters.isolation.system_calls import ARCHITECTURES, HIGHEST, NEVER

if TYPE_CHECKING:
    from twilio_notifications.adapters.isolation.system_calls import Architecture

AUDIT = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7, "i386": 0x4000_0003, "arm": 0x4000_0028}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
UNIX, INET, INET6, NETLINK, STREAM, DATAGRAM = 1, 2, 10, 16, 1, 2
CLOSE_ON_EXEC = 0o2000000
NON_BLOCKING = 0o4000

# What the connector, its libraries and the interpreter use: x86-64, aarch64.
MUST_WORK = {
    "read": (0, 63),
    "openat": (257, 56),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "connect": (42, 203),
    "accept4": (288, 242),
    "recvfrom": (45, 207),
    "bind": (49, 200),
    "futex": (202, 98),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "eventfd2": (290, 19),
    "pipe2": (293, 59),
    "timerfd_create": (283, 85),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "ftruncate": (77, 46),
    "renameat2": (316, 276),
    "unlinkat": (263, 35),
    "getrandom": (318, 278),
    "rt_sigaction": (13, 134),
    "kill": (62, 129),
    "sched_getaffinity": (204, 123),
    "statx": (332, 291),
    "exit_group": (231, 94),
    "close_range": (436, 436),
    "rseq": (334, 293),
}


@pytest.fixture(params=sorted(ARCHITECTURES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def architecture(name: str) -> Architecture:
    return ARCHITECTURES[name]


def says(
    architecture: Architecture, call: str | int, *arguments: int, unix_sockets: bool = False, audit: int = 0
) -> str:
    """What the filter answers."""
    code = b"".join(step.encoded() for step in program(architecture, unix_sockets=unix_sockets))
    number = architecture.numbers[call] if isinstance(call, str) else call
    return answer(code, audit=audit or architecture.audit, number=number, arguments=arguments)


def test_the_architectures_are_those_of_the_kernel(name: str, architecture: Architecture) -> None:
    assert AUDIT[name] == architecture.audit


def test_the_numbers_are_those_of_the_kernels_headers(name: str, architecture: Architecture) -> None:
    header = HEADERS[name]
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    lines = re.findall(r"^#define __NR_(\w+)\s+(\d+)$", header.read_text(), re.MULTILINE)
    known = {call: int(number) for call, number in lines}
    assert len(known) > 200
    newest = max(known.values())
    ours = {call: number for call, number in architecture.numbers.items() if number <= newest}
    assert ours == {call: known.get(call) for call in ours}
    assert set() == {call for call in NEVER if call in known} - set(ours), "named, and without its number"


def test_no_two_names_have_one_number(architecture: Architecture) -> None:
    numbers = list(architecture.numbers.values())
    assert sorted(set(numbers)) == sorted(numbers)
    assert max(numbers) <= HIGHEST


def test_every_name_of_the_list_is_known_somewhere() -> None:
    known = {call for each in ARCHITECTURES.values() for call in each.numbers}
    assert set() == set(NEVER) - known


def test_the_program_fits_into_the_kernels_bound_and_every_path_ends(architecture: Architecture) -> None:
    """BPF_MAXINSNS; the interpreter raises an IndexError for a path that runs out of the program."""
    steps = program(architecture, unix_sockets=True)
    assert len(steps) < 4096
    for number in [*range(600), 1 << 30, (1 << 32) - 1]:
        for arguments in [(0,) * 6, ((1 << 64) - 1,) * 6, (2, 1, 6, 0, 0, 0), (1, 2, 0, 0, 0, 0)]:
            says(architecture, number, *arguments, unix_sockets=True)


@pytest.mark.parametrize("call", sorted(set(NEVER) & set(ARCHITECTURES["aarch64"].numbers)))
def test_what_the_connector_never_does_is_not_permitted(architecture: Architecture, call: str) -> None:
    assert "EPERM" == says(architecture, call)


@pytest.mark.parametrize(("call", "numbers"), MUST_WORK.items())
def test_what_the_connector_and_its_libraries_do_is_allowed(
    name: str, architecture: Architecture, call: str, numbers: tuple[int, int]
) -> None:
    assert ALLOW == says(architecture, numbers[name == "aarch64"]), call


@pytest.mark.parametrize("call", ["execve", "execveat", "listen"])
def test_nothing_is_executed_and_nothing_listens(architecture: Architecture, call: str) -> None:
    assert "EACCES" == says(architecture, call)


@pytest.mark.parametrize("call", ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"])
def test_what_libraries_can_do_without_does_not_exist(architecture: Architecture, call: str) -> None:
    assert "ENOSYS" == says(architecture, call)


@pytest.mark.parametrize("number", [HIGHEST + 1, 1000, 1 << 30, (1 << 30) + 41, (1 << 32) - 1])
def test_newer_system_calls_and_those_of_x32_do_not_exist(architecture: Architecture, number: int) -> None:
    assert "ENOSYS" == says(architecture, number)


@pytest.mark.parametrize("foreign", sorted(AUDIT))
def test_the_system_calls_of_another_architecture_do_not_exist(
    name: str, architecture: Architecture, foreign: str
) -> None:
    """On x86-64 a program may switch to those of i386 at any time, where 1 is exit and 102 makes sockets."""
    expected = ALLOW if foreign == name else "ENOSYS"
    assert expected == says(architecture, MUST_WORK["read"][name == "aarch64"], audit=AUDIT[foreign])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0x3D0F00, ALLOW),  # a thread of the C library's
        (0x1200011, ALLOW),  # fork
        (0x1000_0000, "EPERM"),  # CLONE_NEWUSER
        (0x0002_0011, "EPERM"),  # CLONE_NEWNS
        (0x4000_0000, "EPERM"),  # CLONE_NEWNET
        (0x2000_0000, "EPERM"),
        (0x0800_0000, "EPERM"),
        (0x0400_0000, "EPERM"),
        (0x0200_0000, "EPERM"),
    ],
)
def test_threads_start_and_namespaces_do_not(architecture: Architecture, flags: int, expected: str) -> None:
    assert expected == says(architecture, "clone", flags)


@pytest.mark.parametrize(
    ("family", "kind", "protocol", "expected"),
    [
        (INET, STREAM, 0, ALLOW),
        (INET6, STREAM | CLOSE_ON_EXEC | NON_BLOCKING, 6, ALLOW),
        (INET, DATAGRAM | CLOSE_ON_EXEC, 0, ALLOW),
        (INET6, DATAGRAM, 17, ALLOW),
        (NETLINK, 3 | CLOSE_ON_EXEC, 0, ALLOW),  # the C library asks which addresses there are
        (NETLINK, 3, 15, "EPERM"),
        (INET, STREAM, 262, "EPERM"),  # MPTCP
        (INET, STREAM, 132, "EPERM"),  # SCTP
        (INET, 5, 132, "EPERM"),
        (INET, DATAGRAM, 1, "EPERM"),  # ICMP
        (INET, DATAGRAM, 136, "EPERM"),  # UDP-Lite
        (INET, 3, 6, "EPERM"),  # raw
        (INET, 6, 33, "EPERM"),  # DCCP
        (17, 3, 0, "EPERM"),  # packets
        (38, 5, 0, "EPERM"),  # the kernel's ciphers
        (40, STREAM, 0, "EPERM"),  # of virtual machines
        (43, STREAM, 0, "EPERM"),  # SMC, which goes over TCP
        (44, 3, 0, "EPERM"),  # XDP
        (UNIX, STREAM, 0, "EPERM"),
        (UNIX, DATAGRAM, 0, "EPERM"),
    ],
)
def test_sockets_are_those_of_tcp_and_udp(
    architecture: Architecture, family: int, kind: int, protocol: int, expected: str
) -> None:
    assert expected == says(architecture, "socket", family, kind, protocol)


def test_only_what_needs_sockets_of_this_machine_can_make_them_and_streams_alone(
    architecture: Architecture,
) -> None:
    kinds = (STREAM, STREAM | CLOSE_ON_EXEC, DATAGRAM, 5)
    made = [says(architecture, "socket", UNIX, kind, 0, unix_sockets=True) for kind in kinds]
    assert [ALLOW, ALLOW, "EPERM", "EPERM"] == made
    assert "EPERM" == says(architecture, "socket", INET, STREAM, 262, unix_sockets=True)


def test_pairs_of_sockets_are_streams(architecture: Architecture) -> None:
    """Event loops wake themselves by one."""
    assert ALLOW == says(architecture, "socketpair", UNIX, STREAM | CLOSE_ON_EXEC | NON_BLOCKING, 0)
    assert "EPERM" == says(architecture, "socketpair", UNIX, DATAGRAM, 0)
    assert "EPERM" == says(architecture, "socketpair", 30, STREAM, 0)


@pytest.mark.parametrize(("call", "place"), [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)])
def test_nothing_is_sent_before_a_connection_is_made(
    architecture: Architecture, call: str, place: int
) -> None:
    arguments = [0] * 6
    arguments[place] = 0x4000  # MSG_NOSIGNAL
    assert ALLOW == says(architecture, call, *arguments)
    arguments[place] |= 0x2000_0000
    assert "EPERM" == says(architecture, call, *arguments)


@pytest.mark.parametrize(
    ("level", "option", "expected"),
    [
        (6, 1, ALLOW),  # TCP_NODELAY
        (6, 4, ALLOW),  # TCP_KEEPIDLE
        (1, 9, ALLOW),  # SO_KEEPALIVE
        (1, 30, ALLOW),  # of another level
        (6, 23, "EPERM"),  # TCP_FASTOPEN
        (6, 30, "EPERM"),  # TCP_FASTOPEN_CONNECT
        (6, 33, "EPERM"),
        (6, 34, "EPERM"),
        (6, 31, "EPERM"),  # TCP_ULP
    ],
)
def test_options_of_sockets_open_no_way_around_the_ports(
    architecture: Architecture, level: int, option: int, expected: str
) -> None:
    assert expected == says(architecture, "setsockopt", 5, level, option)


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (0x5401, ALLOW),  # isatty
        (0x541B, ALLOW),  # bytes that wait
        (0x5421, ALLOW),  # non-blocking
        (0x5412, "EPERM"),  # TIOCSTI
        (0x1_0000_5412, "EPERM"),  # the kernel does not look at the upper half
        (0x541C, "EPERM"),
        (0x4008_6602, "EPERM"),
    ],
)
def test_nothing_is_typed_into_a_terminal(architecture: Architecture, control: int, expected: str) -> None:
    assert expected == says(architecture, "ioctl", 0, control)


def test_a_thread_may_have_a_name_and_the_memory_stays_closed(architecture: Architecture) -> None:
    assert ALLOW == says(architecture, "prctl", 15)
    assert "EPERM" == says(architecture, "prctl", 4, 1)
    assert "EPERM" == says(architecture, "prctl", 0x5961_6D61, 1)


def test_limits_are_those_of_the_process_itself(architecture: Architecture) -> None:
    assert ALLOW == says(architecture, "prlimit64", 0)
    assert "EPERM" == says(architecture, "prlimit64", 1)


# What is said of it.


def test_what_stays_open_is_named() -> None:
    closed, with_sockets = Confinement(), Confinement(sockets=frozenset({Path("/run/nucleus")}))
    assert "UDP" == Offer(version=9).not_confined(with_sockets)
    assert "UDP" == Offer(version=7).not_confined(closed), "no socket can be made, whatever Landlock knows"
    assert "UDP, sockets with a path (Linux 7.1)" == Offer(version=7).not_confined(with_sockets)
    without = Offer(version=8, no_filter="no numbers of its system calls are known for armv7l")
    assert "UDP, seccomp, sockets with a path (Linux 7.1)" == without.not_confined(closed)
