"""Lists: newest first, filtered as Twilio filters, in pages that do not shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.desk import (
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
from twilio_notifications.simulator.faults import Fault, ListLag

if TYPE_CHECKING:
    from tests.simulator.desk import Desk

OTHER = "+12345000001"
DAY = 86_400.0


def page_sids(desk: Desk, uri: str | None) -> list[list[str]]:
    """The SIDs of every page, following the links."""
    pages = []
    while uri is not None:
        page = desk.ask("GET", uri)
        pages.append(page.sids)
        uri = page.json["next_page_uri"]
    return pages


def test_an_empty_list_has_one_empty_page(desk: Desk) -> None:
    uri = f"{MESSAGES}?PageSize=50&Page=0"
    expected = {
        "end": 0,
        "first_page_uri": uri,
        "next_page_uri": None,
        "page": 0,
        "page_size": 50,
        "previous_page_uri": None,
        "messages": [],
        "start": 0,
        "uri": uri,
    }
    assert expected == desk.get(MESSAGES).json


def test_the_newest_comes_first(desk: Desk) -> None:
    sids = [desk.text(Body=str(n)) for n in range(3)]
    assert sids[::-1] == desk.get(MESSAGES).sids


def test_a_page_has_50_resources_unless_told_otherwise(desk: Desk) -> None:
    sids = [desk.text() for _ in range(51)]
    first = desk.get(MESSAGES)
    assert (50, 0, 49, 50) == (
        len(first.sids),
        first.json["start"],
        first.json["end"],
        first.json["page_size"],
    )
    assert [sids[:0:-1], sids[:1]] == page_sids(desk, MESSAGES)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1_000])
def test_the_links_lead_through_everything_once(desk: Desk, size: int) -> None:
    sids = [desk.text() for _ in range(5)]
    pages = page_sids(desk, f"{MESSAGES}?PageSize={size}")
    assert sids[::-1] == [sid for page in pages for sid in page]
    assert all(len(page) == size for page in pages[:-1])


def test_what_arrives_meanwhile_does_not_shift_the_pages(desk: Desk) -> None:
    sids = [desk.text() for _ in range(4)]
    first = desk.get(MESSAGES, {"PageSize": "2"})
    newest = desk.text()
    second = desk.ask("GET", first.json["next_page_uri"])
    assert [sids[3], sids[2]] == first.sids
    assert [sids[1], sids[0]] == second.sids
    assert newest not in second.sids


def test_the_previous_page_can_be_reached_from_the_next(desk: Desk) -> None:
    sids = [desk.text() for _ in range(5)]
    first = desk.get(MESSAGES, {"PageSize": "2"})
    second = desk.ask("GET", first.json["next_page_uri"])
    back = desk.ask("GET", second.json["previous_page_uri"])
    assert first.json["previous_page_uri"] is None
    assert (1, 2, 3) == (second.json["page"], second.json["start"], second.json["end"])
    assert [sids[4], sids[3]] == back.sids
    assert second.sids == desk.ask("GET", back.json["next_page_uri"]).sids


def test_the_next_page_is_named_as_twilio_names_it(desk: Desk) -> None:
    desk.text()
    sid = desk.text()
    uri = desk.ask("GET", f"{MESSAGES}?To=%2B12345000000&DateSent%3E=&PageSize=1").json["next_page_uri"]
    assert f"{MESSAGES}?To=%2B12345000000&DateSent%3E=&PageSize=1&Page=1&PageToken=PA{sid}" == uri


def test_a_page_number_alone_is_only_client_state(desk: Desk) -> None:
    sid = desk.text()
    answer = desk.get(MESSAGES, {"Page": "7"})
    assert ([sid], 7) == (answer.sids, answer.json["page"])


def test_a_deleted_resource_does_not_break_the_pages(desk: Desk) -> None:
    sids = [desk.text() for _ in range(3)]
    first = desk.get(MESSAGES, {"PageSize": "1"})
    desk.now = NOON + 60
    desk.ask("DELETE", MESSAGES.replace(".json", f"/{sids[2]}.json"))
    assert [[sids[1]], [sids[0]]] == page_sids(desk, first.json["next_page_uri"])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"PageSize": "1001"}, 20007),
        ({"PageSize": "0"}, 20001),
        ({"PageSize": "many"}, 20001),
        ({"Page": "-1"}, 20001),
        ({"DateSent": "yesterday"}, 20001),
    ],
)
def test_a_list_request_with_a_wrong_parameter_is_refused(
    desk: Desk, query: dict[str, str], code: int
) -> None:
    assert (400, code) == desk.get(MESSAGES, query).error


def test_filters_of_numbers_must_both_hold(desk: Desk) -> None:
    expected = desk.text()
    desk.text(To=OTHER)
    desk.text(From="+15005550006")
    assert [expected] == desk.get(MESSAGES, {"To": DARLA, "From": SENDER}).sids
    assert 2 == len(desk.get(MESSAGES, {"To": DARLA}).sids)
    assert 2 == len(desk.get(MESSAGES, {"From": SENDER}).sids)


def test_pages_of_a_filtered_list_hold_only_what_was_asked_for(desk: Desk) -> None:
    sids = [desk.text(To=DARLA if n % 2 else OTHER) for n in range(8)]
    pages = page_sids(desk, f"{MESSAGES}?To=%2B12345000000&PageSize=3")
    assert [sids[7:1:-2], sids[1:2]] == pages


def test_a_text_of_a_messaging_service_has_no_sender_to_filter_by_at_first(desk: Desk) -> None:
    """Reconciliation with a service must filter by the recipient only."""
    sid = desk.text(MessagingServiceSid=SERVICE)
    assert [] == desk.get(MESSAGES, {"From": SENDER}).sids
    assert [sid] == desk.get(MESSAGES, {"To": DARLA}).sids
    desk.now = NOON + 1
    assert [sid] == desk.get(MESSAGES, {"From": SENDER}).sids


def test_a_text_that_is_not_sent_yet_has_no_date_of_sending_to_filter_by(desk: Desk) -> None:
    """Twilio does not say; the harder answer keeps callers from relying on it."""
    sid = desk.text()
    query = {"DateSent>": "2023-11-15"}
    assert [] == desk.get(MESSAGES, query).sids
    desk.now = NOON + 2
    assert [sid] == desk.get(MESSAGES, query).sids


SENT_AT = "2023-11-15T12:00:02Z"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("DateSent=2023-11-15", True),
        ("DateSent=2023-11-14", False),
        ("DateSent=2023-11-16", False),
        ("DateSent>=2023-11-15", True),
        ("DateSent>=2023-11-16", False),
        ("DateSent<=2023-11-15", True),
        ("DateSent<=2023-11-14", False),
        ("DateSent%3E=2023-11-15", True),
        ("DateSent%3C=2023-11-14", False),
        ("DateSent%3E%3D=2023-11-16", False),
        ("DateSent%3C%3D=2023-11-15", True),
        ("DateSent=%3E=2023-11-16", False),
        ("DateSent=%3C=2023-11-15", True),
        (f"DateSent={SENT_AT}", True),
        ("DateSent=2023-11-15T00:00:00Z", True),  # so Twilio's libraries write a date
        ("DateSent=2023-11-15T18:00:00Z", True),
        ("DateSent=2023-11-16T00:00:00Z", False),
        (f"DateSent>={SENT_AT}", True),
        ("DateSent>=2023-11-15T12:00:03Z", False),
        (f"DateSent<={SENT_AT}", True),
        ("DateSent<=2023-11-15T12:00:01Z", False),
        ("DateSent>=2023-11-15+11%3A00%3A00.000", True),
        ("DateSent>=Wed%2C+15+Nov+2023+12%3A00%3A03+-0000", False),
        ("DateSent>=2023-11-15&DateSent<=2023-11-14", False),
        ("Status=failed", True),  # texts have no such filter
        ("Colour=red", True),
    ],
)
def test_texts_are_filtered_by_their_date_of_sending(desk: Desk, query: str, found: bool) -> None:  # noqa: FBT001 - one expectation of a table
    sid = desk.text()
    desk.now = NOON + 60
    assert ([sid] if found else []) == desk.ask("GET", f"{MESSAGES}?{query}").sids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("StartTime=2023-11-15", True),
        ("StartTime<=2023-11-15", False),  # before that day, for calls
        ("StartTime<=2023-11-16", True),
        ("StartTime>=2023-11-15", True),
        ("StartTime>=2023-11-16", False),
        ("EndTime=2023-11-15", True),
        ("EndTime>=2023-11-15T12:00:11Z", False),
        ("Status=completed", True),
        ("Status=busy", False),
        ("ParentCallSid=CA" + "0" * 32, False),
        ("To=%2B12345000000&From=%2B19999999999", True),
    ],
)
def test_calls_are_filtered_by_their_times_and_status(desk: Desk, query: str, found: bool) -> None:  # noqa: FBT001 - as above
    sid = desk.call()
    desk.now = NOON + 60
    assert ([sid] if found else []) == desk.ask("GET", f"{CALLS}?{query}").sids


def test_a_queued_call_has_no_start_time_to_filter_by(desk: Desk) -> None:
    sid = desk.call()
    assert [] == desk.get(CALLS, {"StartTime>": "2023-11-15"}).sids
    assert [sid] == desk.get(CALLS, {"Status": "queued"}).sids


def test_texts_and_calls_and_accounts_are_listed_apart(desk: Desk) -> None:
    text, call = desk.text(), desk.call()
    assert ([text], [call]) == (desk.get(MESSAGES).sids, desk.get(CALLS).sids)
    other = "AC" + "f" * 32
    answer = desk.ask("GET", MESSAGES.replace(ACCOUNT, other), authorized=authorization(other))
    assert [] == answer.sids


def test_a_list_may_lag_behind_what_can_be_fetched(desk: Desk) -> None:
    desk.engine.add_fault(Fault(effect=ListLag(seconds=10)))
    sid = desk.call()
    assert 200 == desk.get(call_path(sid)).status
    desk.now = NOON + 9.9
    assert [] == desk.get(CALLS).sids
    desk.now = NOON + 10
    assert [sid] == desk.get(CALLS).sids


def test_a_list_of_thousands_is_found_by_recipient_without_reading_them_all(desk: Desk) -> None:
    sid = desk.text(To=OTHER)
    for _ in range(2_000):
        desk.text()
    book = desk.engine.store.books[next(iter(desk.engine.store.books))]
    looked_at = list(book.older_than(None, to=OTHER))
    assert [sid] == [resource.sid for resource in looked_at]


def test_every_shown_resource_is_as_fetched(desk: Desk) -> None:
    sid = desk.text()
    desk.now = NOON + 3 * DAY
    shown: Any = desk.get(MESSAGES).json["messages"]
    assert [desk.get(MESSAGES.replace(".json", f"/{sid}.json")).json] == shown


def test_a_turned_age_decides_what_is_shown_however_late_it_is(desk: Desk) -> None:
    """A fetch and a list show the same; what was created in between is no older than the others."""
    old = desk.text()
    desk.now += DAY
    young = desk.text()
    for age, status in ((0.0, "queued"), (1.0, "sending"), (60.0, "delivered")):
        desk.engine.age_seconds = age
        shown = desk.get(MESSAGES).json["messages"]
        assert {old: status, young: status} == {each["sid"]: each["status"] for each in shown}
        assert status == desk.get(message_path(young)).json["status"]
    desk.engine.age_seconds = None
    shown = desk.get(MESSAGES).json["messages"]
    assert {old: "delivered", young: "queued"} == {each["sid"]: each["status"] for each in shown}
