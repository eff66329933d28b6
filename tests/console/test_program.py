"""The command itself, as people run it: its address, its confinement, its end, and what it refuses."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.journals import store
from tests.support.process import (
    TOKEN,
    TOKEN_VARIABLE,
    LoggingProgram,
    Program,
    configuration,
    environment,
    write_configuration,
)
from twilio_notifications.console.server import MOST_CONNECTIONS
from twilio_notifications.core.password_hash import read_password_hash

if TYPE_CHECKING:
    from tests.support.process import Section

NO_BROKER = "mqtt://127.0.0.1:1"
LOOPBACK = "127.0.0.1:0"


class ConsoleProgram(LoggingProgram):
    """`console` in this folder; `url` once it is ready."""

    def __init__(self, folder: Path, *, broker_url: str = NO_BROKER, **console: Any) -> None:
        section = {"listen": LOOPBACK} | console
        journal = {"url": "sqlite:///journal/journal.db"}
        settings = configuration(
            broker_url=broker_url, twilio_url="http://127.0.0.1:1", console=section, journal=journal
        )
        (folder / "journal").mkdir(exist_ok=True)
        self.config = write_configuration(folder / "console.toml", settings)
        environ = environment(**{TOKEN_VARIABLE: TOKEN, "TWILIO_AUTH_TOKEN_2": TOKEN})
        super().__init__("console", "--config", str(self.config), environ=environ)

    async def url(self) -> str:
        return str((await self.wait_for_event("console_ready"))["address"])


def status(pid: int) -> dict[str, str]:
    """What the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_it_serves_says_where_and_ends_with_a_signal(tmp_path: Path) -> None:
    async with ConsoleProgram(tmp_path) as program:
        url = await program.url()
        async with httpx.AsyncClient() as browser:
            assert 200 == (await browser.get(f"{url}/parameters")).status_code
        assert [f"console on {url}  - Ctrl-C ends"] == program.stdout
        assert 0 == await program.terminate()
        assert ["console_stopped"] == [record["event"] for record in program.log[-1:]]


async def test_a_page_that_listens_for_changes_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    async with ConsoleProgram(tmp_path) as program:
        url = await program.url()
        async with httpx.AsyncClient() as browser, browser.stream("GET", f"{url}/live") as live:
            assert "text/event-stream" in live.headers["content-type"]
            parts = live.aiter_bytes()
            assert b": alive" in await anext(parts)
            assert 0 == await program.terminate()


@pytest.mark.landlock
async def test_it_confines_itself_before_it_answers(tmp_path: Path) -> None:
    async with ConsoleProgram(tmp_path) as program:
        await program.url()
        confined = await program.wait_for_event("process_confined")
        assert str(tmp_path / "journal") == confined["writable"]
        assert "443" not in confined["connect_ports"].split()
        kernel = status(program.pid)
        assert "1" == kernel["NoNewPrivs"]
        assert "2" == kernel["Seccomp"]
        assert 0 == int(kernel["CapEff"], 16)


@pytest.mark.landlock
async def test_a_journal_folder_that_was_replaced_is_said_with_what_to_do(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    async with store("sqlite file", journal)(), ConsoleProgram(tmp_path) as program:
        url = await program.url()
        journal.rename(tmp_path / "moved")
        journal.mkdir()
        shutil.copy(tmp_path / "moved" / "journal.db", journal)
        async with httpx.AsyncClient() as browser:
            page = await browser.get(f"{url}/requests")
    assert 503 == page.status_code
    assert "where its folder was replaced meanwhile, start this program again" in page.text


async def test_a_journal_without_a_folder_is_said(tmp_path: Path) -> None:
    """A connector makes the folder at the default place alone: another one may be a disk that is missing."""
    config = write_configuration(
        tmp_path / "c.toml",
        {"journal": {"url": "sqlite:///disk/journal.db"}, "console": {"listen": LOOPBACK}},
    )
    async with Program("console", "--config", str(config)) as program:
        assert 1 == await program.wait()
        assert any(f"folder {tmp_path / 'disk'} does not exist" in line for line in program.stderr)


async def test_it_works_without_isolation_where_that_is_configured(tmp_path: Path) -> None:
    async with ConsoleProgram(tmp_path, isolation=False) as program:
        await program.url()
        assert [] == program.events("process_confined")
        assert 1 == len(program.events("process_not_confined"))


async def test_the_auth_token_is_on_no_page_and_in_no_line(tmp_path: Path) -> None:
    async with ConsoleProgram(tmp_path) as program:
        url = await program.url()
        async with httpx.AsyncClient() as browser:
            for page in ("/", "/parameters?all=1"):
                assert TOKEN not in (await browser.get(url + page)).text
        assert TOKEN not in program.output


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
async def test_it_refuses_to_listen_beyond_the_loopback_without_sign_in(tmp_path: Path, listen: str) -> None:
    async with ConsoleProgram(tmp_path, listen=listen) as program:
        assert 2 == await program.wait()
        assert any("can be reached from other machines" in line for line in program.stderr)
        assert any("set console.users or console.token_hash" in line for line in program.stderr)


async def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with ConsoleProgram(tmp_path, listen=address) as program:
            assert 1 == await program.wait()
            assert any("[console] listen" in line and address in line for line in program.stderr)


async def test_it_starts_where_the_connectors_configuration_is_wrong_and_shows_what_is(
    tmp_path: Path,
) -> None:
    section: Section = {"listen": LOOPBACK}
    config = write_configuration(tmp_path / "c.toml", {"tracking": {"mode": "sometimes"}, "console": section})
    async with LoggingProgram(
        "console", "--config", str(config), environ=environment(TWILIO_NOTIFICATIONS__LOG__FORMAT="json")
    ) as program:
        url = (await program.wait_for_event("console_ready"))["address"]
        async with httpx.AsyncClient() as browser:
            page = (await browser.get(f"{url}/parameters")).text
    assert "tracking.mode must be one of" in page
    assert "Twilio account SID (TWILIO_ACCOUNT_SID) is required" in page


async def test_a_hash_is_made_of_a_password() -> None:
    said, _, code = await _hash(b"correct horse battery staple\n")
    (line,) = said.splitlines()
    assert 0 == code
    made = read_password_hash(line)
    assert made is not None
    assert made.fits("correct horse battery staple")
    assert not made.fits("another")


@pytest.mark.parametrize("password", [b"", b"\n", b"short\n", b"x" * 1_025 + b"\n"])
async def test_a_password_that_is_too_short_or_too_long_makes_none(password: bytes) -> None:
    said, problem, code = await _hash(password)
    assert (2, "") == (code, said)
    assert "a password must have 8 to 1024 characters" in problem


async def _hash(password: bytes) -> tuple[str, str, int | None]:
    """Standard output, standard error and the exit code of `console hash-password`."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twilio_notifications", "console", "hash-password"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, problem = await running.communicate(password)
    return said.decode(), problem.decode(), running.returncode


async def test_clients_that_are_too_many_are_hung_up_on(tmp_path: Path) -> None:
    async with ConsoleProgram(tmp_path) as program:
        url = httpx.URL(await program.url())
        assert url.port is not None
        idle = [await asyncio.open_connection("127.0.0.1", url.port) for _ in range(MOST_CONNECTIONS)]
        reader, writer = await asyncio.open_connection("127.0.0.1", url.port)
        assert b"" == await reader.read()
        for _, each in (*idle, (reader, writer)):
            each.close()
            await each.wait_closed()
        async with httpx.AsyncClient() as browser:
            assert 200 == (await browser.get(f"{url}/parameters")).status_code
