"""Escalations with the real program and the simulated Twilio, killed after each of their steps.

No step is skipped, none is sent twice, and a status tells of the end.
"""

from __future__ import annotations

import json
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import SENDER, TEXT_TOPIC, until
from tests.reliability.traffic import Request, answered, publish
from tests.support.crash_points import CrashPoint
from tests.support.engines import ON_EACH_ENGINE
from tests.support.mqtt_peer import Peer
from twilio_notifications.adapters.journal.wishing import ENDED_AT_ONCE
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.deliveries import DeliveryOrder
from twilio_notifications.simulator.faults import Fault
from twilio_notifications.simulator.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector, Section
    from twilio_notifications.simulator.server import Simulator

pytestmark = [pytest.mark.mosquitto, ON_EACH_ENGINE]

OWNER, DARLA, DEPUTY = (f"+12345000{n:03}" for n in range(3))
LONG = 600.0
A_MOMENT, AN_HOUR = 0.5, 3600.0
"""Ages at which Twilio shows each text and call: what takes its usual time has not ended, or has."""
AT_ONCE = 1000.0
"""So many times faster than usual a delivery comes to its end."""


def house(twilio: Simulator, *, wait: float = LONG) -> dict[str, Section]:
    """The owner's text does not arrive, so Darla is called; if she is not reached, the deputy gets a text.

    So each step follows from the end of the one before, and not from the speed of the machine.
    """
    undelivered = Plan(end="undelivered", error_code=30003, speed=AT_ONCE)
    twilio.add_delivery(DeliveryOrder(plan=undelivered, to=OWNER))
    twilio.set_age(A_MOMENT)
    steps = [
        {"after_seconds": LONG, "channel": "call", "contacts": ["darla"], "voice_message": "{message}"},
        {"after_seconds": 2 * LONG, "channel": "text", "contacts": ["deputy"]},
    ]
    return {
        "tracking": {"inbound_seconds": 0.05, "requests_per_minute": 6000, "poll_initial_seconds": 0.05},
        "contacts.darla": {"name": "Darla", "phone_number": DARLA},
        "contacts.deputy": {"name": "Deputy", "phone_number": DEPUTY},
        "escalations.freezer": {"steps": steps, "wait_seconds": wait, "tell_others": False},
    }


async def alarm(peer: Peer) -> None:
    recipient = {"name": "Owner", "phone_number": OWNER, "message": "It thaws"}
    request = {"recipient": recipient, "from_number": SENDER, "escalation": "freezer"}
    await peer.publish(TEXT_TOPIC, json.dumps({"request": request, "id": "thaw"}))


async def dies(connector: Connector) -> None:
    assert -signal.SIGKILL == await connector.wait(), "it did not reach the crash point"


def words(peer: Peer) -> list[str]:
    """The message status, or the error, of each status, without repetitions."""
    answers = [status["response"] for status in peer.statuses]
    return list(
        dict.fromkeys(
            answer["payload"]["messages"]["message_status"] if answer["payload"] else answer["error"]
            for answer in answers
        )
    )


def sent(twilio: Simulator) -> list[str]:
    """To whom, in the order of the ledger."""
    return [entry.to for entry in twilio.ledger]


@pytest.mark.parametrize(
    "point", ["", CrashPoint.STEP_TAKEN, f"{CrashPoint.STEP_TAKEN}:2", CrashPoint.CHAIN_ENDED]
)
async def test_a_chain_without_an_acknowledgement_takes_each_step_once(
    broker: Mosquitto, twilio: Simulator, start: Start, point: str
) -> None:
    settings: Any = house(twilio, wait=0.3)
    twilio.add_delivery(DeliveryOrder(plan=Plan(end="no-answer", speed=AT_ONCE), to=DARLA))
    twilio.add_delivery(DeliveryOrder(plan=Plan(end="undelivered", speed=AT_ONCE), to=DEPUTY))
    async with Peer(broker.url) as peer:
        async with start(crash_at=point, **settings) as connector:
            await connector.ready()
            await alarm(peer)
            if point:
                await dies(connector)
            else:
                await until(lambda: "NotAcknowledged" in words(peer))
        async with start(**settings) as connector:
            await connector.ready()
            await until(lambda: "NotAcknowledged" in words(peer))
            assert 0 == await connector.terminate()
        assert ["queued", "NotAcknowledged"] == words(peer)
    assert [OWNER, DARLA, DEPUTY] == sent(twilio)


