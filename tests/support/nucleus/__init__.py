"""A fake Greengrass V2 nucleus, for tests of what runs as a component: see `server.py`."""

from tests.support.nucleus.faults import LITE_PACKET_BYTES, LITE_UNACKNOWLEDGED, Faults, Style
from tests.support.nucleus.server import FakeNucleus
from tests.support.nucleus.world import Published, Side

__all__ = ["LITE_PACKET_BYTES", "LITE_UNACKNOWLEDGED", "FakeNucleus", "Faults", "Published", "Side", "Style"]
