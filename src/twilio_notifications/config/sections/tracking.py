"""[tracking]: how the connector finds out what became of texts and calls, and who acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import LISTEN_ADDRESS, Choice, Seconds, WholeNumber, Written
from twilio_notifications.config.urls import Wrong, read_web_url
from twilio_notifications.core.delivery import Following


def _read_public_url(text: str) -> str | Wrong:
    url = read_web_url(text)
    if isinstance(url, str) and "_" in (urlsplit(url).hostname or ""):
        return Wrong(demand="must name a host without an underscore: Twilio refuses it (error 21609)")
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How deliveries are followed; `public_url` has no slash at its end.

    `listen` and `public_url` are None where Twilio calls nothing here; one is never set without the other.
    """

    mode: Following = key(
        Choice(words=Following),
        """"poll" asks Twilio for each text and call until its last word, and needs no public address. With
        "callback" Twilio reports each change to public_url, and the connector asks less often; with "poll" it
        calls public_url, where that is set, only for a key in a call of an escalation. "off" follows
        nothing: then escalations go by time alone, and a text, a call back and a key acknowledge nothing.""",
        default="poll",
    )
    poll_initial_seconds: float = key(
        Seconds(),
        """After how long Twilio is asked first. The pauses grow with the age of the text or call: 1, 3, 12,
        60, 180, 720 times this, and then always 2,880 times. Behind callbacks the first look comes at 12
        times.""",
        default=5,
    )
    inbound_seconds: float = key(
        Seconds(),
        """How often Twilio is asked for texts and calls that came back, while an escalation waits for an
        acknowledgement.""",
        default=5,
    )
    requests_per_minute: int = key(
        WholeNumber(minimum=1, maximum=6_000),
        """How many requests a minute all of this may cost: looks at texts and calls, and the reading of what
        came back. What has no room waits; sending never does.""",
        default=30,
    )
    give_up_seconds: float = key(
        Seconds(),
        """How old a text or call without a last word may grow until it is no longer followed: 36 hours.
        "sent" may be the last word that a carrier ever gives.""",
        default=129600,
    )
    listen: tuple[str, int] | None = key(
        LISTEN_ADDRESS,
        """Where Twilio's callbacks arrive, as HOST:PORT: the address to which a proxy with a certificate
        forwards them. "" is nowhere. With port 0 the system chooses a free one; the log says which. Needs
        public_url.""",
        default="",
    )
    public_url: str | None = key(
        # Not shown: it must not hold a password, but a user may try.
        Written(
            description="an https:// URL, with a path or without",
            read=_read_public_url,
            may_be_empty=True,
            is_shown=False,
        ),
        """How Twilio reaches listen, as in "https://alarms.example.com/twilio". Without a public
        address leave both empty. Each callback is checked with its signature: see signature_variable and the
        like in [secrets].""",
        default="",
    )


TRACKING = Section(
    name="tracking",
    text="""How the connector finds out what became of texts and calls that Twilio accepted, and that a person
    has acknowledged an escalation.""",
    keys=keys_of(TrackingSettings),
)
