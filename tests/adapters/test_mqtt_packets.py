"""What is read is cut into whole packets, whatever the pieces it comes in; giants are passed over."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.raw_broker import Kind, packet
from twilio_notifications.adapters.mqtt.packets import PacketCutter, PassedOver

LIMIT = 70_000
MIB = 1024 * 1024


class Cut:
    """A cutter and everything that came out of it, in order."""

    def __init__(self, *, has_properties: bool = False) -> None:
        self.out: list[bytes | PassedOver] = []
        self.cutter = PacketCutter(
            self._take, limit=LIMIT, has_properties=has_properties, on_oversized=self.out.append
        )

    def _take(self, whole: bytes) -> int:
        self.out.append(whole)
        return len(whole)

    @property
    def taken(self) -> bytes:
        return b"".join(each for each in self.out if isinstance(each, bytes))

    @property
    def passed_over(self) -> list[PassedOver]:
        return [each for each in self.out if isinstance(each, PassedOver)]


def publish(payload: bytes, *, flags: int = 0b0010, topic: bytes = b"t", properties: bytes = b"") -> bytes:
    packet_id = struct.pack("!H", 7) if flags & 0b0110 else b""
    return packet(
        Kind.PUBLISH, struct.pack("!H", len(topic)) + topic + packet_id + properties + payload, flags=flags
    )


def in_pieces(stream: bytes, size: int) -> list[bytes]:
    return [stream[start : start + size] for start in range(0, len(stream), size)]


PACKETS = st.lists(
    st.one_of(
        st.just(packet(Kind.PINGREQ, b"")),
        st.binary(max_size=300).map(publish),
        st.just(publish(b"x" * 60_000)),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(packets=PACKETS, size=st.integers(700, 70_000), giant=st.integers(0, 8))
def test_the_same_comes_out_however_it_came_in(packets: list[bytes], size: int, giant: int) -> None:
    packets.insert(giant, publish(b"x" * (LIMIT + 30_000)))
    cut = Cut()
    for piece in in_pieces(b"".join(packets), size):
        assert len(piece) == cut.cutter.feed(piece)
    small = b"".join(each for each in packets if len(each) < LIMIT)
    assert small == cut.taken
    assert 1 == len(cut.passed_over)


def test_only_whole_packets_come_out() -> None:
    cut, one = Cut(), publish(b"x" * 200)
    for piece in (one[:1], one[1:2], one[2:50], one[50:] + one[:3], one[3:] + one):
        cut.cutter.feed(piece)
    assert [one, one + one] == cut.out


@pytest.mark.parametrize(
    ("flags", "properties", "expected"),
    [
        (0b0000, b"", PassedOver(topic="t", packet_id=None, size=100_000, retained=False, redelivered=False)),
        (0b0010, b"", PassedOver(topic="t", packet_id=7, size=100_000, retained=False, redelivered=False)),
        (0b1011, b"\x00", PassedOver(topic="t", packet_id=7, size=100_000, retained=True, redelivered=True)),
    ],
    ids=["QoS 0", "QoS 1", "MQTT 5, retained, repeated"],
)
def test_a_giant_leaves_what_is_needed_to_answer_it(
    flags: int, properties: bytes, expected: PassedOver
) -> None:
    cut = Cut(has_properties=bool(properties))
    for piece in in_pieces(publish(b"x" * 100_000, flags=flags, properties=properties), 999):
        cut.cutter.feed(piece)
    assert [expected] == cut.out


def test_what_follows_a_giant_is_read() -> None:
    cut = Cut()
    giant, small = publish(b"x" * 100_000), publish(b"small")
    cut.cutter.feed(giant + giant + small + giant + small)
    assert [PassedOver, PassedOver, bytes, PassedOver, bytes] == [type(each) for each in cut.out]


def test_a_giant_that_is_no_publish_is_passed_over_in_silence() -> None:
    """Only a broker could send one, and none does."""
    cut, small = Cut(), publish(b"small")
    cut.cutter.feed(packet(Kind.SUBACK, b"x" * 100_000) + small)
    assert [small] == cut.out


def test_a_giant_takes_up_no_memory() -> None:
    cut = Cut()
    piece = b"x" * 65_536
    head = publish(b"x" * 100 * MIB)[:65_536]
    tracemalloc.start()
    try:
        cut.cutter.feed(head)
        for _ in range(100 * MIB // len(piece) - 1):
            cut.cutter.feed(piece)
        cut.cutter.feed(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [100 * MIB] == [each.size for each in cut.passed_over]
    assert peak < MIB


@pytest.mark.parametrize("first", [b"", publish(b"small")], ids=["alone", "after a packet"])
def test_a_length_without_end_is_told_as_gmqtt_tells_it(first: bytes) -> None:
    assert -1 == Cut().cutter.feed(first + b"\x30\xff\xff\xff\xff\x01")
