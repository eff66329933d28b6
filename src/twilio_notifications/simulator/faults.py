"""Faults: their effects, the requests that they concern, and whether one strikes a request.

A fault is an effect and a choice of requests; it strikes where all its conditions hold. Of the faults, in the
order in which they were added, only the first that strikes counts the request. The engine carries the effects
out.
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
    """The API carries the request out; the connection closes after `after_bytes` bytes of the answer."""

    after_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0


class ConnectionClosed(_Effect, frozen=True, tag="connection-closed"):
    """The connection closes without an answer; the API does not carry the request out."""


class RateLimited(_Effect, frozen=True, tag="rate-limited"):
    """429 with code 20429, without execution. `retry_after` is the header: seconds or an HTTP date."""

    retry_after: int | str | None = None


class RefusedRequest(_Effect, frozen=True, tag="refused"):
    """An error of Twilio's catalogue such as 21610, without execution."""

    code: int
    message: str
    status: Annotated[int, msgspec.Meta(ge=400, le=499)] = 400


class ServerError(_Effect, frozen=True, tag="server-error"):
    """A 5xx answer, with or without execution of the request."""

    status: Literal[500, 502, 503, 504] = 500
    executed: bool = False


class Hang(_Effect, frozen=True, tag="hang"):
    """No answer at all; the connection stays open until the client ends it."""

    executed: bool = False


class Garbage(_Effect, frozen=True, tag="garbage"):
    """The API carries the request out; the answer has the right status and a body that is not Twilio's."""

    body: str = "<html><body>Bad Gateway</body></html>"


class Slow(_Effect, frozen=True, tag="slow"):
    """The API carries the request out at once, and answers `seconds` later than usual."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


class ListLag(_Effect, frozen=True, tag="list-lag"):
    """Lists do not show resources that are younger than `seconds`."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


class Ends(_Effect, frozen=True, tag="ends"):
    """The API carries the request out; the resource ends with this status instead of its usual one."""

    status: Literal["undelivered", "failed", "sent", "busy", "no-answer", "canceled"]
    error_code: int | None = None
    error_message: str | None = None


Effect = (
    AnswerLost
    | ConnectionClosed
    | RateLimited
    | RefusedRequest
    | ServerError
    | Hang
    | Garbage
    | Slow
    | ListLag
    | Ends
)


Kind = Literal[
    "creates",
    "lists",
    "fetches",
    "updates",
    "deletes",
    "accounts",
    "numbers",
    "notifications",
    "others",
    "all",
]
"""The requests that a fault may concern: an `Action`, or all of them."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An effect, and the requests that it strikes; a condition that is None always holds.

    `on` is the kind of request, "all" for every one, and None for the kind that suits the effect (lists for a
    list lag, else creates). `times` limits the fault to the next n requests, `every` to each k-th one,
    `seconds` to a period from its addition, and `probability` to a chance, which a `seed` makes repeatable.
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
    """A fault in force: `seen` counts the requests of its kind, `fired` the requests that it struck."""

    fault: Fault
    armed_until: float
    chance: random.Random
    seen: int = 0
    fired: int = 0

    def strikes(self, action: Action, *, channel: Channel, to: str, now: float) -> bool:
        """Counts the request; returns whether the fault strikes it."""
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

    def add(self, fault: Fault, *, now: float, first: bool = False) -> ArmedFault:
        """Puts a fault in force; `fired` of the result has the number of requests that it struck.

        With `first` it is tried before those that are in force already.
        """
        armed = ArmedFault(
            fault=fault,
            armed_until=math.inf if fault.seconds is None else now + fault.seconds,
            # a seed makes a run repeatable, nothing here is secret
            chance=self._chance if fault.seed is None else random.Random(fault.seed),  # noqa: S311
        )
        self.armed.insert(0 if first else len(self.armed), armed)
        return armed

    def clear(self) -> None:
        self.armed.clear()

    def strike(self, action: Action, *, channel: Channel, to: str, now: float) -> Effect | None:
        """The effect on this request, or None."""
        for armed in self.armed:
            if armed.strikes(action, channel=channel, to=to, now=now):
                return armed.fault.effect
        return None
