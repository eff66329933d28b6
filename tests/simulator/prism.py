"""The referee: Stoplight's prism, between a test and the simulator, holding both to Twilio's own description.

It is installed once, outside the repository, and shared by all test runs of this user. It answers 422 to a
request, and 500 to an answer, that Twilio's description does not allow.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.needs import OPENAPI
from tests.support.npm import installed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PACKAGE = "@stoplight/prism-cli"
VERSION = "5.14.2"
START_SECONDS = 60.0
LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


def description() -> Path:
    """Twilio's OpenAPI file; where it lies can be said by TWILIO_OPENAPI_FILE."""
    path = Path(os.environ.get("TWILIO_OPENAPI_FILE") or OPENAPI)
    if not path.is_file():
        pytest.skip(f"Twilio's OpenAPI description is not at {path}")
    return path


def write_description(path: Path) -> None:
    """Twilio's description, corrected in one place for prism.

    It declares the links between pages as `uri`, which RFC 3986 wants absolute, while its own examples and
    its own libraries have them relative to the host.
    """
    document: Any = json.loads(description().read_bytes())
    for operations in document["paths"].values():
        listing = operations.get("get", {}).get("responses", {}).get("200", {})
        for content in listing.get("content", {}).values():
            for named in content["schema"].get("properties", {}).values():
                if named.get("format") == "uri":
                    named["format"] = "uri-reference"
    path.write_text(json.dumps(document))


@asynccontextmanager
async def prism(target: str, folder: Path) -> AsyncIterator[str]:
    """The URL of a prism in front of the target. It and what it started are gone afterwards."""
    modules = await asyncio.to_thread(installed, PACKAGE, VERSION)
    program = modules / ".bin" / "prism"
    copy, log = folder / "twilio.json", folder / "prism.log"
    write_description(copy)
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *(program, "proxy", "-h", "127.0.0.1", "-p", "0", "--errors", copy, target),
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that its whole group can be ended
        )
    try:
        yield await _listening_on(log, running)
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(running.pid, signal.SIGKILL)
        await running.wait()


async def _listening_on(log: Path, running: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(START_SECONDS):
        while not (found := LISTENING.search(said := _read(log))):
            assert running.returncode is None, f"prism ended before it listened: {said[-1_000:]}"
            await asyncio.sleep(0.05)
    return found[1]


def _read(log: Path) -> str:
    return log.read_text(errors="replace")
