"""Reads the pages of Twilio's lists strictly: a page with an unreadable record proves nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.twilio.answers import (
    LONGEST_NUMBER,
    LONGEST_SID,
    LONGEST_STATUS,
    instant,
    json_object,
    text,
)
from twilio_notifications.core.model import CameBack, InboundPage, Record

if TYPE_CHECKING:
    from twilio_notifications.adapters.twilio.client import HttpReply

_LONGEST_SENDER = 256
"""The name of an RCS agent is longer than any number; a record with such a name comes from another
program."""

_LONGEST_DATE = 64

NEXT_PATH = re.compile(r"/[!-~]{0,4095}")
"""A path on the same host. "@elsewhere/" after our origin would name another host, and the request carries
our credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The records of one page, and the path of the next page; None: this page is the last."""

    records: tuple[Record, ...]
    next_path: str | None
    size: int
    """Bytes of the body."""


def read_page(reply: HttpReply) -> Page | None:
    """The page in the answer; None where it is no page, or where a record in it is unreadable."""
    fields = json_object(reply)
    rows = next((fields[name] for name in ("messages", "calls") if isinstance(fields.get(name), list)), None)
    next_path = fields.get("next_page_uri")
    if rows is None or not (
        next_path is None or (isinstance(next_path, str) and NEXT_PATH.fullmatch(next_path))
    ):
        return None
    records = [_record(row) for row in rows]
    if None in records:
        return None  # the unreadable record may be the one that we look for, so nothing is known
    return Page(
        records=tuple(record for record in records if record is not None),
        next_path=next_path,
        size=len(reply.body),
    )


def read_inbound(reply: HttpReply) -> InboundPage | None:
    """The inbound texts or calls of a page; None where it is no page. A record that is unreadable is none."""
    fields = json_object(reply)
    rows = next((fields[name] for name in ("messages", "calls") if isinstance(fields.get(name), list)), None)
    next_path = fields.get("next_page_uri")
    if rows is None or not (
        next_path is None or (isinstance(next_path, str) and NEXT_PATH.fullmatch(next_path))
    ):
        return None
    created = [at for row in rows if isinstance(row, dict) and (at := _created(row)) is not None]
    found = [came for row in rows if isinstance(row, dict) and (came := _came_back(row)) is not None]
    return InboundPage(found=tuple(found), oldest_at=min(created, default=None), next_path=next_path)


def _came_back(row: dict[str, Any]) -> CameBack | None:
    created_at = _created(row)
    sid = text(row, "sid", longest=LONGEST_SID)
    sender = text(row, "from", longest=LONGEST_NUMBER)
    if row.get("direction") != "inbound" or created_at is None or sid is None or sender is None:
        return None
    body = row.get("body")
    return CameBack(
        sid=sid, phone_number=sender, created_at=created_at, body=body if isinstance(body, str) else ""
    )


def _created(row: dict[str, Any]) -> float | None:
    created = text(row, "date_created", longest=_LONGEST_DATE)
    return None if created is None else instant(created)


def read_numbers(reply: HttpReply) -> tuple[str, ...] | None:
    """The numbers in a list of the account's numbers; None where the answer is no such list."""
    rows = json_object(reply).get("incoming_phone_numbers")
    if not isinstance(rows, list):
        return None
    found = [text(row, "phone_number", longest=LONGEST_NUMBER) for row in rows if isinstance(row, dict)]
    return tuple(number for number in found if number is not None)


def _record(row: Any) -> Record | None:
    if not isinstance(row, dict):
        return None
    created = text(row, "date_created", longest=_LONGEST_DATE)
    created_at = None if created is None else instant(created)
    sid = text(row, "sid", longest=LONGEST_SID)
    to = text(row, "to", longest=LONGEST_NUMBER)
    status = text(row, "status", longest=LONGEST_STATUS)
    sender, body = row.get("from"), row.get("body")
    if created_at is None or sid is None or to is None or status is None:
        return None
    if isinstance(sender, str) and text(row, "from", longest=_LONGEST_SENDER) is None:
        return None
    return Record(
        sid=sid,
        phone_number=to,
        sender_number=sender if isinstance(sender, str) else None,
        message_status=status,
        created_at=created_at,
        body=body if isinstance(body, str) else None,
    )
