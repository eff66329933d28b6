"""Decodes a payload into the JSON document in it, if it is valid JSON within the bounds.

The bounds are checked before decoding, in one pass over the bytes, so that no payload costs more time or
memory than the bounds allow. For every payload, both stay linear in its size.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from twilio_notifications.core.contract.sentences import Flaw, Sentence

MAXIMUM_PAYLOAD_BYTES: Final = 128 * 1024
"""The largest message of AWS IoT Core: clients of the original connector could send no larger one.
https://docs.aws.amazon.com/general/latest/gr/iot-core.html"""

MAXIMUM_DEPTH: Final = 128
"""Levels of nesting; a request needs three. RFC 8259, section 9, leaves the limit to the reader:
serde_json has 128, Ruby 100, .NET 64. Without a limit, the rest of the caller's stack would decide."""

MAXIMUM_VALUES: Final = 2000
"""Values of any kind; a request has nine. The limit of the payload alone would allow 65,000 values, each an
object to create and throw away. 2,000 leaves room for properties that a client adds for itself."""

_MAXIMUM_DIGITS: Final = 40  # digits kept of an integer: the bounds of the contract have far fewer


def decoded(payload: bytes) -> object:
    """The JSON value in `payload`; raises Flaw where it is no JSON or exceeds a bound."""
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


def decoded_object(payload: bytes) -> dict[str, Any]:
    """The JSON object in `payload`; raises Flaw where it is none."""
    document = decoded(payload)
    if not isinstance(document, dict):
        raise Flaw(Sentence.NOT_AN_OBJECT, label="Input message")
    return document


def _refuse_constant(word: str) -> float:
    raise ValueError(word)  # the decoder does not pass on the place of the constant


def _bounded_integer(digits: str) -> int:
    # Python raises for integers with thousands of digits. An integer that is cut here exceeds every bound
    # anyway.
    return int(digits[:_MAXIMUM_DIGITS])


# The last of two equal keys counts: RFC 8259 leaves it open, and the original was written in Python as well.
_DECODER: Final = json.JSONDecoder(parse_int=_bounded_integer, parse_constant=_refuse_constant)

# The possessive parts (`++`, `*+`) never backtrack: backslashes and quotes would otherwise take quadratic
# time.
_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_CONSTANT: Final = re.compile(r"NaN|-?Infinity")
_WHITE_SPACE: Final = str.maketrans("", "", " \t\n\r")
_BRACKET: Final = re.compile(r"[\[{\]}]")


def _check_bounds(text: str) -> None:
    openers = text.count("[") + text.count("{")
    if openers <= MAXIMUM_DEPTH and openers + text.count(",") < MAXIMUM_VALUES:
        return  # ordinary requests end here: characters in strings can only make these counts too large
    skeleton = _STRING.sub("_", text)
    _check_values(skeleton)
    _check_depth(skeleton)


def _check_values(skeleton: str) -> None:
    """Raises Flaw for too many values.

    The first value of each array or object follows its bracket, every other value follows a comma.
    """
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
            break  # more brackets close than open: the decoder says where
    if deepest > MAXIMUM_DEPTH:
        where = f"it is nested {deepest} levels deep, the limit is {MAXIMUM_DEPTH}"
        raise Flaw(Sentence.NOT_JSON, where=where)


def _constant_place(text: str) -> str:
    found = _CONSTANT.search(_STRING.sub(lambda string: "_" * len(string[0]), text))
    assert found, "the decoder found a constant"
    error = json.JSONDecodeError("", text, found.start())  # counts lines and columns like the decoder
    return f"line {error.lineno} column {error.colno}, {found[0]} is not a JSON number"
