"""The published contract: its examples, each of its rules from both sides, and its bytes, key by key."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import combinations
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import pytest

from twilio_notifications.core.contract import (
    MAXIMUM_RETRIES,
    MAXIMUM_TEXT_CHARACTERS,
    Failure,
    Success,
    Topics,
    parse,
    render,
)
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import (
    Channel,
    Notification,
    Priority,
    Recipient,
    Rejection,
    Text,
    VoiceLocation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

VECTORS = sorted(Path(__file__).parent.parent.joinpath("vectors").glob("*.json"))
TOPICS = Topics.with_prefix("")
ABSENT = ...

TEXT: dict[str, Any] = {
    "request": {
        "recipient": {"name": "Darla", "phone_number": "+12345000000", "message": "Hello"},
        "from_number": "+19999999999",
    },
    "id": "request123",
}
CALL: dict[str, Any] = {
    "request": {
        "recipient": {
            "name": "Darla",
            "phone_number": "+12345000000",
            "voice_message_location": "https://example.com/twiml",
        },
        "from_number": "+19999999999",
    },
    "id": "request123",
}
EXAMPLES = {Channel.SMS: TEXT, Channel.CALL: CALL}

Value = Any | EllipsisType


def short(value: object) -> str:
    """The name of a parameter in pytest's output."""
    return ascii(value)[:24]


def changed(channel: Channel, changes: Mapping[str, Value]) -> bytes:
    """A valid request with some properties set, or taken away; `recipient.name` stands below `request`."""
    document = deepcopy(EXAMPLES[channel])
    for path, value in changes.items():
        *parents, name = path.split(".")
        place = document
        for parent in parents:
            place = place[parent]
        if value is ABSENT:
            del place[name]
        else:
            place[name] = value
    return json.dumps(document).encode()


def outcome(
    channel: Channel, changes: Mapping[str, Value], *, default: str | None = None
) -> Notification | Rejection:
    return parse(changed(channel, changes), channel=channel, default_sender_number=default)


def accepted(channel: Channel, changes: Mapping[str, Value], *, default: str | None = None) -> Notification:
    result = outcome(channel, changes, default=default)
    assert isinstance(result, Notification), result
    return result


def sentence(channel: Channel, changes: Mapping[str, Value]) -> str:
    result = outcome(channel, changes)
    assert isinstance(result, Rejection), result
    return result.message


class TestTopics:
    def test_the_published_topics(self) -> None:
        assert (
            Topics(
                text="twilio/txt",
                call="twilio/call",
                status="twilio/message/status",
                cancel="twilio/cancel",
                acknowledge="twilio/acknowledge",
            )
            == TOPICS
        )

    def test_a_prefix_stands_before_each_of_them(self) -> None:
        topics = Topics.with_prefix("site7/")
        expected = ("site7/twilio/txt", "site7/twilio/call", "site7/twilio/message/status")
        assert expected == (topics.text, topics.call, topics.status)
        assert Channel.SMS is topics.channel_of("site7/twilio/txt")
        assert topics.channel_of("twilio/txt") is None

    @pytest.mark.parametrize(
        ("topic", "channel"),
        [
            ("twilio/txt", Channel.SMS),
            ("twilio/call", Channel.CALL),
            ("twilio/message/status", None),
            ("twilio/txt/", None),
            ("twilio/TXT", None),
            ("", None),
        ],
    )
    def test_only_the_two_request_topics_ask_for_a_channel(self, topic: str, channel: Channel | None) -> None:
        assert channel is TOPICS.channel_of(topic)


