"""The protocol without I/O: what a broker says is understood; what is no MQTT is an event, never an error."""

from __future__ import annotations

import struct
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.mqtt_packets import (
    VERSIONS,
    answer,
    connack,
    opened,
    properties,
    publish,
    streams,
    text,
)
from tests.support.raw_broker import Kind, packet
from twilio_notifications.adapters.mqtt.protocol import (
    Broken,
    BrokerLimits,
    Connack,
    Conversation,
    Disconnect,
    Event,
    Introduction,
    Pingresp,
    Puback,
    Publish,
    RequestProperties,
    Said,
    Suback,
    Unsendable,
    Version,
    Will,
)
from twilio_notifications.adapters.mqtt.protocol.conversation import (
    EXACTLY_ONCE,
    EXPECTED,
    LARGEST_PACKET_HELD,
    OutOfTurn,
    Phase,
    Stage,
    Trigger,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
BOTH = pytest.mark.parametrize("version", list(Version))
TOPIC = "twilio/txt"


def events(conversation: Conversation, *pieces: bytes) -> list[Event]:
    """All that comes up when these pieces are read."""
    found = []
    for piece in pieces:
        conversation.receive(piece)
        while (event := conversation.next_event()) is not None:
            found.append(event)
    return found


def the_event(conversation: Conversation, *pieces: bytes) -> Event:
    (event,) = events(conversation, *pieces)
    return event


def in_pieces(stream: bytes, size: int) -> Iterator[bytes]:
    return (stream[start : start + size] for start in range(0, len(stream), size))


def connecting(version: Version) -> Conversation:
    conversation = Conversation(version)
    conversation.connect(Introduction(client_id="client"))
    conversation.take()
    return conversation


def broken(version: Version, stream: bytes) -> Broken:
    """How an open conversation ends over this; nothing else comes up."""
    event = the_event(opened(version), stream)
    assert isinstance(event, Broken), event
    return event


# Any bytes


@settings(deadline=None)
@given(version=VERSIONS, stream=st.binary(max_size=400), is_open=st.booleans())
def test_no_bytes_raise_anything(version: Version, stream: bytes, *, is_open: bool) -> None:
    conversation = opened(version) if is_open else connecting(version)
    events(conversation, stream)
    conversation.take()


@settings(deadline=None)
@given(version=VERSIONS, draws=st.data(), size=st.integers(1, 200))
def test_the_same_comes_up_however_it_is_cut(version: Version, draws: st.DataObject, size: int) -> None:
    stream = draws.draw(streams(version))
    at_once, piecemeal = opened(version), opened(version)
    assert events(at_once, stream) == events(piecemeal, *in_pieces(stream, size))
    assert at_once.take() == piecemeal.take()


@settings(deadline=None)
@given(version=VERSIONS, draws=st.data())
def test_a_damaged_byte_raises_nothing(version: Version, draws: st.DataObject) -> None:
    stream = bytearray(draws.draw(streams(version).filter(len)))
    stream[draws.draw(st.integers(0, len(stream) - 1))] = draws.draw(st.integers(0, 255))
    conversation = opened(version)
    found = events(conversation, bytes(stream))
    assert not any(isinstance(event, Broken) for event in found[:-1]), "Broken is the last word"


# CONNACK


@BOTH
@pytest.mark.parametrize("present", [True, False])
def test_a_connack_opens_the_conversation(version: Version, *, present: bool) -> None:
    conversation = connecting(version)
    event = the_event(conversation, connack(version, present=present))
    assert isinstance(event, Connack)
    assert (0, present, True) == (event.said.code, event.session_present, conversation.is_open)


def test_the_limits_of_the_broker_are_known() -> None:
    conversation = connecting(Version.V5)
    after = properties(
        Kind.CONNACK,
        MaximumPacketSize=10_000,
        MaximumQoS=1,
        ReceiveMaximum=7,
        RetainAvailable=0,
        SubscriptionIdentifierAvailable=0,
        ServerKeepAlive=30,
        TopicAliasMaximum=10,
        AssignedClientIdentifier="other",
        SessionExpiryInterval=4_294_967_295,
        WildcardSubscriptionAvailable=1,
        SharedSubscriptionAvailable=1,
        ResponseInformation="here",
        UserProperty=("a", "b"),
    )
    events(conversation, connack(Version.V5, after=after))
    assert conversation.limits == BrokerLimits(
        maximum_packet_bytes=10_000,
        maximum_qos=1,
        receive_maximum=7,
        retain_available=False,
        subscription_identifiers=False,
        keep_alive_seconds=30,
    )


@pytest.mark.parametrize(
    "after",
    [
        b"\x05\x27\0\0\0\0",
        b"\x03\x21\0\0",
        b"\x02\x24\x03",
        b"\x02\x25\x02",
        b"\x02\x23\0",
        b"\x04\x24\1\x24\1",
        b"\x7f",
    ],
    ids=["size 0", "window 0", "qos 3", "retain 2", "not its own", "twice", "too short"],
)
def test_a_connack_that_breaks_the_protocol_ends_it(after: bytes) -> None:
    conversation = connecting(Version.V5)
    event = the_event(conversation, connack(Version.V5, after=after))
    assert isinstance(event, Broken)
    assert not conversation.is_open


def test_a_connack_with_a_reason_that_is_no_utf_8_is_understood() -> None:
    reason = b"\x1f\x00\x05caf\xe9!"
    after = bytes((len(reason),)) + reason
    event = the_event(connecting(Version.V5), connack(Version.V5, code=0x87, after=after))
    assert isinstance(event, Connack)
    assert Said(code=0x87, reason="caf\N{REPLACEMENT CHARACTER}!") == event.said


@BOTH
def test_a_refusal_ends_the_conversation_and_names_the_other_server(version: Version) -> None:
    after = properties(Kind.CONNACK, ReasonString="closed", ServerReference="other:1883")
    conversation = connecting(version)
    event = the_event(
        conversation, connack(version, code=5 if version is Version.V311 else 0x9D, after=after)
    )
    assert isinstance(event, Connack)
    if version is Version.V5:
        assert Said(code=0x9D, reason="closed", elsewhere="other:1883") == event.said
    assert [] == events(conversation, connack(version))
    conversation.disconnect()
    assert b"" == conversation.take()


def test_a_broker_for_3_1_1_alone_refuses_version_5_in_its_own_form() -> None:
    event = the_event(connecting(Version.V5), bytes((0x20, 0x02, 0x00, 0x01)))
    assert isinstance(event, Connack)
    assert 1 == event.said.code


@BOTH
def test_a_second_connack_ends_the_conversation(version: Version) -> None:
    assert 0x82 == broken(version, connack(version)).code


# PUBLISH


@BOTH
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize(("dup", "retain"), [(False, False), (True, False), (False, True)])
def test_a_message_comes_up_with_all_that_is_known_of_it(
    version: Version, qos: int, *, dup: bool, retain: bool
) -> None:
    packet_id = 513 if qos else None
    raw = publish(
        "küche/7", b"\xff\0one", version=version, packet_id=packet_id, qos=qos, flags=dup << 3 | int(retain)
    )
    assert the_event(opened(version), raw) == Publish(
        topic="küche/7",
        payload=b"\xff\0one",
        qos=qos,
        packet_id=packet_id,
        redelivered=dup,
        retained=retain,
    )


def test_a_message_tells_which_subscriptions_it_matches() -> None:
    after = properties(
        Kind.PUBLISH,
        PayloadFormatIndicator=1,
        MessageExpiryInterval=9,
        ContentType="application/json",
        ResponseTopic="there",
        CorrelationData=b"\0\1",
        UserProperty=[("a", "b"), ("a", "c")],
        SubscriptionIdentifier=[1, 268_435_455],
    )
    event = the_event(opened(Version.V5), publish(TOPIC, b"{}", version=Version.V5, after=after))
    assert isinstance(event, Publish)
    assert ((1, 268_435_455), b"{}") == (event.identifiers, event.payload)


@pytest.mark.parametrize(
    "after",
    [
        b"\x09\x26\0\4caf\xe9\0\0",
        b"\x02\x26\0",
        b"\x01\x7e",
        b"\x06\x0b\xff\xff\xff\xff\xff",
        b"\x03\x03\x7f\xff",
    ],
    ids=["Latin-1", "half a pair", "unknown", "number without end", "longer than the rest"],
)
def test_a_message_with_properties_that_cannot_be_read_is_a_message(after: bytes) -> None:
    """Some brokers pass on what a publisher got wrong; a request is a request all the same."""
    event = the_event(opened(Version.V5), publish(TOPIC, b"{}", version=Version.V5, after=after))
    assert isinstance(event, Publish)
    assert (TOPIC, b"{}", 1) == (event.topic, event.payload, event.packet_id)


@BOTH
@pytest.mark.parametrize(
    ("first", "body", "code"),
    [
        (0x36, b"\0\1t\0\1\0", 0x81),
        (0x32, b"\0\1t\0\0\0", 0x82),
        (0x32, b"\0\1t\0", 0x81),
        (0x32, b"\0\0\0\1\0", 0x82),
        (0x32, b"\0\1\xe9\0\1\0", 0x81),
        (0x32, b"\0\3a/#\0\1\0", 0x81),
        (0x32, b"\0\3\xed\xa0\x80\0\1\0", 0x81),
        (0x32, b"\0\1\0\0\1\0", 0x81),
        (0x30, b"\0", 0x81),
        (0x30, b"", 0x81),
        (0x30, b"\0\x09short", 0x81),
    ],
    ids=[
        "QoS 3",
        "identifier 0",
        "identifier cut off",
        "no topic",
        "topic in Latin-1",
        "wildcard",
        "surrogate",
        "U+0000",
        "length cut off",
        "empty",
        "topic cut off",
    ],
)
def test_a_message_that_cannot_be_told_ends_the_conversation(
    version: Version, first: int, body: bytes, code: int
) -> None:
    assert code == broken(version, bytes((first, len(body))) + body).code


def test_a_topic_alias_ends_the_conversation_because_we_allow_none() -> None:
    after = properties(Kind.PUBLISH, TopicAlias=1)
    assert 0x94 == broken(Version.V5, publish(TOPIC, b"{}", version=Version.V5, after=after)).code


def test_properties_longer_than_the_packet_end_the_conversation() -> None:
    assert 0x81 == broken(Version.V5, publish(TOPIC, b"", version=Version.V5, after=b"\x7f")).code


# Whatever else a broker says


@pytest.mark.parametrize("after", [b"", b"\x10", b"\x97\0"], ids=["two bytes", "code", "code, no properties"])
def test_a_puback_may_be_short(after: bytes) -> None:
    conversation = opened(Version.V5)
    conversation.publish(TOPIC, b"", qos=1)
    code = after[0] if after else 0
    assert Puback(packet_id=1, said=Said(code=code)) == the_event(conversation, answer(Kind.PUBACK, 1, after))


def test_an_answer_says_why() -> None:
    after = b"\x87" + properties(Kind.PUBACK, ReasonString="no")
    event = the_event(opened(Version.V5), answer(Kind.PUBACK, 1, after))
    assert Puback(packet_id=1, said=Said(code=0x87, reason="no")) == event


@BOTH
def test_a_suback_tells_what_each_filter_is_granted(version: Version) -> None:
    after = (b"\0" if version is Version.V5 else b"") + bytes((0, 1, 0x80))
    assert Suback(packet_id=9, codes=(0, 1, 0x80)) == the_event(
        opened(version), answer(Kind.SUBACK, 9, after)
    )


@BOTH
def test_an_end_of_subscriptions_is_asked_for_and_its_answer_says_nothing(version: Version) -> None:
    conversation = opened(version)
    conversation.unsubscribe(["a/#", "+"])
    properties_, codes = (b"\0", b"\0\x11") if version is Version.V5 else (b"", b"")
    body = b"\0\1" + properties_ + b"\0\3a/#" + b"\0\1+"
    assert packet(Kind.UNSUBSCRIBE, body, flags=2) == conversation.take()
    assert [] == events(conversation, packet(Kind.UNSUBACK, b"\0\1" + properties_ + codes))


@BOTH
def test_a_pingresp_comes_up(version: Version) -> None:
    assert Pingresp() == the_event(opened(version), packet(Kind.PINGRESP, b""))


def test_a_disconnect_is_the_last_word() -> None:
    after = bytes((0x9C,)) + properties(Kind.DISCONNECT, ReasonString="moved", ServerReference="there")
    conversation = opened(Version.V5)
    found = events(conversation, packet(Kind.DISCONNECT, after), publish(TOPIC, b"", version=Version.V5))
    assert [Disconnect(said=Said(code=0x9C, reason="moved", elsewhere="there"))] == found


@BOTH
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (packet(Kind.CONNECT, b""), 0x82),
        (packet(Kind.SUBSCRIBE, b"", flags=2), 0x82),
        (packet(Kind.PINGREQ, b""), 0x82),
        (packet(Kind.AUTH, b"\x18\0"), 0x82),
        (b"\0\0", 0x82),
        (packet(Kind.PINGRESP, b"", flags=1), 0x81),
        (packet(Kind.PUBREL, b"\0\1"), 0x81),
        (packet(Kind.PUBACK, b"\0\1", flags=2), 0x81),
        (packet(Kind.PUBACK, b"\0\0"), 0x82),
        (packet(Kind.PUBACK, b"\0"), 0x81),
        (packet(Kind.PINGRESP, b"\0"), 0x81),
        (b"\x40\xff\xff\xff\xff\1", 0x81),
        (packet(Kind.SUBACK, b"\0\1\0\x03"), 0x82),
    ],
    ids=[
        "CONNECT",
        "SUBSCRIBE",
        "PINGREQ",
        "AUTH",
        "kind 0",
        "flags of PINGRESP",
        "flags of PUBREL",
        "flags of PUBACK",
        "identifier 0",
        "PUBACK cut off",
        "PINGRESP with a body",
        "a length without end",
        "granted QoS 3",
    ],
)
def test_what_a_broker_may_not_say_ends_the_conversation(version: Version, raw: bytes, code: int) -> None:
    conversation = opened(version)
    event = the_event(conversation, raw)
    assert isinstance(event, Broken)
    assert code == event.code
    goodbye = bytes((0xE0, 1, code)) if version is Version.V5 else bytes((0xE0, 0))
    assert goodbye == conversation.take()
    assert [] == events(conversation, publish(TOPIC, b"", version=version)), "nothing is read after it"


