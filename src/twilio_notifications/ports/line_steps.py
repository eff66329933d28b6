"""The steps of the line: the parts of the way of a request, which metrics and traces time."""

from __future__ import annotations

from enum import StrEnum


class LineStep(StrEnum):
    """The parts of the way of a request, in their order."""

    RECORD = "record"
    """From the payload's arrival until it is on disk."""
    WAIT = "wait"
    """From the acceptance, or from when the request was put off, until its attempt is open."""
    SEND = "send"
    """From the opening of the attempt until Twilio has answered."""
    CLOSE = "close"
    """From Twilio's answer until the outcome is on disk, with the status."""
    SETTLE = "settle"
    """From the opening of an attempt until its doubt is settled."""
    REPORT = "report"
    """From when a status is published first until the broker has acknowledged it."""