class TestVectors:
    """The examples and sentences of the published document, kept for every kind of test."""

    @staticmethod
    def result_of(vector: dict[str, Any]) -> Notification | Rejection:
        payload = vector["payload"] if "payload" in vector else json.dumps(vector["input"], indent=4)
        channel = TOPICS.channel_of(vector["topic"])
        assert channel is not None
        default = vector["default_sender_number"]
        return parse(payload.encode(), channel=channel, default_sender_number=default)

    @pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
    def test_an_example_of_the_document_comes_out_as_published(self, path: Path) -> None:
        vector = json.loads(path.read_text(encoding="utf-8"))
        if "success" in vector:
            actual = render(Success(**vector["success"]), request_id=vector["request_id"])
        elif "status" in vector:
            rejection = self.result_of(vector)
            assert isinstance(rejection, Rejection), rejection
            failure = Failure(reason=Reason.INVALID_PARAMETER, message=rejection.message)
            actual = render(failure, request_id=rejection.request_id)
        else:
            assert self.notification_of(vector["notification"]) == self.result_of(vector)
            return
        assert json.dumps(vector["status"], separators=(",", ":"), ensure_ascii=False).encode() == actual

    @staticmethod
    def notification_of(expected: dict[str, Any]) -> Notification:
        channel = Channel(expected["channel"])
        content = expected["content"]
        return Notification(
            request_id=expected["request_id"],
            channel=channel,
            recipient=Recipient(name=expected["name"], phone_number=expected["phone_number"]),
            content=Text(body=content) if channel is Channel.SMS else VoiceLocation(url=content),
            sender_number=expected["sender_number"],
            retries=expected["retries"],
        )

    def test_there_are_vectors(self) -> None:
        """A wrong folder would make the test above pass by testing nothing."""
        assert len(VECTORS) > 25


BOTH = (Channel.SMS, Channel.CALL)
SMS = (Channel.SMS,)
ON_CALL = (Channel.CALL,)
NO_OBJECT = ("text", 1, 1.5, True, False)
NO_STRING: tuple[Value, ...] = (1, 0, 1.5, True, False, {}, {"a": 1}, [], ["text"])
LONG = "+" + "1" * 200

RULES: list[tuple[tuple[Channel, ...], str, tuple[Value, ...], str]] = [
    (BOTH, "id", (None, ABSENT), "Id cannot be None"),
    (BOTH, "id", NO_STRING, "Id must be a string"),
    (BOTH, "id", ("",), "Id cannot be empty"),
    (
        BOTH,
        "id",
        ("a" * 1025, "é" * 1025, "\0" * 1025, "\N{BELL}" * 1025),
        "Id is 1025 characters long, the limit is 1024",
    ),
    (BOTH, "id", ("a" * 9970,), "Id is 9970 characters long, the limit is 1024"),
    (BOTH, "request", (None, ABSENT), "Request cannot be None"),
    (BOTH, "request", (*NO_OBJECT, [], [TEXT["request"]]), "Request must be an object"),
    (BOTH, "request.recipient", (None, ABSENT), "Recipient cannot be None"),
    (BOTH, "request.recipient", NO_OBJECT, "Recipient must be an object"),
    (BOTH, "request.recipient", ([], [{}], [1, 2]), "Only one recipient is supported"),
    (BOTH, "request.recipient.name", (None, ABSENT), "Recipient name cannot be None"),
    (BOTH, "request.recipient.name", NO_STRING, "Recipient name must be a string"),
    (ON_CALL, "request.recipient.name", ("",), "Recipient name cannot be empty"),
    (
        BOTH,
        "request.recipient.name",
        ("a" * 1025, "\N{BELL}" * 1025),
        "Recipient name is 1025 characters long, the limit is 1024",
    ),
    (BOTH, "request.recipient.phone_number", (None, ABSENT), "Recipient phone number cannot be None"),
    (BOTH, "request.recipient.phone_number", NO_STRING, "Recipient phone number must be a string"),
    (SMS, "request.recipient.message", (None, ABSENT), "Message cannot be None"),
    (SMS, "request.recipient.message", NO_STRING, "Message must be a string"),
    (SMS, "request.recipient.message", ("",), "Message cannot be empty"),
    (
        SMS,
        "request.recipient.message",
        ("a" * 1601, "é" * 1601, "\N{BELL}" * 1601),
        "Message is 1601 characters long, Twilio accepts 1600",
    ),
    (
        ON_CALL,
        "request.recipient.voice_message_location",
        (None, ABSENT),
        "Voice message location cannot be None",
    ),
    (
        ON_CALL,
        "request.recipient.voice_message_location",
        NO_STRING,
        "Voice message location must be a string",
    ),
    (ON_CALL, "request.recipient.voice_message_location", ("",), "Voice message location cannot be empty"),
    (
        SMS,
        "request.recipient.voice_message_location",
        ("https://example.com", "", 1, {}, False),
        "Only one of message and voice_message_location can be specified",
    ),
    (
        ON_CALL,
        "request.recipient.message",
        ("Hello", "", 1, {}, False),
        "Only one of message and voice_message_location can be specified",
    ),
    (BOTH, "request.from_number", (None, ABSENT), "From number cannot be None"),
    (BOTH, "request.from_number", NO_STRING, "From number must be a string"),
    (
        BOTH,
        "request.retries",
        (-1, -(10**30), 3.0, 0.0, 1e999, "3", "", True, False, [], [3], {}),
        "Retries must be a non-negative integer",
    ),
    (
        BOTH,
        "request.priority",
        ("", "URGENT", "high", "urgent ", 1, True, [], ["urgent"], {}),
        "Priority must be urgent, normal or low",
    ),
    (
        BOTH,
        "request.valid_for_seconds",
        (0, 0.999, -1, 86_401, 86_400.5, 1e999, -1e999, 10**30, "60", "", True, [], [60], {}),
        "Valid for seconds must be a number from 1 to 86400",
    ),
]
ROWS = [
    pytest.param(channel, path, value, expected, id=f"{channel}-{path}-{short(value)}")
    for channels, path, values, expected in RULES
    for channel in channels
    for value in values
]


