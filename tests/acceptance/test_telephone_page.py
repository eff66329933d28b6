"""The page with the telephones in a real browser, with the connector at the other end."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import CALL_TOPIC, RECIPIENT, TEXT_TOPIC, text, until
from tests.acceptance.test_answering import alarm, house, how_it_ended
from tests.simulator.desk import A_CALL, A_TEXT, CALLS, Rest
from tests.support.browser import NARROW, WIDE, Browser
from tests.support.mqtt_peer import Peer
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.acceptance.house import MakeConnector
    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.chromium

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    """Twilio by the clock, with telephones that a person answers."""
    async with Simulator(clock=time.time, random=random.Random(1)) as twilio:  # noqa: S311 - SIDs
        twilio.switch(by_hand=True)
        yield twilio


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with Browser(tmp_path) as browser:
        yield browser


async def create(twilio: Simulator, **form: str) -> str:
    """The SID of a new text, or of a new call where a parameter is one of a call."""
    async with Rest(twilio.base_url) as rest:
        if form.keys() & {"Url", "Twiml"}:
            created = await rest.ask("POST", CALLS, form={**A_CALL, **form})
        else:
            created = await rest.create({**A_TEXT, **form})
    sid: str = created.json["sid"]
    return sid


@pytest.mark.mosquitto
async def test_a_text_appears_without_a_reload_and_its_answer_ends_the_chain(
    broker: Mosquitto, twilio: Simulator, browser: Browser, make_connector: MakeConnector
) -> None:
    await browser.open(twilio.telephone_url)
    await browser.sees("No telephone has got anything yet.")
    async with Peer(broker.url) as peer, make_connector(broker.url, **house()) as connector:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, alarm(message="The freezer thaws"))
        await browser.sees("The freezer thaws\nReply 1 to acknowledge.")
        await browser.click("Answer 1")
        await until(lambda: ["text"] == how_it_ended(peer))
        assert 0 == await connector.terminate()
    await browser.sees("received")
    assert [] == await browser.complaints()


@pytest.mark.mosquitto
async def test_a_call_rings_and_a_person_picks_it_up_and_hangs_up(
    broker: Mosquitto, twilio: Simulator, browser: Browser, make_connector: MakeConnector
) -> None:
    await browser.open(twilio.telephone_url)
    settings = house() | {"status": {"follow_up": "final"}}
    async with Peer(broker.url) as peer, make_connector(broker.url, **settings) as connector:
        await connector.ready()
        await peer.publish(CALL_TOPIC, alarm(voice_message="The freezer thaws"))
        await browser.sees("ringing")
        await browser.click("Pick up")
        await browser.sees("This call takes no keys.")
        await browser.click("Hang up")
        await browser.sees("completed")
        await until(lambda: len(peer.statuses) == 2)
        assert "completed" == peer.statuses[1]["response"]["payload"]["messages"]["message_status"]
        assert 0 == await connector.terminate()


@pytest.mark.mosquitto
async def test_the_next_request_fails_with_the_code_that_a_person_chooses(
    broker: Mosquitto, twilio: Simulator, browser: Browser, make_connector: MakeConnector
) -> None:
    await create(twilio)
    await browser.open(twilio.telephone_url)
    await browser.sees("Hello from the edge")
    await browser.script("document.getElementById('failing').open = true")
    await browser.click("Make it fail")
    await browser.sees(f"The next request to {RECIPIENT}: 21610")
    async with Peer(broker.url) as peer, make_connector(broker.url) as connector:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        await until(lambda: len(peer.statuses) == 1)
        assert "RecipientOptedOut" == peer.statuses[0]["response"]["error"]
        assert 0 == await connector.terminate()


async def test_keys_are_pressed_by_keyboard(twilio: Simulator, browser: Browser) -> None:
    gather = '<Gather action="http://127.0.0.1:9/" numDigits="1"><Say>Press a key</Say></Gather>'
    sid = await create(twilio, Url="", Twiml=f"<Response>{gather}</Response>")
    await browser.open(twilio.telephone_url)
    await browser.sees("ringing")
    assert f"A call rings on {RECIPIENT}." == await browser.script(
        "return document.querySelector('[role=status]').textContent"
    )
    await browser.script("document.querySelector('.entry button').focus()")
    await browser.press(" ")
    await browser.sees("in-progress")
    focused = "return document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    assert "Hang up" == await browser.script(focused), "the focus stays in the call"
    await browser.script("""document.querySelector('[aria-label="Press 5"]').focus()""")
    await browser.press("\n")
    await browser.sees("Keys pressed: 5")
    assert "Press 5" == await browser.script(focused)
    await until(lambda: [sid] == [entry.callback.sid for entry in twilio.callbacks])


async def test_switches_and_search_do_what_they_say(twilio: Simulator, browser: Browser) -> None:
    await create(twilio, Body="The freezer thaws")
    await create(twilio, To="+12345000001", Body="All is well")
    await browser.open(f"{twilio.telephone_url}#%2B12345000000")
    await browser.sees("The freezer thaws")
    await browser.fill("#search", "well")
    await browser.sees("No text and no call of this telephone has these words.")
    await browser.fill("#search", "nothing of the kind")
    await browser.sees("No text and no call has these words.")
    await browser.script("document.querySelector('#on').click()")
    await until(lambda: not twilio.telephone(RECIPIENT).on)
    assert twilio.telephone("+12345000001").on
    await browser.script("document.querySelector('#all-by-hand').click()")
    await until(lambda: not twilio.telephone("+12345000001").by_hand)


async def test_hostile_content_shows_as_text(twilio: Simulator, browser: Browser) -> None:
    say = "&lt;b onmouseover='x'&gt;loud&lt;/b&gt;"
    await create(twilio, Body=HOSTILE, MediaUrl="https://example.com/?<script>")
    await create(twilio, Url="", Twiml=f"<Response><Say>{say}</Say></Response>")
    twilio.receive_text(HOSTILE, sender=RECIPIENT)
    await browser.open(twilio.telephone_url)
    for words in (HOSTILE, "<b onmouseover='x'>loud</b>", "Picture: https://example.com/?<script>"):
        await browser.sees(words)
    assert 0 == await browser.script(
        "return document.querySelectorAll('#list img, #phone img, #phone b').length"
    )
    assert "taken" != await browser.script("return document.title")
    assert [] == await browser.complaints()


async def test_an_address_that_was_written_by_hand_stops_no_page(twilio: Simulator, browser: Browser) -> None:
    await create(twilio)
    await browser.open(f"{twilio.telephone_url}#%")
    await browser.sees("Hello from the edge")
    assert [] == await browser.complaints()


async def test_the_page_goes_on_when_the_simulator_is_back(browser: Browser) -> None:
    first = Simulator(clock=time.time, random=random.Random(1))  # noqa: S311 - SIDs
    async with first:
        url, port = first.telephone_url, int(first.base_url.rpartition(":")[2])
        await browser.open(url)
        await browser.sees("No telephone has got anything yet.")
    await browser.sees("The simulator does not answer.")
    second = Simulator(clock=time.time, random=random.Random(1), port=port)  # noqa: S311 - SIDs
    async with second:
        await create(second)
        await browser.sees("Hello from the edge")


@pytest.mark.npm
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_page_keeps_the_rules_of_accessibility(
    twilio: Simulator, browser: Browser, size: tuple[int, int], *, dark: bool
) -> None:
    await browser.look(dark=dark, size=size)
    await browser.open(twilio.telephone_url)
    await browser.sees("No telephone has got anything yet.")
    assert [] == await browser.violations()
    twilio.fail_next(30003)
    await create(twilio)
    await create(twilio, To="+12345000001")
    gather = '<Gather action="http://127.0.0.1:9/" numDigits="1"><Say>Press a key</Say></Gather>'
    talking = await create(twilio, Url="", Twiml=f"<Response>{gather}</Response>")
    await create(twilio, Url="https://example.com/twiml")
    twilio.receive_text("1", sender=RECIPIENT)
    await until(lambda: rings(twilio, talking))
    twilio.act(talking, "pick-up")
    twilio.fail_next(21610)
    await browser.script("document.getElementById('failing').open = true")
    for words in ("in-progress", "ringing", "undelivered", "The next request to any telephone: 21610"):
        await browser.sees(words)
    assert [] == await browser.violations()


def rings(twilio: Simulator, sid: str) -> bool:
    """Whether the call can be picked up."""
    return any(entry.sid == sid and entry.acts for entry in twilio.telephone(RECIPIENT).entries)
