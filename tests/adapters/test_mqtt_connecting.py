"""How the MQTT adapter finds its broker: versions, refusals, silence, pauses, one line for each change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.mqtt_steps import TOPICS, Running, running, transport_settings
from tests.support.certificates import make_certificates
from tests.support.clock import HandClock
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import HOST, Kind, Link, RawBroker
from twilio_notifications.adapters.mqtt.opening import FALL_BACK_SECONDS
from twilio_notifications.adapters.mqtt.telling import LASTING_SECONDS
from twilio_notifications.adapters.mqtt.transport import STEADY_SECONDS
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Script = Callable[[Link], Awaitable[None]]

MQTT_5, MQTT_311 = 5, 4
NO_WAITING = FALL_BACK_SECONDS / 2
"""Seconds within which a fall-back is over that did not wait for an answer in vain."""


async def let_in(link: Link) -> None:
    await link.accept()


def refusing(code: int, *, hang_up: bool) -> Script:
    """Says no to CONNECT, and hangs up in the same breath or never."""

    async def refuse(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(code))
        if hang_up:
            link.hang_up()

    return refuse


def only(level: int) -> Script:
    """Accepts clients of this version, and hangs up on all others."""

    async def serve(link: Link) -> None:
        connect = await link.hear(Kind.CONNECT)
        if connect.level != level:
            link.hang_up()
            return
        link.say(link.connack(0))
        await link.grant()

    return serve


async def refuse_old_style(link: Link) -> None:
    """A broker for 3.1.1 answers in its own form, whatever it was asked in (3.1.1, 3.2.2.3)."""
    await link.hear(Kind.CONNECT)
    link.say(bytes((0x20, 0x02, 0x00, 0x01)))


async def refuse_old_style_and_hang_up(link: Link) -> None:
    await refuse_old_style(link)
    link.hang_up()


async def hang_up(link: Link) -> None:
    await link.hear(Kind.CONNECT)
    link.hang_up()


async def speak_another_protocol(link: Link) -> None:
    await link.hear(Kind.CONNECT)
    link.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    link.hang_up()


async def stay_silent(link: Link) -> None:
    await link.hear_the_end()


def levels(broker: RawBroker) -> list[int]:
    """The version that was asked for at each connection."""
    return [link.level for link in broker.links]


# Versions


@pytest.mark.parametrize(
    "answer",
    [
        refusing(132, hang_up=True),
        refusing(132, hang_up=False),
        refuse_old_style,
        refuse_old_style_and_hang_up,
        hang_up,
        speak_another_protocol,
    ],
    ids=["132", "132 and waits", "1 and waits", "1", "hangs up", "no MQTT"],
)
async def test_a_broker_that_does_not_speak_5_is_asked_in_3_1_1_at_once(answer: Script) -> None:
    async with asyncio.timeout(NO_WAITING), RawBroker(answer, let_in) as broker, running(broker.url) as found:
        await found.ready()
        assert [MQTT_5, MQTT_311] == levels(broker)
        assert ["MQTT 3.1.1"] == [event["protocol"] for event in found.told("broker_connected")]
        assert [] == found.told("broker_unreachable"), "nothing was wrong"


async def test_a_broker_that_does_not_answer_5_is_asked_in_3_1_1() -> None:
    async with (
        asyncio.timeout(NO_WAITING),
        RawBroker(stay_silent, let_in) as broker,
        running(broker.url, connect_timeout_seconds=0.2) as found,
    ):
        await found.ready()
        assert [MQTT_5, MQTT_311] == levels(broker)


async def test_the_version_that_was_found_is_asked_for_first_the_next_time() -> None:
    async def let_in_and_hang_up(link: Link) -> None:
        await link.accept()
        link.hang_up()

    async with RawBroker(hang_up, let_in_and_hang_up, let_in) as broker, running(broker.url) as found:
        await found.ready()
        await found.ready()
        assert [MQTT_5, MQTT_311, MQTT_311] == levels(broker)


@pytest.mark.parametrize(("first", "then"), [(MQTT_5, MQTT_311), (MQTT_311, MQTT_5)])
async def test_a_broker_that_is_replaced_by_one_of_another_version_is_found_again(
    first: int, then: int
) -> None:
    """Found once, a version is no promise: the connector must not need a restart."""
    spoken = [first]

    async def serve(link: Link) -> None:
        await only(spoken[0])(link)

    async with RawBroker(serve) as broker, running(broker.url) as found:
        await found.ready()
        spoken[0] = then
        broker.links[-1].hang_up()
        await found.ready()
        assert [first, then] == [link.level for link in broker.links if len(link.seen) > 1]


@pytest.mark.parametrize(("protocol", "level"), [("5", MQTT_5), ("3.1.1", MQTT_311)])
async def test_a_chosen_version_is_the_only_one_asked_for(protocol: str, level: int) -> None:
    async with RawBroker(hang_up, hang_up, let_in) as broker, running(broker.url, protocol=protocol) as found:
        await found.ready()
        assert [level] * 3 == levels(broker)


@pytest.mark.parametrize("answer", [refusing(132, hang_up=True), refuse_old_style], ids=["132", "1"])
async def test_a_chosen_version_that_the_broker_does_not_speak_is_named(answer: Script) -> None:
    async with (
        RawBroker(answer, let_in) as broker,
        running(broker.url, protocol="5", connect_timeout_seconds=NO_WAITING) as found,
    ):
        await found.ready()
        (complaint,) = found.told("broker_unreachable")
        assert "protocol version" in str(complaint["error"]).lower()


# Refusals


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("hangs_up", [True, False])
async def test_a_refusal_is_read_even_when_the_broker_hangs_up_with_it(
    protocol: str, *, hangs_up: bool
) -> None:
    code = 134 if protocol == "5" else 4
    async with (
        RawBroker(refusing(code, hang_up=hangs_up), let_in) as broker,
        running(broker.url, protocol=protocol) as found,
    ):
        await found.ready()
        (complaint,) = found.told("broker_unreachable")
        assert f"(code {code})" in str(complaint["error"])
        assert "check user name and password in [transport] url" in str(complaint["error"])


async def test_a_refusal_of_5_for_another_reason_than_the_version_is_final() -> None:
    """Asked again in 3.1.1 the broker would refuse the same password, and its log would show two attacks."""
    async with RawBroker(refusing(134, hang_up=True), let_in) as broker, running(broker.url) as found:
        await found.ready()
        assert [MQTT_5, MQTT_5] == levels(broker)


async def test_a_topic_that_is_not_granted_is_named() -> None:
    async def refuse_call(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1, 0x87)

    async with RawBroker(refuse_call, let_in) as broker, running(broker.url) as found:
        await found.ready()
        (complaint,) = found.told("broker_unreachable")
        assert "twilio/call" in str(complaint["error"])
        assert "twilio/txt" not in str(complaint["error"])
        assert "access list" in str(complaint["error"])


@pytest.mark.parametrize("codes", [(1,), (1, 1, 1)], ids=["too few", "too many"])
async def test_an_answer_to_the_subscription_that_does_not_fit_it_is_no_subscription(
    codes: tuple[int, ...],
) -> None:
    async def answer_wrongly(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(*codes)

    async with RawBroker(answer_wrongly, let_in) as broker, running(broker.url, protocol="5") as found:
        await found.ready()
        assert 1 == len(found.told("broker_unreachable"))


async def test_a_broker_that_ends_the_connection_while_subscribing_is_tried_again() -> None:
    async def end(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.hear(Kind.SUBSCRIBE)
        link.hang_up()

    async with RawBroker(end, end, let_in) as broker, running(broker.url) as found:
        await found.ready()
        assert 3 == len(broker.links)


# Addresses and files


@pytest.mark.parametrize("host", ["broker.invalid", "a..b", "x" * 64 + ".invalid"])
async def test_a_name_that_cannot_be_resolved_is_one_line_and_no_end(host: str) -> None:
    clock = PauseClock()
    async with running(f"mqtt://{host}", clock=clock) as found:
        await clock.next_pause()
        await clock.advance(1.0)
        await clock.next_pause()
        assert 1 == len(found.told("broker_unreachable"))


async def test_a_certificate_file_that_has_gone_is_named(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    clock = PauseClock()
    found = Running(
        transport_settings(f"mqtts://{HOST}:1", ca_file=certificates.ca_file), clock=clock, jitter=0.0
    )
    certificates.ca_file.unlink()
    connecting = asyncio.create_task(found.run())
    await clock.next_pause()
    connecting.cancel()
    await asyncio.wait({connecting})
    (complaint,) = found.told("broker_unreachable")
    assert str(certificates.ca_file) in str(complaint["error"])


async def test_a_key_that_does_not_fit_its_certificate_is_not_blamed_on_the_broker(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    files: dict[str, Any] = {
        "certificate_file": certificates.client_certificate_file,
        "key_file": certificates.server_key_file,
    }
    clock = PauseClock()
    async with running(f"mqtts://{HOST}:1", clock=clock, jitter=0.0, **files) as found:
        await clock.next_pause()
        (complaint,) = found.told("broker_unreachable")
        assert "key_file" in str(complaint["error"])


# Pauses


class PauseClock(HandClock):
    """A clock that records each pause when a caller begins to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self._pauses: asyncio.Queue[float] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        if seconds != LASTING_SECONDS:  # which is no pause between two connections
            self._pauses.put_nowait(seconds)
        await super().sleep(seconds)

    async def next_pause(self) -> float:
        return await asyncio.wait_for(self._pauses.get(), WAIT_SECONDS)

    async def pauses(self, count: int) -> list[float]:
        """The next pauses, each passed at once."""
        found = []
        for _ in range(count):
            found.append(await self.next_pause())
            await self.advance(found[-1])
        return found


