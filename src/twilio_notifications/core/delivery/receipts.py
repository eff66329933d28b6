"""What Twilio's resources say about a text or a call that it accepted."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.core.delivery.states import Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """A text or a call as Twilio has it now. None: Twilio does not say."""

    sid: str
    state: str
    code: int | None = None
    answered_by: str | None = None
    sender_number: str | None = None
    phone_number: str | None = None
    created_at: float | None = None
    """By Twilio's clock."""

    def sighting(self, *, at: float) -> Sighting:
        """What a look at `at` has seen."""
        return Sighting(state=self.state, at=at, code=self.code, answered_by=self.answered_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReceipt:
    """Twilio does not have that text or call any more, or not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPage:
    """One page of the account's texts or calls, newest first; records that cannot be read are left out."""

    receipts: tuple[DeliveryReceipt, ...]
    next_path: str | None
    """Where the next page is; None: this page is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """The codes in Twilio's notifications of a call."""

    codes: tuple[int, ...]
