"""The actions of `journal` that order something of the connector, and wait for the result.

The exit code is 0 where everything was carried out, 1 where something was refused, and 3 where the connector
has not carried it out within the seconds that the command waits.
"""

from __future__ import annotations

import os
import pwd
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications import journals, terminal
from twilio_notifications.config import load_journal
from twilio_notifications.core.conclusions.orders import may_arrive_twice, sid_refusal
from twilio_notifications.core.errors import ConfigurationError, Reason
from twilio_notifications.core.escalation import Door
from twilio_notifications.core.orders import (
    MAXIMUM_PERSON_CHARACTERS,
    AcknowledgeOrder,
    CancelOrder,
    OrderName,
    PauseOrder,
    ResendOrder,
    ResolveOrder,
    ResumeOrder,
)
from twilio_notifications.core.phone_numbers import masked
from twilio_notifications.core.wording import counted, instant
from twilio_notifications.exit_codes import FAILED, NOT_CARRIED_OUT, WRONG_USAGE
from twilio_notifications.ports import OrderResult, Selection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from twilio_notifications.core.model import Channel
    from twilio_notifications.core.orders import Order
    from twilio_notifications.ports import OrderDesk, Selected

LOOK_SECONDS: Final = 0.1
"""Between two looks for the results of orders."""

MOST_AT_ONCE: Final = 10_000
"""The most requests of one bulk order."""

MOST_SHOWN: Final = 20
"""The most requests of a preview, and the most refusals, that have lines."""

_NO_CONNECTOR: Final = (
    "no connector runs on this journal, or it is busy. The connector carries it out at its next start"
)

_DONE: Final[Mapping[OrderName, str]] = {
    OrderName.RESEND: "is sent again",
    OrderName.CANCEL: "is cancelled:",
    OrderName.RESOLVE: "is settled:",
    OrderName.ACKNOWLEDGE: "is",
}
"""What stands between a request and the result of its order."""