def test_a_broker_of_3_1_1_has_no_disconnect() -> None:
    assert 0x82 == broken(Version.V311, packet(Kind.DISCONNECT, b"")).code


# Packets that are too large


@BOTH
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("size", [1, 999, 65_536])
def test_a_giant_leaves_what_is_needed_to_answer_it(version: Version, qos: int, size: int) -> None:
    conversation = opened(version)
    payload = b"x" * (LARGEST_PACKET_HELD + 10_000)
    giant = publish(TOPIC, payload, version=version, packet_id=7 if qos else None, qos=qos, flags=0b0001)
    small = publish(TOPIC, b"small", version=version, packet_id=8)
    found = events(conversation, *in_pieces(giant + small, max(size, 100)))
    assert [len(payload), 0] == [event.passed_over for event in found if isinstance(event, Publish)]
    expected = Publish(
        topic=TOPIC,
        payload=b"",
        qos=qos,
        packet_id=7 if qos else None,
        redelivered=False,
        retained=True,
        passed_over=len(payload),
    )
    assert expected == found[0]


def test_a_giant_takes_up_no_memory() -> None:
    conversation, piece = opened(Version.V5), b"x" * 65_536
    head = publish(TOPIC, b"x" * 100 * MIB, version=Version.V5)[:65_536]
    tracemalloc.start()
    try:
        found = events(conversation, head)
        for _ in range(100 * MIB // len(piece)):
            conversation.receive(piece)
            event = conversation.next_event()
            if event is not None:
                found.append(event)
                break
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [100 * MIB] == [event.passed_over for event in found if isinstance(event, Publish)]
    assert peak < MIB


def test_a_giant_that_is_no_message_ends_the_conversation() -> None:
    raw = packet(Kind.SUBACK, b"x" * (LARGEST_PACKET_HELD + 1))
    assert 0x95 == broken(Version.V5, raw).code


# QoS 2


def test_every_case_of_qos_2_has_a_rule() -> None:
    assert {(stage, trigger) for stage in Stage for trigger in Trigger} == EXACTLY_ONCE.keys()


def test_every_phase_says_what_may_come() -> None:
    assert set(Phase) == EXPECTED.keys()


@BOTH
def test_a_message_of_qos_2_is_answered_after_its_acknowledgement_and_comes_up_once(version: Version) -> None:
    conversation = opened(version)
    raw = publish(TOPIC, b"{}", version=version, packet_id=5, qos=2)
    message = the_event(conversation, raw)
    assert isinstance(message, Publish)
    assert b"" == conversation.take(), "not before the commit"
    assert [] == events(conversation, raw), "it is under way"
    conversation.acknowledge(message)
    assert b"\x50\2\0\5" == conversation.take()
    assert [] == events(conversation, raw)
    assert b"\x50\2\0\5" == conversation.take(), "the broker did not hear it"
    assert [] == events(conversation, answer(Kind.PUBREL, 5))
    assert b"\x70\2\0\5" == conversation.take()
    assert isinstance(the_event(conversation, raw), Publish), "the identifier is free for another message"


@BOTH
def test_a_pubrel_of_an_earlier_connection_is_answered(version: Version) -> None:
    conversation = opened(version)
    assert [] == events(conversation, answer(Kind.PUBREL, 5))
    expected = b"\x70\3\0\5\x92" if version is Version.V5 else b"\x70\2\0\5"
    assert expected == conversation.take()


@BOTH
def test_answers_to_messages_of_an_earlier_client_do_no_harm(version: Version) -> None:
    conversation = opened(version)
    assert [] == events(conversation, answer(Kind.PUBREC, 5), answer(Kind.PUBCOMP, 6))
    expected = b"\x62\3\0\5\x92" if version is Version.V5 else b"\x62\2\0\5"
    assert expected == conversation.take()


# What is sent


@BOTH
def test_a_packet_identifier_is_used_again_only_after_its_answer(version: Version) -> None:
    conversation = opened(version)
    conversation._last_id = 65_533
    assert [65_534, 65_535, 1, 2] == [conversation.publish(TOPIC, b"", qos=1) for _ in range(4)]
    events(conversation, answer(Kind.PUBACK, 65_535))
    conversation._last_id = 65_533
    assert [65_535, 3] == [conversation.publish(TOPIC, b"", qos=1) for _ in range(2)]


@BOTH
@given(topic=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50))
@settings(deadline=None)
def test_the_largest_payload_is_the_largest(version: Version, topic: str) -> None:
    for maximum in (0, 1, 20, 129, 130, 131, 132, 300, 16_386, 16_387, 16_388, 2_097_155):
        conversation = opened(version)
        conversation.limits = BrokerLimits(maximum_packet_bytes=maximum)
        largest = conversation.largest_payload(topic)
        conversation.publish(topic, b"x" * largest, qos=1)
        size = len(conversation.take())
        conversation.publish(topic, b"x" * (largest + 1), qos=1)
        assert len(conversation.take()) > maximum
        assert size <= maximum or not largest


