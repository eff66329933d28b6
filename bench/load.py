"""What is asked for: the requests of one run, and whether the statuses answer each of them once.

Every request has a recipient of its own. The connector opens at most one attempt per recipient, so requests
to one number would measure the order it keeps, not its speed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REQUEST_TOPIC = "twilio/txt"
STATUS_TOPIC = "twilio/message/status"
SENDER_NUMBER = "+15005550006"
ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
AUTH_TOKEN = "benchmark"


class WrongStatuses(Exception):
    """The statuses of a run are not one success for each request: there is nothing to measure."""


def requests(count: int) -> Iterator[bytes]:
    """So many requests of the published example's size, each to another number."""
    for number in range(count):
        recipient = {
            "name": "Darla",
            "phone_number": f"+1415{number:07d}",
            "message": "Hello from the edge: the pump in hall 3 has stopped.",
        }
        yield json.dumps({"id": f"request{number}", "request": {"recipient": recipient}}).encode()


def verify(statuses: Iterable[bytes], *, count: int) -> None:
    """Raises WrongStatuses unless every request has one status, and that is a success."""
    answered: list[str] = []
    for payload in statuses:
        status = json.loads(payload)
        if status["response"]["status"] != "success":
            raise WrongStatuses(f"a request failed, so its run counts for nothing: {payload.decode()}")
        answered.append(status["id"])
    if sorted(answered) != sorted(f"request{number}" for number in range(count)):
        raise WrongStatuses(
            f"{count} requests brought {len(answered)} statuses with {len(set(answered))} different ids"
        )
