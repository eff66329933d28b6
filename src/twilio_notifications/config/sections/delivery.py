"""[delivery]: how long requests live, wait and are retried."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Choice, Seconds


class Ordering(StrEnum):
    """Among which requests the order of arrival is kept."""

    RECIPIENT = "recipient"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How long requests live, wait and are retried; all in seconds."""

    lifetime_seconds: float = key(
        Seconds(),
        """How old a request may grow before it is answered with Expired: four hours. A request may carry
        a lifetime of its own (valid_for_seconds).""",
        default=14400,
    )
    ordering: Ordering = key(
        Choice(words=Ordering),
        '"recipient" keeps the order of the requests to one recipient, "none" does not.',
        default="recipient",
    )
    backoff_initial_seconds: float = key(
        Seconds(),
        """Pause before the first retry; it doubles with each one up to the maximum. The pause drawn is
        random, up to it.""",
        default=1,
    )
    backoff_maximum_seconds: float = key(Seconds(), "Longest pause between two attempts.", default=60)
    settle_seconds: float = key(
        Seconds(minimum=0),
        """How long an attempt in doubt is looked up in Twilio's records before it counts as absent.
        Twilio may take about 26 seconds to create a text or call: with less, a text may be sent twice.""",
        default=30,
    )
    deduplicate_by_id_seconds: float = key(
        Seconds(minimum=0),
        """For senders whose ids are unique: a request with the id, the recipient and the content of one
        that was accepted on the same topic within this time is not executed again. It is answered with
        the status of that one. 0 is off: the published examples send the same id over and over.""",
        default=0,
    )
    credential_wait_seconds: float = key(
        Seconds(),
        """How long requests wait for working credentials once Twilio has refused them; then they fail
        with Unauthorized.""",
        default=300,
    )
    credential_probe_seconds: float = key(
        Seconds(), "How often refused credentials are tried again meanwhile.", default=15
    )
    drain_seconds: float = key(
        Seconds(minimum=0),
        """How long a stop waits for the attempts on their way and for statuses to be acknowledged. 0 does
        not wait.""",
        default=30,
    )


DELIVERY = Section(name="delivery", text="How requests are carried out.", keys=keys_of(DeliverySettings))
