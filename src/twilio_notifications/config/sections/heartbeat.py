"""[heartbeat]: an address that the connector calls while it is well, so that its silence is noticed."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Seconds, Written
from twilio_notifications.config.urls import HeartbeatUrl, read_heartbeat_url


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatSettings:
    """Whom the connector calls; `url` None: no one."""

    url: HeartbeatUrl | None = key(
        # Not shown: who knows the address can send heartbeats in the connector's place.
        Written(
            description="an https:// or http:// URL",
            read=read_heartbeat_url,
            may_be_empty=True,
            is_shown=False,
        ),
        """The address of a check at healthchecks.io, Uptime Kuma or a similar service, which the connector
        calls with GET. "" is off. The service raises the alarm when the calls stay away: the connector
        calls only while /health/live and /health/ready would both say yes. Better set by the environment,
        because anyone who has the address can call it.""",
        default="",
    )
    every_seconds: float = key(
        Seconds(),
        "How often it is called. Give the check a grace time of a few of these.",
        default=60,
    )


HEARTBEAT = Section(
    name="heartbeat",
    text="A sign of life to a service elsewhere, which notices when this whole site is silent.",
    keys=keys_of(HeartbeatSettings),
)