class TestRules:
    @pytest.mark.parametrize(("channel", "path", "value", "expected"), ROWS)
    def test_a_broken_rule_has_its_sentence(
        self, channel: Channel, path: str, value: Value, expected: str
    ) -> None:
        assert expected == sentence_of_written(channel, path, value)

    @pytest.mark.parametrize("channel", BOTH)
    def test_a_request_that_breaks_none_is_accepted(self, channel: Channel) -> None:
        """The other side of every rule: each broken request above differs from this one by one value."""
        assert "request123" == accepted(channel, {}).request_id

    def test_the_other_topics_property_alone_has_a_sentence_of_its_own(self) -> None:
        recipient = "request.recipient"
        on_text = {f"{recipient}.message": None, f"{recipient}.voice_message_location": ""}
        on_call = {f"{recipient}.voice_message_location": ABSENT, f"{recipient}.message": 0}
        assert "Voice messages are not supported on twilio/txt, use twilio/call" == sentence(
            Channel.SMS, on_text
        )
        assert "Text messages are not supported on twilio/call, use twilio/txt" == sentence(
            Channel.CALL, on_call
        )

    @pytest.mark.parametrize("channel", BOTH)
    def test_null_counts_as_absent(self, channel: Channel) -> None:
        names = {Channel.SMS: "voice_message_location", Channel.CALL: "message"}
        optional = ("retries", "priority", "valid_for_seconds")
        changes: dict[str, Value] = {f"request.{name}": None for name in optional}
        changes[f"request.recipient.{names[channel]}"] = None
        assert accepted(channel, {}) == accepted(channel, changes)

    def test_unknown_properties_are_ignored(self) -> None:
        changes = {"version": 7, "request.colour": None, "request.recipient.age": {"years": [1, 2]}}
        assert accepted(Channel.SMS, {}) == accepted(Channel.SMS, changes)


def sentence_of_written(channel: Channel, path: str, value: Value) -> str:
    """Infinity has no place in JSON: a number that becomes it has."""
    payload = changed(channel, {path: value}).replace(b"-Infinity", b"-1e999").replace(b"Infinity", b"1e999")
    result = parse(payload, channel=channel, default_sender_number=None)
    assert isinstance(result, Rejection), result
    return result.message


NUMBER_PATHS = {
    "request.recipient.phone_number": "Recipient phone number",
    "request.from_number": "From number",
}


