"""Puts the pages together: paths, the guard before them, and what is shown when something fails."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from twilio_notifications.console.doors import LivePage, SignInPage, StaticFiles
from twilio_notifications.console.guard import Guard
from twilio_notifications.console.live import Feed
from twilio_notifications.console.orders import PATHS_OF_ONE, OrderPages
from twilio_notifications.console.overview import OverviewPage
from twilio_notifications.console.parameters import ParametersPage
from twilio_notifications.console.rendering import Pages
from twilio_notifications.console.requests import RequestPages
from twilio_notifications.console.sessions import SessionCookies
from twilio_notifications.console.sign_in import Brake, SignIn
from twilio_notifications.console.trial import TrialPage
from twilio_notifications.core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from twilio_notifications.console.parts import ConsoleParts

KEY_BYTES = 32
NOT_FOUND = 404
FORBIDDEN_METHOD = "This page cannot be asked in this way."


class Console:
    """The whole console as an ASGI application; `running` while it is served."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts
        settings = parts.settings.console
        self._pages = Pages(version=parts.version, signs_in=settings.asks_for_sign_in)
        self._pages.load()
        self._feed = Feed(parts.reader)
        self._trial = TrialPage(parts, self._pages, on_message=self._feed.ring)
        cookies = SessionCookies(
            key=parts.random_bytes(KEY_BYTES),
            lifetime_seconds=settings.session_seconds,
            new_id=lambda: parts.random_bytes(16).hex(),
        )
        sign_in = SignInPage(
            parts,
            self._pages,
            cookies=cookies,
            sign_in=SignIn(settings, random_bytes=parts.random_bytes),
            brake=Brake(),
        )
        routed = Starlette(
            routes=self._routes(sign_in),
            exception_handlers={
                HTTPException: self._not_there,
                JournalError: self._journal_fails,
                Exception: self._fails,
            },
        )
        self._guard = sign_in.guard = Guard(
            routed, settings=settings, cookies=cookies, now=parts.now, events=parts.events
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guard(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks for changes while it is open."""
        looking = asyncio.create_task(self._feed.run(), name="twilio_notifications.console.feed")
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])
            await self._trial.close()

    def end_events(self) -> None:
        """Ends the events of open pages, for which a server that ends would wait."""
        self._feed.close()

    def _routes(self, sign_in: SignInPage) -> list[Route]:
        requests, orders = RequestPages(self._parts, self._pages), OrderPages(self._parts, self._pages)
        pages = {
            "/": OverviewPage(self._parts, self._pages).show,
            "/requests": requests.show_list,
            "/requests/{number:int}": requests.show,
            "/test": self._trial.show,
            "/parameters": ParametersPage(self._parts, self._pages).show,
            "/sign-in": sign_in.ask,
            "/live": LivePage(self._feed).show,
            "/static/{name}": StaticFiles().show,
        }
        of_orders = ["/pause", "/resume", *(f"/requests/{{number:int}}/{name}" for name in PATHS_OF_ONE)]
        return [
            *(Route(path, page) for path, page in pages.items()),
            *(Route(path, orders.ask) for path in of_orders),
            *(Route(path, orders.place, methods=["POST"]) for path in of_orders),
            Route("/test", self._trial.publish, methods=["POST"]),
            Route("/sign-in", sign_in.enter, methods=["POST"]),
            Route("/sign-out", sign_in.leave, methods=["POST"]),
        ]

    async def _not_there(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else NOT_FOUND
        sentence = "There is no such page, or no longer." if status == NOT_FOUND else FORBIDDEN_METHOD
        return self._pages.page(request, "problem", status=status, sentence=sentence)

    async def _journal_fails(self, request: Request, error: Exception) -> Response:
        return self._pages.page(request, "problem", status=503, sentence=str(error))

    async def _fails(self, request: Request, _error: Exception) -> Response:
        sentence = "The console has a defect here; its log has the details."
        return self._pages.page(request, "problem", status=500, sentence=sentence)
