"""Reads the configuration again while the connector works, and puts its limits and quiet hours into force.

A wrong configuration changes nothing. A warning names each section whose change needs a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConnectorError, TransportError
from twilio_notifications.ports.events import (
    ConfigurationRefused,
    ConfigurationReloaded,
    ConfigurationUnread,
    ConfigurationWarning,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.config import Settings
    from twilio_notifications.pipeline.line.admission import Admission
    from twilio_notifications.ports import Events

_TAKES_EFFECT = frozenset({"limits", "quiet_hours"})
_NOT_SETTINGS = frozenset({"warnings"})
_SECTIONS = {"parameters": "connector.parameters"}
"""The sections whose settings have another name in the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconfiguration:
    """`started_with` are the settings of this run; `reread` reads the new ones, and raises ConnectorError."""

    started_with: Settings
    reread: Callable[[], Awaitable[Settings]]
    admission: Admission
    events: Events

    async def reload(self) -> bool:
        """Puts the limits and quiet hours of the new configuration into force.

        False where it cannot be read or is wrong.
        """
        try:
            settings = await self.reread()
        except TransportError as error:  # a component reads it again when its nucleus answers
            self.events.tell(ConfigurationUnread(error=str(error)))
            return False
        except ConnectorError as error:
            sentences = "; ".join(str(error).splitlines())
            self.events.tell(ConfigurationRefused(error=sentences))
            return False
        for warning in (*settings.warnings, *self._needing_a_restart(settings)):
            self.events.tell(ConfigurationWarning(warning=warning))
        admission = self.admission
        limits, hours = settings.limits != admission.limits, settings.quiet_hours != admission.quiet_hours
        await admission.change_rules(settings.limits, settings.quiet_hours)
        self.events.tell(
            ConfigurationReloaded(
                limits="changed" if limits else "unchanged",
                quiet_hours="changed" if hours else "unchanged",
            )
        )
        return True

    def _needing_a_restart(self, settings: Settings) -> list[str]:
        names = {field.name for field in fields(settings)} - _TAKES_EFFECT - _NOT_SETTINGS
        changed = (
            name for name in sorted(names) if getattr(settings, name) != getattr(self.started_with, name)
        )
        return [
            f"[{_SECTIONS.get(name, name)}] has changed: it takes effect at the next start"
            for name in changed
        ]