@pytest.mark.parametrize("path", NUMBER_PATHS)
class TestNumbers:
    @pytest.mark.parametrize("number", ["+12", "+12345000000", "+15005550006", "+999999999999999"])
    def test_e164_is_accepted(self, path: str, number: str) -> None:
        """The published pattern has no zero, and its own example has seven."""
        assert isinstance(outcome(Channel.CALL, {path: number}), Notification)

    @pytest.mark.parametrize(
        "number",
        [
            *("", "+", "+1", "12345000000", "0012345000000", "+02345000000", "+1234500000000000"),
            *(
                "+1 234 500",
                "+1-234",
                " +12345000000",
                "+12345000000 ",
                "+12345000000\n",
                "+1234\x00",
                "++12",
            ),
            *(
                "+1\N{ARABIC-INDIC DIGIT TWO}3",
                "+1\N{FULLWIDTH DIGIT TWO}345",
                "whatsapp:+12345000000",
                "tel:+12345",
                "Darla",
            ),
        ],
    )
    def test_anything_else_is_quoted_back(self, path: str, number: str) -> None:
        expected = f"{NUMBER_PATHS[path]} {number} is not a valid E.164 number"
        assert expected == sentence(Channel.SMS, {path: number})

    def test_a_long_one_is_quoted_in_part(self, path: str) -> None:
        expected = f"{NUMBER_PATHS[path]} {LONG[:100]}… is not a valid E.164 number"
        assert expected == sentence(Channel.SMS, {path: LONG})


class TestSenderNumber:
    @pytest.mark.parametrize("absent", [None, ABSENT])
    @pytest.mark.parametrize("default", ["+15005550006", "4254492999"])
    def test_the_default_is_used_as_it_is(self, absent: Value, default: str) -> None:
        changes = {"request.from_number": absent}
        assert default == accepted(Channel.SMS, changes, default=default).sender_number

    def test_an_empty_default_is_none(self) -> None:
        """The pattern of the parameter allows "" for "no default"."""
        result = outcome(Channel.SMS, {"request.from_number": ABSENT}, default="")
        assert Rejection(request_id="request123", message="From number cannot be None") == result

    def test_a_wrong_one_is_not_replaced_by_the_default(self) -> None:
        result = outcome(Channel.SMS, {"request.from_number": ""}, default="+15005550006")
        assert isinstance(result, Rejection)


class TestContent:
    @pytest.mark.parametrize("body", ["a", " ", "\n", "\x00", "🔔" * MAXIMUM_TEXT_CHARACTERS], ids=short)
    def test_a_text_may_have_1600_characters_of_any_kind(self, body: str) -> None:
        """An emoji is one character here: Twilio itself judges what it counts otherwise."""
        assert Text(body=body) == accepted(Channel.SMS, {"request.recipient.message": body}).content

    @pytest.mark.parametrize(
        "url",
        [
            *(
                "https://some-public-TwiML",
                "http://a",
                "HTTPS://EXAMPLE.COM/",
                "https://example.com:8443/a?b=c#d",
            ),
            *("https://user:pass@example.com/x", "http://192.0.2.1/", "http://[2001:db8::1]:8080/x"),
            *("https://bücher.example/ä", "https://example.com?x=1", "https://example.com/a@b://c"),
        ],
    )
    def test_an_absolute_web_address_is_accepted(self, url: str) -> None:
        changes = {"request.recipient.voice_message_location": url}
        assert VoiceLocation(url=url) == accepted(Channel.CALL, changes).content

    @pytest.mark.parametrize(
        "url",
        [
            *(
                "example.com",
                "/twiml",
                "//example.com",
                "ftp://example.com",
                "file:///etc/hosts",
                "https:/a.example",
            ),
            *("https://", "https:///path", "https://:443/", "https://user@/", "https://?x", "https://#x"),
            *(
                "https://exa mple.com",
                "https://example.com/a b",
                " https://example.com",
                "https://example.com ",
            ),
            *(
                "https://example.com/\n",
                "https://example.com/\x00",
                "https://example.com/\x7f",
                "https://a\x85b",
            ),
            *(
                "https://example.com/\u2028",
                "https://[::1",
                "https://[zz]/",
                "https://a\\b",
                "javascript:alert(1)",
            ),
            *("https://a:b:c/", "https://a:port/", "hxxps://a", "ahttps://a"),
        ],
    )
    def test_no_other_address_is(self, url: str) -> None:
        changes = {"request.recipient.voice_message_location": url}
        assert "Voice message location is not an http or https URL" == sentence(Channel.CALL, changes)


