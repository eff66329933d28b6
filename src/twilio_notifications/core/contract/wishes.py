"""Turns the payloads of `twilio/cancel` and `twilio/acknowledge` into values, or into rejections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from twilio_notifications.core.contract.decoding import decoded_object
from twilio_notifications.core.contract.extensions import subject
from twilio_notifications.core.contract.request_ids import MAXIMUM_ID_CHARACTERS, echoed
from twilio_notifications.core.contract.sentences import Flaw, Sentence
from twilio_notifications.core.contract.values import filled, short
from twilio_notifications.core.model import Acknowledgement, Cancellation, Rejection

if TYPE_CHECKING:
    from collections.abc import Callable

MAXIMUM_BY_CHARACTERS: Final = 256

Wish = TypeVar("Wish", Acknowledgement, Cancellation)


def parse_cancellation(payload: bytes) -> Cancellation | Rejection:
    """What `payload` asks to cancel, or a rejection with the first broken rule and the id (`""`: none)."""
    return _parsed(payload, _cancellation)


def parse_acknowledgement(payload: bytes) -> Acknowledgement | Rejection:
    """What `payload` acknowledges, or a rejection with the first broken rule and the id (`""`: none)."""
    return _parsed(payload, _acknowledgement)


def _parsed(payload: bytes, read: Callable[[dict[str, Any]], Wish]) -> Wish | Rejection:
    request_id: str | int | float = ""
    try:
        document = decoded_object(payload)
        request_id = echoed(document.get("id"))
        return read(document)
    except Flaw as flaw:
        return Rejection(request_id=request_id, message=flaw.message)


def _cancellation(document: dict[str, Any]) -> Cancellation:
    id_, about = document.get("id"), document.get("about")
    if id_ is None and about is None:
        raise Flaw(Sentence.NOTHING_NAMED)
    if id_ is not None and about is not None:
        raise Flaw(Sentence.ONE_NAMED)
    if about is not None:
        return Cancellation(about=subject(about))
    return Cancellation(request_id=_id(id_))


def _acknowledgement(document: dict[str, Any]) -> Acknowledgement:
    id_, by = _id(document.get("id")), document.get("by")
    if by is None:
        return Acknowledgement(request_id=id_)
    return Acknowledgement(request_id=id_, by=short(filled(by, "By"), "By", limit=MAXIMUM_BY_CHARACTERS))


def _id(value: Any) -> str:
    return short(filled(value, "Id"), "Id", limit=MAXIMUM_ID_CHARACTERS)
