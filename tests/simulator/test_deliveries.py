"""What becomes of a text or a call is chosen by the recipient's number, by an order, or by a draw."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.desk import (
    A_CALL,
    A_TEXT,
    CALLS,
    DARLA,
    MESSAGES,
    NOON,
    SERVICE,
    Desk,
    call_path,
    message_path,
)
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.deliveries import NUMBERS, DeliveryOrder, DeliveryOrders
from twilio_notifications.simulator.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

FAR = 1e6


def order(desk: Desk, *, times: int | None = None, to: str | None = None, **plan: Any) -> None:
    desk.engine.world.deliveries.add(DeliveryOrder(plan=Plan(**plan), times=times, to=to))


def shown_at(desk: Desk, path: str, age: float) -> Any:
    desk.now = NOON + age
    return desk.get(path).json


def notifications_path(sid: str) -> str:
    return call_path(sid).replace(".json", "/Notifications.json")


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("+15005550100", "delivered", None),
        ("+15005550101", "undelivered", 30003),
        ("+15005550102", "undelivered", 30005),
        ("+15005550103", "undelivered", 30006),
        ("+15005550104", "undelivered", 30007),
        ("+15005550105", "failed", 30008),
        ("+15005550106", "failed", 30034),
        ("+15005550107", "sent", None),
        ("+15005550108", "delivered", None),
        ("+15005550109", "canceled", None),
    ],
)
def test_the_number_decides_how_a_text_ends(desk: Desk, number: str, status: str, code: int | None) -> None:
    shown = shown_at(desk, message_path(desk.text(To=number)), FAR)
    assert (status, code) == (shown["status"], shown["error_code"])


@pytest.mark.parametrize(
    ("number", "status", "found"),
    [
        ("+15005550100", "completed", "human"),
        ("+15005550101", "busy", None),
        ("+15005550102", "no-answer", None),
        ("+15005550103", "failed", None),
        ("+15005550104", "canceled", None),
        ("+15005550105", "completed", "machine"),
        ("+15005550107", "completed", "human"),
        ("+15005550108", "completed", "human"),
        ("+15005550109", "completed", "unknown"),
    ],
)
def test_the_number_decides_how_a_call_ends(desk: Desk, number: str, status: str, found: str | None) -> None:
    shown = shown_at(desk, call_path(desk.call(To=number, MachineDetection="Enable")), FAR)
    assert (status, found) == (shown["status"], shown["answered_by"])


def test_no_number_is_reserved_and_magic_at_once() -> None:
    assert [] == [number for number in NUMBERS if number.startswith("+1500555000")]


def test_the_error_comes_with_the_end_and_not_before(desk: Desk) -> None:
    path = message_path(desk.text(To="+15005550101"))
    assert ("sent", None) == ((shown := shown_at(desk, path, 4))["status"], shown["error_code"])
    shown = shown_at(desk, path, 5)
    assert ("undelivered", 30003, "Wed, 15 Nov 2023 12:00:05 +0000") == (
        shown["status"],
        shown["error_code"],
        shown["date_updated"],
    )


def test_an_order_comes_before_the_number_and_counts_what_it_decides(desk: Desk) -> None:
    order(desk, end="failed", error_code=30001, times=1)
    first, second = desk.text(To="+15005550101"), desk.text(To="+15005550101")
    assert "failed" == shown_at(desk, message_path(first), FAR)["status"]
    assert "undelivered" == shown_at(desk, message_path(second), FAR)["status"]
    assert 1 == desk.engine.world.deliveries.orders[0].given


def test_an_order_for_one_recipient_leaves_the_others_alone(desk: Desk) -> None:
    order(desk, end="sent", to=DARLA)
    other = desk.text(To="+12345000001")
    assert "sent" == shown_at(desk, message_path(desk.text()), FAR)["status"]
    assert "delivered" == shown_at(desk, message_path(other), FAR)["status"]


def test_an_end_of_the_other_channel_changes_nothing(desk: Desk) -> None:
    order(desk, end="undelivered", error_code=30003)
    assert "completed" == shown_at(desk, call_path(desk.call()), FAR)["status"]


def test_a_late_text_stays_queued_until_it_goes_on(desk: Desk) -> None:
    path = message_path(desk.text(To="+15005550108"))
    expected = ["queued", "queued", "sending", "delivered"]
    assert expected == [shown_at(desk, path, age)["status"] for age in (0, 60, 61, 65)]


def test_a_text_that_waits_longer_than_its_validity_fails(desk: Desk) -> None:
    path = message_path(desk.text(To="+15005550108", ValidityPeriod="30"))
    assert "queued" == shown_at(desk, path, 29)["status"]
    shown = shown_at(desk, path, 30)
    assert ("failed", 30036) == (shown["status"], shown["error_code"])


@pytest.mark.parametrize("value", ["0", "36001", "soon"])
def test_a_validity_out_of_range_is_refused(desk: Desk, value: str) -> None:
    assert (400, 90007) == desk.post(MESSAGES, {**A_TEXT, "ValidityPeriod": value}).error


def test_a_call_rings_as_long_as_its_create_says(desk: Desk) -> None:
    path = call_path(desk.call(To="+15005550102", Timeout="15"))
    assert ["ringing", "no-answer"] == [shown_at(desk, path, age)["status"] for age in (15.9, 16)]


def test_a_call_talks_no_longer_than_its_limit(desk: Desk) -> None:
    order(desk, talk_seconds=60)
    assert "30" == shown_at(desk, call_path(desk.call(TimeLimit="30")), FAR)["duration"]


def test_machine_detection_decides_some_seconds_after_the_answer(desk: Desk) -> None:
    path = call_path(desk.call(MachineDetection="Enable"))
    assert [None, "human"] == [shown_at(desk, path, age)["answered_by"] for age in (5.9, 6)]


@pytest.mark.parametrize("changes", [{}, {"MachineDetection": "Enable", "SendDigits": "1"}])
def test_a_call_without_detection_says_nothing_of_who_answered(
    desk: Desk, changes: Mapping[str, str]
) -> None:
    assert shown_at(desk, call_path(desk.call(**changes)), FAR)["answered_by"] is None


def test_a_call_that_is_hung_up_before_the_detection_has_none(desk: Desk) -> None:
    path = call_path(desk.call(MachineDetection="Enable"))
    desk.now = NOON + 5
    desk.post(path, {"Status": "completed"})
    assert ("completed", None) == (
        (shown := shown_at(desk, path, FAR))["status"],
        shown["answered_by"],
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("MachineDetection", "Perhaps"), ("MachineDetectionTimeout", "2"), ("AsyncAmd", "maybe")],
)
def test_a_wrong_parameter_of_the_detection_is_refused(desk: Desk, name: str, value: str) -> None:
    assert (400, 20001) == desk.post(CALLS, {**A_CALL, name: value}).error


def test_a_document_that_cannot_be_fetched_is_in_the_calls_notifications(desk: Desk) -> None:
    sid = desk.call(To="+15005550106")
    assert [] == shown_at(desk, notifications_path(sid), 11.9)["notifications"]
    (found,) = shown_at(desk, notifications_path(sid), 12)["notifications"]
    assert ("11200", "0", A_CALL["Url"]) == (found["error_code"], found["log"], found["request_url"])
    assert "completed" == shown_at(desk, call_path(sid), FAR)["status"]
    assert found["sid"] == desk.get(f"{found['uri']}").json["sid"]


def test_twiml_that_cannot_be_read_is_in_the_calls_notifications(desk: Desk) -> None:
    sid = desk.call(Url="", Twiml="<Response><Say>Hello</Response>")
    (found,) = shown_at(desk, notifications_path(sid), FAR)["notifications"]
    assert "12100" == found["error_code"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"Log": "0"}, 1),
        ({"Log": "1"}, 0),
        ({"MessageDate": "2023-11-15"}, 1),
        ({"MessageDate<": "2023-11-14"}, 0),
    ],
)
def test_notifications_are_filtered(desk: Desk, query: Mapping[str, str], count: int) -> None:
    sid = desk.call(To="+15005550106")
    desk.now = NOON + FAR
    assert count == len(desk.get(notifications_path(sid), query).json["notifications"])


@pytest.mark.parametrize("end", ["busy", "no-answer", "failed"])
def test_a_call_that_was_not_answered_fetched_no_document(desk: Desk, end: str) -> None:
    order(desk, end=end, document_error=11200)
    sid = desk.call()
    assert [] == shown_at(desk, notifications_path(sid), FAR)["notifications"]


def test_there_are_no_notifications_of_a_text_or_of_a_stranger(desk: Desk) -> None:
    unknown = notifications_path("CA" + "0" * 32)
    assert (404, 20404) == desk.get(unknown).error
    assert 405 == desk.post(notifications_path(desk.call()), {}).status


def test_a_messaging_service_has_no_sender_until_the_text_is_queued(desk: Desk) -> None:
    order(desk, late_seconds=10)
    path = message_path(desk.text(From="", MessagingServiceSid=SERVICE))
    assert [None, "+15005550006"] == [shown_at(desk, path, age)["from"] for age in (0.9, 1)]


def test_a_draw_is_the_same_in_each_run_with_the_same_seed() -> None:
    def drawn(seed: str) -> list[Plan]:
        deliveries = DeliveryOrders(seed=seed)
        return [
            deliveries.plan_for(channel, DARLA, earlier=earlier)
            for channel in Channel
            for earlier in range(20)
        ]

    assert drawn("1") == drawn("1")
    assert drawn("1") != drawn("2")


def test_every_end_is_drawn_sooner_or_later() -> None:
    deliveries = DeliveryOrders(seed="1")
    texts = Counter(deliveries.plan_for(Channel.SMS, DARLA, earlier=n).end for n in range(1_000))
    calls = Counter(deliveries.plan_for(Channel.CALL, DARLA, earlier=n).end for n in range(1_000))
    assert {"delivered", "undelivered", "failed", "sent", "canceled"} == set(texts)
    assert {None, "busy", "no-answer", "failed", "canceled"} == set(calls)
