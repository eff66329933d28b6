"""A broker's reason codes are said in words, with advice; what the broker adds is shown and not trusted."""

from __future__ import annotations

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from twilio_notifications.adapters.mqtt import reasons
from twilio_notifications.adapters.mqtt.protocol import Said, Version

OF_A_BROKER = (PacketTypes.CONNACK, PacketTypes.SUBACK, PacketTypes.PUBACK, PacketTypes.DISCONNECT)


def codes() -> set[int]:
    """Every code that paho-mqtt knows in a packet that a broker sends; 0 to 2 are no refusals."""
    probe = ReasonCode(PacketTypes.CONNACK)
    return {
        code
        for code, by_name in probe.names.items()
        for kinds in by_name.values()
        if set(kinds) & set(OF_A_BROKER) and code > 2
    }


def test_every_code_of_mqtt_5_has_its_words_and_advice() -> None:
    assert codes() <= reasons.WORDS.keys()


@pytest.mark.parametrize("code", sorted(codes()))
def test_a_code_is_said_with_its_number_and_what_to_do(code: int) -> None:
    sentence = reasons.of_end(Said(code=code))
    assert f"(code {code})" in sentence
    assert ";" in sentence, "what to do"


def test_an_unknown_code_is_said_too() -> None:
    assert "(code 200)" in reasons.of_end(Said(code=200))


def test_an_end_without_a_reason_is_said() -> None:
    assert "gave no reason" in reasons.of_end(Said(code=0))


@pytest.mark.parametrize("code", range(1, 6))
def test_refusals_of_3_1_1_are_not_taken_for_codes_of_5(code: int) -> None:
    sentence = str(reasons.refusal(Said(code=code), Version.V311))
    assert f"(code {code})" in sentence
    assert "check" in sentence or "tries again" in sentence


@pytest.mark.parametrize(("code", "expected"), [(0x84, True), (1, True), (0x86, False), (0x87, False)])
def test_only_a_refused_version_has_another_one_tried(code: int, *, expected: bool) -> None:
    assert expected == reasons.refusal(Said(code=code), Version.V5).unsupported_version


def test_what_the_broker_adds_is_shown_cut_and_on_one_line() -> None:
    hostile = "no\nERROR forged\x1b[31m\u202e" + "x" * 10_000
    sentence = reasons.of_end(Said(code=0x9C, reason=hostile, elsewhere=hostile))
    assert sentence.isprintable()
    assert len(sentence) < 1_000
    assert "it says 'no" in sentence
    assert "it names the server 'no" in sentence


def test_a_message_that_was_refused_says_so_in_words() -> None:
    failure = reasons.not_acknowledged(Said(code=0x87, reason="not on this topic"))
    assert failure.refused
    assert "not authorized (code 135); it says 'not on this topic'; check" in str(failure)


def test_a_topic_that_is_not_granted_is_named_with_the_reason() -> None:
    sentence = str(reasons.not_granted("me", {"twilio/txt": 0x97}, "too many"))
    assert "does not let me subscribe to twilio/txt (a quota is used up; it says 'too many')" in sentence
