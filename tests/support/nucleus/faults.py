"""What can be wrong with a nucleus, as switches that a test turns at any time.

Each is something that a real nucleus was seen to do. What is one event and not a state (a closed stream, a
restarted daemon) is a method of `FakeNucleus`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

LITE_PACKET_BYTES = 10_000
"""The nucleus lite closes the connection over a larger packet, headers and base64 counted."""


LITE_UNACKNOWLEDGED = 10
"""What nucleus lite has sent to AWS IoT Core, and holds until it is acknowledged; one more is refused."""


class Style(StrEnum):
    """The two implementations: `CLASSIC` in Java, `LITE` in C."""

    CLASSIC = "classic"
    LITE = "lite"


@dataclass(slots=True, kw_only=True)
class Faults:
    """All off at first. `silent`, `refused` and `cut_off` name operations, e.g. `{"PublishToIoTCore"}`."""

    deaf: bool = False
    """Subscriptions are granted and nothing is ever delivered; publishing still succeeds."""
    deaf_sides: set[str] = field(default_factory=set)
    """The same for these sides alone, e.g. for AWS IoT Core while the device has no network."""
    curt: bool = False
    """Over a wrong token it hangs up, without a word."""
    mute: bool = False
    """Connections are accepted, and not answered: the daemon hangs, or the device is too busy."""
    silent: set[str] = field(default_factory=set)
    """These operations are never answered, and not carried out."""
    refused: set[str] = field(default_factory=set)
    """These operations are answered with ServiceError, e.g. because the spooler is full."""
    cut_off: set[str] = field(default_factory=set)
    """The stream of these operations ends without an answer, and the connection stays."""
    holds_acknowledgements: bool = False
    """AWS IoT Core acknowledges nothing. Nucleus lite holds ten messages then, and refuses the next one."""
    offline: bool = False
    """The device has no network, so that no secret can be fetched from AWS."""
    untyped: bool = False
    """Every scalar of the configuration is a text, as a YAML recipe leaves it on the nucleus lite."""