@pytest.mark.parametrize("point", ["", CrashPoint.WISH_CARRIED_OUT, CrashPoint.CALL_HUNG_UP])
async def test_an_acknowledgement_on_the_topic_survives_and_ends_the_call_that_rings(
    broker: Mosquitto, twilio: Simulator, start: Start, point: str
) -> None:
    """That Twilio is asked again to end a call, after a crash, does no harm."""
    async with Peer(broker.url) as peer:

        async def acknowledge() -> None:
            await peer.publish("twilio/acknowledge", json.dumps({"id": "thaw", "by": "Darla"}))

        await ends_by(acknowledge, peer, twilio, start, point=point)
    assert "canceled" == twilio.last_status_of(twilio.ledger[1].sid)


@pytest.mark.parametrize("point", ["", CrashPoint.CHAIN_ENDED])
@pytest.mark.parametrize("channel", list(Channel))
async def test_what_comes_back_acknowledges(
    broker: Mosquitto, twilio: Simulator, start: Start, point: str, channel: Channel
) -> None:
    async def come_back() -> None:
        if channel is Channel.SMS:
            twilio.receive_text("1", sender=DARLA, to=SENDER)
        else:
            twilio.receive_call(sender=DARLA, to=SENDER)

    async with Peer(broker.url) as peer:
        await ends_by(come_back, peer, twilio, start, point=point)


async def ends_by(
    react: Callable[[], Awaitable[None]], peer: Peer, twilio: Simulator, start: Start, *, point: str
) -> None:
    """What a person does while the telephone rings acknowledges, also with a crash at that point.

    Twilio has ended the call by then.
    """
    settings: Any = house(twilio)
    async with start(crash_at=point, **settings) as connector:
        await connector.ready()
        await alarm(peer)
        await until(lambda: len(twilio.ledger) == 2)
        await react()
        if point:
            await dies(connector)
        else:
            await until(lambda: "acknowledged" in words(peer))
    async with start(**settings) as connector:
        await connector.ready()
        await until(lambda: "acknowledged" in words(peer))
        await until(lambda: twilio.last_status_of(twilio.ledger[1].sid) == "canceled")
        assert 0 == await connector.terminate()
    assert ["queued", "acknowledged"] == words(peer)
    assert [OWNER, DARLA] == sent(twilio)


