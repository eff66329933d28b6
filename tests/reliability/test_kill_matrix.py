"""The connector is killed at each step of the line, and started again (contract, section 5).

One row for each crash point: one that this traffic does not reach fails its row, because the process
does not die there. The broker stays up; Twilio's ledger and the statuses are the evidence.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.acceptance.house import TEXT_SUCCESS, TEXT_TOPIC, text, until
from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, publish, recipient
from tests.support.crash_points import OFF_THE_LINE, CrashPoint
from tests.support.engines import ON_EACH_ENGINE
from tests.support.mqtt_peer import Peer
from tests.support.process import TOKEN
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector
    from twilio_notifications.simulator.server import Simulator

pytestmark = [pytest.mark.mosquitto, ON_EACH_ENGINE]

UNANSWERED = recipient(2)
"""The first answer to a request for this recipient gets lost, so that settlement has its rows too."""

DEATHS = {CrashPoint.JOURNAL_OPENED: (CrashPoint.ATTEMPTS_OPENED, CrashPoint.JOURNAL_OPENED)}
"""Where one death is not enough: there is something to recover only after another one."""


def traffic(channel: Channel) -> list[Request]:
    """Two in a row for one recipient, two where an answer gets lost, and one more."""
    recipients = (recipient(1), recipient(1), UNANSWERED, UNANSWERED, recipient(3))
    return [Request(number=number, to=to, channel=channel) for number, to in enumerate(recipients)]


async def dies(connector: Connector) -> None:
    assert -signal.SIGKILL == await connector.wait(), "it did not reach the crash point"


OTHER_ROWS = OFF_THE_LINE | {CrashPoint.REQUEST_POSTPONED}
"""They have tests of their own; those of chains stand in test_chain_kills.py."""

CALL_ROWS = [
    CrashPoint.REQUEST_RECORDED,
    CrashPoint.ATTEMPTS_OPENED,
    CrashPoint.TWILIO_ANSWERED,
    CrashPoint.RECORDS_LOOKED_UP,
    CrashPoint.REQUEST_FINISHED,
]
"""A call differs from a text in its topic, its POST and its records."""


@pytest.mark.parametrize(
    ("point", "channel"),
    [
        *((point, Channel.SMS) for point in CrashPoint if point not in OTHER_ROWS),
        *((point, Channel.CALL) for point in CALL_ROWS),
    ],
)
async def test_a_crash_at(
    broker: Mosquitto, twilio: Simulator, start: Start, point: CrashPoint, channel: Channel
) -> None:
    """Sent exactly once, answered at least once and always alike, in the order of each recipient."""
    twilio.add_fault(Fault(effect=faults.AnswerLost(), to=UNANSWERED, times=1))
    requests = traffic(channel)
    first, *others = DEATHS.get(point, (point,))
    async with Peer(broker.url) as peer:
        async with start(crash_at=first) as connector:
            await connector.ready()
            await publish(peer, requests)
            await dies(connector)
        for later in others:
            async with start(crash_at=later) as connector:
                await dies(connector)
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        statuses = [message.payload for message in peer.received]
        assert ALL_KEPT == judge(requests, twilio.ledger, statuses)
        assert {"success"} == {status["response"]["status"] for status in peer.statuses}


@pytest.mark.parametrize(
    "point",
    [
        CrashPoint.ATTEMPTS_OPENED,
        CrashPoint.TWILIO_ANSWERED,
        CrashPoint.REQUEST_FINISHED,
        CrashPoint.STATUS_PUBLISHED,
        CrashPoint.STATUS_ACKNOWLEDGED,
        CrashPoint.STATUSES_REPORTED,
    ],
)
async def test_a_crash_on_the_longer_way(
    broker: Mosquitto, twilio: Simulator, start: Start, point: CrashPoint
) -> None:
    """The second request for a recipient is recorded, claimed and opened in transactions of their own."""
    requests = [Request(number=number, to=recipient(1)) for number in range(2)]
    async with Peer(broker.url) as peer:
        async with start(crash_at=f"{CrashPoint.REQUESTS_CLAIMED}>{point}") as connector:
            await connector.ready()
            await publish(peer, requests)
            await dies(connector)
        async with start() as connector:
            await connector.ready()  # all may have been answered before its start
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])


@pytest.mark.parametrize("point", [CrashPoint.REQUEST_RECORDED, CrashPoint.ATTEMPTS_OPENED])
async def test_a_crash_after_a_puback_whose_note_rides_with_other_requests(
    broker: Mosquitto, twilio: Simulator, start: Start, point: CrashPoint
) -> None:
    """Attempts are open for requests whose POST has not begun, and earlier statuses may not be noted yet."""
    first = [Request(number=number, to=recipient(number)) for number in range(8)]
    second = [Request(number=number, to=recipient(number)) for number in range(8, 16)]
    async with Peer(broker.url) as peer:
        async with start(crash_at=f"{CrashPoint.STATUS_ACKNOWLEDGED}:8>{point}") as connector:
            await connector.ready()
            await publish(peer, first)
            await answered(peer, first)
            await publish(peer, second)
            await dies(connector)
        async with start() as connector:
            await answered(peer, second)
            assert 0 == await connector.terminate()
        statuses = [message.payload for message in peer.received]
        assert ALL_KEPT == judge([*first, *second], twilio.ledger, statuses)


@pytest.mark.parametrize(
    ("effect", "point", "entries"),
    [
        (faults.RateLimited(), CrashPoint.REQUEST_POSTPONED, 2),
        (faults.ConnectionClosed(), CrashPoint.ATTEMPT_IN_DOUBT, 2),
        (faults.ConnectionClosed(), CrashPoint.RECORDS_LOOKED_UP, 2),
        (faults.ConnectionClosed(), CrashPoint.DOUBT_SETTLED, 2),
        (faults.ServerError(executed=True), CrashPoint.ATTEMPT_IN_DOUBT, 2),
        (faults.ServerError(executed=False), CrashPoint.DOUBT_SETTLED, 2),
        (faults.RefusedRequest(code=21610, message="unsubscribed"), CrashPoint.TWILIO_ANSWERED, 2),
        (faults.RefusedRequest(code=21610, message="unsubscribed"), CrashPoint.REQUEST_FINISHED, 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, faults.Effect) else str(value),
)
async def test_a_crash_after_an_attempt_that_did_not_succeed(
    broker: Mosquitto,
    twilio: Simulator,
    start: Start,
    effect: faults.Effect,
    point: CrashPoint,
    entries: int,
) -> None:
    """The second request for the recipient waits for the first one, in both lives."""
    twilio.add_fault(Fault(effect=effect, times=1))
    requests = [Request(number=number, to=recipient(1)) for number in range(2)]
    async with Peer(broker.url) as peer:
        async with start(crash_at=point) as connector:
            await connector.ready()
            await publish(peer, requests)
            await dies(connector)
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
    # A refusal that was not written down is asked for again: Twilio's records show that nothing was sent.
    assert entries == len(twilio.ledger)


POLLED: dict[str, Any] = {"poll_initial_seconds": 0.05, "requests_per_minute": 6000}
TOLD = {"follow_up": "final"}
AN_HOUR = 3600.0
"""Later, the simulator shows each text and call with its last word."""
LAST_WORDS = {Channel.SMS: "delivered", Channel.CALL: "completed"}


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    ("point", "count"),
    [
        (CrashPoint.DELIVERY_LOOKED_UP, 1),
        (CrashPoint.DELIVERY_CHANGED, 1),
        (CrashPoint.DELIVERY_CHANGED, 3),
        (CrashPoint.STATUS_PUBLISHED, 8),
        (CrashPoint.STATUS_ACKNOWLEDGED, 8),
    ],
)
async def test_a_crash_while_deliveries_are_followed(
    broker: Mosquitto, twilio: Simulator, start: Start, channel: Channel, point: CrashPoint, count: int
) -> None:
    """Each end is published at least once, after the first status; nothing is sent again."""
    twilio.set_age(AN_HOUR)
    requests = [Request(number=number, to=recipient(number), channel=channel) for number in range(5)]
    async with Peer(broker.url) as peer:
        async with start(crash_at=f"{point}:{count}", tracking=POLLED, status=TOLD) as connector:
            await connector.ready()
            await publish(peer, requests)
            await dies(connector)
        async with start(tracking=POLLED, status=TOLD) as connector:
            await connector.ready()
            await until(lambda: set(ends(peer)) == {request.id for request in requests})
            assert 0 == await connector.terminate()
        assert len(requests) == len(twilio.ledger)
        for words in ends(peer).values():
            assert ["queued", LAST_WORDS[channel]] == list(dict.fromkeys(words))


@pytest.mark.parametrize(
    ("point", "count"),
    [
        (CrashPoint.DELIVERY_LOOKED_UP, 2),
        (CrashPoint.DELIVERY_CHANGED, 2),
        (CrashPoint.DELIVERY_LOOKED_UP, 3),
    ],
)
async def test_a_crash_while_the_notifications_of_a_call_are_read(
    broker: Mosquitto, twilio: Simulator, start: Start, point: CrashPoint, count: int
) -> None:
    """The first look finds the end of the call; the second and the third read its notifications."""
    twilio.set_age(AN_HOUR)
    async with Peer(broker.url) as peer:
        async with start(crash_at=f"{point}:{count}", tracking=POLLED, status=TOLD) as connector:
            await connector.ready()
            await publish(peer, [Request(number=0, to=recipient(0), channel=Channel.CALL)])
            await dies(connector)
        async with start(tracking=POLLED, status=TOLD) as connector:
            await until(lambda: list(ends(peer)) == ["id-0"])
            assert 0 == await connector.terminate()
        assert [["queued", "completed"]] == list(ends(peer).values())
        assert 1 == len(twilio.ledger)


def ends(peer: Peer) -> dict[str, list[str]]:
    """Twilio's words in the statuses of each request whose end was published, in their order."""
    told: dict[str, list[str]] = {}
    for status in peer.statuses:
        word = status["response"]["payload"]["messages"]["message_status"]
        told.setdefault(status["id"], []).append(word)
    return {id_: words for id_, words in told.items() if set(words) & set(LAST_WORDS.values())}


