"""What stands before every page: headers, sessions, the protection of forms, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import FAILED
from tests.console.console_steps import (
    CONTENT_SECURITY_POLICY,
    HOST,
    NAME,
    PASSWORD,
    Desk,
)
from twilio_notifications.console.guard import MOST_BODY_BYTES, local_path

if TYPE_CHECKING:
    from pathlib import Path

FORMS = (f"/requests/{FAILED}/resend", "/pause", "/resume", "/test", "/sign-out")


@pytest.mark.parametrize("path", ["/", "/nope", "/static/console.css", "/sign-in", "/parameters"])
async def test_every_answer_has_the_headers(folder: Path, path: str) -> None:
    async with Desk(folder) as desk:
        headers = (await desk.get(path)).headers
    assert CONTENT_SECURITY_POLICY == headers["content-security-policy"]
    assert "nosniff" == headers["x-content-type-options"]
    assert "DENY" == headers["x-frame-options"]
    assert "same-origin" == headers["referrer-policy"]
    assert "same-origin" == headers["cross-origin-opener-policy"]
    assert ("max-age=300" if "static" in path else "no-store") == headers["cache-control"]
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/requests", "/requests/1", "/test", "/parameters", "/pause"])
async def test_a_browser_that_has_not_signed_in_is_sent_to_the_sign_in(folder: Path, path: str) -> None:
    async with Desk(folder, signs_in=True) as desk:
        answer = await desk.get(f"{path}?a=1")
    assert 303 == answer.status_code
    assert f"/sign-in?next={path.replace('/', '%2F')}%3Fa%3D1" == answer.headers["location"]


@pytest.mark.parametrize("path", FORMS)
async def test_without_a_sign_in_no_form_is_taken(folder: Path, path: str) -> None:
    async with Desk(folder, signs_in=True) as desk:
        assert 401 == (await desk.send(path, page="/sign-in")).status_code


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_without_the_token_of_its_session_is_refused(folder: Path, path: str) -> None:
    async with Desk(folder) as desk, Desk(folder) as other:
        of_another = await other.form_token("/pause")
        await desk.get("/pause")
        for token in ("", "0" * 64, of_another[:-1] + "é", of_another):
            # The keys of both are the same here, and their sessions are not.
            desk.browser.cookies.clear()
            assert 403 == (await desk.post(path, form_token=token)).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_of_another_site_is_refused(folder: Path, headers: dict[str, str]) -> None:
    async with Desk(folder) as desk:
        form = {"form_token": await desk.form_token("/pause"), "hours": "1"}
        refused = await desk.browser.post("/pause", data=form, headers=headers)
        assert 403 == refused.status_code
        taken = await desk.browser.post("/pause", data=form, headers={"origin": f"http://{HOST}"})
        assert 303 == taken.status_code


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8377", "192.0.2.1", "", "[", "127.0.0.1.evil.example"]
)
async def test_without_sign_in_only_names_of_this_machine_are_answered(folder: Path, host: str) -> None:
    async with Desk(folder) as desk:
        assert 421 == (await desk.get("/", host=host)).status_code


@pytest.mark.parametrize("host", ["localhost:8377", "127.0.0.1", "[::1]:8377", "console.localhost"])
async def test_this_machine_has_several_names(folder: Path, host: str) -> None:
    async with Desk(folder) as desk:
        assert 200 == (await desk.get("/", host=host)).status_code


async def test_the_cookie_is_for_the_server_alone(folder: Path) -> None:
    async with Desk(folder) as desk:
        cookie = (await desk.get("/")).headers["set-cookie"]
    assert cookie.startswith("twilio_notifications_console=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_behind_a_certificate_the_cookie_is_never_sent_without_one(folder: Path) -> None:
    async with Desk(
        folder, signs_in=True, public_url="https://alarms.example.com", host="alarms.example.com"
    ) as desk:
        cookie = (await desk.get("/sign-in")).headers["set-cookie"]
        assert cookie.startswith("__Host-twilio_notifications_console=")
        assert "Secure" in cookie.split("; ")
        assert "max-age=31536000" == (await desk.get("/sign-in")).headers["strict-transport-security"]
        assert 303 == (await desk.sign_in()).status_code
        assert 200 == (await desk.get("/")).status_code


async def test_a_cookie_that_was_changed_is_none(folder: Path) -> None:
    async with Desk(folder, signs_in=True) as desk:
        await desk.sign_in()
        (name, value), *_ = desk.browser.cookies.items()
        for wrong in (
            value[:-1] + ("0" if value[-1] != "0" else "1"),
            value.split(".")[0],
            "é",
            "x" * 4000,
            ".",
        ):
            desk.browser.cookies.clear()
            header = f"{name}={wrong}".encode("latin-1")
            answer = await desk.browser.get("/", headers=[(b"cookie", header)])
            assert 303 == answer.status_code


async def test_a_sign_in_ends_after_its_time(folder: Path) -> None:
    async with Desk(folder, signs_in=True) as desk:
        await desk.sign_in()
        await desk.clock.advance(12 * 3600 - 1)
        assert 200 == (await desk.get("/")).status_code
        await desk.clock.advance(1)
        assert 303 == (await desk.get("/")).status_code


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"--x", "multipart/form-data; boundary=x", 415),
        (b"a=" + b"x" * MOST_BODY_BYTES, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(100)), "application/x-www-form-urlencoded", 400),
        (b"a=\xff", "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
    ],
)
async def test_only_small_forms_are_read(folder: Path, body: bytes, kind: str, status: int) -> None:
    async with Desk(folder) as desk:
        answer = await desk.browser.post("/pause", content=body, headers={"content-type": kind})
    assert status == answer.status_code


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused(folder: Path, method: str) -> None:
    async with Desk(folder) as desk:
        answer = await desk.browser.request(method, "/")
    assert answer.status_code in {403, 405, 415}


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/requests/1?reveal=1", "/requests/1?reveal=1"),
        ("/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a b", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_sign_in_leads_to_a_page_of_the_console_only(wanted: str, path: str) -> None:
    assert path == local_path(wanted)


async def test_names_and_passwords_are_in_no_event(folder: Path) -> None:
    async with Desk(folder, signs_in=True) as desk:
        await desk.sign_in(password="wrong")
        await desk.sign_in(name=PASSWORD, password="x")
        await desk.sign_in()
        told = str(desk.events.told)
    assert PASSWORD not in told
    assert "wrong" not in told
    assert NAME in told
