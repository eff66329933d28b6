"""What stands before every page: bounds, headers, the session, the sign-in and the protection of forms."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse

from twilio_notifications.config.urls import is_loopback_host
from twilio_notifications.console.rendering import Visit
from twilio_notifications.ports.events import Defect

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from twilio_notifications.config import ConsoleSettings
    from twilio_notifications.console.sessions import ConsoleSession, SessionCookies
    from twilio_notifications.ports import Events

MOST_BODY_BYTES = 512 * 1024
"""A raw request of the Test page has at most 128 KiB, of which a form may make three times as many."""
MOST_FIELDS = 50
BODY_SECONDS = 10.0
COOKIE = "twilio_notifications_console"
SIGN_IN = "/sign-in"
STATIC = "/static/"
LIVE = "/live"

_FORM = "application/x-www-form-urlencoded"
_READING = frozenset({"GET", "HEAD"})

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """Lets a request pass to the pages, with its Visit; refuses it; or sends the browser to the sign-in."""

    def __init__(
        self,
        pages: ASGIApp,
        *,
        settings: ConsoleSettings,
        cookies: SessionCookies,
        now: Callable[[], float],
        events: Events,
    ) -> None:
        self._pages = pages
        self._settings = settings
        self._cookies = cookies
        self._now = now
        self._events = events
        self._is_secure = (settings.public_url or "").startswith("https:")
        self._cookie = f"__Host-{COOKIE}" if self._is_secure else COOKIE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request, answer = Request(scope, receive), self._with_headers(scope, send)
        refusal = self._refusal(request)
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        now = self._now()
        known = self._cookies.read(request.cookies.get(self._cookie, ""), now=now)
        session = known or self._cookies.begin(None, now=now)
        form, problem = await _form(request) if request.method not in _READING else ({}, None)
        visit = Visit(
            session=session, form_token=self._cookies.form_token(session), form=form, is_new=known is None
        )
        scope.setdefault("state", {})["visit"] = visit
        stop = problem or self._stop(request, visit)
        try:
            await (stop or self._pages)(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - a defect; the answer is already sent or broken off
            self._events.tell(Defect(name="console_failed", error=error))

    def set_cookie(self, session: ConsoleSession) -> str:
        """The header that gives a browser the cookie of this session."""
        secure = "; Secure" if self._is_secure else ""
        age = int(self._settings.session_seconds)
        value = self._cookies.write(session)
        return f"{self._cookie}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"

    def _refusal(self, request: Request) -> PlainTextResponse | None:
        """The answer to what no page of ours sends."""
        host = request.headers.get("host", "")
        if not self._settings.asks_for_sign_in and not is_loopback_host(_hostname(host)):
            # A site of someone else whose name leads to this machine could read the pages otherwise.
            return PlainTextResponse("Open the console by 127.0.0.1 or localhost.", status_code=421)
        if request.method in _READING:
            return None
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
        wanted = {f"http://{host}", f"https://{host}", self._settings.public_url}
        if site not in {"same-origin", "none"} or (origin is not None and origin not in wanted):
            return PlainTextResponse("This form is not of the console.", status_code=403)
        return None

    def _stop(self, request: Request, visit: Visit) -> PlainTextResponse | RedirectResponse | None:
        """What a browser gets instead of the page; None: the page."""
        path = request.url.path
        if path.startswith(STATIC):
            return None
        is_out = self._settings.asks_for_sign_in and visit.session.person is None and path != SIGN_IN
        if is_out and (path == LIVE or request.method not in _READING):
            return PlainTextResponse("Sign in first.", status_code=401)
        if is_out:
            wanted = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(wanted, safe='')}", status_code=303)
        is_ours = self._cookies.is_form_token(visit.session, visit.form.get("form_token", ""))
        if request.method not in _READING and not is_ours:
            sentence = "This form is too old, or not of the console: open the page again and repeat it."
            return PlainTextResponse(sentence, status_code=403)
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        """`send`, which adds the headers of every answer, and the cookie of a new session."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if self._is_secure:
                    headers["strict-transport-security"] = "max-age=31536000"
                headers.setdefault("cache-control", "no-store")
                visit = scope.get("state", {}).get("visit")
                is_page = not scope["path"].startswith(STATIC) and scope["path"] != LIVE
                if visit is not None and visit.is_new and is_page and "set-cookie" not in headers:
                    headers.append("set-cookie", self.set_cookie(visit.session))
            await send(message)

        return with_headers


def local_path(wanted: str) -> str:
    """The path of a page of ours that a form or an address asks for; the overview for anything else."""
    parts = urlsplit(wanted) if re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", wanted) else None
    return wanted if parts is not None and not parts.netloc and not parts.scheme else "/"


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _form(request: Request) -> tuple[dict[str, str], PlainTextResponse | None]:
    """The fields of a form, or the refusal of what is none, or too large, or too slow."""
    kind = Headers(scope=request.scope).get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        return {}, PlainTextResponse("Only forms are taken here.", status_code=415)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BODY_BYTES:
                    return {}, PlainTextResponse("The form is too large.", status_code=413)
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except TimeoutError:
        return {}, PlainTextResponse("The form took too long.", status_code=408)
    except ValueError:
        return {}, PlainTextResponse("The form cannot be read.", status_code=400)
    return dict(fields), None
