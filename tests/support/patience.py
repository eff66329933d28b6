"""The one limit of every wait for what must happen, on a machine that may be busy.

A wait ends as soon as its condition holds, so the limit costs time only where the test fails anyway. A wait
for something that must not happen is another thing: it is short, and can miss a failure but never invent one.
"""

from __future__ import annotations

from typing import Final

WAIT_SECONDS: Final = 300.0
"""On an idle machine most waits take milliseconds. Eight busy processes for two cores make them forty times
as long, and the slowest of them, an installation of packages, then takes about two minutes."""
