"""The requests of one run, and whether each of them is answered by exactly one status.

Every request has a recipient of its own. The connector opens at most one attempt per recipient, so requests
to one number would measure the order it keeps, not its speed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST_TOPIC = "twilio/txt"
STATUS_TOPIC = "twilio/message/status"
SENDER_NUMBER = "+15005550006"
ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
AUTH_TOKEN = "benchmark"
MESSAGE = "Hello from the edge: the pump in hall 3 has stopped."

_ID = "request"


class WrongStatuses(Exception):
    """The statuses of a run are not one success for each request: there is nothing to measure."""


def requests(count: int) -> list[bytes]:
    """This number of requests, each as large as the published example and to a number of its own."""
    return [request(number) for number in range(count)]


def request(number: int) -> bytes:
    """The request with this number."""
    recipient = {"name": "Darla", "phone_number": phone_number(number), "message": MESSAGE}
    return json.dumps({"id": f"{_ID}{number}", "request": {"recipient": recipient}}).encode()


def phone_number(number: int) -> str:
    """The recipient of the request with this number."""
    return f"+1415{number:07d}"


def number_answered(status: bytes) -> int:
    """The number of the request that a status answers."""
    return int(json.loads(status)["id"].removeprefix(_ID))


def verify(statuses: Iterable[bytes], *, count: int) -> None:
    """Raises WrongStatuses unless every request has one status, and that is a success."""
    answered: list[str] = []
    for payload in statuses:
        status = json.loads(payload)
        if status["response"]["status"] != "success":
            raise WrongStatuses(f"a request failed, so its run counts for nothing: {payload.decode()}")
        answered.append(status["id"])
    if sorted(answered) != sorted(f"{_ID}{number}" for number in range(count)):
        raise WrongStatuses(
            f"{count} requests brought {len(answered)} statuses with {len(set(answered))} different ids"
        )
