"""A telephone of the simulator, used over HTTP as a test suite in any language would use it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from pyreqwest.client import ClientBuilder

from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

Entry = dict[str, Any]


class HttpTelephone:
    """The telephone `number` at the simulator on `base_url`, while the context is open."""

    def __init__(self, base_url: str, number: str) -> None:
        self.number = number
        self._root = f"{base_url}/simulator"
        self._client = ClientBuilder().build()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)

    async def order(self, name: str, **content: Any) -> Any:
        """Gives an order; fails where the simulator refuses it."""
        request = self._client.post(f"{self._root}/{name}").body_json(content)
        return await _content(request.build())

    async def entries(self) -> list[Entry]:
        """What it shows, newest first."""
        address = f"{self._root}/telephones?number={quote(self.number, safe='')}&entries=200"
        (telephone,) = (await _content(self._client.get(address).build()))["telephones"]
        found: list[Entry] = telephone["entries"]
        return found

    async def entry(self, holds: Callable[[Entry], bool]) -> Entry:
        """The newest entry for which it holds, once there is one."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                found = next((entry for entry in await self.entries() if holds(entry)), None)
                if found is not None:
                    return found
                await asyncio.sleep(0.01)


async def _content(request: Any) -> Any:
    response = await request.send()
    content = json.loads(bytes(await response.bytes()))
    assert 200 == response.status, content
    return content
