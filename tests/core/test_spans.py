"""The place of a request in a trace: the client's, or a computed one, and the same after a restart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.spans import place
from twilio_notifications.core.traceparent import TraceParent, read_traceparent

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECRET = b"the journal's secret"


@pytest.mark.parametrize(
    ("text", "is_sampled"),
    [
        (f"00-{TRACE}-{PARENT}-01", True),
        (f"00-{TRACE}-{PARENT}-00", False),
        (f"00-{TRACE}-{PARENT}-03", True),
        (f"01-{TRACE}-{PARENT}-01-what-comes-later", True),
    ],
)
def test_a_traceparent_names_the_trace_and_the_caller(text: str, *, is_sampled: bool) -> None:
    expected = TraceParent(trace_id=int(TRACE, 16), span_id=int(PARENT, 16), is_sampled=is_sampled)
    assert expected == read_traceparent(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01\n",
        f" 00-{TRACE}-{PARENT}-01",
    ],
)
def test_what_has_another_form_names_none(text: str) -> None:
    assert read_traceparent(text) is None


@given(st.text(max_size=80))
def test_no_text_raises_anything(text: str) -> None:
    read_traceparent(text)


def test_a_request_of_a_caller_is_a_part_of_its_trace() -> None:
    found = place(7, f"00-{TRACE}-{PARENT}-01", secret=SECRET)
    assert (int(TRACE, 16), int(PARENT, 16), True) == (found.trace_id, found.caller, found.is_sampled)


def test_a_request_without_a_caller_has_a_trace_of_its_own() -> None:
    found = place(7, None, secret=SECRET)
    assert (None, None) == (found.caller, found.is_sampled)
    assert found.trace_id.bit_length() > 64


def test_the_place_is_the_same_each_time_and_another_one_for_each_request_and_journal() -> None:
    assert place(7, None, secret=SECRET) == place(7, None, secret=SECRET)
    places = [place(number, None, secret=secret) for number in range(100) for secret in (SECRET, b"other")]
    assert len(places) == len({each.trace_id for each in places}) == len({each.span_id for each in places})
