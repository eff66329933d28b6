"""The pages within the process: what they show of a journal, and that hostile content stays text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import (
    FAILED,
    HOSTILE,
    HOSTILE_ONE,
    REJECTED,
    SUCCEEDED,
    UNKNOWN,
    WAITING,
)
from tests.console.console_steps import Desk
from tests.support.engines import in_database
from tests.support.factories import a_rejection
from tests.support.fakes import RecordingEvents
from tests.support.journals import A, B, record, report, store
from tests.support.orders import carried_out, place
from twilio_notifications.core.orders import ResolveOrder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LASTING = 600.0
"""Of a lease, in seconds: as long as any test."""

PAGES = (
    "/",
    "/requests",
    f"/requests/{SUCCEEDED}",
    f"/requests/{HOSTILE_ONE}?reveal=1",
    f"/requests/{REJECTED}",
    f"/requests/{FAILED}/resend",
    "/pause",
    "/test",
    "/parameters",
    "/parameters?all=1",
)


@pytest.fixture
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with Desk(folder) as desk:
        yield desk


@pytest.mark.parametrize("page", PAGES)
async def test_each_page_answers_and_runs_nothing_that_is_not_its_own(desk: Desk, page: str) -> None:
    answer = await desk.get(page)
    assert 200 == answer.status_code
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert 1 == answer.text.count("<script")
    assert [] == re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", answer.text)
    assert [] == desk.events.told


async def test_hostile_names_and_ids_are_shown_as_text(desk: Desk) -> None:
    page = (await desk.get(f"/requests/{HOSTILE_ONE}?reveal=1")).text
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert HOSTILE not in (await desk.get("/requests?reveal=1")).text


async def test_half_of_a_character_in_an_id_is_shown_as_json_writes_it(tmp_path: Path) -> None:
    async with store("sqlite file", tmp_path)() as journal:
        await record(journal, a_rejection(request_id="half \ud800"))
    async with Desk(tmp_path) as desk:
        for page in ("/requests", "/requests/1", "/requests/1?reveal=1"):
            assert "half \\ud800" in (await desk.get(page)).text


async def test_a_hostile_filter_is_shown_as_text(desk: Desk) -> None:
    page = await desk.browser.get("/requests", params={"name": '"><script>alert(3)</script>'})
    assert "<script>alert(3)" not in page.text
    assert "No request is found." in page.text


async def test_the_overview_puts_what_needs_a_person_on_top(desk: Desk) -> None:
    page = (await desk.get("/")).text
    needs = page.index("What needs a person")
    assert needs < page.index(f'href="/requests/{UNKNOWN}"') < page.index("The connector")
    assert needs < page.index(f'href="/requests/{FAILED}"') < page.index("The connector")
    assert "No connector runs on this journal" in page
    assert 3 == page.count("<svg")


@pytest.mark.postgresql
async def test_the_overview_names_the_connectors_that_share_a_journal(
    postgresql_url: str, tmp_path: Path
) -> None:
    members = [
        in_database(postgresql_url, events=RecordingEvents(), member=name, lease_seconds=LASTING)
        for name in ("pod-0", "pod-1")
    ]
    async with members[0], members[1], Desk(tmp_path, toml=f'[journal]\nurl = "{postgresql_url}"') as desk:
        page = (await desk.get("/")).text
    shown = re.findall(r"<dt>Member</dt><dd>(pod-\d)(.*?)</dd>", page)
    assert [("pod-0", ", leads, 1000 attempts at once"), ("pod-1", ", 0 attempts at once")] == shown


async def test_one_connector_alone_is_not_named(desk: Desk) -> None:
    assert "<dt>Member</dt>" not in (await desk.get("/")).text


async def test_the_list_shows_the_newest_request_first(desk: Desk) -> None:
    page = (await desk.get("/requests")).text
    places = [page.index(f'"/requests/{number}"') for number in range(REJECTED, 0, -1)]
    assert sorted(places) == places


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"only": "failed"}, {FAILED, UNKNOWN, REJECTED}),
        ({"only": "unknown"}, {UNKNOWN}),
        ({"phone_number": B}, {FAILED}),
        ({"phone_number": A}, {SUCCEEDED, WAITING}),
        ({"name": "wanda"}, {WAITING}),
        ({"id": HOSTILE}, {HOSTILE_ONE, REJECTED}),
        ({"reason": "Expired"}, {FAILED}),
        ({"channel": "CALL"}, set()),
        ({"state": "WAITING"}, {WAITING, HOSTILE_ONE}),
        ({"since": "2023-11-14T22:13:22"}, {HOSTILE_ONE, REJECTED}),
        ({"before": str(FAILED)}, {SUCCEEDED}),
    ],
)
async def test_the_list_finds(desk: Desk, query: dict[str, str], found: set[int]) -> None:
    page = (await desk.browser.get("/requests", params=query)).text
    assert found == {number for number in range(1, REJECTED + 1) if f'"/requests/{number}"' in page}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "ASLEEP"),
        ("since", "yesterday"),
        ("before", "9" * 5000),
        ("reason", "Because"),
        ("only", "x"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_named_and_left_out(desk: Desk, name: str, value: str) -> None:
    page = await desk.browser.get("/requests", params={name: value})
    assert 200 == page.status_code
    assert f"The filter {name} cannot be" in page.text
    assert f'"/requests/{REJECTED}"' in page.text


async def test_without_sign_in_numbers_and_names_are_masked_unless_asked_for(desk: Desk) -> None:
    assert "Darla" not in (await desk.get(f"/requests/{SUCCEEDED}")).text
    whole = (await desk.get(f"/requests/{SUCCEEDED}?reveal=1")).text
    assert "Darla" in whole
    assert A in whole
    assert "Hello from the edge" in whole


async def test_people_who_have_signed_in_see_names_and_ask_for_the_content(folder: Path) -> None:
    async with Desk(folder, signs_in=True) as desk:
        await desk.sign_in()
        page = (await desk.get(f"/requests/{SUCCEEDED}")).text
        assert "Darla" in page
        assert A in page
        assert "Hello from the edge" not in page


async def test_a_request_has_one_time_line_newest_first_with_failures_in_colour(desk: Desk) -> None:
    page = (await desk.get(f"/requests/{FAILED}")).text
    assert page.index("The status was written: Expired") < page.index("Attempt 1: Twilio refused it")
    assert page.index("Attempt 1: Twilio refused it") < page.index("The request arrived")
    assert '<li class="bad">' in page
    assert '<li class="routine">' in page


@pytest.mark.parametrize(
    ("number", "orders"),
    [
        (SUCCEEDED, {"resend"}),
        (FAILED, {"resend"}),
        (UNKNOWN, {"resend", "resolve"}),
        (WAITING, {"cancel"}),
        (REJECTED, set()),
    ],
)
async def test_a_request_offers_the_orders_that_make_sense(desk: Desk, number: int, orders: set[str]) -> None:
    page = (await desk.get(f"/requests/{number}")).text
    known = ("acknowledge", "cancel", "resend", "resolve")
    assert orders == {name for name in known if f'"/requests/{number}/{name}"' in page}


async def test_what_a_person_has_said_of_a_request_can_be_corrected_until_it_is_acknowledged(
    folder: Path,
) -> None:
    async with store("sqlite file", folder)() as journal, Desk(folder) as desk:
        resolve = f'"/requests/{UNKNOWN}/resolve"'
        await report(journal, [UNKNOWN])
        place(folder / "journal.db", ResolveOrder(request=UNKNOWN, sent=False))
        await carried_out(journal)
        assert resolve in (await desk.get(f"/requests/{UNKNOWN}")).text
        await report(journal, [UNKNOWN])
        assert resolve not in (await desk.get(f"/requests/{UNKNOWN}")).text


@pytest.mark.parametrize(
    "path", ["/nope", "/requests/99", "/requests/99/resend", f"/requests/{10**30}", "/static/../parts.py"]
)
async def test_what_is_not_there_is_said(desk: Desk, path: str) -> None:
    assert 404 == (await desk.get(path)).status_code


async def test_a_journal_that_cannot_be_read_is_said_on_the_page(tmp_path: Path) -> None:
    async with Desk(tmp_path) as desk:
        answer = await desk.get("/")
    assert 503 == answer.status_code
    assert "journal.db" in answer.text


async def test_the_parameters_have_the_documents_display_names_and_patterns(desk: Desk) -> None:
    page = (await desk.get("/parameters")).text
    for name in (
        "Twilio account SID",
        "ARN of Twilio auth token secret",
        "Twilio auth token resource",
        "Default from phone number",
        "Container isolation mode",
    ):
        assert name in page
    assert "version 5" in page
    assert "Twilio account SID (TWILIO_ACCOUNT_SID) is required" in page
    assert "([a-zA-Z0-9\\\\]+/)*" in page
    assert "journal.url" not in page
    assert "sqlite:///journal.db" in page.replace("&#34;", '"')
