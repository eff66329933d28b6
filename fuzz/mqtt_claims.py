"""What must hold for all bytes that a broker may send, whether a broken broker or a fuzzer made them.

The first byte chooses the version and the size of the pieces in which the rest is read.
"""

from __future__ import annotations

from twilio_notifications.adapters.mqtt.protocol import (
    Broken,
    Connack,
    Conversation,
    Disconnect,
    Event,
    Introduction,
    Publish,
    Version,
)

CONNACKS = {Version.V5: b"\x20\x03\x00\x00\x00", Version.V311: b"\x20\x02\x00\x00"}
SENT = {0x40, 0x50, 0x62, 0x70, 0xE0}
"""The first bytes of what a client may answer by itself: PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT."""

SEEDS = {
    "connack-with-limits": b"\x08\x20\x0a\x00\x00\x07\x27\x00\x00\x27\x10\x24\x01",
    "publish-qos-0": b"\x03\x30\x06\x00\x01t\x00{}",
    "publish-qos-1": b"\x03\x3a\x0a\x00\x01t\x00\x07\x02\x0b\x01{}",
    "publish-qos-2-and-pubrel": b"\x05\x34\x08\x00\x01t\x00\x07\x00{}\x62\x02\x00\x07\x62\x02\x00\x08",
    "latin-1": b"\x01\x32\x11\x00\x01t\x00\x07\x09\x26\x00\x04caf\xe9\x00\x00{}",
    "answers": b"\x02\x40\x02\x00\x01\x50\x02\x00\x01\x70\x02\x00\x01\x90\x04\x00\x01\x00\x01\xd0\x00",
    "disconnect": b"\x07\xe0\x09\x9c\x07\x1f\x00\x04gone",
    "endless-length": b"\x01\x32\xff\xff\xff\xff\x01",
    "giant": b"\xff\x32\x80\x80\x40\x00\x01t\x00\x07\x00{",
    "publish-3-1-1": b"\x00\x32\x07\x00\x01t\x00\x07{}",
}
"""Where the fuzzer starts from, by name."""


def check(payload: bytes) -> None:
    """However it is cut, the same comes up, nothing is raised, and a broken packet is the last one."""
    if not payload:
        return
    version = Version.V5 if payload[0] & 1 else Version.V311
    size = 1 + (payload[0] >> 1)
    at_once, answered = told(version, [payload[1:]])
    pieces = [payload[start : start + size] for start in range(1, len(payload), size)]
    assert (at_once, answered) == told(version, pieces), "it depends on how it is cut"
    assert not any(isinstance(event, Broken | Disconnect) for event in at_once[:-1])
    assert not answered or answered[0] in SENT
    for event in at_once:
        if isinstance(event, Publish):
            event.topic.encode()
            assert event.qos in {0, 1, 2}
            assert (event.packet_id is None) == (event.qos == 0)
        assert not isinstance(event, Connack), "one was there already"


def told(version: Version, pieces: list[bytes]) -> tuple[list[Event], bytes]:
    """The events of a broker that has accepted CONNECT, and the bytes that we answer with."""
    conversation = Conversation(version)
    conversation.connect(Introduction(client_id="fuzz"))
    conversation.receive(CONNACKS[version])
    assert isinstance(conversation.next_event(), Connack)
    conversation.take()
    events = []
    for piece in pieces:
        conversation.receive(piece)
        while (event := conversation.next_event()) is not None:
            events.append(event)
            if isinstance(event, Publish) and conversation.is_open:
                conversation.acknowledge(event)
    return events, conversation.take()
