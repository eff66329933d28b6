"""A payload becomes the JSON document in it, if it is one and keeps within bounds.

Bounds come before the decoder and cost one pass over the bytes, so that what a payload costs is known before
it is paid. No payload may make this take more than linear time or memory.
"""

from __future__ import annotations

import json
import re
from typing import Final

from twilio_notifications.core.contract.sentences import Flaw, Sentence

MAXIMUM_PAYLOAD_BYTES: Final = 128 * 1024
"""The largest message of AWS IoT Core, so no sender of the original could exceed it."""

MAXIMUM_DEPTH: Final = 128
"""Levels of nesting, of which a request needs three. RFC 8259, section 9, leaves the limit to the reader:
serde_json has 128, Ruby 100, .NET 64. Without one it would be whatever stack the caller has left."""

MAXIMUM_VALUES: Final = 2000
"""Values of any kind, and so keys: a request has nine. The payload limit alone would let 65,000 pass, each of
them an object to be made and thrown away; this leaves room for a sender's own properties in addition to
ours."""

_MAXIMUM_DIGITS: Final = 40  # of an integer: every bound that is compared with has far fewer


def decoded(payload: bytes) -> object:
    """What `payload` says; raises Flaw where it says nothing, or too much."""
    if len(payload) > MAXIMUM_PAYLOAD_BYTES:
        raise Flaw(Sentence.TOO_LARGE, size=len(payload), limit=MAXIMUM_PAYLOAD_BYTES)
    try:
        text = payload.decode().removeprefix("\N{BYTE ORDER MARK}")
    except UnicodeDecodeError as error:
        raise Flaw(Sentence.NOT_JSON, where=f"byte {error.start + 1} is not UTF-8") from None
    _check_bounds(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
    except ValueError:
        where = _constant_place(text)
    raise Flaw(Sentence.NOT_JSON, where=where)


def _refused_constant(word: str) -> float:
    raise ValueError(word)  # the decoder does not say where it met it


def _bounded_integer(digits: str) -> int:
    # Python raises for integers of some thousand digits. What is cut off here is beyond every bound anyway.
    return int(digits[:_MAXIMUM_DIGITS])


# Of two equal keys the last one counts: RFC 8259 leaves it open, and the original was written in Python, too.
_DECODER: Final = json.JSONDecoder(parse_int=_bounded_integer, parse_constant=_refused_constant)

# Nothing is tried twice (`++`, `*+`, `"?`): backslashes and quotes would otherwise take quadratic time.
_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_CONSTANT: Final = re.compile(r"NaN|-?Infinity")
_WHITE_SPACE: Final = str.maketrans("", "", " \t\n\r")
_BRACKET: Final = re.compile(r"[\[{\]}]")


def _check_bounds(text: str) -> None:
    openers = text.count("[") + text.count("{")
    if openers <= MAXIMUM_DEPTH and openers + text.count(",") < MAXIMUM_VALUES:
        return  # every honest request ends here: strings can only make these counts too large
    skeleton = _STRING.sub("_", text)
    _check_values(skeleton)
    _check_depth(skeleton)


def _check_values(skeleton: str) -> None:
    """The first value of each array or object stands behind its bracket, every other one behind a comma."""
    dense = skeleton.translate(_WHITE_SPACE)
    empty = dense.count("[]") + dense.count("{}")
    count = 1 + dense.count("[") + dense.count("{") - empty + dense.count(",")
    if count > MAXIMUM_VALUES:
        raise Flaw(Sentence.TOO_MANY_VALUES, count=count, limit=MAXIMUM_VALUES)


def _check_depth(skeleton: str) -> None:
    depth = deepest = 0
    for bracket in _BRACKET.finditer(skeleton):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
        if depth < 0:
            break  # closed more often than opened: the decoder says where
    if deepest > MAXIMUM_DEPTH:
        where = f"it is nested {deepest} levels deep, the limit is {MAXIMUM_DEPTH}"
        raise Flaw(Sentence.NOT_JSON, where=where)


def _constant_place(text: str) -> str:
    found = _CONSTANT.search(_STRING.sub(lambda string: "_" * len(string[0]), text))
    assert found, "the decoder has met one"
    error = json.JSONDecodeError("", text, found.start())  # counts lines and columns as for all other flaws
    return f"line {error.lineno} column {error.colno}, {found[0]} is not a JSON number"