@pytest.mark.parametrize("topic", ["x" * 65_536, "half \ud800", "with \0"], ids=["long", "surrogate", "zero"])
def test_a_topic_that_mqtt_does_not_know_cannot_be_sent(topic: str) -> None:
    with pytest.raises(Unsendable, match="topic"):
        opened(Version.V5).publish(topic, b"", qos=1)


def test_commands_out_of_turn_are_defects() -> None:
    conversation = Conversation(Version.V5)
    with pytest.raises(OutOfTurn):
        conversation.ping()
    with pytest.raises(OutOfTurn):
        conversation.publish(TOPIC, b"", qos=1)
    with pytest.raises(OutOfTurn):
        conversation.subscribe([TOPIC], identifier=None)
    conversation.disconnect()
    assert b"" == conversation.take(), "there is nobody to take leave of"
    with pytest.raises(OutOfTurn):
        conversation.connect(Introduction(client_id="client"))


def test_a_password_stands_in_no_repr() -> None:
    introduction = Introduction(client_id="client", username="user-name", password=b"pass-word")
    assert not {"user-name", "pass-word"} & set(repr(introduction).replace("'", " ").split())


def test_what_connect_says_is_what_mqtt_expects() -> None:
    conversation = Conversation(Version.V5)
    conversation.connect(
        Introduction(
            client_id="c",
            username="u",
            password=b"p",
            keep_alive_seconds=258,
            session_expiry_seconds=1,
            receive_maximum=3,
        )
    )
    body = b"\0\4MQTT\5\xc0\1\2" + b"\x08\x21\0\3\x11\0\0\0\1" + text("c") + text("u") + text("p")
    assert packet(Kind.CONNECT, body) == conversation.take()


