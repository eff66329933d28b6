"""A line with an escalator, on a clock turned by hand, and the words in which its tests speak."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tests.pipeline.line import Line, a_line, a_writer, an_intake, running
from tests.support.factories import a_payload
from twilio_notifications.core.conclusions import OrderWriter
from twilio_notifications.core.escalation import Chain, ChainStep
from twilio_notifications.core.model import CameBack, Channel, Contact
from twilio_notifications.pipeline.line.ended import EndedTeller
from twilio_notifications.pipeline.line.escalator import Escalator
from twilio_notifications.pipeline.line.orders import OrderTaker
from twilio_notifications.pipeline.line.replies import Replies
from twilio_notifications.ports import Inbound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from twilio_notifications.core.conclusions import ChainWriter
    from twilio_notifications.core.steps import Finish
    from twilio_notifications.pipeline.line.assembly import LineNeeds
    from twilio_notifications.pipeline.line.intake import Intake
    from twilio_notifications.pipeline.line.leave import Leave
    from twilio_notifications.ports import Inbox

OWNER, DARLA, DEPUTY, NEIGHBOUR = (f"+1234500001{n}" for n in range(4))
CONTACTS = {
    "darla": Contact(name="Darla", phone_number=DARLA, language="en-US"),
    "deputy": Contact(name="Deputy", phone_number=DEPUTY),
    "neighbour": Contact(name="Neighbour", phone_number=NEIGHBOUR),
}
FREEZER = Chain(
    steps=(
        ChainStep(after_seconds=300, channel=Channel.CALL, contacts=("darla",)),
        ChainStep(after_seconds=600, channel=Channel.SMS, contacts=("deputy", "neighbour")),
    ),
    repeat=0,
    wait_seconds=300,
)


LIFETIME_SECONDS = 14_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A line, its intake, its escalator and what takes orders, all in motion."""

    line: Line
    intake: Intake
    escalator: Escalator
    orders: OrderTaker
    replies: Replies
    acknowledged: list[str] = field(default_factory=list)

    async def publish(self, topic: str, payload: bytes, **inbound: Any) -> None:
        acknowledge = partial(self.acknowledged.append, topic)
        self.intake.receive(Inbound(topic=topic, payload=payload, acknowledge=acknowledge, **inbound))
        await self.line.clock.settle()

    async def alarm(
        self, number: str = OWNER, *, request_id: str = "thaw", message: str = "It thaws", **request: Any
    ) -> None:
        """A request that begins the chain `freezer`, unless it says otherwise."""
        request = {"escalation": "freezer", **request}
        request = {name: value for name, value in request.items() if value is not None}
        payload = a_payload(number, request_id=request_id, message=message, **request)
        await self.publish("twilio/txt", payload)

    async def cancel(self, **document: str) -> None:
        await self.publish("twilio/cancel", json.dumps(document).encode())

    async def acknowledge(self, request_id: str = "thaw", **document: str) -> None:
        payload = json.dumps({"id": request_id, **document}).encode()
        await self.publish("twilio/acknowledge", payload)

    async def comes_back(
        self, number: str, body: str = "", *, channel: Channel = Channel.SMS, sid: str | None = None
    ) -> None:
        """A text, or a call, comes in now; Twilio dates it in whole seconds."""
        inbox = cast("list[CameBack]", self.line.sender.inbox[channel])
        came = CameBack(
            sid=sid or f"SM{len(inbox):032x}",
            phone_number=number,
            created_at=float(int(self.line.clock.now())),
            body=body,
        )
        inbox.append(came)

    async def words(self) -> list[str]:
        """The message status, or the error, of each status in the outbox."""
        return [
            answer["payload"]["messages"]["message_status"]
            if answer["status"] == "success"
            else answer["error"]
            for answer in [status["response"] for status in await self.line.statuses()]
        ]

    def went(self) -> list[tuple[str, str]]:
        """Channel and recipient of each attempt, in their order."""
        return [
            (sent.notification.channel.value, sent.notification.recipient.phone_number)
            for sent in self.line.sender.sent
        ]

    def texts_to(self, number: str) -> list[str]:
        return [getattr(sent.notification.content, "body", "") for sent in self.line.sender.to(number)]


def the_replies(
    given: LineNeeds, escalator: Escalator, leave: Leave, *, period: float | None = 5.0
) -> Replies:
    """Reads what came back to the chains of this escalator."""
    return Replies(
        journal=given.journal,
        inbox=cast("Inbox", given.sender),
        leave=leave,
        clock=given.clock,
        events=given.events,
        writer=escalator.writer,
        acknowledge=escalator.acknowledge,
        period_seconds=period,
    )


def an_escalator(given: LineNeeds, writer: ChainWriter) -> Escalator:
    """Goes on with the chains of this line."""
    return Escalator(
        journal=given.journal,
        inbox=cast("Inbox", given.sender),
        clock=given.clock,
        events=given.events,
        bells=given.bells,
        writer=writer,
        lifetime_seconds=LIFETIME_SECONDS,
        ended=the_ended(given),
    )


def the_ended(given: LineNeeds) -> EndedTeller:
    """Tells what has ended on this line."""
    return EndedTeller(
        events=given.events, failures=given.failures, bells=given.bells, on_written=given.on_written
    )


def an_order_taker(
    given: LineNeeds, writer: ChainWriter, *, on_followed: Callable[[Finish], None]
) -> OrderTaker:
    """Carries out what people order of this line."""
    return OrderTaker(
        journal=given.journal,
        clock=given.clock,
        events=given.events,
        bells=given.bells,
        writer=OrderWriter(chains=writer, lifetime_seconds=LIFETIME_SECONDS),
        pacing=given.pacing,
        ended=the_ended(given),
        on_followed=on_followed,
    )


@asynccontextmanager
async def a_house(
    chain: Chain | None = FREEZER,
    *,
    period: float | None = 5.0,
    more: dict[str, Chain] | None = None,
    takes_answers: bool = True,
    takes_orders: bool = False,
    **arguments: Any,
) -> AsyncIterator[House]:
    """`chain`: None where none is configured. `period`: how often Twilio's lists of what came in are read.

    The stage for orders looks twice in each second of the clock, so only the tests of orders have it running.
    """
    async with a_line(**arguments) as line, running(line):
        given = line.surroundings
        writer = a_writer(
            given,
            chains={**({} if chain is None else {"freezer": chain}), **(more or {})},
            contacts=CONTACTS,
            takes_answers=takes_answers,
        )
        escalator = an_escalator(given, writer)
        orders = an_order_taker(given, writer, on_followed=line.stages.on_followed)
        replies = the_replies(given, escalator, line.stages.leave, period=period)
        stages = [
            asyncio.create_task(escalator.run(), name="escalator"),
            asyncio.create_task(replies.run(), name="replies"),
        ]
        if takes_orders:
            stages.append(asyncio.create_task(orders.run(), name="orders"))
        try:
            await line.clock.settle()
            yield House(
                line=line,
                intake=an_intake(given, line.stages, writer),
                escalator=escalator,
                orders=orders,
                replies=replies,
            )
            assert [] == [stage for stage in stages if stage.done() and stage.get_name() != "replies"]
        finally:
            for stage in stages:
                stage.cancel()
            await asyncio.wait(stages)
