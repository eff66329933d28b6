"""Escalations: what a chain does next until a person acknowledges, and what counts as an acknowledgement.

Everything is a function of the chain, of what happened, and of the instant. The stage that carries a step out
asks again in the transaction that opens it, so that no step overtakes an acknowledgement.
"""

from __future__ import annotations

from twilio_notifications.core.escalation.chains import (
    Acknowledged,
    Chain,
    ChainEnd,
    ChainHistory,
    ChainStep,
    Door,
    EndKind,
    TakenStep,
    ended,
)
from twilio_notifications.core.escalation.contents import message_of, requests_of, telling, told, with_hint
from twilio_notifications.core.escalation.replies import (
    TWILIOS_WORDS,
    Code,
    OptIn,
    OptOut,
    Reply,
    WaitingAt,
    Word,
    acknowledged_by,
    newest,
    read_reply,
    smallest_free,
)
from twilio_notifications.core.escalation.reports import report
from twilio_notifications.core.escalation.timeline import EndOfChain, Next, Over, Take, Until, next_step

__all__ = [
    "TWILIOS_WORDS",
    "Acknowledged",
    "Chain",
    "ChainEnd",
    "ChainHistory",
    "ChainStep",
    "Code",
    "Door",
    "EndKind",
    "EndOfChain",
    "Next",
    "OptIn",
    "OptOut",
    "Over",
    "Reply",
    "Take",
    "TakenStep",
    "Until",
    "WaitingAt",
    "Word",
    "acknowledged_by",
    "ended",
    "message_of",
    "newest",
    "next_step",
    "read_reply",
    "report",
    "requests_of",
    "smallest_free",
    "telling",
    "told",
    "with_hint",
]
