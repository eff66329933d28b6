"""The header `traceparent` of W3C Trace Context: which trace a caller's work belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED: Final = 0x01
_FORBIDDEN: Final = "ff"
_KNOWN: Final = "00"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceParent:
    """A trace, and the part of it that called."""

    trace_id: int
    span_id: int
    is_sampled: bool
    """Whether the caller records its part."""


def read_traceparent(text: str) -> TraceParent | None:
    """The caller's trace; None where the text is not of the form (Trace Context, 3.2.2).

    Of a later version the part that this one knows is read.
    """
    found = _FORM.fullmatch(text)
    if found is None or found["version"] == _FORBIDDEN or (found["more"] and found["version"] == _KNOWN):
        return None
    trace_id, span_id = int(found["trace"], 16), int(found["parent"], 16)
    if not trace_id or not span_id:
        return None
    is_sampled = bool(int(found["flags"], 16) & _SAMPLED)
    return TraceParent(trace_id=trace_id, span_id=span_id, is_sampled=is_sampled)
