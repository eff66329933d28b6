"""What Twilio says of a text or a call follows from its age, and nothing has to happen in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.desk import (
    A_CALL,
    A_TEXT,
    ACCOUNT,
    CALLS,
    DARLA,
    MESSAGES,
    NOON,
    SENDER,
    SERVICE,
    authorization,
    call_path,
    message_path,
)
from twilio_notifications.simulator.faults import Ends, Fault

if TYPE_CHECKING:
    from tests.simulator.desk import Desk


def statuses(desk: Desk, path: str, ages: list[float]) -> list[str]:
    created, seen = desk.now, []
    for age in ages:
        desk.now = created + age
        seen.append(desk.get(path).json["status"])
    return seen


def test_a_new_text_is_queued_and_looks_as_twilios(desk: Desk) -> None:
    shown = desk.post(MESSAGES, A_TEXT).json
    uri = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{shown['sid']}"
    expected: dict[str, Any] = {
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "body": "Hello from the edge",
        "date_created": "Wed, 15 Nov 2023 12:00:00 +0000",
        "date_sent": None,
        "date_updated": "Wed, 15 Nov 2023 12:00:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": SENDER,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": shown["sid"],
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": DARLA,
        "uri": f"{uri}.json",
    }
    assert expected == shown
    assert shown["sid"].startswith("SM")
    assert 34 == len(shown["sid"])


def test_a_text_advances_with_its_age(desk: Desk) -> None:
    path = message_path(desk.text())
    ages = [0, 0.9, 1, 2, 4.9, 5, 1e6]
    expected = ["queued", "queued", "sending", "sent", "sent", "delivered", "delivered"]
    assert expected == statuses(desk, path, ages)


def test_a_text_has_a_date_of_sending_once_it_is_sent(desk: Desk) -> None:
    path = message_path(desk.text())
    desk.now = NOON + 1.9
    assert desk.get(path).json["date_sent"] is None
    desk.now = NOON + 60
    shown = desk.get(path).json
    sent, updated = "Wed, 15 Nov 2023 12:00:02 +0000", "Wed, 15 Nov 2023 12:00:05 +0000"
    assert (sent, updated) == (shown["date_sent"], shown["date_updated"])


def test_a_messaging_service_accepts_first_and_chooses_the_sender_later(desk: Desk) -> None:
    form = {"To": DARLA, "Body": "Hello", "MessagingServiceSid": SERVICE}
    shown = desk.post(MESSAGES, form).json
    first = ("accepted", None, "0", SERVICE)
    parts = ("status", "from", "num_segments", "messaging_service_sid")
    assert first == tuple(shown[part] for part in parts)
    desk.now = NOON + 1
    later = desk.get(message_path(shown["sid"])).json
    assert ("queued", "+15005550006", "1", SERVICE) == tuple(later[part] for part in parts)


def test_a_scheduled_text_waits_for_its_instant(desk: Desk) -> None:
    send_at = datetime.fromtimestamp(NOON, UTC) + timedelta(hours=1)
    form = {
        "To": DARLA,
        "Body": "Hello",
        "MessagingServiceSid": SERVICE,
        "ScheduleType": "fixed",
        "SendAt": send_at.isoformat(),
    }
    path = message_path(desk.post(MESSAGES, form).json["sid"])
    assert ["scheduled", "scheduled", "queued", "delivered"] == statuses(desk, path, [0, 3_599, 3_600, 3_700])


def test_a_picture_makes_a_multimedia_message(desk: Desk) -> None:
    pictures = ["https://example.com/1.png", "https://example.com/2.png"]
    shown = desk.post(MESSAGES, {"To": DARLA, "From": SENDER, "MediaUrl": pictures}).json
    assert ("MM", "2") == (shown["sid"][:2], shown["num_media"])


def test_a_call_advances_with_its_age(desk: Desk) -> None:
    created = desk.post(CALLS, A_CALL).json
    assert ("CA", "queued", None) == (created["sid"][:2], created["status"], created["start_time"])
    path = call_path(created["sid"])
    expected = ["queued", "ringing", "in-progress", "completed"]
    assert expected == statuses(desk, path, [0.5, 1, 4, 10])
    ended = desk.get(path).json
    start, end = "Wed, 15 Nov 2023 12:00:01 +0000", "Wed, 15 Nov 2023 12:00:10 +0000"
    assert (start, end, "6") == (ended["start_time"], ended["end_time"], ended["duration"])


@pytest.mark.parametrize("status", ["undelivered", "failed", "sent"])
def test_a_text_can_end_otherwise(desk: Desk, status: str) -> None:
    fault = Fault(effect=Ends(status=status, error_code=30003, error_message="Unreachable"))  # type: ignore[arg-type]
    desk.engine.add_fault(fault)
    path = message_path(desk.text())
    assert desk.get(path).json["error_code"] is None
    desk.now = NOON + 1e6
    shown = desk.get(path).json
    assert (status, 30003, "Unreachable") == (shown["status"], shown["error_code"], shown["error_message"])


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed"])
def test_a_call_can_end_otherwise(desk: Desk, status: str) -> None:
    desk.engine.add_fault(Fault(effect=Ends(status=status)))  # type: ignore[arg-type]
    path = call_path(desk.call())
    desk.now = NOON + 1e6
    shown = desk.get(path).json
    assert (status, None) == (shown["status"], shown["duration"])


def test_an_end_that_only_calls_have_leaves_a_text_alone(desk: Desk) -> None:
    desk.engine.add_fault(Fault(effect=Ends(status="busy")))
    path = message_path(desk.text())
    desk.now = NOON + 1e6
    assert "delivered" == desk.get(path).json["status"]


def test_a_scheduled_text_can_be_canceled_and_goes_no_further(desk: Desk) -> None:
    send_at = datetime.fromtimestamp(NOON, UTC) + timedelta(hours=1)
    form = {"MessagingServiceSid": SERVICE, "ScheduleType": "fixed", "SendAt": send_at.isoformat()}
    path = message_path(desk.text(**form))
    answer = desk.post(path, {"Status": "canceled"})
    assert (200, "canceled") == (answer.status, answer.json["status"])
    desk.now = NOON + 1e6
    assert "canceled" == desk.get(path).json["status"]


@pytest.mark.parametrize("age", [0.0, 1.0, 5.0])
def test_a_text_that_was_not_scheduled_cannot_be_canceled(desk: Desk, age: float) -> None:
    path = message_path(desk.text())
    desk.now = NOON + age
    assert (409, 30409) == desk.post(path, {"Status": "canceled"}).error
    desk.now = NOON + 1e6
    assert "delivered" == desk.get(path).json["status"]


def test_a_text_at_its_end_can_be_redacted_and_deleted(desk: Desk) -> None:
    path = message_path(desk.text())
    assert (409, 20009) == desk.post(path, {"Body": ""}).error
    assert (409, 20009) == desk.ask("DELETE", path).error
    desk.now = NOON + 5
    assert "" == desk.post(path, {"Body": ""}).json["body"]
    assert 204 == desk.ask("DELETE", path).status
    assert (404, 20404) == desk.get(path).error
    assert 1 == len(desk.engine.store.ledger), "the ledger forgets nothing"


def test_the_body_of_a_text_can_only_be_emptied(desk: Desk) -> None:
    path = message_path(desk.text())
    desk.now = NOON + 5
    assert 400 == desk.post(path, {"Body": "another"}).status
    assert A_TEXT["Body"] == desk.get(path).json["body"]


@pytest.mark.parametrize(
    ("age", "status", "expected"),
    [
        (0, "canceled", "canceled"),
        (2, "canceled", "canceled"),
        (2, "completed", "canceled"),  # completed would mean that a person answered
        (5, "canceled", "in-progress"),
        (5, "completed", "completed"),
        (11, "canceled", "completed"),
        (11, "completed", "completed"),
    ],
)
def test_hanging_up_depends_on_how_far_the_call_is(
    desk: Desk, age: float, status: str, expected: str
) -> None:
    path = call_path(desk.call())
    desk.now = NOON + age
    assert expected == desk.post(path, {"Status": status}).json["status"]


def test_only_a_call_in_progress_can_be_redirected(desk: Desk) -> None:
    path = call_path(desk.call())
    redirection = {"Url": "https://example.com/other.xml"}
    assert (400, 21220) == desk.post(path, redirection).error
    desk.now = NOON + 5
    assert "in-progress" == desk.post(path, redirection).json["status"]


@pytest.mark.parametrize("path", [message_path, call_path])
def test_a_resource_of_another_account_is_not_found(desk: Desk, path: Any) -> None:
    """Which accounts exist, and what they own, must not leak from one to another."""
    sid = desk.text() if path is message_path else desk.call()
    other = "AC" + "f" * 32
    answer = desk.ask("GET", path(sid).replace(ACCOUNT, other), authorized=authorization(other))
    assert (404, 20404) == answer.error
