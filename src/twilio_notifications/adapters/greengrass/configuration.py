"""Notices every change of the component's configuration while the connector runs.

A nucleus reports changes over a subscription. That is not enough on nucleus lite: it does not report a
removed key, and after a restart of its configuration service the subscription stays open but brings
nothing. So this module also reads the configuration on a period, and compares it with the one in force.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.connection import ConnectionOver
from twilio_notifications.core.errors import TransportError
from twilio_notifications.ports.events import ConfigurationUnread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.ports import Events


@dataclass(slots=True, kw_only=True)
class ConfigurationWatch:
    """Calls `on_change` at each look that finds a configuration other than `taken`, the one in force."""

    nucleus: Nucleus
    events: Events
    every_seconds: float
    on_change: Callable[[], None]
    taken: Mapping[str, object] | None = field(repr=False)
    """The configuration in force, at first the one at the start; None: unknown."""
    _told: str = field(init=False, default="")

    async def take(self) -> Mapping[str, object]:
        """The configuration as it is now, which from now on is in force. Raises TransportError.

        If it cannot be read, the next look finds the difference again.
        """
        self.taken = await self.nucleus.configuration()
        return self.taken

    async def look(self) -> bool:
        """Whether the configuration has changed.

        Then it has called `on_change`. False also where it is unreadable.
        """
        try:
            found = await self.nucleus.configuration()
        except ConnectionOver:
            return False  # a new connection looks again
        except TransportError as error:
            if str(error) != self._told:
                self._told = str(error)
                self.events.tell(ConfigurationUnread(error=self._told))
            return False
        self._told = ""
        if self.taken is None:
            self.taken = found
        if found == self.taken:
            return False
        self.on_change()
        return True
