"""What the operator allows: where to, how often, and how much. Limits protect money and people's sleep.

All of it is judged here, from values: the rules, what was used so far, and the instant. Windows are fixed and
in UTC (an hour, a day, a month of the calendar, or a period counted from the epoch), so that every sentence
can say when a limit ends.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Channel, Text, Twiml, VoiceLocation
from twilio_notifications.core.policy.tally import Charge
from twilio_notifications.core.policy.verdicts import Decline, Defer
from twilio_notifications.core.policy.voice_locations import is_below
from twilio_notifications.core.segments import count_segments
from twilio_notifications.core.wording import counted, instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.model import Notification
    from twilio_notifications.core.policy.situation import Situation
    from twilio_notifications.core.steps import Claimed

HOUR_SECONDS = 3_600.0
DAY_SECONDS = 86_400.0
LONGEST_PERIOD_SECONDS = 31 * DAY_SECONDS
"""What was used longer ago than this matters to no window of the calendar."""

_COUNTRY_CODE_DIGITS = 3
"""A country code has at most three digits (ITU-T E.164, 6.2.1); no telephone number has so few."""

_DIGEST_BYTES = 16


class Unit(StrEnum):
    """What is counted."""

    TEXTS = "texts"
    SEGMENTS = "segments"
    CALLS = "calls"


class Period(StrEnum):
    """A window of the calendar, in UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Exceeding(StrEnum):
    """What becomes of a request for which there is no room left."""

    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `most` of a unit in each period."""

    unit: Unit
    period: Period
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Where a channel may reach to: `+49` (a country), `+4917*`, `+49170123456?`, or a whole number."""

    allowed: tuple[str, ...] = ()
    """Empty: everywhere."""
    denied: tuple[str, ...] = ()
    """Goes before `allowed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The operator's rules. The empty value allows everything."""

    paused: bool = False
    texts: Destinations = Destinations()
    calls: Destinations = Destinations()
    voice_locations: tuple[str, ...] = ()
    """The beginnings that the address of a call's document may have; empty: any."""
    quotas: tuple[Quota, ...] = ()
    requests_per_recipient: int = 0
    """0: any number."""
    recipient_period_seconds: float = HOUR_SECONDS
    identical_text_seconds: float = 0.0
    """0: identical texts count like others."""
    exceeding: Exceeding = Exceeding.WAIT

    @property
    def counts(self) -> bool:
        """Whether anything must be counted at all."""
        return bool(self.quotas or self.requests_per_recipient or self.identical_text_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """One limit as it applies to one request now."""

    charge: Charge
    most: int
    ends_at: float
    sentence: str
    excess: str = ""
    """The sentence for a request that is larger than the whole window."""


def operators_pause(_: Claimed, situation: Situation) -> Decline | None:
    """Rule: while the operator has paused sending, every request is declined."""
    return (
        _not_allowed("Sending is paused by the operator ([limits] paused)")
        if situation.limits.paused
        else None
    )


def destinations(request: Claimed, situation: Situation) -> Decline | None:
    """Rule: the operator says which numbers may be reached, and where calls may fetch their documents."""
    forbidden = _forbidden(request.notification, situation.limits)
    return None if forbidden is None else _not_allowed(forbidden)


def identical_text(request: Claimed, situation: Situation) -> Decline | None:
    """Rule: the same text to the same recipient counts once within a period."""
    twin = _twin(request.notification, situation)
    return None if twin is None else Decline(reason=Reason.QUOTA_EXCEEDED, message=twin)


def quotas(request: Claimed, situation: Situation) -> Defer | Decline | None:
    """Rule: at most so many texts, segments and calls in a window, and so many requests to a recipient."""
    limits, tally = situation.limits, situation.tally
    for window in _windows(request.notification, limits, now=situation.now):
        if tally.of(window.charge) + window.charge.amount > window.most:
            return _exceeded(window, limits.exceeding)
    return None


def standing(request: Claimed, situation: Situation) -> str | None:
    """The sentence of the limit that leaves this request no room now; None where there is room."""
    verdict = identical_text(request, situation) or quotas(request, situation)
    return None if verdict is None else verdict.message


def charges(notification: Notification, limits: Limits, *, now: float) -> tuple[Charge, ...]:
    """What an attempt at this request uses up."""
    windows = _windows(notification, limits, now=now)
    counted = [replace(window.charge, most=window.most) for window in windows]
    if limits.identical_text_seconds and isinstance(notification.content, Text):
        counted.append(Charge(scope=_text_scope(notification), since=now))
    return tuple(counted)


def scopes(notification: Notification, limits: Limits) -> tuple[str, ...]:
    """The scopes whose usage the journal is asked for before this request is judged."""
    return tuple(charge.scope for charge in charges(notification, limits, now=0.0))


def present_charge(quota: Quota, *, now: float) -> Charge:
    """What the window of a quota that `now` lies in is named, in the usage that the journal keeps."""
    since, _ = bounds(quota.period, now=now)
    return Charge(scope=scope_of(quota), since=since, of_account=True)


def permits(pattern: str, phone_number: str) -> bool:
    """Whether a destination pattern holds for a number."""
    digits = pattern.removeprefix("+")
    if digits.isdecimal() and len(digits) <= _COUNTRY_CODE_DIGITS:
        return phone_number.startswith(pattern)
    translated = re.escape(pattern).replace(r"\*", "[0-9]*").replace(r"\?", "[0-9]")
    return re.fullmatch(translated, phone_number) is not None


def forbidden_number(number: str, channel: Channel, limits: Limits) -> str | None:
    """The sentence that says why this number gets no texts or calls; None where it may get them."""
    match channel:
        case Channel.SMS:
            name, destinations = "texts", limits.texts
        case Channel.CALL:
            name, destinations = "calls", limits.calls
        case _:
            assert_never(channel)
    for pattern in destinations.denied:
        if permits(pattern, number):
            return f"The operator denies {name} to {number} ([limits] denied_{name}: {pattern})"
    if destinations.allowed and not any(permits(pattern, number) for pattern in destinations.allowed):
        return f"The operator does not allow {name} to {number} ([limits] allowed_{name})"
    return None


def _forbidden(notification: Notification, limits: Limits) -> str | None:
    sentence = forbidden_number(notification.recipient.phone_number, notification.channel, limits)
    if sentence is not None:
        return sentence
    content, allowed = notification.content, limits.voice_locations
    if (
        allowed
        and isinstance(content, VoiceLocation)
        and not any(is_below(content.url, prefix) for prefix in allowed)
    ):
        return "The operator does not allow this voice message location ([limits] allowed_voice_locations)"
    if allowed and isinstance(content, Twiml):  # what it may have Twilio fetch or dial is not looked for
        return "The operator allows no TwiML, only voice message locations ([limits] allowed_voice_locations)"
    return None


def _twin(notification: Notification, situation: Situation) -> str | None:
    """The sentence about an identical text that was sent to the same recipient a short while ago."""
    limits, now = situation.limits, situation.now
    if not (limits.identical_text_seconds and isinstance(notification.content, Text)):
        return None
    sent_at = situation.tally.latest(_text_scope(notification))
    if sent_at is None or now >= sent_at + limits.identical_text_seconds:
        return None
    return (
        f"The same text was sent to this recipient {now - sent_at:.0f} s ago; "
        f"it counts once until {instant(sent_at + limits.identical_text_seconds)} "
        "([limits] identical_text_seconds)"
    )


def _exceeded(window: _Window, exceeding: Exceeding) -> Defer | Decline:
    if window.charge.amount > window.most:  # what is larger than the whole window need not wait for one
        return Decline(reason=Reason.QUOTA_EXCEEDED, message=window.excess)
    sentence = f"{window.sentence} until {instant(window.ends_at)}"
    match exceeding:
        case Exceeding.WAIT:
            return Defer(until=window.ends_at, reason=WaitReason.QUOTA_USED_UP, message=sentence)
        case Exceeding.REFUSE:
            return Decline(reason=Reason.QUOTA_EXCEEDED, message=sentence)
        case _:
            assert_never(exceeding)


def _windows(notification: Notification, limits: Limits, *, now: float) -> Sequence[_Window]:
    windows = [_quota_window(quota, notification, now=now) for quota in limits.quotas]
    if limits.requests_per_recipient:
        windows.append(_recipient_window(notification, limits, now=now))
    return [window for window in windows if window.charge.amount]


def _quota_window(quota: Quota, notification: Notification, *, now: float) -> _Window:
    charge, (_, ends_at) = present_charge(quota, now=now), bounds(quota.period, now=now)
    amount, noun = _amount(quota.unit, notification), quota.unit.removesuffix("s")
    limit = f"limit of {counted(quota.most, noun)} per {quota.period}"
    return _Window(
        charge=replace(charge, amount=amount),
        most=quota.most,
        ends_at=ends_at,
        sentence=f"The {limit} is used up",
        excess=f"The request takes {counted(amount, noun)}, more than the whole {limit}",
    )


def _recipient_window(notification: Notification, limits: Limits, *, now: float) -> _Window:
    period = limits.recipient_period_seconds
    since = now // period * period
    return _Window(
        charge=Charge(
            scope=f"recipient/{notification.channel}/{notification.recipient.phone_number}", since=since
        ),
        most=limits.requests_per_recipient,
        ends_at=since + period,
        sentence=f"The limit of {counted(limits.requests_per_recipient, 'request')} to this recipient "
        f"within {period:g} s is used up",
    )


def _amount(unit: Unit, notification: Notification) -> int:
    match unit:
        case Unit.CALLS:
            return int(notification.channel is Channel.CALL)
        case Unit.TEXTS:
            return int(notification.channel is Channel.SMS)
        case Unit.SEGMENTS:
            content = notification.content
            return count_segments(content.body) if isinstance(content, Text) else 0
        case _:
            assert_never(unit)


def scope_of(quota: Quota) -> str:
    """The scope under which the journal counts what is used of it."""
    return f"{quota.unit}/{quota.period}"


def bounds(period: Period, *, now: float) -> tuple[float, float]:
    """When the window that `now` lies in began, and when it ends."""
    match period:
        case Period.HOUR:
            since = now // HOUR_SECONDS * HOUR_SECONDS
            return since, since + HOUR_SECONDS
        case Period.DAY:
            since = now // DAY_SECONDS * DAY_SECONDS
            return since, since + DAY_SECONDS
        case Period.MONTH:
            first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            following = (first.year + first.month // 12, first.month % 12 + 1)
            return first.timestamp(), datetime(*following, 1, tzinfo=UTC).timestamp()
        case _:
            assert_never(period)


def _text_scope(notification: Notification) -> str:
    """Names the text without holding it: a digest over recipient and body."""
    body = notification.content.body if isinstance(notification.content, Text) else ""
    digest = hashlib.blake2b(body.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"text/{notification.recipient.phone_number}/{digest}"


def _not_allowed(message: str) -> Decline:
    return Decline(reason=Reason.NOT_ALLOWED, message=message)
