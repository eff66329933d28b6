"""What the policy can say of a request whose turn has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.core.errors import Reason, WaitReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """Open an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """Not before `until`."""

    until: float
    reason: WaitReason
    message: str
    about: str = ""
    """The window for whose end it waits; empty: the sentence says for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """No attempt any more; the status says why."""

    reason: Reason
    message: str


Verdict = Admit | Defer | Decline
