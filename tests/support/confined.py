"""A program that confines itself exactly as `run` does, and then tries what its input says, line by line.

`confined.py CONFIG` says "confined", then reads JSON lines `[name, argument, …]` and answers each with
`{"result": …}` or `{"error": "EACCES"}`. It is the inside of the confinement, so that a test can look out.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import fcntl
import json
import os
import resource
import socket
import ssl
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from twilio_notifications import bootstrap
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.isolation.system_calls import ARCHITECTURES
from twilio_notifications.adapters.log import EventLog, configure
from twilio_notifications.adapters.mqtt.opening import tls_context
from twilio_notifications.adapters.secret_sources import FileSecret
from twilio_notifications.bootstrap.isolation import isolate
from twilio_notifications.config import MqttSettings, load
from twilio_notifications.core.errors import ConnectorError
from twilio_notifications.core.model import Channel, Notification, Recipient, Text
from twilio_notifications.ports import NewRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.isolation import FileWatch
    from twilio_notifications.config import Settings

PR_GET_DUMPABLE = 3
WAIT_SECONDS = 120.0
"""As in tests/support/patience.py, which a program that runs by itself does not find."""


class Inside:
    """What can be tried; each public method is a name in a line."""

    def __init__(self, config: Path, settings: Settings, *, events: EventLog, watch: FileWatch) -> None:
        self._watch = watch
        self._config = config
        self._settings = settings
        self._events = events

    # Files and programs.

    def read(self, path: str) -> int:
        return len(Path(path).read_bytes())

    def listed(self, path: str) -> int:
        return sum(1 for _ in Path(path).iterdir())

    def write(self, path: str) -> None:
        Path(path).write_text("written from inside")

    def truncate(self, path: str) -> None:
        os.truncate(path, 0)

    def remove(self, path: str) -> None:
        Path(path).unlink()

    def make_folder(self, path: str) -> None:
        Path(path).mkdir()

    def link(self, path: str, target: str) -> None:
        Path(path).symlink_to(target)

    def rename(self, path: str, target: str) -> None:
        Path(path).rename(target)

    def execute(self, program: str) -> int:
        """In a child, because it would replace this program if it worked."""
        child = os.fork()
        if child == 0:
            try:
                os.execv(program, [program])  # noqa: S606 - the point
            except OSError as error:
                os._exit(error.errno or 1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code in errno.errorcode:
            raise OSError(code, os.strerror(code))
        return code

    # Network.

    def connect(self, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS):
            pass

    def listen(self, port: int) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))

    def send_datagram(self, port: int) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as channel:
            channel.sendto(b"x", ("127.0.0.1", port))

    def connect_abstract(self, name: str) -> None:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect("\0" + name)

    def open_socket(self, family: int, kind: int, protocol: int) -> None:
        socket.socket(family, kind, protocol).close()

    def pair(self, kind: int) -> None:
        for end in socket.socketpair(socket.AF_UNIX, kind):
            end.close()

    def connect_path(self, path: str) -> None:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(path)

    def listen_unbound(self) -> None:
        with socket.socket() as listener:
            listener.listen()

    def send_at_once(self, port: int, by: str) -> None:
        """TCP fast open: the first bytes leave together with the request for a connection."""
        with socket.socket() as channel:
            if by == "sendto":
                channel.sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", port))
            else:
                channel.sendmsg([b"x"], [], socket.MSG_FASTOPEN, ("127.0.0.1", port))

    def set_tcp_option(self, option: int, value: int | str) -> None:
        with socket.socket() as channel:
            encoded = value.encode() if isinstance(value, str) else value
            channel.setsockopt(socket.IPPROTO_TCP, option, encoded)

    # The kernel.

    def change_mode(self, path: str, mode: int) -> None:
        Path(path).chmod(mode)

    def change_mode_of_what_is_open(self, path: str, mode: int) -> None:
        with Path(path).open("rb") as file:
            os.fchmod(file.fileno(), mode)

    def change_owner(self, path: str) -> None:
        os.chown(path, os.getuid(), os.getgid())

    def set_times(self, path: str) -> None:
        os.utime(path)

    def set_attribute(self, path: str) -> None:
        os.setxattr(path, "user.x", b"x")

    def call(self, name: str, *arguments: int | str) -> int:
        """A system call by its name in the table of the filter."""
        number = ARCHITECTURES[os.uname().machine].numbers[name]
        libc = ctypes.CDLL(None, use_errno=True)
        words = [word.encode() if isinstance(word, str) else ctypes.c_long(word) for word in arguments]
        return _checked(libc.syscall(ctypes.c_long(number), *words))

    def call_number(self, number: int) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        return _checked(libc.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6))

    def control_terminal(self, control: int) -> None:
        """Controls the terminal that is the standard error, where it is one."""
        fcntl.ioctl(sys.stderr.fileno(), control, b"x")

    def prctl(self, option: int, value: int) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        return _checked(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))

    def limit_of(self, pid: int) -> list[int]:
        return [*resource.prlimit(pid, resource.RLIMIT_NOFILE)]

    def fetch(self, url: str) -> int:
        """By the HTTP client, whose connections are made in threads of its own."""
        return asyncio.run(_fetch(url))

    def resolve(self, name: str) -> str:
        """In the thread in which asyncio resolves names."""

        async def resolved() -> str:
            found = await asyncio.get_running_loop().getaddrinfo(name, 443, family=socket.AF_INET)
            return str(found[0][4][0])

        try:
            return asyncio.run(resolved())
        except socket.gaierror as error:
            return f"not resolved: {error.strerror}"

    def lost_file(self) -> str:
        """What the watch over the files of a confined process says at once; "" where all is well."""

        async def lost() -> str:
            try:
                async with asyncio.timeout(0):  # it looks before it waits
                    return str(await self._watch.replaced())
            except TimeoutError:
                return ""

        return asyncio.run(lost())

    def shake_hands(self, port: int) -> str:
        """TLS with the certificates of the configuration, read again as for each connection."""
        # This file runs as a program from another folder, so it imports nothing of the tests.
        assert isinstance(self._settings.transport, MqttSettings)
        context = tls_context(self._settings.transport)
        assert context is not None
        with (
            socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as channel,
        ):
            return str(channel.version())

    def trusted_authorities(self) -> int:
        return ssl.create_default_context().cert_store_stats()["x509_ca"]

    # The connector's own work.

    def secret(self) -> str:
        first = bootstrap.secret_files(self._settings, os.environ).first
        return asyncio.run(FileSecret(*first).read()).reveal()

    def reload(self) -> str:
        return str(load(self._config, os.environ).log.level)

    def journal(self, requests: int) -> int:
        """Records so many requests, and opens the journal again, which then builds a large index."""
        return asyncio.run(self._journal(requests))

    async def _journal(self, requests: int) -> int:
        async with bootstrap.journal(self._settings, events=self._events, member="one") as journal:
            await journal.record([_request(number) for number in range(requests)])
        async with bootstrap.journal(self._settings, events=self._events, member="one") as journal:
            return (await journal.recover(now=0.0)).waiting

    # What it is.

    def status(self, field: str) -> list[str]:
        """A field of /proc/self/status, of each thread."""
        threads = Path("/proc/self/task").iterdir()
        return sorted({_field(thread / "status", field) for thread in threads})

    def core_limit(self) -> list[int]:
        return [*resource.getrlimit(resource.RLIMIT_CORE)]

    def dumpable(self) -> int:
        return int(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))

    def signal(self, pid: int) -> None:
        os.kill(pid, 0)

    def in_a_thread(self, name: str, *arguments: Any) -> Any:
        answers: list[dict[str, Any]] = []
        thread = threading.Thread(target=lambda: answers.append(self.answer([name, *arguments])))
        thread.start()
        thread.join()
        return answers[0]

    def answer(self, line: list[Any]) -> dict[str, Any]:
        name, *arguments = line
        attempt: Callable[..., Any] = getattr(self, name)
        try:
            return {"result": attempt(*arguments)}
        except OSError as error:
            return {"error": errno.errorcode.get(error.errno or 0, str(error))}
        except (ConnectorError, PyreqwestError) as error:
            return {"error": _causes(error)}


async def _fetch(url: str) -> int:
    async with ClientBuilder().timeout(timedelta(seconds=WAIT_SECONDS)).build() as client:
        return (await client.get(url).build().send()).status


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _causes(error: Exception) -> str:
    details = getattr(error, "details", None) or {}
    return ": ".join([str(error), *(cause["message"] for cause in details.get("causes") or ())])


def _request(number: int) -> NewRequest:
    notification = Notification(
        channel=Channel.SMS,
        request_id=f"a request with an id that takes some room {number}",
        recipient=Recipient(name="Darla", phone_number=f"+1234{number:07}"),
        content=Text(body="Hello"),
        sender_number="+19999999999",
        retries=0,
    )
    return NewRequest(notification=notification, accepted_at=1e9, expires_at=2e9)


def _field(status: Path, field: str) -> str:
    lines = status.read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    config = Path(sys.argv[1])
    settings = load(config, os.environ)
    events = configure(level="WARNING", form=settings.log.format)
    watch = isolate(settings, config, environ=os.environ, clock=SystemClock(), events=events)
    sys.stdout.write("confined\n")
    sys.stdout.flush()
    inside = Inside(config, settings, events=events, watch=watch)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(inside.answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
