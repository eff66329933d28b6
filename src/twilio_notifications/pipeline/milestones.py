"""Milestones that nothing waits for, which is how the connector runs.

Tests that end the process at a milestone hand in others. No setting and no variable does: what kills the
process must not be reachable from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.ports import Milestone


class Unwatched:
    """Milestones for which nothing happens."""

    def passed(self, milestone: Milestone) -> None:
        """Does nothing."""
