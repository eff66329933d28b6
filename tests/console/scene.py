"""The whole house for the browser: broker, simulated Twilio, connector, and the console with sign-in."""

from __future__ import annotations

import json
import random
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

from tests.support.browser import Browser
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.process import Connector, LoggingProgram, configuration, environment
from twilio_notifications.core.password_hash import hash_of
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.deliveries import DeliveryOrder
from twilio_notifications.simulator.faults import Fault
from twilio_notifications.simulator.plans import Plan
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.process import Section

NAME, PASSWORD = "darla", "correct horse battery staple"
OWNER, REFUSED, LOST, WAITS = "+12345000001", "+12345000002", "+12345000003", "+12345000004"
DARLA = "+12345000000"
SENDER = "+15005550006"
LONG = 600.0
TOPIC = "twilio/txt"


class Scene:
    """`async with Scene(folder) as scene:` is running, with a browser that has not signed in yet."""

    def __init__(self, folder: Path, *, dark: bool = False) -> None:
        self._folder = folder
        self._dark = dark
        self._stack = AsyncExitStack()
        self.browser: Browser
        self.twilio: Simulator
        self.peer: Peer
        self.url = ""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            broker = stack.enter_context(Mosquitto(self._folder / "broker"))
            chance = random.Random(1)  # noqa: S311 - SIDs
            self.twilio = await stack.enter_async_context(Simulator(clock=time.time, random=chance))
            settings = configuration(broker_url=broker.url, twilio_url=self.twilio.base_url, **_sections())
            connector = Connector(self._folder / "connector", settings)
            await (await stack.enter_async_context(connector)).ready()
            console = LoggingProgram("console", "--config", str(connector.config), environ=environment())
            await stack.enter_async_context(console)
            self.url = str((await console.wait_for_event("console_ready"))["address"])
            self.peer = await stack.enter_async_context(Peer(broker.url))
            self.browser = await stack.enter_async_context(Browser(self._folder, dark=self._dark))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def sign_in(self, path: str = "/") -> None:
        """Opens a page, and signs in on the way to it."""
        await self.browser.open(self.url + path)
        await self.browser.fill("#sign-in-name", NAME)
        await self.browser.fill("#password", PASSWORD)
        await self.browser.click("Sign in")
        await self.browser.is_at(path)

    async def ask(self, request_id: str, to: str, message: str = "It thaws", **more: Any) -> None:
        """Publishes a text, as a sensor does."""
        recipient = {"name": more.pop("name", "Owner"), "phone_number": to, "message": message}
        request = {"recipient": recipient, "from_number": SENDER, **more}
        await self.peer.publish(TOPIC, json.dumps({"request": request, "id": request_id}))

    async def ask_and_wait(self, request_id: str, to: str, **more: Any) -> str:
        """As `ask`; returns the word of its first status."""
        await self.ask(request_id, to, **more)
        while request_id not in (answered := {status["id"]: status for status in self.peer.statuses}):
            await self.peer.next_message()
        return str(answered[request_id]["response"]["status"])

    async def fail(self, request_id: str, *, times: int = 1) -> None:
        """Has Twilio refuse a text to REFUSED."""
        self.strike(
            REFUSED, faults.RefusedRequest(code=21211, message="Invalid 'To' Phone Number"), times=times
        )
        assert "fail" == await self.ask_and_wait(request_id, REFUSED, name="Fred")

    async def be_unknown(self, request_id: str) -> None:
        """Has a text to LOST end with OutcomeUnknown: its answer is lost, and Twilio's lists fail."""
        self.strike(LOST, faults.AnswerLost())
        self.strike(LOST, faults.ServerError(status=503), on="lists", times=None)
        assert "fail" == await self.ask_and_wait(request_id, LOST, name="Lena", valid_for_seconds=1)

    async def alarm(self, request_id: str) -> None:
        """Begins an escalation, which waits for a person."""
        assert "success" == await self.ask_and_wait(request_id, OWNER, escalation="freezer")

    def strike(
        self, to: str, effect: faults.Effect, *, on: faults.Kind = "creates", times: int | None = 1
    ) -> None:
        self.twilio.add_fault(Fault(effect=effect, on=on, to=to, times=times))

    def deliver_to_no_one(self, to: str) -> None:
        """Has Twilio report that texts to this number did not arrive, at once."""
        plan = Plan(end="undelivered", error_code=30003, speed=1000.0)
        self.twilio.add_delivery(DeliveryOrder(plan=plan, to=to))


def _sections() -> dict[str, Section]:
    salt = b"sixteen bytes..!"
    steps = [
        {"after_seconds": LONG, "channel": "call", "contacts": ["darla"], "voice_message": "{message}"},
        {"after_seconds": 2 * LONG, "channel": "text", "contacts": ["deputy"]},
    ]
    return {
        "journal": {"url": "sqlite:///journal/journal.db"},
        "tracking": {"inbound_seconds": 0.1, "requests_per_minute": 6000, "poll_initial_seconds": 0.1},
        "limits": {"texts_per_hour": 500},
        "contacts.darla": {"name": "Darla", "phone_number": DARLA},
        "contacts.deputy": {"name": "Deputy", "phone_number": "+12345000009"},
        "escalations.freezer": {"steps": steps, "wait_seconds": LONG},
        "console": {
            "listen": "127.0.0.1:0",
            "users": [{"name": NAME, "password_hash": str(hash_of(PASSWORD, salt=salt, cost=14))}],
        },
    }
