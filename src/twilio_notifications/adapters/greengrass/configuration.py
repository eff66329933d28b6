"""The component's configuration while the connector runs. Every change is noticed, reported or not.

A nucleus tells of changes over a subscription. That is not enough on nucleus lite: it does not tell that a
key was removed, and after a restart of its configuration service the subscription stays open and tells of
nothing. So the configuration is read from time to time, and compared with the one that was taken up last.
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
    """`on_change` is called when the configuration differs from `taken`, until it has been taken up."""

    nucleus: Nucleus
    events: Events
    every_seconds: float
    on_change: Callable[[], None]
    taken: Mapping[str, object] | None = field(repr=False)
    """The configuration in force, at first that of the start; None while it is not known."""
    _told: str = field(init=False, default="")

    async def take(self) -> Mapping[str, object]:
        """The configuration as it is now, for the connector to take up. Raises TransportError.

        Where it cannot be read, the next look finds the difference again.
        """
        self.taken = await self.nucleus.configuration()
        return self.taken

    async def look(self) -> bool:
        """True where it has changed, after calling `on_change`; False also where it cannot be read."""
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
