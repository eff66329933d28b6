"""Whatever arrives is answered: no payload raises, and every status is JSON that a strict reader takes.

The examples name what is known to break readers of JSON; the properties look for what is not known.
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twilio_notifications.core.contract import (
    MAXIMUM_DEPTH,
    MAXIMUM_PAYLOAD_BYTES,
    MAXIMUM_RETRIES,
    MAXIMUM_VALUES,
    Failure,
    StatusContent,
    Success,
    parse,
    render,
)
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import (
    Channel,
    Notification,
    Rejection,
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)

NOT_JSON = "Input message is not valid JSON: "
VALID = (
    b'{"request":{"recipient":{"name":"Darla","phone_number":"+12345000000","message":"Hello"},'
    b'"from_number":"+19999999999","retries":3},"id":"request123"}'
)


def parsed(payload: bytes, channel: Channel = Channel.SMS) -> Notification | Rejection:
    return parse(payload, channel=channel, default_sender_number=None)


def flaw(payload: bytes) -> str:
    result = parsed(payload)
    assert isinstance(result, Rejection), result
    return result.message


class TestNotJson:
    @pytest.mark.parametrize(
        ("payload", "where"),
        [
            (b"", "line 1 column 1"),
            (b" \n ", "line 2 column 2"),
            (b"{", "line 1 column 2"),
            (b'{"id"', "line 1 column 6"),
            (b'{\n "id":\n x}', "line 3 column 2"),
            (b"{'id':1}", "line 1 column 2"),
            (b'{"id":"a\nb"}', "line 1 column 9"),
            (b'{"id":"\\x"}', "line 1 column 8"),
            (b'{"id":01}', "line 1 column 8"),
            (b"{} {}", "line 1 column 4"),
            (b"{}\x00", "line 1 column 3"),
            (b"\x00", "line 1 column 1"),
            (b"None", "line 1 column 1"),
            ("\N{NO-BREAK SPACE}{}".encode(), "line 1 column 1"),
        ],
    )
    def test_the_place_is_named(self, payload: bytes, where: str) -> None:
        assert Rejection(request_id="", message=NOT_JSON + where) == parsed(payload)

    @pytest.mark.parametrize(
        ("payload", "byte"),
        [
            (b"\xff", 1),
            (b'{"id":"\xe4"}', 8),
            (b"\xc0\x80", 1),
            (b'"\xed\xa0\x80"', 2),
            (b'{"id":"a', None),
            (VALID[:-3] + b"\xf0\x9f", len(VALID) - 2),
        ],
    )
    def test_what_is_not_utf_8_is_named_by_its_byte(self, payload: bytes, byte: int | None) -> None:
        where = "line 1 column 7" if byte is None else f"byte {byte} is not UTF-8"
        assert NOT_JSON + where == flaw(payload)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "cp500"])
    def test_no_other_encoding_is_guessed(self, encoding: str) -> None:
        """RFC 8259, section 8.1: UTF-8 and nothing else."""
        assert flaw(VALID.decode().encode(encoding)).startswith(NOT_JSON)

    def test_one_byte_order_mark_is_passed_over(self) -> None:
        mark = b"\xef\xbb\xbf"
        assert parsed(VALID) == parsed(mark + VALID)
        assert NOT_JSON + "line 1 column 1" == flaw(mark + mark + VALID)
        assert NOT_JSON + "line 1 column 1" == flaw(mark)

    @pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
    @pytest.mark.parametrize(
        ("template", "place"),
        [
            ("@", "line 1 column 1"),
            ('{"id": @}', "line 1 column 8"),
            ('{"NaN": "Infinity \\" NaN",\n "request": {"retries": @, "x": NaN}}', "line 2 column 25"),
        ],
    )
    def test_the_words_that_python_takes_for_numbers_are_refused(
        self, word: str, template: str, place: str
    ) -> None:
        payload = template.replace("@", word).encode()
        assert f"{NOT_JSON}{place}, {word} is not a JSON number" == flaw(payload)

    @pytest.mark.parametrize(
        "payload", [b"null", b"true", b"1", b'"text"', b"[]", b"[" + VALID + b"]", b"1e999"]
    )
    def test_json_that_is_no_object_has_its_own_sentence(self, payload: bytes) -> None:
        assert Rejection(request_id="", message="Input message must be an object") == parsed(payload)


class TestSize:
    def test_the_limit_itself_is_allowed(self) -> None:
        assert parsed(VALID) == parsed(VALID.ljust(MAXIMUM_PAYLOAD_BYTES))

    @pytest.mark.parametrize("filling", [b" ", b"[", b"\xff"])
    def test_more_is_refused_unread(self, filling: bytes) -> None:
        expected = "Input message is 131073 bytes long, the limit is 131072"
        payload = VALID.ljust(MAXIMUM_PAYLOAD_BYTES + 1, filling)
        assert Rejection(request_id="", message=expected) == parsed(payload)


def nested(levels: int) -> bytes:
    """A valid request that holds a property of so many levels, itself the first of them."""
    inner = b"[" * (levels - 1) + b"]" * (levels - 1)
    return VALID[:-1] + b',"extra":' + inner + b"}"


class TestDepth:
    def test_the_limit_itself_is_allowed(self) -> None:
        assert parsed(VALID) == parsed(nested(MAXIMUM_DEPTH))

    @pytest.mark.parametrize("levels", [MAXIMUM_DEPTH + 1, 1000])
    def test_more_is_refused(self, levels: int) -> None:
        expected = f"{NOT_JSON}it is nested {levels} levels deep, the limit is 128"
        assert expected == flaw(nested(levels))

    @pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"":'])
    @pytest.mark.parametrize(("times", "sentence"), [(900, "levels deep"), (20_000, "values, the limit is")])
    def test_what_is_never_closed_is_refused(self, opening: bytes, times: int, sentence: str) -> None:
        assert sentence in flaw(opening * times)

    def test_what_is_closed_too_often_is_refused(self) -> None:
        assert NOT_JSON + "line 1 column 201" == flaw(b"[" * 100 + b"]" * 200 + b"," + b"[" * 1000)

    def test_the_limit_holds_where_there_is_nothing_but_brackets(self) -> None:
        levels = [MAXIMUM_DEPTH, MAXIMUM_DEPTH + 1]
        expected = [
            "Input message must be an object",
            NOT_JSON + "it is nested 129 levels deep, the limit is 128",
        ]
        assert expected == [flaw(b"[" * each + b"]" * each) for each in levels]

    def test_brackets_inside_texts_are_no_levels(self) -> None:
        text = b'[{\\"' * 400
        assert isinstance(parsed(VALID.replace(b"Hello", text)), Notification)

    def test_many_values_beside_each_other_are_no_levels(self) -> None:
        extra = b',"extra":[' + b"[],{}," * 500 + b"0]}"
        assert parsed(VALID) == parsed(VALID[:-1] + extra)

    def test_a_caller_deep_in_its_own_stack_gets_the_same_answer(self) -> None:
        """The limit is ours: a reader's own depends on who calls it."""

        def called_from(depth: int) -> Notification | Rejection:
            return parsed(nested(MAXIMUM_DEPTH)) if depth == 0 else called_from(depth - 1)

        assert parsed(VALID) == called_from(sys.getrecursionlimit() // 2)


def holding(values: int) -> bytes:
    """A valid request that holds so many values in all; each second one is a list, and so brings its own."""
    rest = values - VALUES_OF_VALID - 1
    extra = ["[7]"] * (rest // 2) + ["{}"] * (rest % 2)
    return VALID[:-1] + b',"extra":[' + ",".join(extra).encode() + b"]}"


def values_in(document: Any) -> int:
    """Objects, lists and what is in them; a key is not a value."""
    match document:
        case dict():
            return 1 + sum(map(values_in, document.values()))
        case list():
            return 1 + sum(map(values_in, document))
        case _:
            return 1


VALUES_OF_VALID = values_in(json.loads(VALID))


class TestValues:
    def test_the_limit_itself_is_allowed(self) -> None:
        payload = holding(MAXIMUM_VALUES)
        assert MAXIMUM_VALUES == values_in(json.loads(payload))
        assert parsed(VALID) == parsed(payload)

    @pytest.mark.parametrize("values", [MAXIMUM_VALUES + 1, MAXIMUM_VALUES + 2, 20_000])
    def test_more_is_refused(self, values: int) -> None:
        expected = f"Input message holds {values} values, the limit is 2000"
        assert Rejection(request_id="", message=expected) == parsed(holding(values))

    @pytest.mark.parametrize("pair", [b'"a":1', b'"":{}', b'"a":[]', b'"\\u0061":"b"', b'"," : null'])
    def test_keys_are_counted_with_their_values(self, pair: bytes) -> None:
        expected = "Input message holds 3001 values, the limit is 2000"
        assert expected == flaw(b"{" + b",".join([pair] * 3000) + b"}")

    def test_commas_and_brackets_inside_texts_are_no_values(self) -> None:
        extra = b',"extra":"' + b',[{\\"' * 20_000 + b'"}'
        assert parsed(VALID) == parsed(VALID[:-1] + extra)

    @settings(deadline=None)
    @given(
        values=st.lists(
            st.recursive(
                st.sampled_from(["", ",[", 0, 1.5, None, True, '"', "\\"]),
                lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
                max_leaves=6,
            ),
            min_size=1,
            max_size=20,
        ),
        indent=st.sampled_from([None, 0, 3]),
    )
    def test_they_are_counted_as_a_reader_would(self, values: list[Any], indent: int | None) -> None:
        document = values * MAXIMUM_VALUES
        payload = json.dumps(document, indent=indent).encode()
        while len(payload) > MAXIMUM_PAYLOAD_BYTES:
            document = document[: len(document) // 2]
            payload = json.dumps(document, indent=indent).encode()
        count = values_in(document)
        expected = f"Input message holds {count} values, the limit is 2000"
        assert (expected if count > MAXIMUM_VALUES else "Input message must be an object") == flaw(payload)


def calls_made(payload: bytes) -> int:
    """The work that a payload causes: every call of a function, Python's and the interpreter's own."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parsed(payload)
    finally:
        sys.setprofile(before)
    return calls


def memory_needed(payload: bytes) -> int:
    """The most bytes in use at once while a payload is looked at."""
    tracemalloc.start()
    try:
        parsed(payload)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


EXPENSIVE = [
    b"[" * MAXIMUM_PAYLOAD_BYTES,
    b"[" + b"1," * 65_000 + b"1]",
    b"[" + b'"",' * 43_000 + b'""]',
    b"{" + b'"":{},' * 20_000 + b'"":0}',
    b"[" + b"[]," * 43_000 + b"0]",
    b"[" * 1990 + b"]" * 120_000,
    b"[" * 60 + b"1e999," * 1900 + b"0" + b"]" * 60,
    b"[" + b"NaN," * 30_000 + b"0]",
    b"[ " * 129 + b" " * 130_000,
    b"{" + b'"\\u0041":"\\ud83d\\udd14",' * 1990 + b'"":0}',
    VALID[:-1] + b',"a":"' + b",[{" * 43_000 + b'"}',
]


class TestWork:
    """In calls and bytes, which are the same on every machine, and not in seconds."""

    @pytest.mark.parametrize("payload", EXPENSIVE, ids=lambda payload: ascii(payload[:8]))
    def test_no_payload_costs_many_calls(self, payload: bytes) -> None:
        payload = payload[:MAXIMUM_PAYLOAD_BYTES]
        assert calls_made(payload) < 6 * MAXIMUM_VALUES

    @pytest.mark.parametrize("payload", EXPENSIVE, ids=lambda payload: ascii(payload[:8]))
    def test_no_payload_costs_much_memory(self, payload: bytes) -> None:
        """Its text, its text without strings, and what little may be made of it."""
        payload = payload[:MAXIMUM_PAYLOAD_BYTES]
        assert memory_needed(payload) < 16 * MAXIMUM_PAYLOAD_BYTES

    def test_an_honest_request_is_not_looked_at_twice(self) -> None:
        assert calls_made(VALID) < 100

    def test_the_bounds_come_first(self) -> None:
        """What is too much is refused before anybody finds out that it is no JSON either."""
        assert "Input message holds 3002 values, the limit is 2000" == flaw(b"x[" + b"," * 3000)


class TestHostileText:
    @pytest.mark.parametrize(
        "payload",
        [
            b'"' + b'\\"' * 65_000,
            b"[" * 129 + b'\\"' * 65_000,
            b"[" * 129 + b'"\\' * 65_000,
            b'["' + b"\\" * 131_000,
            b'"' * MAXIMUM_PAYLOAD_BYTES,
            b"[NaN," + b'"\\" ' * 30_000,
            VALID.replace(b'"message":"Hello"', b'"voice_message_location":"http://' + b"@:" * 60_000 + b'"'),
        ],
        ids=lambda payload: ascii(payload[:8]),
    )
    def test_no_text_takes_quadratic_time(self, payload: bytes) -> None:
        """With a pattern that tries twice these take minutes, and the time-out of the suite ends them."""
        assert isinstance(parsed(payload, Channel.CALL), Rejection)

    @pytest.mark.parametrize(
        "half", [b"\\ud800", b"\\udfff", b"a\\ud83d", b"\\udd14\\ud83d", b"\\uD800\\u0041"]
    )
    @pytest.mark.parametrize(
        ("value", "label"),
        [
            (b"Darla", "Recipient name"),
            (b"Hello", "Message"),
            (b"+12345000000", "Recipient phone number"),
            (b"+19999999999", "From number"),
        ],
    )
    def test_half_a_surrogate_pair_cannot_be_sent(self, value: bytes, label: str, half: bytes) -> None:
        """It is JSON, but has no UTF-8: neither Twilio's form nor the journal could hold it."""
        expected = f"{label} must be valid Unicode text, it holds half of a surrogate pair"
        result = parsed(VALID.replace(value, half))
        assert Rejection(request_id="request123", message=expected) == result

    def test_an_id_of_half_a_pair_comes_back_escaped(self) -> None:
        result = parsed(VALID.replace(b"request123", b"a\\uD83Db"))
        assert isinstance(result, Rejection)
        assert "Id must be valid Unicode text, it holds half of a surrogate pair" == result.message
        assert status_of(result).endswith(b'"id":"a\\ud83db"}')

    def test_a_whole_pair_is_one_character(self) -> None:
        result = parsed(VALID.replace(b"Hello", b"\\ud83d\\udd14" * 1600))
        assert isinstance(result, Notification)
        assert Text(body="🔔" * 1600) == result.content

    def test_of_two_equal_keys_the_last_one_counts(self) -> None:
        payload = VALID.replace(b'"id":', b'"id":7,"id":').replace(b'"retries":', b'"retries":-1,"retries":')
        assert parsed(VALID) == parsed(payload)
        assert "Id must be a string" == flaw(VALID[:-1] + b',"id":7}')


class TestHostileNumbers:
    HUGE = b"9" * 120_000

    def test_a_huge_integer_is_an_integer(self) -> None:
        """Python converts no more than some thousand digits, or as many as its environment says."""
        result = parsed(VALID.replace(b'"retries":3', b'"retries":' + self.HUGE))
        assert isinstance(result, Notification)
        assert MAXIMUM_RETRIES == result.retries

    @pytest.mark.parametrize("number", [b"-" + HUGE, HUGE + b".0", b"1e" + HUGE, b"1e999", b"-1e999"])
    def test_other_huge_numbers_are_no_retries(self, number: bytes) -> None:
        expected = "Retries must be a non-negative integer"
        assert expected == flaw(VALID.replace(b'"retries":3', b'"retries":' + number))

    @pytest.mark.parametrize("number", [HUGE, b"-" + HUGE, HUGE + b".0", b"1e999", b"-1e999"])
    def test_they_do_not_come_back_as_an_id(self, number: bytes) -> None:
        result = parsed(VALID.replace(b'"request123"', number))
        assert Rejection(request_id="", message="Id must be a string") == result

    @pytest.mark.parametrize("number", [HUGE, b"-" + HUGE, b"1e999", b"-1e999"])
    def test_they_are_no_lifetimes(self, number: bytes) -> None:
        payload = VALID.replace(b'"retries":3', b'"valid_for_seconds":' + number)
        assert "Valid for seconds must be a number from 1 to 86400" == flaw(payload)

    def test_they_do_no_harm_where_nobody_looks(self) -> None:
        extra = b',"extra":[' + self.HUGE[:60_000] + b",-" + self.HUGE[:60_000] + b",1e999]}"
        assert parsed(VALID) == parsed(VALID[:-1] + extra)


def status_of(result: Notification | Rejection) -> bytes:
    """The status that a request ends with, one way or the other."""
    match result:
        case Rejection():
            failure = Failure(reason=Reason.INVALID_PARAMETER, message=result.message)
            return render(failure, request_id=result.request_id)
        case Notification():
            success = Success(
                message_status="queued",
                sender_number=result.sender_number,
                phone_number=result.recipient.phone_number,
                name=result.recipient.name,
            )
            return render(success, request_id=result.request_id)


def read_strictly(status: bytes) -> dict[str, Any]:
    """The status as a strict reader sees it: UTF-8, no words of Python's, no key twice."""

    def refuse(word: str) -> float:
        raise AssertionError(word)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(pairs) == len({key for key, _ in pairs})
        return dict(pairs)

    document = json.loads(status.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)
    assert isinstance(document, dict)
    if b"\\ud" not in status:  # msgspec refuses half a surrogate pair; only an id that came so has one
        assert document == msgspec.json.decode(status)
    return document


def check_published_keys(status: bytes) -> None:
    document = read_strictly(status)
    assert ["response", "id"] == list(document)
    response = document["response"]
    if response["status"] == "success":
        assert ["status", "payload"] == list(response)
        assert ["from_number", "messages"] == list(response["payload"])
        assert ["message_status", "to_number", "name"] == list(response["payload"]["messages"])
    else:
        assert ["status", "error_message", "error", "payload"] == list(response)
        assert "fail" == response["status"]
        assert response["payload"] is None


def check_answer(payload: bytes, channel: Channel) -> None:
    """Every payload has an outcome that can be kept, sent and published."""
    result = parsed(payload, channel)
    check_published_keys(status_of(result))
    if isinstance(result, Notification):
        kept = (result.request_id, result.recipient.name, result.recipient.phone_number, result.sender_number)
        for text in (*kept, content_of(result)):
            text.encode()
        assert result.request_id
        assert content_of(result)
        assert channel is result.channel
        assert 0 <= result.retries <= MAXIMUM_RETRIES


def content_of(notification: Notification) -> str:
    match notification.content:
        case Text(body=text) | VoiceLocation(url=text) | SpokenText(text=text) | Twiml(document=text):
            return text


CHANNELS = st.sampled_from(Channel)
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # half surrogate pairs, too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner), max_leaves=12)
PATHS = [
    *(("id",), ("request",), ("request", "recipient"), ("request", "from_number"), ("request", "retries")),
    *(("request", "priority"), ("request", "valid_for_seconds")),
    *(
        ("request", "recipient", name)
        for name in ("name", "phone_number", "message", "voice_message_location")
    ),
]
TELLING: st.SearchStrategy[Any] = st.sampled_from(
    ["", "+12345000000", "+1", "urgent", "https://example.com", 0, -1, 3, 86_400, 1e999, None, True, [], {}]
).map(deepcopy)


@st.composite
def near_valid_requests(draw: st.DrawFn) -> bytes:
    """The document's example with one to three values exchanged, written one way or another."""
    document = json.loads(VALID)
    if draw(st.booleans()):
        document["request"]["recipient"]["voice_message_location"] = "https://example.com"
        del document["request"]["recipient"]["message"]
    for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3)):
        *parents, name = path
        place = document
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[name] = draw(TELLING | JSON)
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "surrogatepass")


