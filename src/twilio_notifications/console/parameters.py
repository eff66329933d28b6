"""The Parameters page: the published parameters, the configuration in force, and where values came from."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from twilio_notifications.console.parts import ConsoleParts
    from twilio_notifications.console.rendering import Pages


class ParametersPage:
    """`/parameters`."""

    def __init__(self, parts: ConsoleParts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages

    async def show(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._parts.in_force)
        shows_all = request.query_params.get("all") == "1"
        settings = [each for each in found.settings if shows_all or not each.is_default or each.problems]
        sections = [
            (section, list(each))
            for section, each in groupby(settings, key=lambda one: one.name.rpartition(".")[0] or one.name)
        ]
        return self._pages.page(request, "parameters", found=found, sections=sections, shows_all=shows_all)