class TestNumbersOfTheRequest:
    @pytest.mark.parametrize("retries", [0, 3, MAXIMUM_RETRIES])
    def test_retries_are_taken_as_they_are(self, retries: int) -> None:
        assert retries == accepted(Channel.SMS, {"request.retries": retries}).retries

    @pytest.mark.parametrize("retries", [MAXIMUM_RETRIES + 1, 2**64, 10**1000])
    def test_more_retries_than_anybody_could_wait_for_are_so_many(self, retries: int) -> None:
        """An integer is valid however large it is; it must still fit into a column, plus one."""
        assert MAXIMUM_RETRIES == accepted(Channel.SMS, {"request.retries": retries}).retries
        assert MAXIMUM_RETRIES + 1 < 2**31

    def test_retries_are_none_unless_asked_for(self) -> None:
        assert 0 == accepted(Channel.SMS, {}).retries

    @pytest.mark.parametrize("priority", Priority)
    def test_a_priority_is_one_of_three_words(self, priority: Priority) -> None:
        assert priority is accepted(Channel.SMS, {"request.priority": priority.value}).priority

    def test_the_priority_is_normal_unless_asked_for(self) -> None:
        assert Priority.NORMAL is accepted(Channel.SMS, {}).priority

    @pytest.mark.parametrize("seconds", [1, 1.0, 1.5, 60, 86_399.9, 86_400, 86_400.0])
    def test_a_lifetime_of_up_to_a_day_is_accepted(self, seconds: float) -> None:
        lifetime = accepted(Channel.SMS, {"request.valid_for_seconds": seconds}).valid_for_seconds
        assert seconds == lifetime
        assert isinstance(lifetime, float)

    def test_the_lifetime_is_the_operators_unless_asked_for(self) -> None:
        assert accepted(Channel.SMS, {}).valid_for_seconds is None


IN_ORDER: list[tuple[str, Value, str]] = [
    ("id", None, "Id cannot be None"),
    ("request", None, "Request cannot be None"),
    ("request.recipient", None, "Recipient cannot be None"),
    ("request.recipient.name", None, "Recipient name cannot be None"),
    ("request.recipient.phone_number", None, "Recipient phone number cannot be None"),
    ("request.recipient.message", None, "Message cannot be None"),
    ("request.from_number", None, "From number cannot be None"),
    ("request.retries", -1, "Retries must be a non-negative integer"),
    ("request.priority", "", "Priority must be urgent, normal or low"),
    ("request.valid_for_seconds", 0, "Valid for seconds must be a number from 1 to 86400"),
]


@pytest.mark.parametrize(("first", "second"), list(combinations(IN_ORDER, 2)), ids=lambda step: step[0])
def test_of_two_flaws_the_published_order_names_the_first(
    first: tuple[str, Value, str], second: tuple[str, Value, str]
) -> None:
    # The later one is set first: a flaw of `request` takes away everything below it.
    assert first[2] == sentence(Channel.SMS, {second[0]: second[1], first[0]: first[1]})


