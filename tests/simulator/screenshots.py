"""Writes pictures of the page with the telephones into docs/images: in the light, in the dark, and narrow.

    python -m tests.simulator.screenshots

Needs Chromium with its driver.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.simulator.desk import A_TEXT, CALLS, DARLA, NOON, SENDER, Rest, chance
from tests.support.browser import NARROW, WIDE, Browser
from tests.support.needs import ROOT
from twilio_notifications.simulator.server import Simulator

IMAGES = ROOT / "docs" / "images"
LOOKS = {"light": (False, WIDE), "dark": (True, WIDE), "narrow": (False, NARROW)}
DEPUTY = "+12345000001"
ALARM = "The freezer thaws: -3 °C\nReply 1 to acknowledge."
GATHER = (
    '<Gather action="http://127.0.0.1:9/" numDigits="1"><Say>The freezer thaws</Say>'
    "<Say>Press any key to acknowledge.</Say></Gather>"
)


class TurnedByHand:
    """A clock that stands still until `now` is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


async def live(twilio: Simulator, clock: TurnedByHand) -> None:
    """A text that does not arrive, one that is answered, and a call that rings."""
    async with Rest(twilio.base_url) as rest:
        twilio.fail_next(30003, number=DEPUTY)
        await rest.create({**A_TEXT, "To": DEPUTY, "Body": ALARM})
        await rest.create({**A_TEXT, "Body": "Hello from the edge"})
        clock.now += 300
        await rest.create({**A_TEXT, "Body": ALARM})
        clock.now += 60
        twilio.receive_text("I am on my way", sender=DARLA)
        clock.now += 30
        twilio.switch(DARLA, by_hand=True)
        form = {"To": DARLA, "From": SENDER, "Twiml": f"<Response>{GATHER}</Response>"}
        await rest.ask("POST", CALLS, form=form)
        clock.now += 2


async def write() -> None:
    clock = TurnedByHand()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Simulator(clock=clock, random=chance()) as twilio,
            Browser(Path(folder)) as browser,
        ):
            await live(twilio, clock)
            await browser.open(twilio.telephone_url)
            await browser.sees("ringing")
            await asyncio.to_thread(IMAGES.mkdir, exist_ok=True)
            for look, (dark, size) in LOOKS.items():
                await browser.look(dark=dark, size=size)
                # As it is seen: the list of texts is as high as a window allows.
                picture = str(IMAGES / f"telephone-{look}.png")
                await asyncio.to_thread(browser._driver.save_screenshot, picture)


if __name__ == "__main__":
    asyncio.run(write())
