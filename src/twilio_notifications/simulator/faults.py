"""What can be made to go wrong, for which requests, and whether a fault hits this one.

A fault is an effect and a choice of requests; all its conditions must hold. Faults are asked in the order in
which they were added, the first that strikes is the only one, and later ones do not even count that request.
No effect is carried out here.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from twilio_notifications.core.model import Channel  # noqa: TC001 - msgspec reads the annotation
from twilio_notifications.simulator.api import Action
from twilio_notifications.simulator.numbers import normalized


class _Effect(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
):
    """The JSON form names the effect in `kind`; an unknown field is an error that names it."""


class AnswerLost(_Effect, frozen=True, tag="answer-lost"):
    """The request is carried out; the connection closes after `after_bytes` bytes of the answer."""

    after_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0


class ConnectionClosed(_Effect, frozen=True, tag="connection-closed"):
    """The connection closes without an answer; the request is not carried out."""


class RateLimited(_Effect, frozen=True, tag="rate-limited"):
    """429 with code 20429; not carried out. `retry_after`: seconds or an HTTP date, as the header takes."""

    retry_after: int | str | None = None


class Refused(_Effect, frozen=True, tag="refused"):
    """An error of Twilio's catalogue, e.g. 21610; not carried out."""

    code: int
    message: str
    status: Annotated[int, msgspec.Meta(ge=400, le=499)] = 400


class ServerError(_Effect, frozen=True, tag="server-error"):
    """A 5xx answer to a request that was, or was not, carried out."""

    status: Literal[500, 502, 503, 504] = 500
    executed: bool = False


class Hang(_Effect, frozen=True, tag="hang"):
    """No answer ever; the connection stays open until the client gives up."""

    executed: bool = False


class Garbage(_Effect, frozen=True, tag="garbage"):
    """Carried out and answered with the right status, but the body is not Twilio's."""

    body: str = "<html><body>Bad Gateway</body></html>"


class Slow(_Effect, frozen=True, tag="slow"):
    """Carried out at once, answered `seconds` later than usual."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


class ListLag(_Effect, frozen=True, tag="list-lag"):
    """Lists do not yet show what is younger than `seconds`."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


class Ends(_Effect, frozen=True, tag="ends"):
    """Carried out; the resource comes to this end instead of `delivered` or `completed`."""

    status: Literal["undelivered", "failed", "sent", "busy", "no-answer"]
    error_code: int | None = None
    error_message: str | None = None


Effect = (
    AnswerLost
    | ConnectionClosed
    | RateLimited
    | Refused
    | ServerError
    | Hang
    | Garbage
    | Slow
    | ListLag
    | Ends
)


Kind = Literal["creates", "lists", "fetches", "updates", "deletes", "accounts", "numbers", "others", "all"]
"""The requests that a fault may concern: an `Action`, or all of them."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An effect, and the requests it strikes; a condition that is None always holds.

    `on`: the kind of request, "all" for every one; None is what suits the effect (creates; lists for a list
    lag). `times`: only the next n. `every`: only each k-th. `seconds`: only so long after it was added.
    `probability`: only by chance, repeatable with a `seed`.
    """

    effect: Effect
    on: Kind | None = None
    channel: Channel | None = None
    to: str | None = None
    times: Annotated[int, msgspec.Meta(ge=0)] | None = None
    every: Annotated[int, msgspec.Meta(ge=1)] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    seed: int | None = None


@dataclass(slots=True, kw_only=True)
class ArmedFault:
    """A fault in force: `seen` counts the requests of its kind, `fired` those it struck."""

    fault: Fault
    armed_until: float
    chance: random.Random
    seen: int = 0
    fired: int = 0

    def strikes(self, action: Action, *, channel: Channel, to: str, now: float) -> bool:
        """Count the request, and say whether the fault strikes it."""
        if now >= self.armed_until or not self._concerns(action, channel, to):
            return False
        self.seen += 1
        fault = self.fault
        struck = (
            (fault.times is None or self.fired < fault.times)
            and (fault.every is None or self.seen % fault.every == 0)
            and (fault.probability is None or self.chance.random() < fault.probability)
        )
        self.fired += struck
        return struck

    def _concerns(self, action: Action, channel: Channel, to: str) -> bool:
        fault = self.fault
        usual = Action.LIST if isinstance(fault.effect, ListLag) else Action.CREATE
        on = usual if fault.on is None else fault.on
        return (
            on in {"all", action}
            and fault.channel in {None, channel}
            and (fault.to is None or normalized(fault.to) == to)
        )


class Faults:
    """The faults in force."""

    def __init__(self, *, chance: random.Random) -> None:
        self._chance = chance
        self.armed: list[ArmedFault] = []

    def add(self, fault: Fault, *, now: float) -> ArmedFault:
        """Put a fault in force; what is returned tells later how often it struck."""
        armed = ArmedFault(
            fault=fault,
            armed_until=math.inf if fault.seconds is None else now + fault.seconds,
            # a seed makes a run repeatable, nothing here is secret
            chance=self._chance if fault.seed is None else random.Random(fault.seed),  # noqa: S311
        )
        self.armed.append(armed)
        return armed

    def clear(self) -> None:
        self.armed.clear()

    def strike(self, action: Action, *, channel: Channel, to: str, now: float) -> Effect | None:
        """The effect on this request, or None."""
        for armed in self.armed:
            if armed.strikes(action, channel=channel, to=to, now=now):
                return armed.fault.effect
        return None