async def absent_url() -> str:
    """An address on which no program listens any more."""
    async with RawBroker(stay_silent) as broker:
        return broker.url


PAUSES = {"reconnect_initial_seconds": 1, "reconnect_maximum_seconds": 10}


@pytest.mark.parametrize(("jitter", "expected"), [(1.0, [1, 2, 4, 8, 10, 10]), (0.0, [0.5, 1, 2, 4, 5, 5])])
async def test_pauses_double_up_to_the_maximum_and_up_to_half_of_them_is_chance(
    jitter: float, expected: list[float]
) -> None:
    clock = PauseClock()
    async with running(await absent_url(), clock=clock, jitter=jitter, **PAUSES) as found:
        assert expected == await clock.pauses(len(expected))
        assert 1 == len(found.told("broker_unreachable")), "one line for each change, not for each try"


async def test_a_thousand_failures_do_not_overflow() -> None:
    """White-box: 2.0**1024 is no number, and a broker may be away for days."""
    found = Running(transport_settings("mqtt://127.0.0.1", **PAUSES), clock=PauseClock(), jitter=1.0)
    assert 10 == found.transport._pause(10_000)


async def test_after_a_good_connection_the_pauses_begin_anew() -> None:
    async with RawBroker(hang_up, let_in) as broker:
        clock = PauseClock()
        async with running(broker.url, clock=clock, jitter=1.0, protocol="5", **PAUSES) as found:
            assert [1] == await clock.pauses(1)
            await found.ready()
            await clock.advance(STEADY_SECONDS)
            broker.links[-1].hang_up()
            assert 1 == await clock.next_pause()


