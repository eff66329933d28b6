"""[status]: what a published status holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Choice
from twilio_notifications.core.delivery import FollowUp


class StatusDetail(StrEnum):
    """Whether a status is the published document alone, or carries `detail` in addition."""

    DOCUMENT = "document"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSettings:
    """What a published status holds."""

    detail: StatusDetail = key(
        Choice(words=StatusDetail),
        """"document" is exactly what the published document shows, "extended" adds an object "detail" to
        it.""",
        default="document",
    )
    follow_up: FollowUp = key(
        Choice(words=FollowUp),
        """Which statuses follow the first one, with the same id: "none", "final" is one more when Twilio
        has said its last word about the text or call, "all" is one for each change. The end of an
        escalation is always published. Needs [tracking].""",
        default="none",
    )


STATUS = Section(
    name="status", text="What is published on twilio/message/status.", keys=keys_of(StatusSettings)
)
