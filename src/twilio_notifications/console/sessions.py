"""Sessions of browsers in signed cookies, and the tokens that protect forms.

Pure but for the list of sessions that were ended by a person: a cookie cannot be taken back from a browser.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_ENDED = 10_000
"""Sessions that were ended and would still be valid; only people who are signed in can add to them."""
LONGEST_COOKIE = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession:
    """A browser's session. `person` is None before anyone has signed in with it."""

    id: str = field(repr=False)
    person: str | None
    until: float


class SessionCookies:
    """Writes and reads the cookies of sessions; a cookie that anyone else has written is none."""

    def __init__(self, *, key: bytes, lifetime_seconds: float, new_id: Callable[[], str]) -> None:
        """`key` signs; with another key, as after a new start, all sessions are over."""
        self._key = key
        self._lifetime = lifetime_seconds
        self._new_id = new_id
        self._ended: dict[str, float] = {}

    def begin(self, person: str | None, *, now: float) -> ConsoleSession:
        """A new session, with an identifier that no earlier page has seen."""
        return ConsoleSession(id=self._new_id(), person=person, until=now + self._lifetime)

    def write(self, session: ConsoleSession) -> str:
        """The value of the session's cookie."""
        content = urlsafe_b64encode(json.dumps([session.id, session.person, session.until]).encode())
        return f"{content.decode()}.{self._signature('cookie', content)}"

    def read(self, cookie: str, *, now: float) -> ConsoleSession | None:
        """The session of a cookie; None where it is not ours, too old, or ended."""
        content, _, signature = cookie.partition(".")
        if len(cookie) > LONGEST_COOKIE or not cookie.isascii():
            return None
        if not hmac.compare_digest(signature, self._signature("cookie", content.encode())):
            return None
        try:
            id_, person, until = json.loads(urlsafe_b64decode(content))
        except ValueError:  # signed by us, so this is another version's
            return None
        session = ConsoleSession(id=id_, person=person, until=until)
        return None if until <= now or id_ in self._ended else session

    def end(self, session: ConsoleSession, *, now: float) -> None:
        """From now on the session's cookie is none."""
        self._ended = {id_: until for id_, until in self._ended.items() if until > now}
        if len(self._ended) >= MOST_ENDED:
            del self._ended[min(self._ended, key=self._ended.__getitem__)]
        self._ended[session.id] = session.until

    def form_token(self, session: ConsoleSession) -> str:
        """What each form of this session carries, and no other site can know."""
        return self._signature("form", session.id.encode())

    def is_form_token(self, session: ConsoleSession, token: str) -> bool:
        """Whether a form with this token came from a page of this session."""
        return token.isascii() and hmac.compare_digest(token, self.form_token(session))

    def _signature(self, purpose: str, content: bytes) -> str:
        return hmac.digest(self._key, purpose.encode() + b"\0" + content, "sha256").hex()