class TestIds:
    @pytest.mark.parametrize(
        "request_id", ["a", " ", "request123", "\x00", "0", "null", "🔔", "x" * 1024, "🔔" * 1024], ids=short
    )
    def test_any_text_is_an_id(self, request_id: str) -> None:
        assert request_id == accepted(Channel.SMS, {"id": request_id}).request_id

    @pytest.mark.parametrize("end", ["", "x" * 100_000, "\ud800"], ids=["short", "long", "no Unicode"])
    def test_of_a_long_id_the_first_1024_characters_come_back(self, end: str) -> None:
        result = outcome(Channel.SMS, {"id": "🔔" * 1025 + end})
        assert isinstance(result, Rejection)
        assert "🔔" * 1024 == result.request_id
        failure = Failure(reason=Reason.INVALID_PARAMETER, message=result.message)
        assert len(render(failure, request_id="🔔" * 9000)) < 5000

    def test_a_name_may_have_1024_characters(self) -> None:
        name = "🔔" * 1024
        assert name == accepted(Channel.SMS, {"request.recipient.name": name}).recipient.name

    @pytest.mark.parametrize("request_id", [0, 7, -7, 1.5, -0.5, 1e300, True, False, 2**63 - 1, -(2**63)])
    def test_a_number_or_a_boolean_comes_back_as_it_is(self, request_id: float) -> None:
        result = outcome(Channel.SMS, {"id": request_id})
        assert Rejection(request_id=request_id, message="Id must be a string") == result
        assert type(request_id) is type(result.request_id)

    @pytest.mark.parametrize("request_id", [ABSENT, None, "", {}, [], ["a"], 2**63, -(2**63) - 1])
    def test_what_cannot_come_back_is_the_empty_text(self, request_id: Value) -> None:
        """Larger integers fit neither into a column nor into most JSON readers."""
        result = outcome(Channel.SMS, {"id": request_id})
        assert isinstance(result, Rejection)
        assert "" == result.request_id

    @pytest.mark.parametrize("flaw", IN_ORDER[1:], ids=lambda step: step[0])
    def test_every_later_flaw_is_answered_under_the_id(self, flaw: tuple[str, Value, str]) -> None:
        expected = Rejection(request_id="request123", message=flaw[2])
        assert expected == outcome(Channel.SMS, {flaw[0]: flaw[1]})


SUCCESS = Success(
    message_status="queued", sender_number="+19999999999", phone_number="+12345000000", name="Darla"
)
FAILURE = Failure(reason=Reason.INVALID_PARAMETER, message="Recipient name cannot be None")


class TestStatus:
    def test_a_success_byte_by_byte(self) -> None:
        assert (
            b'{"response":{"status":"success","payload":{"from_number":"+19999999999","messages":'
            b'{"message_status":"queued","to_number":"+12345000000","name":"Darla"}}},"id":"request123"}'
        ) == render(SUCCESS, request_id="request123")

    def test_a_failure_byte_by_byte(self) -> None:
        assert (
            b'{"response":{"status":"fail","error_message":"Recipient name cannot be None",'
            b'"error":"InvalidParameter","payload":null},"id":"request123"}'
        ) == render(FAILURE, request_id="request123")

    def test_detail_follows_the_published_keys(self) -> None:
        detail = {"sid": "SM1", "attempts": 1, "twilio_code": None, "accepted_at": 1.5}
        assert (
            b'{"response":{"status":"fail","error_message":"Recipient name cannot be None",'
            b'"error":"InvalidParameter","payload":null,'
            b'"detail":{"sid":"SM1","attempts":1,"twilio_code":null,"accepted_at":1.5}},"id":"r"}'
        ) == render(FAILURE, request_id="r", detail=detail)
        assert b'"name":"Darla"}},"detail":{}},"id":"r"}' in render(SUCCESS, request_id="r", detail={})

    def test_detail_that_json_does_not_know_is_text(self) -> None:
        assert b'"detail":{"path":"a/b"}' in render(FAILURE, request_id="r", detail={"path": Path("a/b")})

    @pytest.mark.parametrize(
        ("request_id", "written"),
        [
            ("", b'""'),
            ('"\\\n', b'"\\"\\\\\\n"'),
            ("Zähler 🔔", '"Zähler 🔔"'.encode()),
            (123, b"123"),
            (1.5, b"1.5"),
            (True, b"true"),
            ("\ud83d", b'"\\ud83d"'),
            ("\udc00\ud800", b'"\\udc00\\ud800"'),
            (float("nan"), b'""'),
            (float("inf"), b'""'),
            (10**400, b'""'),
        ],
    )
    def test_an_id_is_written_as_json(self, request_id: str | float, written: bytes) -> None:
        assert render(FAILURE, request_id=request_id).endswith(b'"id":' + written + b"}")

    @pytest.mark.parametrize("reason", Reason)
    def test_every_reason_is_one_word(self, reason: Reason) -> None:
        status = json.loads(render(Failure(reason=reason, message="m"), request_id="r"))
        assert reason.value == status["response"]["error"]