async def test_connections_that_do_not_last_slow_down() -> None:
    """Two connectors with one client_id throw each other out; not a thousand times a second."""

    async def throw_out(link: Link) -> None:
        await link.accept()
        link.say(link.disconnect(0x8E))

    clock = PauseClock()
    async with (
        RawBroker(throw_out) as broker,
        running(broker.url, clock=clock, jitter=1.0, **PAUSES) as found,
    ):
        assert [1, 2, 4] == await clock.pauses(3)
        assert "client_id of its own" in str(found.told("broker_lost")[0]["error"])


async def test_each_change_is_one_line() -> None:
    clock = PauseClock()
    async with (
        RawBroker(
            hang_up, hang_up, refusing(135, hang_up=True), refusing(135, hang_up=True), let_in
        ) as broker,
        running(broker.url, clock=clock, protocol="5", **PAUSES) as found,
    ):
        await clock.pauses(4)
        await found.ready()
        assert ["broker_unreachable", "broker_unreachable", "broker_connected"] == [
            event.name for event in found.events.lines
        ]


async def test_a_loop_of_connections_that_are_lost_for_one_reason_is_one_state() -> None:
    """Not two lines for each of them, for as long as it lasts."""

    async def throw_out(link: Link) -> None:
        await link.accept()
        link.say(link.disconnect(0x97))

    clock = PauseClock()
    async with RawBroker(throw_out) as broker, running(broker.url, clock=clock, **PAUSES) as found:
        await clock.pauses(6)
    seen = [event.name for event in found.events.lines if event.level is not Level.DEBUG]
    expected = ["broker_connected", "broker_lost", "broker_connected", "broker_unsteady"]
    assert expected == seen[:4]
    assert ["broker_unsteady"] == seen[3:]