@pytest.mark.parametrize("point", [CrashPoint.CALLBACK_RECEIVED])
async def test_a_callback_that_a_crash_loses_is_found_out_by_polling(
    broker: Mosquitto, twilio: Simulator, start: Start, point: CrashPoint
) -> None:
    called = POLLED | {
        "mode": "callback",
        "listen": "127.0.0.1:0",
        "public_url": "https://alarms.example.com",
        "poll_initial_seconds": 0.5,
    }
    twilio.set_age(AN_HOUR)
    async with Peer(broker.url) as peer:
        async with start(crash_at=point, tracking=called, status=TOLD) as connector:
            listening = await connector.wait_for_event("callbacks_listening")
            await connector.ready()
            await publish(peer, [Request(number=0, to=recipient(0))])
            await until(lambda: len(peer.statuses) == 1)
            (entry,) = twilio.ledger
            assert b"" == await call_back(
                listening["address"], {"MessageSid": entry.sid, "MessageStatus": "sent"}
            )
            await dies(connector)
        async with start(tracking=called, status=TOLD) as connector:
            await until(lambda: list(ends(peer)) == ["id-0"])
            assert 0 == await connector.terminate()
        assert 1 == len(twilio.ledger)


async def call_back(address: str, fields: dict[str, str]) -> bytes:
    """The answer to a callback as Twilio makes it."""
    signature = RequestValidator(TOKEN).compute_signature("https://alarms.example.com/?request=1", fields)
    body = urlencode(fields).encode()
    head = (
        f"POST /?request=1 HTTP/1.1\r\nX-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode() + body)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    "hang",
    [faults.Hang(executed=True), faults.Hang(executed=False)],
    ids=["carried out", "not carried out"],
)
async def test_a_kill_while_the_post_is_under_way(
    broker: Mosquitto, twilio: Simulator, start: Start, hang: faults.Hang, channel: Channel
) -> None:
    """Only Twilio's records can say which of the two it was."""
    armed = twilio.add_fault(Fault(effect=hang))
    requests = [Request(number=number, to=recipient(1), channel=channel, retries=0) for number in range(2)]
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, requests)
            await until(lambda: armed.fired == 1)
            await connector.kill()
        twilio.clear_faults()
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        assert ["success", "success"] == [status["response"]["status"] for status in peer.statuses]


