"""The three ways in which requests reach the program that is measured.

Each publishes all requests, collects all statuses and writes down when. Instants are seconds since the epoch,
because those of the POSTs come from the simulator, a process of its own. Each raises TimeoutError when a
status is missing at the limit, and says how many came.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from bench.load import REQUEST_TOPIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.wire import Wire


@dataclass(slots=True, kw_only=True)
class Traffic:
    """The requests and statuses of one run, with the instants at which they crossed the wire."""

    published_at: list[float] = field(default_factory=list)
    """When each request was published, in the order of the requests."""
    statuses: list[bytes] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    """When each status arrived, in the order of `statuses`."""

    @property
    def seconds(self) -> float:
        """Seconds from the first request to the last status."""
        return self.answered_at[-1] - self.published_at[0]


def backlog(wire: Wire, requests: Sequence[bytes], *, pid: int, limit_seconds: float) -> Traffic:
    """Lets the stopped program `pid` go on while all requests wait in the broker."""
    traffic = Traffic(published_at=[time.time()] * len(requests))
    os.kill(pid, signal.SIGCONT)
    _collect(wire, traffic, len(requests), until=time.time() + limit_seconds)
    return traffic


def live(wire: Wire, requests: Sequence[bytes], *, outstanding: int, limit_seconds: float) -> Traffic:
    """Publishes a request for each status that arrives, so that `outstanding` of them are unanswered.

    So the program sets the pace: it always has work, and a backlog never grows beyond that number.
    """
    traffic = Traffic()
    waiting = iter(requests)
    _publish(wire, traffic, list(islice(waiting, outstanding)))
    deadline = time.time() + limit_seconds
    while len(traffic.published_at) < len(requests) and time.time() < deadline:
        answered = _take(wire, traffic, until=deadline)
        _publish(wire, traffic, list(islice(waiting, answered)))
    _collect(wire, traffic, len(requests), until=deadline)
    return traffic


def paced(wire: Wire, requests: Sequence[bytes], *, per_second: float, limit_seconds: float) -> Traffic:
    """Publishes each request at an instant of its own, whatever has become of those before it."""
    traffic = Traffic()
    start = time.time()
    for number, request in enumerate(requests):
        due = start + number / per_second
        while time.time() < due:
            _take(wire, traffic, until=due)
        _publish(wire, traffic, [request])
    _collect(wire, traffic, len(requests), until=time.time() + limit_seconds)
    return traffic


def _publish(wire: Wire, traffic: Traffic, requests: Sequence[bytes]) -> None:
    traffic.published_at += [time.time()] * len(requests)
    wire.send(REQUEST_TOPIC, requests)


def _take(wire: Wire, traffic: Traffic, *, until: float) -> int:
    """Writes down the statuses that the next read brings, and returns their number."""
    arrived = wire.arrivals(limit_seconds=until - time.time())
    traffic.statuses += arrived
    traffic.answered_at += [time.time()] * len(arrived)
    return len(arrived)


def _collect(wire: Wire, traffic: Traffic, number: int, *, until: float) -> None:
    """Returns when this number of statuses has come."""
    while len(traffic.statuses) < number:
        if time.time() > until:
            raise TimeoutError(f"{len(traffic.statuses)} of {number} statuses came before the limit")
        _take(wire, traffic, until=until)
        wire.send(REQUEST_TOPIC, ())  # the acknowledgements alone
