"""Reads the component's configuration in a child process, before this process is confined.

The configuration says whether to confine the process, so it is needed first. The SDK starts threads that
live as long as the process, and Landlock confines only the thread that asks for it and the threads that it
starts later. So a child process uses the SDK, and ends after its answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.nucleus import Nucleus
from twilio_notifications.core.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


PATIENCE_SECONDS = 60.0
"""A device that starts is busy, and a nucleus gives up after three exits of the component."""

PAUSE_SECONDS = 0.5


def configuration_read_apart(
    environ: Mapping[str, str], *, answer_seconds: float, patience_seconds: float = PATIENCE_SECONDS
) -> Mapping[str, object]:
    """The component's configuration. The process must have only one thread.

    While the nucleus cannot be reached or refuses, asks again, but not after `patience_seconds`. Raises
    TransportError.
    """
    reader, writer = os.pipe()
    parent, child = os.getpid(), os.fork()
    if child == 0:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)  # the parent's handlers act on the parent's state
        os.close(reader)
        until = time.monotonic() + patience_seconds
        _answer(
            writer,
            Nucleus(environ, answer_seconds),
            may_go_on=lambda: time.monotonic() < until and os.getppid() == parent,
        )
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return _understood(said)


def _answer(writer: int, nucleus: Nucleus, *, may_go_on: Callable[[], bool]) -> None:
    """Writes the answer and exits the child process, without the cleanup that only the parent may do."""
    status = 1
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(asyncio.run(asked_for(nucleus, may_go_on=may_go_on))).encode())
        status = 0
    except BaseException:  # noqa: BLE001 - a defect; the child process ends after every one
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


async def asked_for(nucleus: Nucleus, *, may_go_on: Callable[[], bool]) -> Mapping[str, object]:
    """`{"configuration": …}`, or `{"error": …}` with the last error after `may_go_on` returned False."""
    while True:
        try:
            await nucleus.connect()
            return {"configuration": await nucleus.configuration()}
        except TransportError as error:
            if not may_go_on():
                return {"error": str(error)}
        finally:
            await nucleus.close()
        await asyncio.sleep(PAUSE_SECONDS)


def _understood(said: bytes) -> Mapping[str, object]:
    if not said:
        raise TransportError("the component configuration cannot be read: the lines above this one say why")
    answer = json.loads(said)
    if "error" in answer:
        raise TransportError(str(answer["error"]))
    configuration: Mapping[str, object] = answer["configuration"]
    return configuration
