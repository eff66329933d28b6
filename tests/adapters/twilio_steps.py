"""What the tests of the Twilio adapter share: a sender, a login for it, and a clock that stands still."""

from __future__ import annotations

from typing import Any

from tests.support.clock import HandClock
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.twilio import TwilioSender
from twilio_notifications.core.model import Login, Secret

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
TOKEN = "5ecre7:t0ken ü"
NOW = 1_700_000_000.0
"""Tue, 14 Nov 2023 22:13:20 GMT."""


LOGIN = Login(user=ACCOUNT, secret=Secret(TOKEN))


def a_sender(base_url: str, *, timeout_seconds: float = WAIT_SECONDS, **settings: Any) -> TwilioSender:
    return TwilioSender(
        base_url=base_url,
        account_sid=ACCOUNT,
        clock=HandClock(NOW),
        timeout_seconds=timeout_seconds,
        **settings,
    )
