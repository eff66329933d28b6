"""The examples run on the stage of the acceptance tests: a broker, the connector, the simulated Twilio."""

from __future__ import annotations

from tests.acceptance.conftest import broker, make_connector, twilio

__all__ = ["broker", "make_connector", "twilio"]
