"""Where a request stands in a trace: identifiers that a connector finds again after a restart.

The identifiers of a request's own part of a trace are computed, and not drawn, from a secret of the journal
and the number of the request. So a part that ends in a later run of the connector fits to one that began in
an earlier run, and only what the caller wrote has to be kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from twilio_notifications.core.traceparent import read_traceparent

_TRACE_BYTES: Final = 16
_SPAN_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePlace:
    """The place of a request in its trace."""

    trace_id: int
    span_id: int
    """Of the part that spans the whole request."""
    caller: int | None
    """The caller's part, of which this one is a part; None: the trace begins here."""
    is_sampled: bool | None
    """Whether the caller records the trace; None: there is no caller."""


def place(number: int, traceparent: str | None, *, secret: bytes) -> TracePlace:
    """The place of the request with this number; `traceparent` is what its client wrote, if anything."""
    key = hashlib.blake2b(secret, digest_size=hashlib.blake2b.MAX_KEY_SIZE // 2).digest()
    span_id = _drawn(f"span {number}", key, size=_SPAN_BYTES)
    parent = None if traceparent is None else read_traceparent(traceparent)
    if parent is None:
        trace_id = _drawn(f"trace {number}", key, size=_TRACE_BYTES)
        return TracePlace(trace_id=trace_id, span_id=span_id, caller=None, is_sampled=None)
    return TracePlace(
        trace_id=parent.trace_id, span_id=span_id, caller=parent.span_id, is_sampled=parent.is_sampled
    )


def _drawn(name: str, key: bytes, *, size: int) -> int:
    """An identifier that looks like a random one; never 0, which means that there is none."""
    return int.from_bytes(hashlib.blake2b(name.encode(), key=key, digest_size=size).digest()) or 1