@pytest.mark.parametrize(
    ("mode", "point"), [("callback", ""), ("callback", CrashPoint.CHAIN_ENDED), ("poll", "")]
)
async def test_a_key_in_the_call_acknowledges_and_the_person_hears_that_it_came(
    broker: Mosquitto, twilio: Simulator, start: Start, mode: str, point: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    settings: Any = house(twilio)
    settings["tracking"] |= {"mode": mode, "listen": address, "public_url": f"http://{address}"}
    settings["status"] = {"detail": "extended"}
    twilio.add_delivery(DeliveryOrder(plan=Plan(keys="5", talk_seconds=30), to=DARLA))
    async with Peer(broker.url) as peer:
        async with start(crash_at=point, **settings) as connector:
            await connector.ready()
            await alarm(peer)
            if point:
                await dies(connector)
            else:
                await until(lambda: "acknowledged" in words(peer))
                await until(lambda: ["<Response><Say>Thank you</Say></Response>"] == key_answers(twilio))
        async with start(**settings) as connector:
            await connector.ready()
            await until(lambda: "acknowledged" in words(peer))
            assert 0 == await connector.terminate()
        detail = peer.statuses[-1]["response"]["detail"]
        assert ("Darla", "key") == (detail["acknowledged_by"], detail["acknowledged_how"])
    document = twilio.ledger[1].twiml or ""
    assert "Press any key to acknowledge." in document
    assert [OWNER, DARLA] == sent(twilio)


def key_answers(twilio: Simulator) -> list[str]:
    """What the connector had Twilio speak after a key."""
    return [one.answer for one in twilio.callbacks if "Digits" in dict(one.callback.fields)]


@pytest.mark.parametrize("point", [CrashPoint.REPLY_FROM_OPTED_OUT])
async def test_a_chain_goes_on_after_a_person_has_opted_out(
    broker: Mosquitto, twilio: Simulator, start: Start, point: str
) -> None:
    settings: Any = house(twilio, wait=0.3)
    twilio.add_delivery(DeliveryOrder(plan=Plan(end="no-answer"), to=DARLA))
    twilio.add_delivery(DeliveryOrder(plan=Plan(end="undelivered", speed=AT_ONCE), to=DEPUTY))
    async with Peer(broker.url) as peer:
        async with start(crash_at=point, **settings) as connector:
            await connector.ready()
            await alarm(peer)
            await until(lambda: len(twilio.ledger) == 2)
            twilio.receive_text("STOP", sender=DARLA, to=SENDER)
            await dies(connector)
        twilio.set_age(AN_HOUR)  # her telephone has rung to its end
        async with start(**settings) as connector:
            await until(lambda: "NotAcknowledged" in words(peer))
            assert [] == connector.events("reply_from_opted_out")
            assert 0 == await connector.terminate()
    assert [OWNER, DARLA, DEPUTY] == sent(twilio)


@pytest.mark.parametrize("point", [CrashPoint.WISH_CARRIED_OUT, CrashPoint.WAITING_REQUEST_ENDED])
async def test_a_request_that_was_cancelled_while_it_waited_is_answered_and_not_sent(
    broker: Mosquitto, twilio: Simulator, start: Start, point: str
) -> None:
    twilio.add_fault(Fault(effect=faults.Hang(executed=True), times=1))
    requests = [Request(number=number, to=OWNER) for number in range(2)]
    async with Peer(broker.url) as peer:
        async with start(crash_at=point) as connector:
            await connector.ready()
            await publish(peer, requests)
            await until(lambda: len(twilio.ledger) == 1)
            await peer.publish("twilio/cancel", json.dumps({"id": requests[1].id}))
            await dies(connector)
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        results = {(status["id"], status["response"].get("error")) for status in peer.statuses}
    assert {(requests[0].id, None), (requests[1].id, "Cancelled")} == results
    assert [requests[0].content] == [entry.body for entry in twilio.ledger]


@pytest.mark.parametrize(
    "point",
    [
        CrashPoint.WAITING_REQUEST_ENDED,
        f"{CrashPoint.WAITING_REQUEST_ENDED}:{ENDED_AT_ONCE + 1}",
        f"{CrashPoint.WAITING_REQUEST_ENDED}:{2 * ENDED_AT_ONCE + 1}",
        CrashPoint.WISH_CARRIED_OUT,
    ],
)
async def test_a_cancellation_goes_on_after_a_crash_between_two_of_its_transactions(
    broker: Mosquitto, twilio: Simulator, start: Start, point: str
) -> None:
    twilio.add_fault(Fault(effect=faults.Hang(executed=True), times=1))
    count = 2 * ENDED_AT_ONCE + 50
    first = Request(number=0, to=OWNER)
    recipient = {"name": "Owner", "phone_number": OWNER, "message": "never sent"}
    many = json.dumps({"request": {"recipient": recipient, "from_number": SENDER}, "id": "many"})
    async with Peer(broker.url) as peer:
        async with start(crash_at=point) as connector:
            await connector.ready()
            await publish(peer, [first])
            await until(lambda: len(twilio.ledger) == 1)
            for _ in range(count):
                await peer.publish(TEXT_TOPIC, many)
            await peer.publish("twilio/cancel", json.dumps({"id": "many"}))
            await dies(connector)
        async with start() as connector:
            await until(lambda: len([one for one in peer.statuses if one["id"] == "many"]) >= count)
            await answered(peer, [first])
            assert 0 == await connector.terminate()
        results = {(status["id"], status["response"].get("error")) for status in peer.statuses}
    assert {(first.id, None), ("many", "Cancelled")} == results
    assert [first.content] == [entry.body for entry in twilio.ledger]