async def test_of_a_broker_that_hangs_up_again_and_again_the_log_says_what_to_look_at() -> None:
    """As Mosquitto does without a word when another client comes with the same client_id."""

    async def let_in_and_hang_up(link: Link) -> None:
        await link.accept()
        link.hang_up()

    clock = PauseClock()
    async with RawBroker(let_in_and_hang_up) as broker, running(broker.url, clock=clock, **PAUSES) as found:
        await clock.pauses(4)
    (unsteady,) = found.told("broker_unsteady")
    assert "another client with the same client_id" in str(unsteady["error"])


async def test_the_log_says_when_a_connection_lasts_again() -> None:
    async def throw_out(link: Link) -> None:
        await link.accept()
        link.say(link.disconnect(0x97))

    clock = PauseClock()
    async with (
        RawBroker(throw_out, throw_out, let_in) as broker,
        running(broker.url, clock=clock, **PAUSES) as found,
    ):
        await clock.pauses(2)
        for _ in range(3):
            await found.ready()
        assert Level.DEBUG is found.events.named("broker_connected")[-1].level
        await clock.advance(LASTING_SECONDS)
        assert Level.INFO is found.events.named("broker_connected")[-1].level
        broker.links[-1].say(broker.links[-1].disconnect(0x97))
        await clock.next_pause()
        assert Level.WARNING is found.events.named("broker_lost")[-1].level


# What is said in CONNECT and SUBSCRIBE


async def test_the_session_is_kept_and_the_retained_are_not_wanted() -> None:
    async with RawBroker(let_in) as broker, running(broker.url, client_id="küche-7") as found:
        await found.ready()
        connect, subscribe = broker.links[0].seen
        assert not connect.clean
        assert "küche-7".encode() in connect.body
        options = [topic.encode() + bytes((0b0010_0001,)) for topic in TOPICS]  # QoS 1, none of the retained
        assert all(option in subscribe.body for option in options)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_session_that_shall_not_be_kept_is_clean(protocol: str) -> None:
    """3.1.1 knows no expiry: a broker would keep a session that is not clean without end."""
    async with (
        RawBroker(let_in) as broker,
        running(broker.url, protocol=protocol, session_expiry_seconds=0) as found,
    ):
        await found.ready()
        assert broker.links[0].seen[0].clean