_NOT_DONE: Final[Mapping[OrderName, str]] = {
    OrderName.RESEND: "is not sent again",
    OrderName.CANCEL: "is not cancelled",
    OrderName.RESOLVE: "is not settled",
    OrderName.ACKNOWLEDGE: "is not acknowledged",
    OrderName.PAUSE: "is not begun",
    OrderName.RESUME: "is not ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """The requests that a bulk order is about. What is None narrows nothing."""

    reason: Reason | None
    channel: Channel | None
    phone_number: str | None
    since_seconds: float | None
    """How long ago they were accepted at most."""

    def selection(self, *, now: float) -> Selection:
        """The same at this instant."""
        return Selection(
            reason=self.reason,
            channel=self.channel,
            phone_number=self.phone_number,
            since=None if self.since_seconds is None else now - self.since_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counter:
    """Where one command orders: the desk, the person, and how long that person waits."""

    desk: OrderDesk
    by: str
    wait_seconds: float

    def order(self, orders: Sequence[Order]) -> int:
        """Places the orders, and says what became of each within the time to wait; the exit code."""
        numbers = self.desk.place(orders, by=self.by, door=Door.COMMAND, at=time.time())
        ends_at = time.monotonic() + self.wait_seconds
        while True:
            results = self.desk.results(numbers)
            if all(result.done_at is not None for result in results) or time.monotonic() >= ends_at:
                return _told(results, gone=len(numbers) - len(results))
            time.sleep(LOOK_SECONDS)


def resend(
    config: Path | None,
    number: int | None,
    *,
    bulk: Bulk | None,
    yes: bool,
    wait_seconds: float,
    environ: Mapping[str, str],
) -> int:
    """Sends a finished request again, or all that failed; asks where it may arrive twice."""
    counter = _counter(config, wait_seconds, environ)
    if number is None:
        return _order_many(counter, OrderName.RESEND, bulk, yes=yes)
    request = counter.desk.request(number)
    if may_arrive_twice(request.state, request.reason) and not yes:
        was = "may have been sent" if request.reason is Reason.OUTCOME_UNKNOWN else "was sent"
        code = _ask(f"Request {number} {was}. Send it again, so that it may arrive twice?")
        if code is not None:
            return code
    return counter.order([ResendOrder(request=number)])


def cancel(
    config: Path | None,
    number: int | None,
    *,
    bulk: Bulk | None,
    yes: bool,
    wait_seconds: float,
    environ: Mapping[str, str],
) -> int:
    """Ends what of a request has not happened yet, or all requests that wait."""
    counter = _counter(config, wait_seconds, environ)
    if number is None:
        return _order_many(counter, OrderName.CANCEL, bulk, yes=yes)
    return counter.order([CancelOrder(request=number)])


def resolve(
    config: Path | None,
    number: int,
    *,
    sent: bool,
    sid: str | None,
    wait_seconds: float,
    environ: Mapping[str, str],
) -> int:
    """Settles, as a person says, a request that Twilio's records did not settle."""
    counter = _counter(config, wait_seconds, environ)
    order = ResolveOrder(request=number, sent=sent, sid=sid)
    wrong = sid_refusal(order, counter.desk.request(number).channel)
    if wrong is not None:
        raise ConfigurationError([f"--sid: {wrong}"])
    return counter.order([order])


def acknowledge(
    config: Path | None, name: str, *, by: str | None, wait_seconds: float, environ: Mapping[str, str]
) -> int:
    """Ends chains, by a request's number or id."""
    counter = _counter(config, wait_seconds, environ)
    requests = counter.desk.chains(name)
    if not requests:
        terminal.say(f"no escalation of request {name} waits. See: twilio-notifications journal list")
        return FAILED
    return counter.order([AcknowledgeOrder(request=one, by=by) for one in requests])


def pause(
    config: Path | None, *, seconds: float | None, wait_seconds: float, environ: Mapping[str, str]
) -> int:
    """Lets all requests wait, for so many seconds; None: until `resume`."""
    until = None if seconds is None else time.time() + seconds
    return _counter(config, wait_seconds, environ).order([PauseOrder(until=until)])


def resume(config: Path | None, *, wait_seconds: float, environ: Mapping[str, str]) -> int:
    """Ends that pause."""
    return _counter(config, wait_seconds, environ).order([ResumeOrder()])


def _counter(config: Path | None, wait_seconds: float, environ: Mapping[str, str]) -> _Counter:
    desk = journals.desk(load_journal(config, environ).journal)
    return _Counter(desk=desk, by=_person(environ), wait_seconds=wait_seconds)


def _person(environ: Mapping[str, str]) -> str:
    """The user of the operating system, and the one behind sudo."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        user = str(os.getuid())
    behind = environ.get("SUDO_USER")
    return f"{user} ({behind} by sudo)"[:MAXIMUM_PERSON_CHARACTERS] if behind else user


def _order_many(counter: _Counter, name: OrderName, bulk: Bulk | None, *, yes: bool) -> int:
    if bulk is None:
        raise ConfigurationError(["name one request by its NUMBER, or choose many by --only"])
    found = counter.desk.selected(name, bulk.selection(now=time.time()), limit=MOST_AT_ONCE)
    if not found:
        terminal.say("no such request. See: twilio-notifications journal list")
        return 0
    if not yes:
        _preview(found)
        code = _ask(f"{name.capitalize()} {counted(len(found), 'request')}?")
        if code is not None:
            return code
    # The oldest first, as they came.
    make = ResendOrder if name is OrderName.RESEND else CancelOrder
    return counter.order([make(request=one.number) for one in reversed(found)])


def _preview(found: Sequence[Selected]) -> None:
    for one in found[:MOST_SHOWN]:
        to, became = masked(one.phone_number or ""), one.reason or one.state.lower()
        terminal.say(f"{one.number:>8}  {instant(one.accepted_at)}  {one.channel:<4}  {to:>15}  {became}")
    if len(found) > MOST_SHOWN:
        terminal.say(f"and {len(found) - MOST_SHOWN} older ones")
    if len(found) == MOST_AT_ONCE:
        terminal.say(f"There may be more: one order is about {MOST_AT_ONCE} requests at most")


def _ask(question: str) -> int | None:
    """None: go on. Otherwise the exit code, because the person did not agree, or was not there."""
    agreed = terminal.confirmed(question)
    if agreed:
        return None
    if agreed is None:
        terminal.complain(
            f"twilio-notifications: {question} There is no terminal to ask on: agree with --yes"
        )
        return WRONG_USAGE
    terminal.say("nothing was ordered")
    return FAILED


def _told(results: Sequence[OrderResult], *, gone: int) -> int:
    """Says what became of orders; the exit code. `gone`: those whose requests were removed meanwhile."""
    if len(results) <= MOST_SHOWN:
        terminal.say(*map(_sentence, results))
    else:
        _tell_many(results)
    if gone:
        terminal.say(f"{counted(gone, 'order')} gone with their requests, which were removed meanwhile")
    if any(result.done_at is None for result in results):
        return NOT_CARRIED_OUT
    return FAILED if gone or any(result.refusal is not None for result in results) else 0


def _tell_many(results: Sequence[OrderResult]) -> None:
    refused = [result for result in results if result.refusal is not None]
    waiting = sum(result.done_at is None for result in results)
    done = len(results) - len(refused) - waiting
    terminal.say(*map(_sentence, refused[:MOST_SHOWN]))
    terminal.say(f"{counted(done, 'order')} carried out, {len(refused)} refused")
    if waiting:
        terminal.say(f"{counted(waiting, 'order')} written, and not carried out yet: {_NO_CONNECTOR}")


def _sentence(result: OrderResult) -> str:
    what = "the pause" if result.request is None else f"request {result.request}"
    if result.done_at is None:
        return f"{what}: order {result.number} is written, and not carried out yet: {_NO_CONNECTOR}"
    if result.refusal is not None:
        return f"{what} {_NOT_DONE[result.name]}: {result.refusal}"
    if result.request is None:
        return result.result or ""
    return f"{what} {_DONE[result.name]} {result.result}"
