"""Ways to ask the console within the process: on a real journal, with a clock turned by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import httpx

from tests.support.clock import HandClock
from tests.support.fakes import RecordingEvents
from twilio_notifications import journals
from twilio_notifications.config import ConsoleUser, MqttSettings, load_console
from twilio_notifications.config.in_force import in_force
from twilio_notifications.console.application import Console
from twilio_notifications.console.parts import ConsoleParts
from twilio_notifications.core.password_hash import hash_of
from twilio_notifications.core.policy import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twilio_notifications.core.errors import TransportError

PASSWORD = "correct horse battery staple"
TOKEN = "a long token for programs"
SALT = b"sixteen bytes..!"
CHEAP = 14
HOST = "127.0.0.1:8377"
NAME = "darla"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(slots=True)
class FakeVisitor:
    """The port Visitor without a broker: what was published stands in a list."""

    arrive: Callable[[str, bytes], None]
    published: list[tuple[str, bytes]] = field(default_factory=list)
    failure: TransportError | None = None
    is_connected: bool = False
    address: str = "mqtt://broker:1883"

    async def connect(self) -> None:
        if self.failure is not None:
            raise self.failure
        self.is_connected = True

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.published.append((topic, payload))

    async def close(self) -> None:
        self.is_connected = False


class Desk:
    """A console with its browser: `async with Desk(folder) as desk`."""

    def __init__(
        self,
        folder: Path,
        *,
        signs_in: bool = False,
        host: str = HOST,
        toml: str = "",
        public_url: str | None = None,
        journal: str = "journal.db",
    ) -> None:
        self.config = folder / "console.toml"
        place = f'[journal]\nurl = "sqlite:///{journal}"\n'
        self.config.write_text(f"{toml}\n" if "[journal]" in toml else f"{toml}\n{place}", "utf-8")
        settings = load_console(self.config, {})
        console = replace(settings.console, public_url=public_url)
        if signs_in:
            user = ConsoleUser(name=NAME, password_hash=hash_of(PASSWORD, salt=SALT, cost=CHEAP))
            token = hash_of(TOKEN, salt=SALT, cost=CHEAP)
            console = replace(console, users=(user,), token_hash=token)
        self.clock = HandClock()
        self.events = RecordingEvents()
        self.visitor: FakeVisitor
        self.console = Console(
            ConsoleParts(
                settings=replace(settings, console=console),
                reader=journals.reader(settings.journal),
                desk=journals.desk(settings.journal),
                visitor=self._visitor if isinstance(settings.transport, MqttSettings) else lambda _: None,
                in_force=lambda: in_force(self.config, {}),
                limits=Limits,
                events=self.events,
                now=self.clock.now,
                random_bytes=Bytes(),
                version="0.1.0",
            )
        )
        transport = httpx.ASGITransport(self.console, client=("127.0.0.1", 50000))
        scheme = "http" if public_url is None else "https"
        self.browser = httpx.AsyncClient(transport=transport, base_url=f"{scheme}://{host}")

    def _visitor(self, arrive: Callable[[str, bytes], None]) -> FakeVisitor:
        self.visitor = FakeVisitor(arrive)
        return self.visitor

    async def __aenter__(self) -> Self:
        await self.browser.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.browser.aclose()

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.browser.get(path, headers=headers)

    async def send(self, path: str, *, page: str | None = None, **fields: str) -> httpx.Response:
        """Sends the form of the page, by default the one at the same path."""
        token = await self.form_token(path if page is None else page)
        return await self.post(path, form_token=token, **fields)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Sends a form with these fields alone."""
        return await self.browser.post(path, data=fields)

    async def form_token(self, page: str) -> str:
        return await self.hidden("form_token", page=page)

    async def hidden(self, name: str, *, page: str) -> str:
        """A field of the page's first form that no person fills in."""
        found = re.search(rf'name="{name}" value="([0-9a-f]+)"', (await self.get(page)).text)
        assert found is not None, page
        return found[1]

    async def sign_in(self, name: str = NAME, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return await self.send("/sign-in", name=name, password=password, **fields)


class Bytes:
    """The same random bytes in each run, and none twice."""

    def __init__(self) -> None:
        self._drawn = 0

    def __call__(self, number: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(number, "big")
