"""Reads a call's TwiML: what Twilio speaks, and where it sends the keys that a person presses."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from twilio_notifications.core.twiml import flaw_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """A `<Gather>` that takes keys: where they go, how, and at most how many of them (None: as they come)."""

    action: str
    method: str
    maximum: int | None


def find_gather(twiml: str | None) -> Gather | None:
    """The first `<Gather>` with an absolute `action`, which inline TwiML needs: it has no address of its own.

    None where the document has none, or is no TwiML.
    """
    if not twiml or flaw_of(twiml) is not None:
        return None
    for element in ET.fromstring(twiml).iter("Gather"):  # noqa: S314 - without entities: flaw_of has read it
        action = element.get("action", "")
        if urlsplit(action).scheme in {"http", "https"} and "dtmf" in element.get("input", "dtmf").split():
            digits = element.get("numDigits", "")
            maximum = int(digits) if digits.isascii() and digits.isdigit() else None
            return Gather(action=action, method=element.get("method", "POST").upper(), maximum=maximum)
    return None


def spoken_in(twiml: str | None) -> str | None:
    """What the document has Twilio say, each text once and on a line of its own; None where there is none."""
    if not twiml or flaw_of(twiml) is not None:
        return None
    says = ET.fromstring(twiml).iter("Say")  # noqa: S314 - without entities: flaw_of has read it
    texts = dict.fromkeys(" ".join("".join(say.itertext()).split()) for say in says)
    return "\n".join(text for text in texts if text) or None
