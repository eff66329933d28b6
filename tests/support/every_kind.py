"""A journal with a request of every kind, by names that tests read well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.support.engines import journal_of
from tests.support.factories import (
    SENDER_NUMBER,
    START,
    a_change,
    a_doubt,
    a_failure,
    a_postponement,
    a_rejection,
    a_request,
    a_success,
)
from tests.support.fakes import RecordingEvents
from tests.support.journals import begin, end, record, report
from tests.support.orders import WRITER, ordered
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.escalation import Acknowledged, ChainEnd, Door, EndKind
from twilio_notifications.core.model import Channel, VoiceLocation
from twilio_notifications.core.orders import ResendOrder
from twilio_notifications.core.pace import Rate, SenderRates
from twilio_notifications.core.steps import Follow
from twilio_notifications.ports import NewStep, Pause

if TYPE_CHECKING:
    from tests.support.engines import Place
    from twilio_notifications.ports import Journal

PACED = "+15005550001"
PACES = {PACED: SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))}
STALLED = "+15005550002"
CONTACT = "darla"
QUIET_UNTIL = 4e9
"""By any clock in the future."""

NAMES = (
    "delivered",
    "expired",
    "in doubt",
    "unknown",
    "quiet",
    "behind",
    "rejected",
    "alarm",
    "step",
    "acknowledged",
    "unacknowledged",
    "undelivered",
    "no answer",
    "resent",
    "retry",
    "open",
    "paced",
    "new",
)
"""In the order in which they are recorded, so that the first has number 1."""

NUMBERS = {name: number for number, name in enumerate(NAMES, start=1)}


def phone_number(name: str) -> str:
    """The recipient of that request: each has its own, but for the one that waits behind another."""
    return f"+12345{NUMBERS['quiet' if name == 'behind' else name]:06}"


async def write_every_kind(path: Place) -> None:
    """Writes the journal."""
    settings: dict[str, Any] = {"events": RecordingEvents(), "report_seconds": 0.0, "paces": PACES}
    async with journal_of(path, **settings) as journal:
        await _finished(journal)
        await _waiting(journal)
        await _escalated(journal)
        await _followed(journal)
        await ordered(journal, path, ResendOrder(request=NUMBERS["expired"]), at=START + 50)
        await _last(journal)


async def _accept(journal: Journal, name: str, **named: Any) -> int:
    number = phone_number(name)
    await record(journal, replace(a_request(number, request_id=name, **named), writer=WRITER.chains))
    return NUMBERS[name]


async def _finished(journal: Journal) -> None:
    delivered = await _accept(journal, "delivered", contact=CONTACT)
    await begin(journal, delivered)
    await _follow(journal, delivered, "delivered")
    await report(journal, [delivered], at=START + 2)
    expired = await _accept(journal, "expired")
    await end(journal, a_failure(expired, message="It is older than its lifetime", at=START + 1))
    await report(journal, [expired], at=START + 2)
    doubtful = await _accept(journal, "in doubt")
    await begin(journal, doubtful)
    await end(journal, a_doubt(doubtful, at=START + 3))
    unknown = await _accept(journal, "unknown")
    await begin(journal, unknown)
    await end(journal, a_failure(unknown, reason=Reason.OUTCOME_UNKNOWN, counted=True, at=START + 4))
    await report(journal, [unknown], at=START + 5)


async def _waiting(journal: Journal) -> None:
    quiet = await _accept(journal, "quiet")
    reason = WaitReason.QUIET_HOURS
    await end(journal, a_postponement(quiet, due_at=QUIET_UNTIL, reason=reason))
    await _accept(journal, "behind")
    await record(journal, a_rejection(request_id=7))
    await report(journal, [NUMBERS["rejected"]], at=START + 1)


async def _escalated(journal: Journal) -> None:
    alarm = await _accept(journal, "alarm", escalation="freezer")
    await begin(journal, alarm)
    await end(journal, a_success(alarm, at=START + 1))
    step = a_request(phone_number("step"), accepted_at=START + 300, name="Deputy")
    await journal.take_step(NewStep(chain=alarm, position=0, at=START + 300, requests=(step,)))
    await begin(journal, NUMBERS["step"], at=START + 301)
    await end(journal, a_success(NUMBERS["step"], at=START + 302))
    by_darla = Acknowledged(by="Darla", door=Door.TOPIC)
    for name, kind, by in (
        ("acknowledged", EndKind.ACKNOWLEDGED, by_darla),
        ("unacknowledged", EndKind.UNACKNOWLEDGED, None),
    ):
        number = await _accept(journal, name, escalation="freezer")
        await begin(journal, number)
        await end(journal, a_success(number, at=START + 1))
        over = ChainEnd(kind=kind, at=START + 9, acknowledged=by)
        await journal.end_chain(number, over, writer=WRITER.chains)
    await report(journal, [alarm, NUMBERS["acknowledged"], NUMBERS["unacknowledged"]], at=START + 400)


async def _followed(journal: Journal) -> None:
    undelivered = await _accept(journal, "undelivered")
    await begin(journal, undelivered)
    await _follow(journal, undelivered, "undelivered", code=30_003)
    location = VoiceLocation(url="https://example.com/voice.xml")
    missed = await _accept(journal, "no answer", channel=Channel.CALL, content=location)
    await begin(journal, missed)
    await _follow(journal, missed, "no-answer", sid="CA" + 32 * "1")
    await report(journal, [undelivered, missed], at=START + 3)


async def _follow(
    journal: Journal, number: int, word: str, *, code: int | None = None, sid: str | None = None
) -> None:
    step = a_success(number, at=START + 1, sid=sid)
    await end(journal, replace(step, follow=Follow(word="queued", look_at=START + 2)))
    (followed,) = await journal.due_deliveries(now=START + 2, limit=1)
    change = a_change(followed, word, look_at=None)
    assert change.happened is not None
    happened = replace(change.happened, code=code)
    await journal.change([replace(change, after=replace(change.after, code=code), happened=happened)])


async def _last(journal: Journal) -> None:
    retry = await _accept(journal, "retry", retries=1)
    await begin(journal, retry)
    failed = a_postponement(retry, at=START + 2, due_at=START + 1e6, reason=WaitReason.RETRY, counted=True)
    await end(journal, failed)
    await begin(journal, await _accept(journal, "open"), at=START + 60)
    await _accept(journal, "paced", sender_number=PACED, may_leave=True)
    await _accept(journal, "new", sender_number=STALLED)


async def pause(
    path: Place, reason: WaitReason, *, about: str = "", until: float | None = None, at: float = START + 100
) -> None:
    """From then on something keeps requests waiting."""
    async with journal_of(path, events=RecordingEvents(), paces=PACES) as journal:
        message = f"Something about {SENDER_NUMBER}"
        one = Pause(reason=reason, about=about, message=message, begun_at=at, until=until)
        await journal.keep_pauses([one])
