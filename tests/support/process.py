"""The program itself in a process of its own, as people run it: its exit code, its output and its log.

`Program` is any command; `Connector` is `run` with a configuration in a temporary folder and a log in JSON.
Both end no process but their own, and what the program said stands in every failure message.
Nothing here waits for a fixed time: every wait is for an event, and has a limit.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.isolation import discover
from twilio_notifications.config.reference import in_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
TOKEN = "5ecre7-70k3n-0f-tw1l10"
TOKEN_VARIABLE = "TWILIO_AUTH_TOKEN"
CRASHING = Path(__file__).with_name("crashing.py")
DEFAULT_FROM = "+15005550006"

Section = dict[str, Any]


def configuration(*, broker_url: str, twilio_url: str, **sections: Section) -> dict[str, Section]:
    """A complete configuration; what `sections` say goes before it.

    Pauses are short. Limits are long, because a busy machine must not reach them: a test that is about a
    limit sets it.
    """
    parameters = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "DefaultFromPhoneNumber": DEFAULT_FROM}
    if not discover().version:  # the default, which is to be confined, would refuse to start
        parameters["IsolationMode"] = "NoContainer"
    settings: dict[str, Section] = {
        "connector.parameters": parameters,
        "transport": {
            "url": broker_url,
            "connect_timeout_seconds": WAIT_SECONDS,
            "reconnect_initial_seconds": 0.02,
            "reconnect_maximum_seconds": 0.1,
        },
        "twilio": {"base_url": twilio_url, "timeout_seconds": WAIT_SECONDS},
        "delivery": {
            "backoff_initial_seconds": 0.02,
            "backoff_maximum_seconds": 0.1,
            "settle_seconds": 0.3,
            "credential_probe_seconds": 0.1,
            "drain_seconds": WAIT_SECONDS,
        },
        "log": {"level": "DEBUG", "format": "json"},
    }
    for name, section in sections.items():
        settings[name] = settings.get(name, {}) | section
    return settings


def write_configuration(path: Path, settings: Mapping[str, Section]) -> Path:
    """The settings as a TOML file; the name of a section may be dotted."""
    lines: list[str] = []
    for name, section in settings.items():
        lines += [f"[{name}]", *(f"{key} = {in_toml(value)}" for key, value in section.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without anything that would configure the program, and these variables."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("AWS_", "TWILIO_")) and not name.lower().endswith("_proxy")
    }
    return inherited | variables


class Program:
    """`async with Program("check", "--offline") as program:` is running; the end of the block ends it."""

    def __init__(
        self,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._command = [*(command or (sys.executable, "-m", "twilio_notifications")), *arguments]
        self._environ = environment() if environ is None else environ
        self._changed = asyncio.Condition()
        self._readers: list[asyncio.Task[None]] = []
        self._running: asyncio.subprocess.Process
        self.stdout: list[str] = []
        self.stderr: list[str] = []

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def ended(self) -> bool:
        return self._running.returncode is not None

    @property
    def output(self) -> str:
        """Everything it has written so far, for failure messages."""
        return "\n".join(["stdout:", *self.stdout, "stderr:", *self.stderr])

    async def start(self) -> None:
        self._running = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(self._environ),
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**22,
            start_new_session=True,  # Ctrl-C on the tests does not end it first
        )
        assert self._running.stdout is not None
        assert self._running.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(self._running.stdout, self.stdout)),
            asyncio.create_task(self._read(self._running.stderr, self.stderr)),
        ]

    async def wait(self) -> int:
        """Its exit code, once it has ended and everything it wrote has been read."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await asyncio.wait(self._readers)
                return await self._running.wait()
        except TimeoutError:
            raise AssertionError(
                f"it did not end within {WAIT_SECONDS:g} s; it said:\n{self.output}"
            ) from None

    async def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Returns once `holds`, looked at after every line it writes; fails at its end or the limit."""
        try:
            async with asyncio.timeout(WAIT_SECONDS), self._changed:
                while not holds():
                    if all(reader.done() for reader in self._readers):
                        raise AssertionError(f"it ended before {what}; it said:\n{self.output}")
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {what} within {WAIT_SECONDS:g} s; it said:\n{self.output}") from None

    async def wait_for_line(self, part: str) -> str:
        """The first line of its standard output that holds this."""
        await self.wait_until(lambda: any(part in line for line in self.stdout), f"line with {part!r}")
        return next(line for line in self.stdout if part in line)

    def signal(self, number: signal.Signals) -> None:
        assert not self.ended, f"it ended before {number.name}; it said:\n{self.output}"
        self._running.send_signal(number)

    async def terminate(self) -> int:
        """SIGTERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait()

    async def kill(self) -> None:
        """SIGKILL, as when the power fails."""
        self.signal(signal.SIGKILL)
        assert -signal.SIGKILL == await self.wait(), self.output

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self.ended:
            self.signal(signal.SIGKILL)
        await self.wait()

    async def _read(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        async for line in stream:
            lines.append(line.decode("utf-8", errors="replace").rstrip("\n"))
            async with self._changed:
                self._changed.notify_all()
        async with self._changed:
            self._changed.notify_all()


async def run_program(
    *arguments: str, environ: Mapping[str, str] | None = None, command: Sequence[str] = ()
) -> Program:
    """A program that has ended, for those that end by themselves: `exit_code` and what it wrote."""
    async with Program(*arguments, environ=environ, command=command) as program:
        await program.wait()
    return program


def exit_code(program: Program) -> int:
    """The exit code of a program that has ended."""
    code = program._running.returncode
    assert code is not None, "it is still running"
    return code


class LoggingProgram(Program):
    """One whose standard error is the log, with an object in each line."""

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log so far, one record a line; a line that is no record is a failure."""
        return [_record(line) for line in self.stderr]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The records of one event so far."""
        return [record for record in self.log if name == record["event"]]

    async def wait_for_event(self, name: str, count: int = 1) -> dict[str, Any]:
        """The event's record number `count`, counted from 1."""
        await self.wait_until(lambda: len(self.events(name)) >= count, f"event {name} number {count}")
        return self.events(name)[count - 1]

    async def ready(self) -> Self:
        """Returns when it can work."""
        await self.wait_for_event("connector_ready")
        return self


class Connector(LoggingProgram):
    """`run` in `folder`, which holds its configuration and its journal from one start to the next."""

    def __init__(
        self, folder: Path, settings: Mapping[str, Section], *, crash_at: str = "", **variables: str
    ) -> None:
        """`crash_at`: the event at which it kills itself; after a colon, at which one of that name.

        Before a ">" may stand the event after which it counts.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.config = write_configuration(folder / "connector.toml", settings)
        environ = environment(**{TOKEN_VARIABLE: TOKEN} | variables)
        if crash_at:
            command = (sys.executable, str(CRASHING), crash_at)
            super().__init__("--config", str(self.config), environ=environ, command=command)
        else:
            super().__init__("run", "--config", str(self.config), environ=environ)


class Component(LoggingProgram):
    """`run --greengrass`, as a nucleus starts it: in its work folder, with what `variables` tell of it."""

    def __init__(self, folder: Path, **variables: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("run", "--greengrass", environ=environment(**variables), folder=folder)


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    assert isinstance(record, dict), f"not a record of the log: {line}"
    return record
