"""Carries out what people order of a journal whose connector does not run.

An order needs the journal for itself: the connector holds unfinished requests in memory, and a second writer
would contradict it.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.sqlite.deleting import delete_requests
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, open_for_writing
from twilio_notifications.adapters.sqlite.place import look, real, require_folder
from twilio_notifications.adapters.sqlite.reader import JournalReader, nothing_to_settle, translated
from twilio_notifications.adapters.sqlite.reserve import Reserve
from twilio_notifications.adapters.sqlite.rows import encoded_id
from twilio_notifications.adapters.sqlite.statements import care, chains, deliveries, wishes, work
from twilio_notifications.adapters.sqlite.statements import people as sql
from twilio_notifications.core.errors import JournalError, JournalLocked, Reason

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from twilio_notifications.core.steps import Finish

LONGEST_NUMBER = 18
"""Digits of a number of the journal: SQLite counts no further."""

PURGED_AT_ONCE = 20
"""Requests in one transaction of a purge: with all their indexes, less than a megabyte of log."""


LARGEST_NUMBER = (1 << 63) - 1
"""Of an integer of SQLite, and so of a request."""
NO_LIMIT = -1
"""https://www.sqlite.org/lang_select.html#limitoffset"""


@dataclass(frozen=True, slots=True)
class JournalFile(JournalReader):
    """A journal's file. Each call raises a JournalError that says what to do."""

    def resolve(self, step: Finish, *, by: str) -> None:
        """Gives an unsettled request another status; the connector reports it at its next start.

        `by` is the person, for the record.
        """
        with self._owned() as connection:
            if step.sid is not None:
                self._require_unused(connection, step.sid, number=step.id)
            if not connection.execute(sql.RESOLVE, (step.id, Reason.OUTCOME_UNKNOWN)).rowcount:
                # The connector ran meanwhile, or another person was quicker.
                raise JournalError(nothing_to_settle(self.path, step.id))
            connection.execute(sql.REPLACE_STATUSES, (step.at, step.id))
            (position,) = connection.execute(care.LATEST_POSITION).fetchone()
            outcome = (step.status, step.reason, step.message, step.code, step.sid, step.at, None)
            connection.execute(work.INSERT_STATUS, (position + 1, step.id, *outcome))
            connection.execute(sql.RESOLVE_ATTEMPT, (step.sid, step.id))
            connection.execute(deliveries.FORGET_RESOLVED, (step.id,))
            if step.follow is not None:
                begun = (step.id, step.sid, step.at, step.follow.look_at, step.follow.word, step.at)
                numbers = (step.follow.sender_number, step.follow.phone_number)
                connection.execute(deliveries.FOLLOW_RESOLVED, (*begun, *numbers))
            detail = "not sent" if step.reason else f"sent {step.sid or ''}".rstrip()
            connection.execute(sql.ORDER, (step.id, "resolve", detail, by, step.at))

    def _require_unused(self, connection: sqlite3.Connection, sid: str, *, number: int) -> None:
        other = connection.execute(sql.OWNER_OF_SID, (sid, number)).fetchone()
        if other is not None:
            raise JournalError(
                f"{sid} is the SID of request {other[0]} already: look again in Twilio's console which text "
                f"or call belongs to request {number}"
            )

    def resend(self, id_: int, *, at: float, lifetime_seconds: float, by: str) -> int:
        """Records a finished request again; the new one's number. `by` is the person, for the record.

        It has its own lifetime where it asks for one, and else `lifetime_seconds`, both from `at` on.
        """
        with self._owned() as connection:
            resent = connection.execute(sql.RESEND_REQUEST, (at, id_))
            new = resent.lastrowid
            if resent.rowcount != 1 or new is None:
                raise JournalError(
                    f"request {id_} of the journal {self.path} cannot be sent again: there is no such "
                    "request, it is not finished yet, or it never was a valid one"
                )
            connection.execute(
                sql.RESEND_STATE, {"new": new, "at": at, "lifetime": lifetime_seconds, "old": id_}
            )
            connection.execute(sql.ORDER, (id_, "resend", f"as request {new}", by, at))
        return new

    def chains(self, name: str) -> list[int]:
        """Requests whose chains wait and that have this number, or else this id; the oldest first."""
        with self._read() as connection:
            if name.isascii() and name.isdecimal() and len(name) <= LONGEST_NUMBER:
                row = connection.execute(chains.CHAIN_OF, (int(name),)).fetchone()
                if row is not None and row[0] is not None:
                    return [int(name)]
            every = (encoded_id(name), LARGEST_NUMBER, NO_LIMIT)
            found = connection.execute(wishes.CHAINS_BY_ID, every).fetchall()
        return [request for (request,) in found]

    def order_acknowledgement(self, request: int, *, by: str, at: float) -> int:
        """Orders that the chain of the request ends; the number of the order.

        The connector carries it out, at once if it runs and otherwise at its next start.
        """
        with translated(self.path), closing(open_for_writing(self.path)) as connection:
            ordered = connection.execute(sql.WAITING_ORDER, (request, "acknowledge", "", by, at))
            return int(ordered.lastrowid or 0)

    def order_result(self, order: int) -> tuple[bool, str | None]:
        """Whether an order was carried out or refused, and the sentence of the refusal."""
        with self._read() as connection:
            row = connection.execute(sql.ORDER_RESULT, (order,)).fetchone()
        return (False, None) if row is None or row[0] is None else (True, row[1])

    def purge(self, *, finished_before: float) -> int:
        """Removes what was reported before that instant; how many requests.

        In small transactions: on a full disk, the reserve has to be room enough for each of them.
        """
        removed = 0
        with self._locked_journal() as connection:
            bounds = {"before": finished_before, "limit": PURGED_AT_ONCE}
            while batch := delete_requests(connection, care.PURGE, bounds):
                removed += batch
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        return removed

    @contextmanager
    def _owned(self) -> Iterator[sqlite3.Connection]:
        """The journal, locked, in one transaction."""
        with self._locked_journal() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _locked_journal(self) -> Iterator[sqlite3.Connection]:
        """The journal, locked. On a full disk its reserve is given up; the next start takes it again."""
        require_folder(self.path)
        if look(self.path) is None:
            raise JournalError(f"there is no journal {self.path}")
        try:
            lock = FileLock(self.path)
        except JournalLocked as error:
            raise JournalLocked(
                f"a connector is running on the journal {self.path}. Stop it, repair, and start it again."
            ) from error
        try:
            with translated(self.path), closing(open_connection(self.path)) as connection:
                Reserve(real(self.path)).give_up()
                yield connection
        finally:
            lock.release()
