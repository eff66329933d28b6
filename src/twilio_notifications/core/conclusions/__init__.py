"""What becomes of a request: an answer, a settlement or a verdict, and the step that follows from it.

The stages of the pipeline carry out what these functions return, and decide nothing themselves.
"""

from __future__ import annotations

from twilio_notifications.core.conclusions.answers import Conclusion, conclude
from twilio_notifications.core.conclusions.chains import (
    ChainWriter,
    EndStatus,
    Member,
    MemberStep,
    RunningChain,
)
from twilio_notifications.core.conclusions.deliveries import (
    NO_NUMBERS,
    Numbers,
    conclude_nothing,
    conclude_notices,
    conclude_sighting,
)
from twilio_notifications.core.conclusions.endings import (
    NOT_SENT,
    PERHAPS_SENT,
    UNREADABLE,
    end_broken,
    end_with_defect,
    miss,
    put_back,
    turn_away,
)
from twilio_notifications.core.conclusions.orders import OrderWriter
from twilio_notifications.core.conclusions.settlements import conclude_settlement, conclude_unreadable
from twilio_notifications.core.conclusions.statuses import StatusWriter
from twilio_notifications.core.conclusions.timing import Timing

__all__ = [
    "NOT_SENT",
    "NO_NUMBERS",
    "PERHAPS_SENT",
    "UNREADABLE",
    "ChainWriter",
    "Conclusion",
    "EndStatus",
    "Member",
    "MemberStep",
    "Numbers",
    "OrderWriter",
    "RunningChain",
    "StatusWriter",
    "Timing",
    "conclude",
    "conclude_nothing",
    "conclude_notices",
    "conclude_settlement",
    "conclude_sighting",
    "conclude_unreadable",
    "end_broken",
    "end_with_defect",
    "miss",
    "put_back",
    "turn_away",
]
