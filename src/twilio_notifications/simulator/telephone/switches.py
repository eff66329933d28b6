"""The switches of each telephone: on or off, and whether a person answers its calls.

A telephone without settings of its own follows those of all telephones. At the start, each one is on, and
plans answer its calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.deliveries import UNREACHABLE
from twilio_notifications.simulator.errors import OrderRefused
from twilio_notifications.simulator.inbound import Number  # noqa: TC001 - msgspec reads the annotation
from twilio_notifications.simulator.numbers import normalized
from twilio_notifications.simulator.plans import CALL_ENDS_UNANSWERED, Plan

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SETTINGS: Final = 1_000
"""How many telephones may have settings of their own."""

UNANSWERED: Final = Plan(end="no-answer")


class SwitchOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New settings of the telephone `number`, None: of all telephones. What is None stays as it is."""

    number: Number | None = None
    on: bool | None = None
    by_hand: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneSettings:
    """How one telephone is set. `by_hand`: its calls ring until a person answers them."""

    on: bool = True
    by_hand: bool = False


class Switches:
    """The settings of all telephones."""

    def __init__(self) -> None:
        self.of_all = TelephoneSettings()
        self._own: dict[str, TelephoneSettings] = {}

    def of(self, number: str) -> TelephoneSettings:
        """The settings of this telephone."""
        return self._own.get(number, self.of_all)

    def set(self, order: SwitchOrder) -> TelephoneSettings:
        """Carries the order out; raises OrderRefused where too many telephones have settings of their own."""
        if order.number is None:
            self._own = {number: _changed(own, order) for number, own in self._own.items()}
            self.of_all = _changed(self.of_all, order)
            return self.of_all
        number = normalized(order.number)
        if number not in self._own and len(self._own) >= MOST_SETTINGS:
            raise OrderRefused(
                f"{MOST_SETTINGS} telephones have settings of their own: leave the number out to set all"
            )
        self._own[number] = _changed(self.of(number), order)
        return self._own[number]

    def plan_for(self, channel: Channel, to: str, *, usual: Callable[[], Plan]) -> Plan:
        """The plan for a new resource; `usual` chooses it where the switches do not.

        A call that a person answers rings for its whole time, unless its plan ends it without an answer. For
        a telephone that is off nothing is chosen, so that no order for new texts and calls is used up.
        """
        settings, texts = self.of(to), channel is Channel.SMS
        if not settings.on:
            return UNREACHABLE if texts else UNANSWERED
        plan = usual()
        if texts or not settings.by_hand or plan.end in CALL_ENDS_UNANSWERED:
            return plan
        return msgspec.structs.replace(plan, end=UNANSWERED.end)


def _changed(settings: TelephoneSettings, order: SwitchOrder) -> TelephoneSettings:
    return replace(
        settings,
        on=settings.on if order.on is None else order.on,
        by_hand=settings.by_hand if order.by_hand is None else order.by_hand,
    )
