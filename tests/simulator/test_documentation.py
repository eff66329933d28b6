"""docs/simulator.md names everything that can go wrong, and its examples are what the simulator says."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, get_args

import pytest

from tests.support.needs import ROOT
from twilio_notifications.simulator.announcer import CallbackTreatment
from twilio_notifications.simulator.control import CLEARINGS, COMMANDS, QUERIES, control
from twilio_notifications.simulator.deliveries import NUMBERS, DeliveryOrder
from twilio_notifications.simulator.faults import Effect, Fault, Kind
from twilio_notifications.simulator.plans import Plan
from twilio_notifications.simulator.telephone.failing import FailureOrder, How
from twilio_notifications.simulator.telephone.hands import Act, HandOrder
from twilio_notifications.simulator.telephone.showing import TelephoneEntry
from twilio_notifications.simulator.telephone.switches import SwitchOrder

if TYPE_CHECKING:
    import msgspec

    from tests.simulator.desk import Desk

PAGE = (ROOT / "docs" / "simulator.md").read_text()
EXAMPLES = re.findall(r"(/simulator/\w+) -d '(.+?)'\n(\{.+\})\n", PAGE)


@pytest.mark.parametrize("effect", get_args(Effect), ids=lambda effect: effect.__name__)
def test_every_effect_and_its_fields_are_documented(effect: type[msgspec.Struct]) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{effect.__struct_config__.tag}` |"))
    assert set() == {name for name in effect.__struct_fields__ if f"`{name}`" not in row}


def test_every_choice_of_requests_is_documented() -> None:
    names = {*Fault.__struct_fields__, *get_args(Kind)}
    assert set() == {name for name in names - {"effect"} if f"`{name}`" not in PAGE}


def test_every_command_is_documented() -> None:
    assert set() == {name for name in COMMANDS if f"`POST /simulator/{name}`" not in PAGE}


@pytest.mark.parametrize(
    "struct", [Plan, DeliveryOrder, CallbackTreatment, FailureOrder, HandOrder, SwitchOrder]
)
def test_every_field_of_an_order_is_documented(struct: type[msgspec.Struct]) -> None:
    names = set(struct.__struct_fields__) - {"plan"}
    assert set() == {name for name in names if f"`{name}`" not in PAGE}


def test_every_field_of_an_entry_and_every_act_is_documented() -> None:
    names = {*(field.name for field in fields(TelephoneEntry)), *get_args(Act), *How}
    assert set() == {name for name in names if f"`{name}`" not in PAGE}


def test_the_entry_of_the_page_has_the_fields_of_an_entry(desk: Desk) -> None:
    (shown,) = re.findall(r'"entries":\[(\{.+\})\]\}\]\}\n', PAGE)
    desk.call()
    answered = control(desk.engine, method="GET", target="/simulator/telephones", body=b"").body
    (telephone,) = json.loads(answered)["telephones"]
    assert list(json.loads(shown)) == list(telephone["entries"][0])


@pytest.mark.parametrize("number", NUMBERS)
def test_what_becomes_of_each_number_is_documented(number: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{number}` |"))
    _, _, text, call, _ = row.split("|")
    for plan, cell, usual in zip(NUMBERS[number], (text, call), ("delivered", "completed"), strict=True):
        assert f"`{plan.end or usual}`" in cell
        codes = {plan.error_code, plan.document_error} - {None}
        assert set() == {code for code in codes if str(code) not in cell}


def test_every_query_is_documented() -> None:
    assert set() == {name for name in QUERIES if f"`GET /simulator/{name}" not in PAGE}
    assert set() == {name for name in CLEARINGS if f"`DELETE /simulator/{name}`" not in PAGE}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(("target", "content", "expected"), EXAMPLES)
def test_the_examples_are_what_the_simulator_says(
    desk: Desk, target: str, content: str, expected: str
) -> None:
    response = control(desk.engine, method="POST", target=target, body=content.encode())
    assert json.loads(expected) == json.loads(response.body)