async def test_a_publish_that_comes_again_after_a_crash_before_its_puback_is_not_executed_again(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    async with Peer(broker.url) as peer:
        async with start(crash_at=CrashPoint.REQUEST_RECORDED) as connector:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, text())
            await dies(connector)
        async with start() as connector:
            await connector.wait_for_event("repeated_publish_ignored")
            assert TEXT_SUCCESS == (await peer.next_message()).payload
            assert 0 == await connector.terminate()
        async with start() as connector:
            await peer.publish(TEXT_TOPIC, text("afterwards"))
            assert "afterwards" == (await peer.next_message()).json()["id"]
            assert [] == connector.events("repeated_publish_ignored"), "the broker was not told"
            assert 0 == await connector.terminate()
    assert 2 == len(twilio.ledger)


@pytest.mark.parametrize(
    "point", [CrashPoint.REQUEST_RECEIVED, CrashPoint.REQUEST_RECORDED, CrashPoint.REQUEST_ACKNOWLEDGED]
)
async def test_what_a_client_publishes_twice_is_executed_twice(
    broker: Mosquitto, twilio: Simulator, start: Start, point: CrashPoint
) -> None:
    """Same bytes, same id: two requests all the same, though one of them comes again after the crash."""
    async with Peer(broker.url) as peer:
        async with start(crash_at=point) as connector:
            await connector.ready()
            await asyncio.gather(peer.publish(TEXT_TOPIC, text()), peer.publish(TEXT_TOPIC, text()))
            await dies(connector)
        async with start() as connector:
            assert [TEXT_SUCCESS] * 2 == [message.payload for message in await peer.collect(2)]
            assert 0 == await connector.terminate()
    assert 2 == len(twilio.ledger)
    assert 2 == len(peer.received)


async def test_a_new_request_is_not_taken_for_one_of_a_session_that_the_broker_has_forgotten(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """A broker without persistence counts its packets from one again, and senders repeat themselves."""
    async with Peer(broker.url) as peer, start() as connector:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        await peer.collect(1)
        assert 0 == await connector.terminate()
    await asyncio.to_thread(broker.restart)
    async with Peer(broker.url) as peer:
        async with start(crash_at=CrashPoint.REQUEST_RECEIVED) as connector:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, text())
            await dies(connector)
        async with start() as connector:
            assert TEXT_SUCCESS == (await peer.next_message()).payload
            assert 0 == await connector.terminate()
    assert 2 == len(twilio.ledger)
