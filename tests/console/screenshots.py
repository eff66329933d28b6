"""Writes pictures of the console into docs/images: in the light, in the dark, and as on a telephone.

    python -m tests.console.screenshots

The house is that of the browser's tests; its journal has a day of requests from before.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.console.scene import DARLA, OWNER, Scene
from tests.support.browser import NARROW, WIDE
from tests.support.factories import a_failure, a_success
from tests.support.journals import accept, begin, due, end, report, store
from tests.support.needs import ROOT
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.steps import AttemptOutcome

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from twilio_notifications.core.steps import Finish

IMAGES = ROOT / "docs" / "images"
LOOKS = {"light": (False, WIDE), "dark": (True, WIDE), "narrow": (False, NARROW)}
HOUR = 3_600.0
A_DAY = (2, 1, 0, 0, 1, 3, 5, 8, 6, 4, 3, 5, 7, 9, 6, 4, 3, 2, 4, 6, 3, 2, 1)
"""Requests in each of the hours before."""
FAILS_EACH = 17


async def write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "connector" / "journal"
        await asyncio.to_thread(journal.mkdir, parents=True)
        await _live_a_day(journal)
        async with Scene(Path(folder)) as scene:
            await scene.browser.open(scene.url)
            await scene.browser.sees("Password")
            await _show(scene.browser, "sign-in")
            escalated, failed = await _need_a_person(scene)
            await scene.sign_in("/test")
            await _send_a_test(scene)
            await _show(scene.browser, "test")
            for name, path, words in (
                ("overview", "/", "not acknowledged"),
                ("requests", "/requests", "InvalidParameter"),
                ("request", f"/requests/{escalated}", "Escalation, step 1"),
                ("order", f"/requests/{failed}/resend", "Yes, send again"),
                ("parameters", "/parameters", "Twilio account SID"),
            ):
                await scene.browser.open(scene.url + path)
                await scene.browser.sees(words)
                await _show(scene.browser, name)


async def _live_a_day(folder: Path) -> None:
    number, now = 0, time.time()
    async with store("sqlite file", folder)() as journal:
        for ago, requests in zip(range(len(A_DAY), 0, -1), A_DAY, strict=True):
            at = now - ago * HOUR
            for place in range(requests):
                number += 1
                told = {"accepted_at": at, "name": f"Person {number}", "request_id": f"sensor-{number}"}
                await accept(journal, f"+1234510{number:04}", **told)
                await due(journal, at=at + place)
                await begin(journal, number, at=at + place)
                await end(journal, _an_end(number, at=at + place + 1))
                await report(journal, [number], at=at + place + 2)


def _an_end(number: int, *, at: float) -> Finish:
    if number % FAILS_EACH:
        return a_success(number, at=at)
    message = "Twilio error 21610: Attempt to send to unsubscribed recipient"
    return a_failure(
        number, at=at, reason=Reason.RECIPIENT_OPTED_OUT, outcome=AttemptOutcome.REFUSED, message=message
    )


async def _need_a_person(scene: Scene) -> tuple[int, int]:
    """Has things happen that need a person; the numbers of the one that escalates and of one that failed."""
    scene.deliver_to_no_one(OWNER)
    await scene.fail("door-7")
    await scene.be_unknown("pump-2")
    await scene.alarm("freezer-1")
    newest = sum(A_DAY) + 3
    await scene.ask("pump-3", DARLA, name="Darla", message="The pump stands still", priority="urgent")
    return newest, newest - 2


async def _send_a_test(scene: Scene) -> None:
    browser = scene.browser
    await browser.fill("#to", DARLA)
    await browser.fill("#to-name", "Darla")
    await browser.fill("#text", "Hello from the console")
    await browser.click("Publish")
    await browser.sees("arrived on twilio/message/status")


async def _show(browser: Browser, name: str) -> None:
    for look, (dark, size) in LOOKS.items():
        await browser.look(dark=dark, size=size)
        await browser.picture(IMAGES / f"console-{name}-{look}.png")
    await browser.look()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    asyncio.run(write())
