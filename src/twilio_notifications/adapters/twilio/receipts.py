"""Reads what Twilio says about texts and calls that it accepted.

A record that cannot be read is left out: it is looked at again later, and nothing is concluded from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.twilio.answers import (
    LONGEST_NUMBER,
    LONGEST_SID,
    LONGEST_STATUS,
    instant,
    json_object,
    text,
)
from twilio_notifications.adapters.twilio.lists import NEXT_PATH
from twilio_notifications.core.delivery import DeliveryReceipt, Notices, ReceiptPage

if TYPE_CHECKING:
    from twilio_notifications.adapters.twilio.client import HttpReply

_LONGEST_DATE = 64
_LONGEST_CODE = 8


def read_receipt(reply: HttpReply) -> DeliveryReceipt | None:
    """The text or call in the answer; None where it is none."""
    return _receipt(json_object(reply))


def read_receipts(reply: HttpReply) -> ReceiptPage | None:
    """The page of texts or calls in the answer; None where it is none."""
    fields = json_object(reply)
    rows = next((fields[name] for name in ("messages", "calls") if isinstance(fields.get(name), list)), None)
    next_path = fields.get("next_page_uri")
    if rows is None or not (
        next_path is None or (isinstance(next_path, str) and NEXT_PATH.fullmatch(next_path))
    ):
        return None
    found = [_receipt(row) for row in rows if isinstance(row, dict)]
    return ReceiptPage(receipts=tuple(one for one in found if one is not None), next_path=next_path)


def read_notices(reply: HttpReply) -> Notices | None:
    """The codes in Twilio's notifications of a call; None where the answer is no such list."""
    rows = json_object(reply).get("notifications")
    if not isinstance(rows, list):
        return None
    codes = [code_in(row.get("error_code")) for row in rows if isinstance(row, dict)]
    return Notices(codes=tuple(code for code in codes if code is not None))


def code_in(value: object) -> int | None:
    """An error code, which Twilio writes as a number in some resources and as a text in others.

    None where there is none, and for 0.
    """
    if isinstance(value, str) and len(value) <= _LONGEST_CODE and value.isascii() and value.isdecimal():
        value = int(value)
    is_code = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**_LONGEST_CODE
    return int(value) if is_code and isinstance(value, int) else None


def _receipt(fields: Any) -> DeliveryReceipt | None:
    sid = text(fields, "sid", longest=LONGEST_SID)
    state = text(fields, "status", longest=LONGEST_STATUS)
    if not sid or not state:
        return None
    created = text(fields, "date_created", longest=_LONGEST_DATE)
    return DeliveryReceipt(
        sid=sid,
        state=state,
        code=code_in(fields.get("error_code")),
        answered_by=text(fields, "answered_by", longest=LONGEST_STATUS) or None,
        sender_number=text(fields, "from", longest=LONGEST_NUMBER) or None,
        phone_number=text(fields, "to", longest=LONGEST_NUMBER) or None,
        created_at=None if created is None else instant(created),
    )
