"""A status that does not fit is cut to what fits, and stays a status of the published form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.contract import SHORTENED, Failure, LateFailure, Success, render, shortened
from twilio_notifications.core.errors import Reason

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=60)
"""Half surrogate pairs too: an id may hold one."""


def a_success(name: str, request_id: str | float = "request123") -> bytes:
    success = Success(message_status="queued", sender_number="+1999", phone_number="+1234", name=name)
    return render(success, request_id=request_id)


def a_late_failure(name: str, message: str) -> bytes:
    success = Success(message_status="undelivered", sender_number="+1999", phone_number="+1234", name=name)
    failure = LateFailure(reason=Reason.UNDELIVERED, message=message, delivery=success)
    return render(failure, request_id="request123")


def a_failure(message: str, request_id: str | float = "request123") -> bytes:
    return render(Failure(reason=Reason.INVALID_PARAMETER, message=message), request_id=request_id)


def cut(status: bytes, limit: int) -> bytes:
    fitting = shortened(status, limit=limit)
    assert fitting is not None
    assert len(fitting) <= limit
    return fitting


def test_a_status_that_fits_is_left_as_it_is() -> None:
    status = a_success("Darla")
    assert status == shortened(status, limit=len(status))


def test_the_sentence_is_cut_before_the_id_and_no_more_than_it_must_be() -> None:
    status = a_failure("s" * 1000, "i" * 50)
    document = json.loads(cut(status, 300))
    assert "i" * 50 == document["id"]
    assert document["response"]["error_message"].endswith("s" + SHORTENED)
    assert 300 == len(cut(status, 300))


def test_the_name_is_cut_before_the_id() -> None:
    document = json.loads(cut(a_success("n" * 1000, "i" * 50), 300))
    assert "i" * 50 == document["id"]
    assert document["response"]["payload"]["messages"]["name"].endswith("n" + SHORTENED)
    assert "+1234" == document["response"]["payload"]["messages"]["to_number"]


def test_the_id_is_cut_last() -> None:
    document = json.loads(cut(a_failure("s" * 1000, "i" * 1000), 200))
    assert SHORTENED == document["response"]["error_message"]
    assert document["id"].endswith("i" + SHORTENED)


def test_what_is_shorter_than_its_mark_is_not_cut() -> None:
    document = json.loads(cut(a_success("Darla", "i" * 1000), 250))
    assert "Darla" == document["response"]["payload"]["messages"]["name"]


@pytest.mark.parametrize(
    "status", [a_success("Darla"), a_failure("no", 7), b"", b"{}", b"[]", b"\xff", b'{"response":7}']
)
def test_what_cannot_be_cut_enough_is_none(status: bytes) -> None:
    assert shortened(status, limit=20) is None


@given(ANY_TEXT, ANY_TEXT, st.integers(0, 500), st.booleans())
def test_whatever_is_cut_keeps_the_published_form(
    text: str,
    request_id: str,
    limit: int,
    is_success: bool,  # noqa: FBT001 - hypothesis draws it
) -> None:
    status = a_success(text, request_id) if is_success else a_failure(text, request_id)
    fitting = shortened(status, limit=limit)
    if fitting is None:
        assert limit < len(status)
        return
    assert len(fitting) <= max(limit, len(status))
    before, after = json.loads(status), json.loads(fitting)
    assert list(before) == list(after)
    assert list(before["response"]) == list(after["response"])
    assert before["response"]["status"] == after["response"]["status"]


def test_of_a_late_failure_the_sentence_is_cut_before_the_name() -> None:
    document = json.loads(cut(a_late_failure("n" * 100, "s" * 1000), 400))
    assert "n" * 100 == document["response"]["payload"]["messages"]["name"]
    assert document["response"]["error_message"].endswith("s" + SHORTENED)
