"""[limits]: how much the connector may send, and to whom. The settings are a value of the core."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twilio_notifications.config.keys import Key, Section
from twilio_notifications.config.kinds import Choice, Seconds, Switch, TextList, WholeNumber
from twilio_notifications.core.policy import (
    LONGEST_PERIOD_SECONDS,
    Destinations,
    Exceeding,
    Limits,
    Period,
    Quota,
    Unit,
    is_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.config.keys import Values

_DESTINATIONS = TextList(
    description=(
        'a list of countries ("+49"), numbers ("+491701234567") and patterns ("+49170*", "+4917012345??")'
    ),
    fits=re.compile(r"\+[0-9?][0-9?*]*").fullmatch,
)
_VOICE_LOCATIONS = TextList(
    description=(
        'a list of beginnings of URLs ("https://example.com/voice/"), without user, password, query, '
        'fragment and ".."'
    ),
    fits=is_prefix,
)
_COUNT = WholeNumber(minimum=0, maximum=1_000_000_000)
_COUNTED: Mapping[Unit, str] = {
    Unit.TEXTS: "texts the whole connector may send",
    Unit.SEGMENTS: "segments of texts (what texts are billed by) the connector may send",
    Unit.CALLS: "calls the whole connector may make",
}
_QUOTAS = {
    f"{unit}_per_{period}": Key(
        kind=_COUNT, text=f"How many {counted} in one {period}. 0 is any number.", default=0
    )
    for unit, counted in _COUNTED.items()
    for period in Period
}

LIMITS = Section(
    name="limits",
    text="""How much the connector may send, and to whom. Nothing is limited by default. Read again on
    SIGHUP. Windows are in UTC. The journal keeps what was used, also across a restart.""",
    keys={
        "paused": Key(
            kind=Switch(), text="true answers every request with NotAllowed and sends nothing.", default=False
        ),
        "allowed_texts": Key(
            kind=_DESTINATIONS,
            text="""Where texts may go to: countries ("+49"), numbers ("+491701234567"), patterns
            ("+49170*", "+4917012345??"). A country code may be shared: "+1" is the United States, Canada,
            some twenty islands in the Caribbean and the premium numbers +1 900. docs/how-to/set-limits.md
            has a list for denied_texts and denied_calls. An empty list allows every number.""",
            default=[],
        ),
        "denied_texts": Key(
            kind=_DESTINATIONS, text="Where texts may not go to, whatever is allowed.", default=[]
        ),
        "allowed_calls": Key(kind=_DESTINATIONS, text="Where calls may go to, as for texts.", default=[]),
        "denied_calls": Key(
            kind=_DESTINATIONS, text="Where calls may not go to, whatever is allowed.", default=[]
        ),
        "allowed_voice_locations": Key(
            kind=_VOICE_LOCATIONS,
            text="""With what the address of a call's document (voice_message_location) must begin, as in
            ["https://example.com/voice/"]. Scheme, host and port must be the same, the path the same or
            below. The document decides what a call does: it can forward the call to any number. An empty
            list allows every address, and then allowed_calls does not bound whom a call reaches in the
            end.""",
            default=[],
        ),
        "requests_per_recipient": Key(
            kind=_COUNT,
            text="""How many requests one recipient may get by one channel within
            recipient_period_seconds. 0 is any number.""",
            default=0,
        ),
        "recipient_period_seconds": Key(
            kind=Seconds(maximum=LONGEST_PERIOD_SECONDS),
            text="The period for requests_per_recipient.",
            default=3600,
        ),
        **_QUOTAS,
        "identical_text_seconds": Key(
            kind=Seconds(minimum=0, maximum=LONGEST_PERIOD_SECONDS),
            text="""For a sensor that flaps: within this time an identical text to the same recipient is
            answered with QuotaExceeded and not sent. 0 is off.""",
            default=0,
        ),
        "when_exceeded": Key(
            kind=Choice(words=Exceeding),
            text="""What happens to a request that a quota has no room for: "wait" until there is room, at
            most for its lifetime, or "refuse" it at once.""",
            default="wait",
        ),
    },
)


def limits(values: Values) -> Limits:
    """The limits that are configured; a quota of 0 is none."""
    section = {key: values[f"limits.{key}"] for key in LIMITS.keys}
    return Limits(
        paused=section["paused"],
        texts=Destinations(allowed=section["allowed_texts"], denied=section["denied_texts"]),
        calls=Destinations(allowed=section["allowed_calls"], denied=section["denied_calls"]),
        voice_locations=section["allowed_voice_locations"],
        quotas=tuple(
            Quota(unit=unit, period=period, most=most)
            for unit in Unit
            for period in Period
            if (most := section[f"{unit}_per_{period}"])
        ),
        requests_per_recipient=section["requests_per_recipient"],
        recipient_period_seconds=section["recipient_period_seconds"],
        identical_text_seconds=section["identical_text_seconds"],
        exceeding=section["when_exceeded"],
    )
