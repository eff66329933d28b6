"""Remarks on values of the configuration that are valid and, outside of a test, mostly a mistake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twilio_notifications.core.pace import usual_segments_per_second
from twilio_notifications.core.quiet_hours import leaves_no_time_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.config import Settings

_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")

TWILIO_SECONDS = 26
"""The longest that Twilio may take for one answer, as its own staff says (issue 519 of its Ruby library)."""


def notes(settings: Settings) -> Iterator[str]:
    """One sentence for each such value."""
    account_sid = settings.parameters.account_sid
    if not _ACCOUNT_SID.fullmatch(account_sid):
        yield (
            f"TWILIO_ACCOUNT_SID {account_sid!r} is not of Twilio's form, AC and 32 hexadecimal digits: "
            "compare it with the one in Twilio's console"
        )
    if settings.delivery.settle_seconds < TWILIO_SECONDS:
        yield (
            f"delivery.settle_seconds = {settings.delivery.settle_seconds:g} is less than the "
            f"{TWILIO_SECONDS} s that Twilio may take: an attempt in doubt may be taken for absent, and its "
            "text sent twice. Leave it at 30"
        )
    if settings.twilio.timeout_seconds < TWILIO_SECONDS:
        yield (
            f"twilio.timeout_seconds = {settings.twilio.timeout_seconds:g} is less than the "
            f"{TWILIO_SECONDS} s that Twilio may take: slow attempts become attempts in doubt. "
            "Leave it at 30"
        )
    yield from _pace(settings)
    yield from _quiet_hours(settings)
    if settings.limits.paused:
        yield (
            "limits.paused = true: every request is answered with NotAllowed and nothing is sent. "
            "Set it to false and send SIGHUP to go on"
        )


def _quiet_hours(settings: Settings) -> Iterator[str]:
    hours = settings.quiet_hours
    end = "normal and low requests never leave. Leave some time open between the windows"
    if leaves_no_time_open(hours.windows):
        yield f"quiet_hours.windows leave no time open: {end}"
        return
    for name, contact in settings.contacts.items():
        if leaves_no_time_open(hours.of(contact.phone_number)):
            yield f"contacts.{name}.quiet_hours and quiet_hours.windows leave no time open: {end}"


def _pace(settings: Settings) -> Iterator[str]:
    sender = settings.parameters.default_sender_number
    if sender is not None and sender not in settings.pace:
        yield (
            "DefaultFromPhoneNumber has no [[pace]]. Twilio queues what it gets faster than the number may "
            "send, and an urgent text cannot overtake what waits there. If the number has Twilio's usual "
            "rate, write: "
            f'[[pace]] sender = "{sender}", segments_per_second = {usual_segments_per_second(sender)}, '
            "calls_per_second = 1"
        )
