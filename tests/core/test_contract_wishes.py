"""What `twilio/cancel` and `twilio/acknowledge` ask for, or the first rule that their payloads break."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.contract import parse_acknowledgement, parse_cancellation
from twilio_notifications.core.model import Acknowledgement, Cancellation, Rejection


def payload(**properties: Any) -> bytes:
    return json.dumps(properties).encode()


def test_a_cancellation_names_an_id_or_what_the_requests_are_about() -> None:
    assert Cancellation(request_id="request123") == parse_cancellation(payload(id="request123"))
    assert Cancellation(about="freezer 3") == parse_cancellation(payload(about="freezer 3", id=None))


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({}, "Id or about must be specified"),
        ({"id": None, "about": None}, "Id or about must be specified"),
        ({"id": "a", "about": "b"}, "Only one of id and about can be specified"),
        ({"id": 7}, "Id must be a string"),
        ({"id": ""}, "Id cannot be empty"),
        ({"id": "i" * 1025}, "Id is 1025 characters long, the limit is 1024"),
        ({"about": 7}, "About must be a string"),
        ({"about": ""}, "About cannot be empty"),
        ({"about": "a" * 257}, "About is 257 characters long, the limit is 256"),
    ],
)
def test_a_wrong_cancellation_is_rejected(properties: dict[str, Any], sentence: str) -> None:
    found = parse_cancellation(payload(**properties))
    assert isinstance(found, Rejection)
    assert sentence == found.message


def test_an_acknowledgement_names_an_id_and_perhaps_a_person() -> None:
    assert Acknowledgement(request_id="a", by="Darla") == parse_acknowledgement(payload(id="a", by="Darla"))
    assert Acknowledgement(request_id="a") == parse_acknowledgement(payload(id="a", by=None))


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({}, "Id cannot be None"),
        ({"id": 7}, "Id must be a string"),
        ({"id": "a", "by": 7}, "By must be a string"),
        ({"id": "a", "by": ""}, "By cannot be empty"),
        ({"id": "a", "by": "b" * 257}, "By is 257 characters long, the limit is 256"),
    ],
)
def test_a_wrong_acknowledgement_is_rejected(properties: dict[str, Any], sentence: str) -> None:
    found = parse_acknowledgement(payload(**properties))
    assert isinstance(found, Rejection)
    assert sentence == found.message


@pytest.mark.parametrize("parse", [parse_cancellation, parse_acknowledgement])
@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "Input message is not valid JSON: line 1 column 1"),
        (b"[]", "Input message must be an object"),
        (b"\xff", "Input message is not valid JSON: byte 1 is not UTF-8"),
    ],
)
def test_what_is_no_object_is_rejected_without_an_id(parse: Any, raw: bytes, sentence: str) -> None:
    assert Rejection(request_id="", message=sentence) == parse(raw)


def test_a_rejection_echoes_a_wrong_id() -> None:
    assert Rejection(request_id=7, message="Id must be a string") == parse_acknowledgement(payload(id=7))


@given(st.binary() | st.dictionaries(st.sampled_from(["id", "about", "by"]), st.text()).map(json.dumps))
def test_no_payload_raises(raw: bytes | str) -> None:
    as_bytes = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
    parse_cancellation(as_bytes)
    parse_acknowledgement(as_bytes)