def test_subscriptions_carry_the_identifier_where_the_broker_has_them() -> None:
    for after, marked in ((b"\0", b"\2\x0b\1"), (b"\2\x29\0", b"\0")):
        conversation = opened(Version.V5, after)
        conversation.subscribe([TOPIC], identifier=1)
        body = struct.pack("!H", 1) + marked + text(TOPIC) + b"\x21"
        assert packet(Kind.SUBSCRIBE, body, flags=2) == conversation.take()


# What a request says about its answer, and the properties of our own messages


TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_request_says_where_its_answer_goes_and_whose_work_it_is() -> None:
    after = properties(
        Kind.PUBLISH,
        ResponseTopic="answers/7",
        CorrelationData=b"\x00\xff",
        UserProperty=[("other", "x"), ("traceparent", TRACEPARENT), ("traceparent", "second")],
        SubscriptionIdentifier=1,
    )
    message = the_event(opened(Version.V5), publish("t", b"{}", version=Version.V5, after=after))
    assert isinstance(message, Publish)
    expected = RequestProperties(response_topic="answers/7", correlation=b"\x00\xff", traceparent=TRACEPARENT)
    assert expected == message.asked
    assert (1,) == message.identifiers


@pytest.mark.parametrize(
    "after", [b"\0", properties(Kind.PUBLISH, UserProperty=[("a", "b")], ContentType="c")]
)
def test_most_messages_ask_for_nothing(after: bytes) -> None:
    message = the_event(opened(Version.V5), publish("t", b"{}", version=Version.V5, after=after))
    assert isinstance(message, Publish)
    assert message.asked is None


