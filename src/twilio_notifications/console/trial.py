"""The Test page: publishes a request through the configured broker, and shows the statuses that arrive."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse

from twilio_notifications.config import MqttSettings
from twilio_notifications.console.forms import FORM_ID_BYTES, FormsTaken
from twilio_notifications.console.rendering import visit_of
from twilio_notifications.core.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from twilio_notifications.console.parts import ConsoleParts
    from twilio_notifications.console.rendering import Pages
    from twilio_notifications.ports.visiting import Visitor

MOST_MESSAGES = 50
MOST_PAYLOAD_BYTES = 128 * 1024
"""The contract's limit for a request."""
MOST_SHOWN_CHARACTERS = 4_000

NO_BROKER = (
    'Tests go through a broker, and transport.kind is "greengrass": a nucleus takes requests from its '
    "components alone. See docs/how-to/greengrass-v2.md."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A request that the page has published, or a status that has arrived."""

    at: float
    is_ours: bool
    topic: str
    payload: str = field(repr=False)
    word: str
    """`success` or `fail` of a status; "" for anything else."""


class TrialPage:
    """`/test`."""

    def __init__(self, parts: ConsoleParts, pages: Pages, *, on_message: Callable[[], None]) -> None:
        """`on_message` is called when a status has arrived."""
        self._parts = parts
        self._pages = pages
        self._on_message = on_message
        self._messages: deque[ShownMessage] = deque(maxlen=MOST_MESSAGES)
        self._visitor = parts.visitor(self._receive)
        self._taken = FormsTaken()

    async def show(self, request: Request) -> Response:
        problem = None
        if self._visitor is not None:
            try:
                await self._visitor.connect()
            except TransportError as error:
                problem = str(error)
        return self._page(request, problem=problem)

    async def publish(self, request: Request) -> Response:
        form, visitor = visit_of(request).form, self._visitor
        topics = self._parts.settings.transport.topics
        if visitor is None:
            return self._page(request, problem=NO_BROKER, status=400)
        topic = topics.call if form.get("channel") == "call" else topics.text
        payload = form["raw"] if "raw" in form else json.dumps(_request(form), ensure_ascii=False)
        if len(payload.encode()) > MOST_PAYLOAD_BYTES:
            sentence = f"The request has more than {MOST_PAYLOAD_BYTES} bytes, and is not published."
            return self._page(request, problem=sentence, status=400)
        try:
            where = await self._taken.once(
                visit_of(request), lambda: self._publish(visitor, topic=topic, payload=payload)
            )
        except TransportError as error:
            return self._page(request, problem=str(error), status=502)
        return RedirectResponse(where, status_code=303)

    async def _publish(self, visitor: Visitor, *, topic: str, payload: str) -> str:
        """Publishes the request; the address of what comes back."""
        await visitor.connect()
        self._show(topic, payload, is_ours=True)
        await visitor.publish(topic, payload.encode())
        return "/test#messages"

    async def close(self) -> None:
        """Ends the connection to the broker."""
        if self._visitor is not None:
            await self._visitor.close()

    def _page(self, request: Request, *, problem: str | None, status: int = 200) -> Response:
        transport = self._parts.settings.transport
        return self._pages.page(
            request,
            "test",
            status=status,
            form=visit_of(request).form,
            form_ids=[self._parts.random_bytes(FORM_ID_BYTES).hex() for _ in range(2)],
            fresh_id=f"console-{self._parts.random_bytes(4).hex()}",
            problem=NO_BROKER if self._visitor is None else problem,
            address=transport.address if isinstance(transport, MqttSettings) else "",
            topics=transport.topics,
            messages=list(self._messages)[::-1],
        )

    def _receive(self, topic: str, payload: bytes) -> None:
        self._show(topic, payload[: 4 * MOST_SHOWN_CHARACTERS].decode("utf-8", "backslashreplace"))
        self._on_message()

    def _show(self, topic: str, payload: str, *, is_ours: bool = False) -> None:
        self._messages.append(
            ShownMessage(
                at=self._parts.now(),
                is_ours=is_ours,
                topic=topic,
                payload=_pretty(payload)[:MOST_SHOWN_CHARACTERS],
                word="" if is_ours else _word_of(payload),
            )
        )


def _request(form: Mapping[str, str]) -> dict[str, Any]:
    """The published JSON of a form; what is left empty is left out. The connector checks it, as any other."""
    is_call = form.get("channel") == "call"
    content = "voice_message" if is_call and form.get("speaks") == "text" else "voice_message_location"
    recipient = {
        "name": form.get("name", ""),
        "phone_number": form.get("phone_number", ""),
        (content if is_call else "message"): form.get("content", ""),
    }
    request: dict[str, Any] = {"recipient": recipient}
    for name in ("from_number", "priority"):
        if form.get(name):
            request[name] = form[name]
    return {"request": request, "id": form.get("id", "")}


def _pretty(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return payload


def _word_of(payload: str) -> str:
    """`success` or `fail`, where this is a status."""
    try:
        word = json.loads(payload)["response"]["status"]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        return ""
    return word if word in {"success", "fail"} else ""
