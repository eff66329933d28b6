"""What a run of `torture.py` draws: its requests, what goes wrong with them, and the configuration."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.reliability.people import CHAINS
from tests.reliability.traffic import Request, recipient
from tests.support.process import configuration
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.support.process import Section

RECIPIENTS = 40
"""Few, so that each has a long line of requests whose order matters."""

CALL_SHARE = 0.2
CHAIN_SHARE = 0.1
"""Of the texts: requests that begin a chain."""

LATENCY_SECONDS = 0.02
"""So that at any moment of load some requests are on their way to Twilio."""

SETTLE_SECONDS = 0.5
"""The simulator carries a request out as soon as it has read it, and shows it in its lists at once; what a
killed connector had written to its socket is read before the next one has so much as started."""

RETRIES = 20
"""More than any request will need: here every fault is one that passes."""

SPEED = 20.0
"""How many times faster than usual texts and calls come to their end."""

LEASE_SECONDS = 1.0
"""On PostgreSQL, a killed connector leads for so long still, and the next one stands by."""

POLL_SECONDS = 0.25
GIVE_UP_SECONDS = 8.0
"""Longer than any drawn end lasts, so that only texts that stay "sent" are given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    requests: int
    kills: int
    seed: int
    broker: str = "mosquitto"
    """The kind of broker: RabbitMQ numbers its packets again on each connection."""
    journal_url: str | None = None
    """Of a database of PostgreSQL; None: the journal is a file."""
    callbacks: bool = False
    """Whether Twilio calls back; what a dead connector misses, polling finds out."""


def requests_of(plan: Plan) -> list[Request]:
    """Texts and calls to few recipients, in an order that the seed decides."""
    chance = random.Random(plan.seed)  # noqa: S311 - a seed makes a run repeatable
    return [_request(number, chance) for number in range(plan.requests)]


def _request(number: int, chance: random.Random) -> Request:
    channel = Channel.CALL if chance.random() < CALL_SHARE else Channel.SMS
    begins = channel is Channel.SMS and chance.random() < CHAIN_SHARE
    return Request(
        number=number,
        to=recipient(chance.randrange(RECIPIENTS)),
        channel=channel,
        retries=RETRIES,
        extensions={"escalation": chance.choice(CHAINS).name} if begins else {},
    )


def faults_of(seed: int) -> list[Fault]:
    """Everything that Twilio and the network may do to a request that will be sent in the end."""
    effects: list[tuple[faults.Effect, float]] = [
        (faults.AnswerLost(), 0.03),
        (faults.AnswerLost(after_bytes=40), 0.01),
        (faults.ConnectionClosed(), 0.01),
        (faults.Garbage(), 0.01),
        (faults.ServerError(status=500, executed=True), 0.01),
        (faults.ServerError(status=503, executed=False), 0.01),
        (faults.Slow(seconds=0.3), 0.03),
        (faults.RateLimited(), 0.03),
        (faults.RateLimited(retry_after=1), 0.002),
    ]
    creates = [
        Fault(effect=effect, probability=probability, seed=seed + number)
        for number, (effect, probability) in enumerate(effects)
    ]
    return [*creates, Fault(effect=faults.ServerError(status=503), on="lists", probability=0.05, seed=seed)]


def settings_of(plan: Plan, *, broker_url: str, twilio_url: str) -> dict[str, Section]:
    """The configuration of every start."""
    tracking: Section = {
        "poll_initial_seconds": POLL_SECONDS,
        "inbound_seconds": POLL_SECONDS,
        "requests_per_minute": 6000,
        "give_up_seconds": GIVE_UP_SECONDS,
    }
    if plan.callbacks:
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        tracking |= {"mode": "callback", "listen": address, "public_url": f"http://{address}"}
    sections = {name: section for chain in CHAINS for name, section in chain.sections.items()}
    if plan.journal_url is not None:
        sections["journal"] = {"url": plan.journal_url, "lease_seconds": LEASE_SECONDS}
    return configuration(
        broker_url=broker_url,
        twilio_url=twilio_url,
        delivery={"settle_seconds": SETTLE_SECONDS},
        tracking=tracking,
        status={"follow_up": "final", "detail": "extended"},
        **sections,
    )
