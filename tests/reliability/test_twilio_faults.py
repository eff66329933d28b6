"""Twilio is slow, says no, answers nonsense or does not answer: what is sent, and what is said about it.

RELIABILITY_429_SECONDS=20 has Twilio refuse every second request for so long (3 without it).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, publish, recipient
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

RATE_LIMITED_SECONDS = float(os.environ.get("RELIABILITY_429_SECONDS", "3"))


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    "effect",
    [
        faults.AnswerLost(),
        faults.AnswerLost(after_bytes=60),
        faults.Garbage(),
        faults.Garbage(body='{"sid": 7}'),
        faults.ServerError(status=500, executed=True),
        faults.Hang(executed=True),
    ],
    ids=["lost", "cut", "HTML", "other JSON", "5xx", "hang"],
)
async def test_what_twilio_did_without_saying_so_is_a_success_with_its_sid(
    broker: Mosquitto, twilio: Simulator, start: Start, effect: faults.Effect, channel: Channel
) -> None:
    """With `retries: 0`: finding out is no attempt."""
    twilio.add_fault(Fault(effect=effect, times=1))
    request = Request(number=0, to=recipient(1), channel=channel, retries=0)
    async with Peer(broker.url) as peer:
        async with start(status={"detail": "extended"}, twilio={"timeout_seconds": 1}) as connector:
            await connector.ready()
            await publish(peer, [request])
            await answered(peer, [request])
            assert 0 == await connector.terminate()
        (status,) = peer.statuses
    (entry,) = twilio.ledger
    assert ("success", entry.sid) == (status["response"]["status"], status["response"]["detail"]["sid"])
    assert 1 == status["response"]["detail"]["attempts"]


@pytest.mark.parametrize(
    "effect",
    [faults.ConnectionClosed(), faults.ServerError(status=503, executed=False), faults.Hang(executed=False)],
    ids=["closed", "5xx", "hang"],
)
@pytest.mark.parametrize("retries", [0, 1])
async def test_what_twilio_did_not_do_is_done_again_as_often_as_retries_say(
    broker: Mosquitto, twilio: Simulator, start: Start, effect: faults.Effect, retries: int
) -> None:
    twilio.add_fault(Fault(effect=effect, times=1))
    request = Request(number=0, to=recipient(1), retries=retries)
    async with Peer(broker.url) as peer:
        async with start(twilio={"timeout_seconds": 1}) as connector:
            await connector.ready()
            await publish(peer, [request])
            await answered(peer, [request])
            assert 0 == await connector.terminate()
        (status,) = peer.statuses
    assert retries == len(twilio.ledger)
    assert ("success" if retries else "TwilioUnavailable") == status["response"].get("error", "success")


@pytest.mark.parametrize(
    ("code", "error"),
    [(21610, "RecipientOptedOut"), (21211, "InvalidParameter"), (21606, "InvalidParameter")],
)
async def test_a_refusal_is_final_and_the_next_request_of_the_recipient_goes_on(
    broker: Mosquitto, twilio: Simulator, start: Start, code: int, error: str
) -> None:
    armed = twilio.add_fault(Fault(effect=faults.RefusedRequest(code=code, message="no"), times=1))
    requests = [Request(number=number, to=recipient(1), retries=5) for number in range(2)]
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, requests)
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert [error, "success"] == [status["response"].get("error", "success") for status in peer.statuses]
    assert 1 == armed.fired
    assert [requests[1].content] == [entry.body for entry in twilio.ledger]


@pytest.mark.parametrize("retry_after", [None, 1], ids=["without Retry-After", "with Retry-After"])
async def test_every_second_request_is_too_many_for_a_while_and_each_is_sent_once(
    broker: Mosquitto, twilio: Simulator, start: Start, retry_after: int | None
) -> None:
    """429 is no attempt: `retries: 0` is enough, however often Twilio says it."""
    armed = twilio.add_fault(
        Fault(effect=faults.RateLimited(retry_after=retry_after), every=2, seconds=RATE_LIMITED_SECONDS)
    )
    requests = [Request(number=number, to=recipient(number % 50), retries=0) for number in range(200)]
    async with Peer(broker.url) as peer:
        async with start(log={"level": "INFO"}) as connector:
            await connector.ready()
            await publish(peer, requests)
            await answered(peer, requests, limit_seconds=WAIT_SECONDS + RATE_LIMITED_SECONDS)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        assert {"success"} == {status["response"]["status"] for status in peer.statuses}
    assert armed.fired


async def test_a_slow_twilio_is_waited_for(broker: Mosquitto, twilio: Simulator, start: Start) -> None:
    """Each answer takes longer than a settling time, and less than the time-out: no doubt arises."""
    twilio.set_latency(1.0)
    requests = [Request(number=number, to=recipient(number), retries=0) for number in range(100)]
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, requests)
            await answered(peer, requests)
            assert [] == connector.events("attempt_in_doubt")
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
