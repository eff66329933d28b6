"""The console in a real browser, next to a running connector: what a person does at three in the morning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from tests.console.conftest import HOSTILE
from tests.console.scene import DARLA, OWNER, REFUSED, Scene
from twilio_notifications.console.live import MOST_OF_ONE_BROWSER

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.chromium, pytest.mark.mosquitto]


async def test_a_person_signs_in_and_is_turned_away_with_a_wrong_password(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await browser.open(f"{scene.url}/requests")
        await browser.fill("#sign-in-name", "darla")
        await browser.fill("#password", "wrong password")
        await browser.click("Sign in")
        await browser.sees("That name or password is wrong.")
        await scene.sign_in("/requests")
        await browser.sees("Sign out")
        await browser.click("Sign out")
        await browser.is_at("/sign-in")
        await browser.open(f"{scene.url}/requests")
        await browser.is_at("/sign-in")


async def test_a_test_text_is_sent_and_its_status_comes_without_a_reload(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await scene.sign_in("/test")
        await browser.fill("#to", DARLA)
        await browser.fill("#to-name", "Darla")
        await browser.fill("#text", "Hello from the console")
        await browser.click("Publish")
        await browser.sees("published on twilio/txt")
        await browser.sees("arrived on twilio/message/status")
        await browser.sees('"message_status": "queued"')
        assert ["Hello from the console"] == [entry.body for entry in scene.twilio.ledger]
        assert [] == await browser.complaints()


async def test_an_open_page_shows_a_request_that_arrives_later(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.sign_in("/requests")
        await scene.browser.sees("No request is found.")
        await scene.browser.sees("live")
        await scene.ask("later", OWNER, name="Later Larry")
        await scene.browser.sees("Later Larry")


async def test_many_pages_may_be_open_at_once(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.sign_in("/requests")
        for _ in range(MOST_OF_ONE_BROWSER + 4):
            await scene.browser.open_next_to_it(f"{scene.url}/requests")
            await scene.browser.is_at("/requests")
        await scene.ask("later", OWNER, name="Later Larry")
        await scene.browser.sees("Later Larry")


async def test_a_failed_request_is_sent_again(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await scene.fail("fails")
        await scene.sign_in()
        await browser.sees("InvalidParameter")
        await browser.click("1")
        await browser.click("Send again")
        await browser.sees("Send request 1 again?")
        assert [] == [entry for entry in scene.twilio.ledger if entry.to == REFUSED]
        await browser.click("Yes, send again")
        await browser.is_at("/requests/1")
        await browser.sees("was carried out")
        await browser.sees("darla ordered: resend")
        await browser.click("request 2")
        await browser.is_at("/requests/2")
        await browser.sees("Sent again from request 1")
        assert [REFUSED] == [entry.to for entry in scene.twilio.ledger]


async def test_a_doubtful_request_is_resolved(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await scene.be_unknown("lost")
        await scene.sign_in("/requests/1")
        await browser.sees("OutcomeUnknown")
        await browser.click("Resolve")
        await browser.choose("yes, it was sent")
        await browser.click("Resolve")
        await browser.is_at("/requests/1")
        await browser.sees("was carried out")
        await browser.sees("The status was written: success")


async def test_an_escalation_is_acknowledged(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        scene.deliver_to_no_one(OWNER)
        await scene.alarm("thaw")
        await scene.sign_in()
        await browser.sees("not acknowledged")
        await browser.open(f"{scene.url}/requests/1")
        await browser.sees("Escalation, step 1")
        await browser.click("Acknowledge")
        await browser.click("Yes, acknowledge")
        await browser.sees("darla has acknowledged")
        while "acknowledged" not in str(scene.peer.statuses):
            await scene.peer.next_message()


async def test_a_test_alarm_reaches_the_telephone_and_its_answer_ends_the_escalation(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await scene.sign_in("/test")
        alarm = {"recipient": {"contact": "darla", "message": "The freezer thaws"}, "escalation": "freezer"}
        await browser.fill("#raw", json.dumps({"request": alarm, "id": "thaw"}))
        await browser.script("document.querySelector('[aria-labelledby=by-json] button').click()")
        await browser.sees("arrived on twilio/message/status")
        await browser.open(scene.twilio.telephone_url)
        await browser.sees("The freezer thaws\nReply 1 to acknowledge.")
        await browser.click("Answer 1")
        await browser.open(f"{scene.url}/requests/1")
        await browser.sees("Darla has acknowledged")


async def test_sending_is_paused_and_goes_on(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await scene.sign_in()
        await browser.click("Pause sending")
        await browser.click("Yes, pause")
        await browser.sees("operator_pause")
        await scene.ask("waits", OWNER)
        await browser.open(f"{scene.url}/requests")
        await browser.sees("waits")
        await browser.open(f"{scene.url}/resume")
        await browser.click("Yes, resume")
        await browser.sees("was carried out")
        while not scene.peer.statuses:
            await scene.peer.next_message()
        assert "success" == scene.peer.statuses[0]["response"]["status"]


async def test_hostile_content_is_shown_as_text_and_runs_nothing(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await scene.sign_in("/test")
        await browser.sees("live")
        await scene.ask_and_wait(HOSTILE, OWNER, name=HOSTILE, message=HOSTILE)
        await browser.sees("<script>alert(1)</script>")
        for page in ("/", "/requests", "/requests/1?reveal=1", "/requests/1/resend"):
            await browser.open(scene.url + page)
            assert [] == await browser.complaints()
        await browser.open(f"{scene.url}/requests/1?reveal=1")
        assert 3 <= (await browser.text()).count("<script>alert(1)</script>")
        assert 0 == await browser.script("return document.querySelectorAll('main script, main img').length")


async def test_the_pages_are_used_by_keyboard_alone(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        await scene.fail("fails")
        await browser.open(scene.url)
        await browser.sees("Password")
        await browser.press(Keys.TAB)
        await browser.press(Keys.ENTER)  # skips to the content
        await browser.press(Keys.TAB, "darla", Keys.TAB, "correct horse battery staple", Keys.ENTER)
        await browser.is_at("/")
        await browser.press(Keys.TAB, Keys.ENTER, Keys.TAB)
        focused = "return document.activeElement.textContent"
        assert "1" == await browser.script(focused)
        await browser.press(Keys.ENTER)
        await browser.is_at("/requests/1")


@pytest.mark.npm
async def test_axe_finds_nothing_wrong_with_any_page_in_the_light_and_in_the_dark(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        browser = scene.browser
        scene.deliver_to_no_one(OWNER)
        await scene.alarm("thaw")
        await scene.fail("fails")
        await scene.be_unknown("lost")
        await browser.open(scene.url)
        await browser.sees("Password")
        found = [f"sign-in: {line}" for line in await browser.violations()]
        await scene.sign_in("/test")
        for page in PAGES:
            await browser.open(scene.url + page)
            for dark in (False, True):
                await browser.look(dark=dark)
                found += [f"{page}, dark: {dark}: {line}" for line in await browser.violations()]
        assert [] == found


@pytest.mark.npm
async def test_axe_does_find_what_is_wrong(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        await scene.browser.open(scene.url)
        await scene.browser.script("document.querySelector('label').remove()")
        assert "label" in str(await scene.browser.violations())


PAGES = (
    "/",
    "/requests",
    "/requests?reason=Expired&state=x",
    "/requests/1",
    "/requests/1?reveal=1",
    "/requests/1/acknowledge",
    "/requests/3/resolve",
    "/requests/2/resend",
    "/pause",
    "/test",
    "/parameters",
    "/parameters?all=1",
    "/nope",
)
