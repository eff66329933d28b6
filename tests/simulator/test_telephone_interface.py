"""The telephones over HTTP: the page, the JSON for it and for programs, and who may ask."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.desk import DARLA, MESSAGES, SENDER
from tests.simulator.test_server import Wire, wire
from tests.support.needs import ROOT
from twilio_notifications.simulator.control import control
from twilio_notifications.simulator.telephone.page import PAGE

if TYPE_CHECKING:
    from tests.simulator.desk import Desk, Rest
    from twilio_notifications.simulator.server import Simulator

FILES = ROOT / "src" / "twilio_notifications" / "simulator" / "telephone"


def ask(desk: Desk, method: str, name: str, content: Any = None) -> tuple[int, Any]:
    body = b"" if content is None else json.dumps(content).encode()
    response = control(desk.engine, method=method, target=f"/simulator/{name}", body=body)
    return response.status, json.loads(response.body)


async def get(connection: Wire, path: str, *, host: str, extra: str = "") -> tuple[bytes, bytes]:
    connection.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode())
    return await connection.answer()


def test_a_call_is_picked_up_by_http(desk: Desk) -> None:
    assert (200, {"number": DARLA, "on": True, "by_hand": True}) == ask(
        desk, "POST", "telephones", {"number": DARLA, "by_hand": True}
    )
    sid = desk.call()
    desk.now += 30
    status, shown = ask(desk, "GET", "telephones?entries=1")
    (telephone,) = shown["telephones"]
    assert (200, True, sid) == (status, telephone["ringing"], telephone["entries"][0]["sid"])
    status, entry = ask(desk, "POST", "acts", {"sid": sid, "act": "pick-up"})
    assert (200, "in-progress", ["hang-up"]) == (status, entry["status"], entry["acts"])


def test_one_telephone_is_asked_for_by_its_number(desk: Desk) -> None:
    desk.text(To="+12345000001")
    sid = desk.text()
    for number in ("%2B12345000000", "+12345000000"):
        _, shown = ask(desk, "GET", f"telephones?number={number}&search=hello")
        assert [[sid]] == [[entry["sid"] for entry in each["entries"]] for each in shown["telephones"]]


def test_failures_are_made_listed_and_withdrawn_by_http(desk: Desk) -> None:
    order = {"code": 21610, "channel": None, "number": None, "times": 1}
    assert (200, {"order": order, "left": 1}) == ask(desk, "POST", "failures", {"code": 21610})
    assert (200, [{"order": order, "left": 1}]) == ask(desk, "GET", "failures")
    assert [{"order": order, "left": 1}] == ask(desk, "GET", "telephones")[1]["failures"]
    assert (200, []) == ask(desk, "DELETE", "failures")
    assert (200, []) == ask(desk, "GET", "failures")


def test_the_known_codes_have_their_meaning(desk: Desk) -> None:
    _, codes = ask(desk, "GET", "codes")
    (found,) = (code for code in codes if code["code"] == 30003)
    assert {"code": 30003, "how": "undelivered"}.items() <= found.items()
    assert "the telephone is off" in found["means"]


@pytest.mark.parametrize(
    ("method", "name", "content", "status", "part"),
    [
        ("GET", "telephones?entries=many", None, 400, "whole number up to 200"),
        ("GET", "telephones?entries=201", None, 400, "whole number up to 200"),
        ("GET", "telephones?entries=" + "9" * 5000, None, 400, "whole number up to 200"),
        ("POST", "telephones", {"of": True}, 400, "unknown field `of`"),
        ("POST", "acts", {"sid": "CA1", "act": "sing"}, 400, "Invalid enum value 'sing'"),
        ("POST", "acts", {"sid": "CA1", "act": "pick-up"}, 409, "There is no message or call CA1"),
        ("POST", "failures", {"code": 1}, 409, "GET /simulator/codes"),
        ("POST", "failures", {"code": 21610, "times": 0}, 400, "times"),
        ("DELETE", "telephones", None, 404, "There is no DELETE /simulator/telephones"),
        ("GET", "telephone/other.js", None, 404, "There is no GET"),
    ],
)
def test_a_wrong_order_is_answered_with_what_is_wrong(
    desk: Desk, method: str, name: str, content: Any, status: int, part: str
) -> None:
    answered, answer = ask(desk, method, name, content)
    assert status == answered
    assert part in answer["message"]


@pytest.mark.parametrize("name", PAGE)
async def test_the_page_comes_with_strict_headers(simulator: Simulator, name: str) -> None:
    async with wire(simulator) as connection:
        head, body = await get(connection, f"/simulator/{name}", host="127.0.0.1")
    lines = head.decode().lower()
    assert lines.startswith("http/1.1 200")
    assert f"content-type: {PAGE[name].content_type.decode()}" in lines
    assert 1 == lines.count("content-type:")
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "nosniff"):
        assert part in lines
    assert (FILES / PAGE[name].name).read_bytes() == body


def test_the_page_loads_only_its_own_files() -> None:
    html = (FILES / "page.html").read_text()
    assert {"#phone", *(set(PAGE) - {"telephone"})} == set(re.findall(r'(?:href|src)="([^"]*)"', html))
    for name in ("page.html", "page.css", "page.js"):
        assert [] == re.findall(r"https?://|@import|url\(", (FILES / name).read_text())


def test_the_page_never_reads_what_came_from_outside_as_html() -> None:
    script = (FILES / "page.js").read_text()
    assert [] == re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "phone.localhost", "[::1]:8080"])
async def test_programs_and_pages_of_this_machine_may_ask(simulator: Simulator, host: str) -> None:
    async with wire(simulator) as connection:
        for extra in ("", f"Origin: http://{host}\r\n"):
            head, _ = await get(connection, "/simulator/telephones", host=host, extra=extra)
            assert head.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8080", "https://evil.example"),
        ("127.0.0.1:8080", "http://127.0.0.1:9090"),
        ("127.0.0.1:8080", "null"),
        ("evil.example", "http://evil.example"),
        ("evil.example", ""),
        ("[", ""),
    ],
)
async def test_pages_of_other_sites_may_not_ask(simulator: Simulator, host: str, origin: str) -> None:
    extra = f"Origin: {origin}\r\n" if origin else ""
    async with wire(simulator) as connection:
        head, _ = await get(connection, "/simulator/telephones", host=host, extra=extra)
    assert head.startswith(b"HTTP/1.1 403 ")


async def test_what_is_done_in_python_is_what_is_done_by_http(simulator: Simulator, rest: Rest) -> None:
    assert simulator.base_url + "/simulator/telephone" == simulator.telephone_url
    simulator.switch(DARLA, on=False, by_hand=True)
    simulator.fail_next(21610, number=DARLA)
    assert (400, 21610) == (await rest.create()).error
    assert 201 == (await rest.create()).status
    simulator.receive_text("1", sender=DARLA)
    shown = (await rest.ask("GET", "/simulator/telephones")).json["telephones"]
    assert [(DARLA, False, True, ["1", "Hello from the edge"])] == [
        (each["number"], each["on"], each["by_hand"], [entry["body"] for entry in each["entries"]])
        for each in shown
    ]
    assert [SENDER] == [
        each["to"] for each in (await rest.ask("GET", MESSAGES + "?From=%2B12345000000")).json["messages"]
    ]