def test_what_is_asked_is_known_of_a_message_that_is_passed_over() -> None:
    after = properties(Kind.PUBLISH, ResponseTopic="answers/7")
    large = publish("t", b"x" * (LARGEST_PACKET_HELD + 1), version=Version.V5, after=after)
    message = the_event(opened(Version.V5), large)
    assert isinstance(message, Publish)
    assert message.passed_over
    assert RequestProperties(response_topic="answers/7") == message.asked


def test_what_is_asked_before_a_broken_property_counts() -> None:
    whole = properties(Kind.PUBLISH, ResponseTopic="answers/7")[1:] + b"\x7f"
    message = the_event(
        opened(Version.V5), publish("t", b"{}", version=Version.V5, after=bytes((len(whole),)) + whole)
    )
    assert isinstance(message, Publish)
    assert RequestProperties(response_topic="answers/7") == message.asked


@BOTH
def test_a_will_is_retained_and_has_qos_1(version: Version) -> None:
    conversation = Conversation(version)
    will = Will(topic="there", payload=b"offline")
    conversation.connect(Introduction(client_id="client", username="user", will=will))
    stream = conversation.take()
    assert 0b1010_1110 == stream[9], "user name, will retained with QoS 1, a clean session"
    properties_of_will = b"\0" if version is Version.V5 else b""
    expected = text("client") + properties_of_will + text("there") + text("offline") + text("user")
    assert stream.endswith(expected)


@BOTH
@pytest.mark.parametrize("retained", [True, False])
def test_a_message_may_be_retained_and_name_the_request_that_it_answers(
    version: Version, *, retained: bool
) -> None:
    conversation = opened(version)
    conversation.publish("t", b"{}", qos=1, correlation=b"\x01\x02", retained=retained)
    first, *rest = conversation.take()
    assert retained == bool(first & 1)
    correlation = b"\x05\x09\x00\x02\x01\x02" if version is Version.V5 else b""
    assert bytes(rest[1:]) == text("t") + b"\x00\x01" + correlation + b"{}"


def test_the_largest_payload_leaves_room_for_the_correlation() -> None:
    conversation = opened(Version.V5, properties(Kind.CONNACK, MaximumPacketSize=100))
    plain = conversation.largest_payload("t")
    assert plain - 8 == conversation.largest_payload("t", correlation=b"12345")
    conversation.publish("t", b"x" * (plain - 8), qos=1, correlation=b"12345")
    assert 100 == len(conversation.take())
