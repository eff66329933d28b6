"""Ways to ask the simulator: a desk without a network, its clock turned by hand, and a client over HTTP."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from pyreqwest.client import ClientBuilder

from twilio_notifications.simulator.api import KnownCredentials, read_request
from twilio_notifications.simulator.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.simulator.engine import Reply

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
TOKEN = "token"
SERVICE = "MG0123456789abcdef0123456789abcdef"
DARLA = "+12345000000"
SENDER = "+19999999999"
NOON = 1_700_049_600.0  # Wed, 15 Nov 2023 12:00:00 UTC
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"

A_TEXT: Mapping[str, str] = {"To": DARLA, "From": SENDER, "Body": "Hello from the edge"}
A_CALL: Mapping[str, str] = {"To": DARLA, "From": SENDER, "Url": "https://some-public-TwiML"}


def chance() -> random.Random:
    """The same chances, and so the same SIDs, in every run."""
    return random.Random(1)  # noqa: S311 - nothing here is secret


def authorization(user: str = ACCOUNT, token: str = TOKEN) -> str:
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def message_path(sid: str) -> str:
    return f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"


def call_path(sid: str) -> str:
    return f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json"


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came back; `json` is None where the body is empty."""

    status: int
    json: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def error(self) -> tuple[int, int]:
        """The HTTP status and Twilio's code."""
        return self.status, self.json["code"]

    @property
    def sids(self) -> list[str]:
        """The SIDs of a list's page, in its order."""
        return [shown["sid"] for shown in self.json.get("messages", self.json.get("calls"))]


class Desk:
    """The simulator's engine with a clock that stands still until `now` is set."""

    def __init__(self, *, keep: int | None = None, **credentials: Any) -> None:
        self.now = NOON
        self.engine = Engine(
            clock=lambda: self.now,
            random=chance(),
            credentials=KnownCredentials(**credentials),
            latency_seconds=0.0,
            keep=keep,
        )

    def reply(
        self,
        method: str,
        target: str,
        form: Mapping[str, Any] | None = None,
        *,
        authorized: str | None = None,
    ) -> Reply:
        request = read_request(
            method=method,
            target=target,
            authorization=authorization() if authorized is None else authorized,
            body=urlencode(form or {}, doseq=True).encode(),
        )
        reply = self.engine.begin(request)
        self.engine.finish()
        return reply

    def ask(
        self,
        method: str,
        target: str,
        form: Mapping[str, Any] | None = None,
        *,
        authorized: str | None = None,
    ) -> Answer:
        response = self.reply(method, target, form, authorized=authorized).response
        assert response is not None, "no answer"
        return Answer(
            status=response.status,
            json=json.loads(response.body) if response.body else None,
            headers={name.decode(): value.decode() for name, value in response.headers},
        )

    def post(self, target: str, form: Mapping[str, Any]) -> Answer:
        return self.ask("POST", target, form)

    def get(self, target: str, query: Mapping[str, Any] | None = None) -> Answer:
        return self.ask("GET", f"{target}?{urlencode(query or {})}")

    def text(self, **changes: Any) -> str:
        """The SID of a new text."""
        return self._create(MESSAGES, {**A_TEXT, **changes})

    def call(self, **changes: Any) -> str:
        """The SID of a new call."""
        return self._create(CALLS, {**A_CALL, **changes})

    def _create(self, target: str, form: Mapping[str, Any]) -> str:
        created = self.post(target, form)
        assert 201 == created.status, created.json
        sid: str = created.json["sid"]
        return sid


class Rest:
    """The same over HTTP, on one client with kept connections; use as an async context manager."""

    def __init__(self, base_url: str, *, user: str = ACCOUNT, token: str = TOKEN) -> None:
        self._base_url = base_url
        self._authorization = authorization(user, token)
        self._client = ClientBuilder().build()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)

    async def ask(
        self, method: str, target: str, *, form: Mapping[str, str] | None = None, content: Any = None
    ) -> Answer:
        builder = self._client.request(method, self._base_url + target)
        builder = builder.header("authorization", self._authorization)
        if form is not None:
            builder = builder.form(dict(form))
        if content is not None:
            builder = builder.body_json(content)
        response = await builder.build().send()
        body = await response.bytes()
        return Answer(
            status=response.status,
            json=json.loads(bytes(body)) if body else None,
            headers={name.lower(): value for name, value in response.headers.items()},
        )

    async def create(self, form: Mapping[str, str] = A_TEXT) -> Answer:
        return await self.ask("POST", MESSAGES, form=form)
