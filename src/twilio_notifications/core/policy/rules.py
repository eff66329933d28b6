"""The rules by which a request is attempted now, later, or not at all: one list, in the order of asking.

Each rule is a pure function of the request and the situation. It returns None where it has nothing against an
attempt. What the operator forbids comes before what makes a request wait: a forbidden request is answered at
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.core.policy.lifetime import (
    account_pace,
    chain_end,
    credentials,
    lifetime,
    ordered_pause,
    recall,
    sender_pace,
)
from twilio_notifications.core.policy.limits import destinations, identical_text, operators_pause, quotas
from twilio_notifications.core.policy.quiet import quiet_hours
from twilio_notifications.core.policy.verdicts import Admit

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.policy.situation import Situation
    from twilio_notifications.core.policy.verdicts import Decline, Defer, Verdict
    from twilio_notifications.core.steps import Claimed

    Rule = Callable[[Claimed, Situation], Defer | Decline | None]

RULES: Final[tuple[Rule, ...]] = (
    recall,
    chain_end,
    lifetime,
    operators_pause,
    destinations,
    ordered_pause,
    quiet_hours,
    credentials,
    account_pace,
    sender_pace,
    identical_text,
    quotas,
)

ADMITTED: Final = Admit()


def admit(request: Claimed, situation: Situation) -> Verdict:
    """The verdict of the first rule that has one; Admit where none has."""
    for rule in RULES:
        verdict = rule(request, situation)
        if verdict is not None:
            return verdict
    return ADMITTED
