"""Signing in and out, the feed of changes, and the files that pages need."""

from __future__ import annotations

import math
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from twilio_notifications.console.guard import local_path
from twilio_notifications.console.rendering import visit_of
from twilio_notifications.core.wording import counted
from twilio_notifications.ports.events import ConsoleSignedIn, ConsoleSignInRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from twilio_notifications.console.guard import Guard
    from twilio_notifications.console.live import Feed
    from twilio_notifications.console.parts import ConsoleParts
    from twilio_notifications.console.rendering import Pages
    from twilio_notifications.console.sessions import SessionCookies
    from twilio_notifications.console.sign_in import Brake, SignIn

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class SignInPage:
    """`/sign-in` and `/sign-out`."""

    def __init__(
        self, parts: ConsoleParts, pages: Pages, *, cookies: SessionCookies, sign_in: SignIn, brake: Brake
    ) -> None:
        self._parts = parts
        self._pages = pages
        self._cookies = cookies
        self._sign_in = sign_in
        self._brake = brake
        self.guard: Guard
        """Writes the cookie; it is made after the pages."""

    async def ask(self, request: Request) -> Response:
        return self._page(request, problem=None, wanted=request.query_params.get("next", "/"))

    async def enter(self, request: Request) -> Response:
        visit, now = visit_of(request), self._parts.now()
        name, password = visit.form.get("name", "").strip(), visit.form.get("password", "")
        client = request.client.host if request.client is not None else "unknown"
        wanted = visit.form.get("next", "/")
        pause = self._brake.pause(name, client, now=now)
        if pause > 0:
            self._parts.events.tell(ConsoleSignInRefused(client=client))
            seconds = math.ceil(pause)
            problem = f"Too many wrong tries: try again in {counted(seconds, 'second')}."
            return self._page(request, problem=problem, wanted=wanted, retry_after=seconds)
        # Counted before it is known, so that many tries at once are not all looked at.
        self._brake.fail(name, client, now=now)
        person = await self._sign_in.person(name, password)
        if person is None:
            self._parts.events.tell(ConsoleSignInRefused(client=client))
            problem = "That name or password is wrong." if name else "That token is wrong."
            return self._page(request, problem=problem, wanted=wanted)
        self._brake.succeed(name, client)
        self._parts.events.tell(ConsoleSignedIn(person=person, client=client))
        self._cookies.end(visit.session, now=now)
        session = self._cookies.begin(person, now=now)
        headers = {"set-cookie": self.guard.set_cookie(session)}
        return RedirectResponse(local_path(wanted), status_code=303, headers=headers)

    async def leave(self, request: Request) -> Response:
        now = self._parts.now()
        self._cookies.end(visit_of(request).session, now=now)
        headers = {"set-cookie": self.guard.set_cookie(self._cookies.begin(None, now=now))}
        return RedirectResponse("/sign-in", status_code=303, headers=headers)

    def _page(self, request: Request, *, problem: str | None, wanted: str, retry_after: int = 0) -> Response:
        status = 200 if problem is None else 429 if retry_after else 403
        response = self._pages.page(
            request,
            "sign_in",
            status=status,
            problem=problem,
            wanted=local_path(wanted),
            by_name=self._sign_in.by_name,
            by_token=self._sign_in.by_token,
        )
        if retry_after:
            response.headers["retry-after"] = str(retry_after)
        return response


class LivePage:
    """`/live`."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def show(self, request: Request) -> Response:
        if self._feed.is_full:
            return PlainTextResponse("Too many pages are open.", status_code=503)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        events = self._feed.events(visit_of(request).session.id)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)


class StaticFiles:
    """`/static/NAME`: a few files, read at the start."""

    def __init__(self) -> None:
        folder = files("twilio_notifications.console") / "static"
        self._contents = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}

    async def show(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._contents.get(name)
        if content is None:
            return PlainTextResponse("There is no such file.", status_code=404)
        kind = _KINDS[name.rpartition(".")[2]]
        return Response(content, media_type=kind, headers={"cache-control": "max-age=300"})
