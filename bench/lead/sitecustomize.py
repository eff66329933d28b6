"""Leads twilio-python to the simulator: Python loads this file by its name before the program."""

from __future__ import annotations

import os
from typing import Any

from twilio.http.http_client import TwilioHttpClient

_ask = TwilioHttpClient.request


def _request(self: TwilioHttpClient, method: str, url: str, *others: Any, **named: Any) -> Any:
    return _ask(
        self, method, url.replace("https://api.twilio.com", os.environ["BENCH_TWILIO"]), *others, **named
    )


TwilioHttpClient.request = _request
