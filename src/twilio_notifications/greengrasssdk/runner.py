"""Runs a V1 function as the core did: subscribes, and calls the function with one event after the other.

The runner acknowledges an event when the function has returned; meanwhile the broker keeps the other events.
It logs what the function raises and goes on with the next event. It passes over retained messages, because
the function would get them again at every start.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import random
import signal
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters import log
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.mqtt import MqttTransport
from twilio_notifications.config import MqttSettings
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.greengrasssdk.outlets import own_client_id
from twilio_notifications.greengrasssdk.outside import new_nucleus, settings_of
from twilio_notifications.ports.events import (
    Defect,
    FunctionEventRetained,
    FunctionEventUnreadable,
    FunctionReady,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.config import GreengrassSettings, TransportSettings
    from twilio_notifications.ports import Events, Inbound, Transport

    Function = Callable[[Any, Any], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContext:
    """`custom["subject"]` is the topic of the event."""

    custom: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The second argument of a function: facts about the call in addition to the event."""

    client_context: ClientContext
    function_name: str
    aws_request_id: str


def run(name: str, topics: Sequence[str], *, environ: Mapping[str, str]) -> int:
    """Runs `name`, which is MODULE.FUNCTION, until SIGTERM or SIGINT; then returns 0."""
    settings = settings_of(environ)
    events = log.configure(level=settings.log.level, form=settings.log.format)
    runner = Runner(
        function=_found(name),
        name=name,
        prefix=settings.transport.topic_prefix,
        events=events,
    )
    asyncio.run(_run(runner, settings.transport, topics, environ=environ))
    return 0


def _found(name: str) -> Function:
    """The function that `name` names.

    Raises ConfigurationError where it does not exist, and what its module raises.
    """
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        raise ConfigurationError(
            [f"{name!r} is not MODULE.FUNCTION, as in temperature_monitor.function_handler"]
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ConfigurationError(
            [f"there is no module {module_name}: run this in the folder of {module_name}.py"]
        ) from error
    function: Function | None = getattr(module, attribute, None)
    if not callable(function):
        raise ConfigurationError([f"the module {module_name} has no function {attribute}"])
    return function


async def _run(
    runner: Runner, settings: TransportSettings, topics: Sequence[str], *, environ: Mapping[str, str]
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, runner.stop)
    filters = [settings.topic_prefix + topic for topic in topics]
    if isinstance(settings, MqttSettings):
        transport: Transport = _by_broker(settings, filters, runner.events)
    else:
        transport = _by_nucleus(settings, filters, runner.events, environ)
    try:
        await _first_of(
            transport.run(on_inbound=runner.receive, on_ready=lambda: runner.ready(topics)), runner.work()
        )
    finally:
        await transport.close()


async def _first_of(*stages: Any) -> None:
    """Runs all stages until the first one ends, and cancels the others; raises what the first one raises."""
    running = [asyncio.ensure_future(stage) for stage in stages]
    done, pending = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for stage in pending:
        stage.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for stage in done:
        stage.result()


def _by_broker(settings: MqttSettings, filters: Sequence[str], events: Events) -> MqttTransport:
    """A transport without a session: as in V1, the broker keeps no events while the function does not run."""
    return MqttTransport(
        replace(settings, client_id=own_client_id(settings), session_expiry_seconds=0),
        topics=filters,
        clock=SystemClock(),
        events=events,
        jitter=random.SystemRandom().random,
    )


def _by_nucleus(
    settings: GreengrassSettings, filters: Sequence[str], events: Events, environ: Mapping[str, str]
) -> Transport:
    wild = [name for name in filters if set("+#") & set(name)]
    if wild:
        # An event of a nucleus does not name its topic, only the subscription to which it belongs.
        raise ConfigurationError([f"a nucleus needs topics without + and #, not {', '.join(wild)}"])
    nucleus = new_nucleus(environ, answer_seconds=settings.answer_seconds)
    from twilio_notifications.adapters.greengrass import (  # noqa: PLC0415 - needs the extra
        Endurance,
        GreengrassTransport,
    )

    clock = SystemClock()
    return GreengrassTransport(
        settings=settings,
        nucleus=nucleus,
        topics=filters,
        clock=clock,
        events=events,
        jitter=random.SystemRandom().random,
        endurance=Endurance(started_at=clock.now(), started_before=clock.now()),
    )


class Runner:
    """Calls the function with each event, in a thread of its own, and never with two events at a time."""

    def __init__(self, *, function: Function, name: str, prefix: str, events: Events) -> None:
        self.events = events
        self._function = function
        self._name = name
        self._prefix = prefix
        self._events: asyncio.Queue[Inbound | None] = asyncio.Queue()
        self._stopped = False

    def ready(self, topics: Sequence[str]) -> None:
        self.events.tell(FunctionReady(function=self._name, topics=", ".join(topics)))

    def receive(self, inbound: Inbound) -> None:
        self._events.put_nowait(inbound)

    def stop(self) -> None:
        """Ends `work` after the event that the function has now; events that wait stay at the broker."""
        self._stopped = True
        self._events.put_nowait(None)

    async def work(self) -> None:
        """Takes one event after the other; returns after `stop`."""
        while True:
            inbound = await self._events.get()
            if inbound is None or self._stopped:
                return
            await self._take(inbound)
            inbound.acknowledge()

    async def _take(self, inbound: Inbound) -> None:
        subject = inbound.topic.removeprefix(self._prefix)
        if inbound.retained:
            self.events.tell(FunctionEventRetained(topic=subject))
            return
        try:
            event = json.loads(inbound.payload)
        except (ValueError, RecursionError) as error:
            reason = "not JSON"  # never with a part of the payload
            if inbound.passed_over:
                reason = f"it has {inbound.passed_over} bytes, which is too many"
            elif isinstance(error, json.JSONDecodeError):
                reason = f"not JSON: {error.msg} at {error.pos}"
            self.events.tell(FunctionEventUnreadable(topic=subject, error=reason))
            return
        await asyncio.to_thread(self._call, event, subject)

    def _call(self, event: Any, subject: str) -> None:
        context = Context(
            client_context=ClientContext(custom={"subject": subject}),
            function_name=self._name,
            aws_request_id=str(uuid.uuid4()),
        )
        try:
            self._function(event, context)
        except Exception as error:  # noqa: BLE001 - a failed event must not stop the runner
            self.events.tell(Defect(name="function_failed", error=error))
