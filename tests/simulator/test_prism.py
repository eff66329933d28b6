"""Twilio's own description of its API, as a referee: requests and answers both have the form it allows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

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
    Answer,
    Rest,
    call_path,
    chance,
    message_path,
)
from tests.simulator.prism import prism
from twilio_notifications.simulator.deliveries import DeliveryOrder
from twilio_notifications.simulator.faults import Ends, Fault
from twilio_notifications.simulator.plans import Plan
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# One prism serves all tests of a process: it takes two seconds to start. Installing it may take a minute.
pytestmark = [pytest.mark.prism, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(420)]

A_SCHEDULED_TEXT = {
    "To": DARLA,
    "Body": "Hello",
    "MessagingServiceSid": SERVICE,
    "ScheduleType": "fixed",
    "SendAt": (datetime.fromtimestamp(NOON, UTC) + timedelta(hours=1)).isoformat(),
}


@dataclass(slots=True, kw_only=True)
class Referee:
    """Asks through prism; an answer comes back only if prism had nothing against it."""

    simulator: Simulator
    rest: Rest
    clock: list[float] = field(repr=False)

    async def ask(self, method: str, target: str, form: dict[str, str] | None = None) -> Answer:
        answer = await self.rest.ask(method, target, form=form)
        breaches = [
            violation
            for violation in json.loads(answer.headers.get("sl-violations", "[]"))
            # the description has no error answers, of which prism warns
            if violation["severity"] != "Warning"
        ]
        assert [] == breaches
        assert "application/problem+json" != answer.headers.get("content-type"), answer.json
        return answer

    async def ages(self, target: str) -> list[str]:
        """The statuses that the resource goes through, each looked at."""
        created, seen = self.clock[0], []
        for age in (0, 1, 2, 3, 4, 5, 6, 10, 100):
            self.clock[0] = created + age
            seen.append((await self.ask("GET", target)).json["status"])
        return list(dict.fromkeys(seen))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def referee(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Referee]:
    clock = [NOON]
    async with (
        Simulator(clock=lambda: clock[0], random=chance()) as simulator,
        prism(simulator.base_url, tmp_path_factory.mktemp("prism")) as url,
        Rest(url) as rest,
    ):
        yield Referee(simulator=simulator, rest=rest, clock=clock)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (A_TEXT, ["queued", "sending", "sent", "delivered"]),
        (
            {"To": DARLA, "Body": "Grüße 😀", "MessagingServiceSid": SERVICE},
            ["accepted", "queued", "sending", "sent", "delivered"],
        ),
        ({**A_TEXT, "MediaUrl": "https://example.com/1.png"}, ["queued", "sending", "sent", "delivered"]),
    ],
)
async def test_a_text_has_twilios_form_at_every_age(
    referee: Referee, form: dict[str, str], expected: list[str]
) -> None:
    created = await referee.ask("POST", MESSAGES, form)
    assert 201 == created.status
    assert expected == await referee.ages(message_path(created.json["sid"]))


async def test_a_scheduled_text_has_twilios_form(referee: Referee) -> None:
    referee.clock[0] = NOON
    created = await referee.ask("POST", MESSAGES, A_SCHEDULED_TEXT)
    assert (201, "scheduled") == (created.status, created.json["status"])


async def test_a_text_that_fails_has_twilios_form(referee: Referee) -> None:
    effect = Ends(status="undelivered", error_code=30003, error_message="Unreachable destination handset")
    referee.simulator.add_fault(Fault(effect=effect))
    created = await referee.ask("POST", MESSAGES, dict(A_TEXT))
    referee.simulator.clear_faults()
    assert "undelivered" in await referee.ages(message_path(created.json["sid"]))


@pytest.mark.parametrize("content", ["Url", "Twiml"])
async def test_a_call_has_twilios_form_at_every_age(referee: Referee, content: str) -> None:
    form = {"To": DARLA, "From": SENDER, content: A_CALL["Url"] if content == "Url" else "<Response/>"}
    created = await referee.ask("POST", CALLS, form)
    assert 201 == created.status
    expected = ["queued", "ringing", "in-progress", "completed"]
    assert expected == await referee.ages(call_path(created.json["sid"]))


@pytest.mark.parametrize("found", ["human", "machine"])
async def test_a_call_with_machine_detection_has_twilios_form(referee: Referee, found: str) -> None:
    order = DeliveryOrder(plan=Plan(answered_by=found), times=1)  # type: ignore[arg-type]
    referee.simulator.add_delivery(order)
    created = await referee.ask("POST", CALLS, {**A_CALL, "MachineDetection": "Enable"})
    await referee.ages(call_path(created.json["sid"]))
    assert found == (await referee.ask("GET", call_path(created.json["sid"]))).json["answered_by"]


async def test_what_comes_from_outside_has_twilios_form(referee: Referee) -> None:
    text = referee.simulator.receive_text("1", sender=DARLA, to=SENDER, account_sid=ACCOUNT)
    call = referee.simulator.receive_call(sender=DARLA, to=SENDER, account_sid=ACCOUNT)
    for target in (message_path(text), call_path(call)):
        assert "inbound" == (await referee.ask("GET", target)).json["direction"]


@pytest.mark.parametrize("target", [MESSAGES, CALLS])
async def test_every_page_of_a_list_has_twilios_form(referee: Referee, target: str) -> None:
    for _ in range(3):
        await referee.ask("POST", target, dict(A_TEXT if target == MESSAGES else A_CALL))
    page, pages = f"{target}?PageSize=2", 0
    while page:
        answer = await referee.ask("GET", page)
        assert 200 == answer.status
        pages, page = pages + 1, answer.json["next_page_uri"]
    assert pages >= 2
    assert 200 == (await referee.ask("GET", answer.json["previous_page_uri"])).status


@pytest.mark.parametrize(
    "target",
    [
        f"{MESSAGES}?To=%2B12345000000&From=%2B19999999999&PageSize=1000",
        f"{MESSAGES}?DateSent=2023-11-15T00:00:00Z",
        f"{MESSAGES}?DateSent%3E=2023-11-15T00:00:00Z&DateSent%3C=2023-11-16T00:00:00Z",
        f"{CALLS}?To=%2B12345000000&Status=completed",
        f"{CALLS}?StartTime%3E=2023-11-15T00:00:00Z&EndTime%3C=2023-11-16T00:00:00Z",
    ],
)
async def test_a_filtered_list_has_twilios_form(referee: Referee, target: str) -> None:
    assert 200 == (await referee.ask("GET", target)).status


async def test_updating_and_deleting_have_twilios_form(referee: Referee) -> None:
    referee.clock[0] = NOON
    text = message_path((await referee.ask("POST", MESSAGES, A_SCHEDULED_TEXT)).json["sid"])
    call = call_path((await referee.ask("POST", CALLS, dict(A_CALL))).json["sid"])
    assert "canceled" == (await referee.ask("POST", text, {"Status": "canceled"})).json["status"]
    assert "canceled" == (await referee.ask("POST", call, {"Status": "completed"})).json["status"]
    assert "" == (await referee.ask("POST", text, {"Body": ""})).json["body"]
    for target in (text, call):
        assert 204 == (await referee.ask("DELETE", target)).status
        assert 404 == (await referee.ask("GET", target)).status


async def test_the_account_has_twilios_form(referee: Referee) -> None:
    assert 200 == (await referee.ask("GET", f"/2010-04-01/Accounts/{ACCOUNT}.json")).status


@pytest.mark.parametrize(
    ("target", "form", "error"),
    [
        (MESSAGES, {**A_TEXT, "To": "+15005550001"}, (400, 21211)),
        (MESSAGES, {**A_TEXT, "Body": "x" * 1_601}, (400, 21617)),
        (MESSAGES, {"To": DARLA, "Body": "Hello"}, (400, 21603)),
        (CALLS, {**A_CALL, "From": "+15005550001"}, (400, 21212)),
        (CALLS, {"To": DARLA, "From": SENDER}, (400, 21205)),
    ],
)
async def test_a_refusal_passes_the_referee(
    referee: Referee, target: str, form: dict[str, str], error: tuple[int, int]
) -> None:
    assert error == (await referee.ask("POST", target, form)).error


@pytest.mark.parametrize("form", [{"Body": "Hello"}, {"To": DARLA, "MessagingServiceSid": "MG1"}])
async def test_the_referee_is_awake(referee: Referee, form: dict[str, str]) -> None:
    """Otherwise its silence above would mean nothing."""
    answer: Any = await referee.rest.ask("POST", MESSAGES, form=form)
    assert (422, "application/problem+json") == (answer.status, answer.headers["content-type"])
