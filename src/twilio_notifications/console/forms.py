"""Each form acts once: a double click, or a page that is sent again, orders and publishes nothing twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from twilio_notifications.console.rendering import Visit

MOST_REMEMBERED = 1_000
FORM_ID_BYTES = 16


class FormsTaken:
    """Remembers the latest forms that were taken, by the random identifier that each shown form carries."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], asyncio.Future[str]] = {}

    async def once(self, visit: Visit, act: Callable[[], Coroutine[Any, Any, str]]) -> str:
        """What `act` returns; for a form that was taken before, what it returned then.

        A form without an identifier is a program's, and acts each time. Where `act` raises, the form counts
        as not taken.
        """
        form_id = visit.form.get("form_id")
        if not form_id:
            return await act()
        key = (visit.session.id, form_id)
        if key not in self._taken:
            while len(self._taken) >= MOST_REMEMBERED:
                del self._taken[next(iter(self._taken))]
            self._taken[key] = asyncio.ensure_future(act())
        try:
            return await asyncio.shield(self._taken[key])
        except Exception:
            self._taken.pop(key, None)
            raise
