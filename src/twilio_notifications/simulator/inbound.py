"""Texts and calls that come from outside, and the words by which a recipient opts out at Twilio.

Twilio lists them next to the account's own, with the direction `inbound`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.numbers import normalized
from twilio_notifications.simulator.resources import INBOUND, Call, Resource, Step, TextMessage

OPT_OUT_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE", "ARRET"}
)
OPT_IN_WORDS = frozenset({"START", "YES", "UNSTOP"})

Number = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class InboundOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text or a call from outside.

    `to` None: the sender of what came last to the telephone `from`. `account_sid` None: the account of the
    latest create.
    """

    channel: Channel
    sender: Number = msgspec.field(name="from")
    to: Number | None = None
    body: str = ""
    account_sid: str | None = None


def inbound(order: InboundOrder, *, sid: str, account_sid: str, now: float) -> Resource:
    """What Twilio keeps of an order with `to`; a call is answered after a second and ends after three."""
    to, sender = normalized(order.to or ""), normalized(order.sender)
    if order.channel is Channel.CALL:
        steps = (Step(now, "ringing"), Step(now + 1.0, "in-progress"), Step(now + 3.0, "completed"))
        return Call(
            sid=sid,
            account_sid=account_sid,
            to=to,
            sender=sender,
            created_at=now,
            timeline=steps,
            direction=INBOUND,
        )
    return TextMessage(
        sid=sid,
        account_sid=account_sid,
        to=to,
        sender=sender,
        messaging_service_sid=None,
        body=order.body,
        created_at=now,
        timeline=(Step(now, "received"),),
        direction=INBOUND,
    )


class OptOuts:
    """The pairs of recipient and sender between which Twilio sends no texts any more."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, str]] = set()

    def read(self, text: TextMessage) -> None:
        """Follows the word, if the inbound text is one of Twilio's."""
        word = text.body.strip().upper()
        pair = (text.sender or "", text.to)
        if word in OPT_OUT_WORDS:
            self._pairs.add(pair)
        elif word in OPT_IN_WORDS:
            self._pairs.discard(pair)

    def forbids(self, *, to: str, sender: str) -> bool:
        return (to, sender) in self._pairs
