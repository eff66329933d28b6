"""The overview: how connector and journal stand, what needs a person, and the last 24 hours."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from twilio_notifications.console.charts import HEIGHT, WIDTH, chart
from twilio_notifications.console.rendering import visit_of
from twilio_notifications.console.requests import orders_asked_for
from twilio_notifications.core.errors import WAITS_FOR, WaitReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from twilio_notifications.console.charts import Chart
    from twilio_notifications.console.parts import ConsoleParts
    from twilio_notifications.console.rendering import Pages
    from twilio_notifications.ports.journal.reader import Hour

HOURS = 24
ACTIVITY_SECONDS = 10.0
"""How old the charts may be: they cost most of the page, and open pages ask every few seconds."""
MOST_NEEDING = 20


class OverviewPage:
    """`/`."""

    def __init__(self, parts: ConsoleParts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
        self._activity: tuple[float, Sequence[Hour]] = (-math.inf, ())
        """The last numbers of the charts, and when they were read."""

    async def show(self, request: Request) -> Response:
        parts, now = self._parts, self._parts.now()
        reveal = visit_of(request).reveals
        limits = await asyncio.to_thread(parts.limits)
        standing = await asyncio.to_thread(parts.reader.standing, now=now, limits=limits)
        needing = await asyncio.to_thread(
            parts.reader.needing_a_person, now=now, limit=MOST_NEEDING, reveal=reveal
        )
        results = await asyncio.to_thread(parts.desk.results, orders_asked_for(request))
        waiting = sorted(standing.waiting.items(), key=lambda each: -each[1])
        return self._pages.page(
            request,
            "overview",
            standing=standing,
            waiting=[
                ("a free place" if reason is None else WAITS_FOR[reason], reason, count)
                for reason, count in waiting
            ],
            waits_for=WAITS_FOR,
            is_paused=any(pause.reason is WaitReason.OPERATOR_PAUSE for pause in standing.paused),
            results=results,
            needing=needing,
            most_needing=MOST_NEEDING,
            charts=_charts(await self._hours(now)),
            chart_size=(WIDTH, HEIGHT),
            now=now,
        )

    async def _hours(self, now: float) -> Sequence[Hour]:
        read_at, hours = self._activity
        if not read_at <= now < read_at + ACTIVITY_SECONDS:
            hours = await asyncio.to_thread(self._parts.reader.activity, now=now, hours=HOURS)
            self._activity = (now, hours)
        return hours


def _charts(hours: Sequence[Hour]) -> list[Chart]:
    return [
        chart("Received", "received", [(hour.at, hour.received) for hour in hours]),
        chart("Taken by Twilio", "good", [(hour.at, hour.succeeded) for hour in hours]),
        chart("Failed", "bad", [(hour.at, sum(hour.failed.values())) for hour in hours]),
    ]
