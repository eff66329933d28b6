"""How much the reporter does at once, and how long it waits for a broker that refuses."""

from __future__ import annotations

WINDOW = 256
"""Statuses that may be unacknowledged at once: enough to keep a broker busy, few enough to hold in memory."""

RETRY_SECONDS = 5.0
"""Pause after a status that the broker refused; a new connection ends it at once."""

MOST_REFUSED = 4 * WINDOW
"""Statuses that may be refused before no other is tried either. One side of a transport may refuse, or one
status be too large, and the others go on; a broker that refuses all is not asked for each of a million."""

MOST_SUSPECTS = 64
"""Suspects that are looked at to find one that may be published now."""

REMEMBERED_SECONDS = 7 * 86_400.0
"""How long the size over which a broker hung up is remembered: by then it may have another configuration."""