@st.composite
def damaged_requests(draw: st.DrawFn) -> bytes:
    """A near-valid request in which some bytes are lost, doubled or exchanged."""
    payload = bytearray(draw(near_valid_requests()))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(payload)))
        length = draw(st.integers(0, 8))
        payload[start : start + length] = draw(
            st.sampled_from([b"", b'"', b"\\", b"{", b"}", b"[", b",", b"\x00", b"\xff", b"\\ud800", b"NaN"])
            | st.binary(max_size=4)
        )
    return bytes(payload)


def in_pairs(text: str) -> str:
    """The same text with neighbouring halves joined, as every reader of JSON does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


class TestProperties:
    @settings(deadline=None)
    @given(payload=st.binary(), channel=CHANNELS)
    def test_any_bytes_are_answered(self, payload: bytes, channel: Channel) -> None:
        check_answer(payload, channel)

    @settings(deadline=None)
    @given(text=ANY_TEXT, channel=CHANNELS)
    def test_any_text_is_answered(self, text: str, channel: Channel) -> None:
        check_answer(text.encode("utf-8", "surrogatepass"), channel)

    @settings(deadline=None)
    @given(value=JSON, channel=CHANNELS)
    def test_any_json_is_answered(self, value: Any, channel: Channel) -> None:
        check_answer(json.dumps(value).encode(), channel)

    @settings(deadline=None, max_examples=300)
    @given(payload=near_valid_requests(), channel=CHANNELS)
    def test_anything_near_a_request_is_answered(self, payload: bytes, channel: Channel) -> None:
        check_answer(payload, channel)

    @settings(deadline=None, max_examples=300)
    @given(payload=damaged_requests(), channel=CHANNELS)
    def test_a_damaged_request_is_answered(self, payload: bytes, channel: Channel) -> None:
        check_answer(payload, channel)

    @settings(deadline=None)
    @given(
        text=st.text(st.sampled_from('[]{}",:\\ \nN')).map(lambda text: "[" * MAXIMUM_DEPTH + text),
        end=st.sampled_from(["", "NaN", "-Infinity", "]" * MAXIMUM_DEPTH]),
    )
    def test_anything_near_the_limit_of_depth_is_answered(self, text: str, end: str) -> None:
        check_answer((text + end).encode(), Channel.SMS)

    @settings(deadline=None)
    @given(
        content=st.builds(
            Success, message_status=ANY_TEXT, sender_number=ANY_TEXT, phone_number=ANY_TEXT, name=ANY_TEXT
        )
        | st.builds(Failure, reason=st.sampled_from(Reason), message=ANY_TEXT),
        request_id=ANY_TEXT | st.integers() | st.floats() | st.booleans(),
    )
    def test_any_outcome_becomes_a_status(self, content: StatusContent, request_id: str | float) -> None:
        status = render(content, request_id=request_id)
        check_published_keys(status)
        echoed = read_strictly(status)["id"]
        if isinstance(request_id, str):
            assert in_pairs(request_id) == echoed
        else:
            assert echoed in {"", request_id}
