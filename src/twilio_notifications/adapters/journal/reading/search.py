"""A search → the numbers of the requests that it finds, by one statement that reads each at most once."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from twilio_notifications.adapters.journal.reading.waiting import lasting_pauses
from twilio_notifications.adapters.journal.rows import encoded_id
from twilio_notifications.adapters.journal.statements import reading as sql
from twilio_notifications.adapters.journal.statements.conditions import ANSWERED, ATTEMPTED
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.ports.journal.reader import Only

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.ports.journal.reader import Search

_BY_REQUESTS: Final = "requests CROSS JOIN states ON states.request = id"
"""Content first: the state of a request that is not looked for is not read."""
_BY_STATES: Final = "states NOT INDEXED CROSS JOIN requests ON id = states.request"
"""In the order of the requests, by the narrow table."""
_BY_FAILURES: Final = (
    "statuses INDEXED BY statuses_failed CROSS JOIN states ON states.request = statuses.request"
    " CROSS JOIN requests ON id = states.request"
)
_BY_DELIVERIES: Final = (
    "deliveries INDEXED BY deliveries_failed CROSS JOIN states ON states.request = deliveries.request"
    " CROSS JOIN requests ON id = states.request"
)
_BY_CHAINS: Final = (
    "chains CROSS JOIN states ON states.request = chains.request CROSS JOIN requests ON id = states.request"
)

_FAILED: Final = """
reason IS NOT NULL
AND position = (SELECT MAX(position) FROM statuses AS other WHERE other.request = states.request)
"""

_LATEST_REASON: Final = """
(SELECT reason FROM statuses WHERE statuses.request = states.request ORDER BY position DESC LIMIT 1)
"""

_LONGEST_LITERAL: Final = 100
"""Characters of an id that is a number; no longer text is read as one."""

_DUE: Final = "state = 'WAITING' AND turn = 1 AND due_at <= :now"


_NARROWED: Final[Mapping[Only, str]] = MappingProxyType(
    {
        Only.ALL: "1 = 1",
        Only.WAITING: "state = 'WAITING'",
        Only.DOUBT: ATTEMPTED,
        Only.UNREPORTED: "state = 'FINISHED'",
        Only.SUCCESS: f"{ANSWERED} AND {_LATEST_REASON} IS NULL",
        Only.FAILED: f"{ANSWERED} AND {_FAILED}",
        Only.UNKNOWN: f"{ANSWERED} AND {_FAILED} AND reason = 'OutcomeUnknown'",
        Only.UNDELIVERED: sql.FAILED_DELIVERY,
        Only.REJECTED: "states.phone_number IS NULL",
        Only.UNACKNOWLEDGED: "(ended_at IS NULL OR ending = 'unacknowledged')",
    }
)


def found(connection: Connection, search: Search, *, now: float) -> list[int]:
    """The numbers, the newest first; one more than the limit where there is a next page."""
    source = _source(search)
    number = f"{source.partition(' ')[0]}.{'id' if source is _BY_REQUESTS else 'request'}"
    conditions = [_NARROWED[search.only], *_waiting_for(connection, search.reason, now=now), *_asked(search)]
    if search.before is not None:
        conditions.append(f"{number} < :before")
    if search.among is not None:
        # The bounds first, so that only a part of the table is passed.
        chosen = "(SELECT value FROM json_each(:among))"
        conditions.append(f"{number} BETWEEN :first AND :last AND {number} IN {chosen}")
    statement = (
        f"SELECT {number} FROM {source} WHERE {' AND '.join(conditions)}"  # noqa: S608 - texts of this module
        f" ORDER BY {number} DESC LIMIT :limit"
    )
    return [number for (number,) in connection.execute(statement, _values(search, now=now))]


def _source(search: Search) -> str:
    """The tables, in the order in which they are read."""
    if search.only is Only.UNACKNOWLEDGED:
        return _BY_CHAINS
    if search.only is Only.UNDELIVERED:
        return _BY_DELIVERIES
    if search.only in {Only.FAILED, Only.UNKNOWN} or isinstance(search.reason, Reason):
        return _BY_FAILURES
    content = (search.id, search.contact, search.name)
    narrow = (search.state, search.phone_number, search.channel, search.reason)
    if any(content) or not (search.only is not Only.ALL or any(narrow)):
        return _BY_REQUESTS
    return _BY_STATES


def _asked(search: Search) -> Iterator[str]:
    if isinstance(search.reason, Reason):
        latest = _source(search) is _BY_FAILURES
        yield f"{_FAILED} AND reason = :reason" if latest else f"{_LATEST_REASON} = :reason"
    for value, condition in (
        (search.id, "(request_id = :id OR request_id = :literal)"),
        (search.contact, "contact = :contact"),
        (search.phone_number, "states.phone_number = :phone_number"),
        (search.name, "name LIKE :name ESCAPE '\\'"),
        (search.state, "state = :state"),
        (search.channel, "states.channel = :channel"),
        (search.since, "accepted_at >= :since"),
        (search.until, "accepted_at < :until"),
    ):
        if value is not None:
            yield condition


def _waiting_for(connection: Connection, reason: Reason | WaitReason | None, *, now: float) -> Iterator[str]:
    """As `Outlook.of` says why a request waits."""
    if not isinstance(reason, WaitReason):
        return
    if reason is WaitReason.EARLIER_REQUEST:
        yield "state = 'WAITING' AND turn = 0"
        return
    put_off = "(state = 'WAITING' AND turn = 1 AND due_at > :now AND waiting_reason = :reason)"
    paused = [pause for pause in lasting_pauses(connection) if pause.until is None or pause.until > now]
    accounts = [pause for pause in paused if not pause.about]
    if accounts:
        yield f"({put_off} OR ({_DUE}))" if accounts[-1].reason is reason else put_off
    elif reason is WaitReason.SENDER_PACE:
        yield f"{_DUE} AND sender IS NOT NULL"
    elif reason is WaitReason.SENDER_QUEUE_FULL:
        yield f"({put_off} OR ({_DUE} AND {sql.SENDER_STALLED}))"
    else:
        yield put_off


def _values(search: Search, *, now: float) -> Mapping[str, Any]:
    escaped = (search.name or "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        "id": encoded_id(search.id or ""),
        "literal": _literal(search.id or ""),
        "contact": _storable(search.contact),
        "phone_number": _storable(search.phone_number),
        "name": _storable(f"%{escaped}%"),
        "state": search.state,
        "reason": search.reason,
        "channel": search.channel,
        "since": search.since,
        "until": search.until,
        "before": search.before,
        "among": json.dumps(list(search.among or ())),
        "first": min(search.among or (0,)),
        "last": max(search.among or (0,)),
        "now": now,
        "limit": search.limit + 1,
    }


def _storable(typed: str | None) -> str | None:
    """Half a surrogate pair, which a terminal may send, stands in no text of a journal."""
    return None if typed is None else typed.encode("utf-8", "backslashreplace").decode()


def _literal(typed: str) -> str | None:
    """The `id` of a rejection, which may be a number or a boolean; None: it is no such one."""
    try:
        value = json.loads(typed) if len(typed) <= _LONGEST_LITERAL else None
    except ValueError:
        return None
    return encoded_id(value) if isinstance(value, int | float) else None
