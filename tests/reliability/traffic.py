"""The requests of the reliability tests, and the judgement on what became of them.

Each request has a content of its own, so that Twilio's ledger tells which of them were carried out, how often
and in which order; each has an id of its own, so that the statuses tell which were answered.
The judgement is pure, and does not ask the connector anything.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.acceptance.house import CALL_TOPIC, SENDER, TEXT_TOPIC
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.support.mqtt_peer import Peer
    from twilio_notifications.simulator.store import LedgerEntry

WINDOW = 16
"""Requests that are published before the broker's acknowledgements are waited for; Mosquitto takes 20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; `number` is its place in the order of publication."""

    number: int
    to: str
    channel: Channel = Channel.SMS
    retries: int = 3
    name: str = "Darla"
    """Comes back in the status, and so makes it as long as a test wants it."""
    id_tail: str = ""
    """Ends the id, and so makes the status longer still."""
    extensions: Mapping[str, Any] = field(default_factory=dict)
    """Properties in addition to `retries`."""

    @property
    def id(self) -> str:
        return f"id-{self.number}{self.id_tail}"

    @property
    def topic(self) -> str:
        return TEXT_TOPIC if self.channel is Channel.SMS else CALL_TOPIC

    @property
    def content(self) -> str:
        """What the ledger shows of it and of no other request."""
        return f"number {self.number}" if self.channel is Channel.SMS else f"https://twiml/{self.number}"

    @property
    def payload(self) -> str:
        key = "message" if self.channel is Channel.SMS else "voice_message_location"
        recipient = {"name": self.name, "phone_number": self.to, key: self.content}
        request = {"recipient": recipient, "from_number": SENDER, "retries": self.retries, **self.extensions}
        return json.dumps({"request": request, "id": self.id})


def recipient(number: int) -> str:
    """A phone number for each number."""
    return f"+12345{number:06}"


async def publish(peer: Peer, requests: Sequence[Request]) -> None:
    """Publishes in this order, and returns when the broker has acknowledged all of them."""
    for start in range(0, len(requests), WINDOW):
        window = requests[start : start + WINDOW]
        # Each one is on its way before the next one begins: a coroutine runs until it first waits.
        await asyncio.gather(*(peer.publish(request.topic, request.payload) for request in window))


async def answered(peer: Peer, requests: Iterable[Request], *, limit_seconds: float = WAIT_SECONDS) -> None:
    """Returns once each of these has been answered, whatever the answer is."""
    missing = {request.id for request in requests} - {status["id"] for status in peer.statuses}
    try:
        async with asyncio.timeout(limit_seconds):
            while missing:
                missing.discard((await peer.next_message(limit_seconds)).json()["id"])
    except TimeoutError:
        raise AssertionError(f"not answered within {limit_seconds:g} s: {sorted(missing)}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The ids of the requests with which something is wrong."""

    lost: tuple[str, ...] = ()
    """Neither carried out nor reported as failed."""
    doubled: tuple[str, ...] = ()
    """Carried out more than once."""
    out_of_order: tuple[str, ...] = ()
    """Carried out after a later one of the same channel and recipient."""
    unanswered: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    """Reported as failed although carried out, or answered twice with different bytes."""

    def __str__(self) -> str:
        return (
            f"lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"out of order {len(self.out_of_order)}, unanswered {len(self.unanswered)}"
        )


ALL_KEPT = Verdict()


def judge(requests: Sequence[Request], ledger: Sequence[LedgerEntry], statuses: Sequence[bytes]) -> Verdict:
    """What the promises of the contract (section 5) came to."""
    made = Counter(_content(entry) for entry in ledger)
    answers: dict[str, set[bytes]] = defaultdict(set)
    for status in statuses:
        answers[json.loads(status)["id"]].add(status)

    def those(wrong: Callable[[Request], bool]) -> tuple[str, ...]:
        return tuple(request.id for request in requests if wrong(request))

    return Verdict(
        lost=those(lambda request: not made[request.content] and not _failures(answers[request.id])),
        doubled=those(lambda request: made[request.content] > 1),
        out_of_order=_overtaken(requests, ledger),
        unanswered=those(lambda request: not answers[request.id]),
        contradicted=those(lambda request: _contradicted(answers[request.id], made[request.content])),
    )


def _content(entry: LedgerEntry) -> str:
    """Without the hint how to acknowledge, which is the last line of a text of a chain."""
    content = entry.url or entry.body or entry.twiml
    assert content is not None
    return content.partition("\n")[0]


def _failures(answers: Iterable[bytes]) -> set[str]:
    """The errors in these statuses."""
    responses = [json.loads(answer)["response"] for answer in answers]
    return {response["error"] for response in responses if response["status"] == "fail"}


def _contradicted(answers: set[bytes], made: int) -> bool:
    return len(answers) > 1 or bool(made and _failures(answers) - {"OutcomeUnknown"})


def _overtaken(requests: Sequence[Request], ledger: Sequence[LedgerEntry]) -> tuple[str, ...]:
    by_content = {request.content: request for request in requests}
    latest: dict[tuple[Channel, str], int] = {}
    overtaken: dict[str, None] = {}
    for entry in ledger:
        request = by_content.get(_content(entry))
        if request is None:
            continue
        line = (request.channel, request.to)
        if request.number < latest.get(line, -1):
            overtaken[request.id] = None
        latest[line] = max(latest.get(line, -1), request.number)
    return tuple(overtaken)
