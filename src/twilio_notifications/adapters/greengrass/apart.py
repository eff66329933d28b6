"""Reads the component's configuration before the process is confined, and leaves nothing behind.

The configuration says whether to confine at all, so it is needed first. The SDK starts threads that live as
long as the process, and Landlock confines only the thread that asks for it and those that it starts later. So
the SDK is used in a process of its own here, which ends with its answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.nucleus import Nucleus
from twilio_notifications.core.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping


def configuration_read_apart(environ: Mapping[str, str], *, answer_seconds: float) -> Mapping[str, object]:
    """The component's configuration; raises TransportError. There must be no other thread yet."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _answer(writer, Nucleus(environ, answer_seconds))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return _understood(said)


def _answer(writer: int, nucleus: Nucleus) -> None:
    """Never returns: what the parent has open and will do at its end must not be closed or done twice."""
    status = 1
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(asyncio.run(_asked(nucleus))).encode())
        status = 0
    except BaseException:  # noqa: BLE001 - a defect; whatever it is, this process ends here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


async def _asked(nucleus: Nucleus) -> Mapping[str, object]:
    try:
        await nucleus.connect()
        return {"configuration": await nucleus.configuration()}
    except TransportError as error:
        return {"error": str(error)}
    finally:
        await nucleus.close()


def _understood(said: bytes) -> Mapping[str, object]:
    if not said:
        raise TransportError("the component configuration could not be read: the log above says why")
    answer = json.loads(said)
    if "error" in answer:
        raise TransportError(str(answer["error"]))
    configuration: Mapping[str, object] = answer["configuration"]
    return configuration
