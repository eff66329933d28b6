"""Opens the attempts of claimed requests: runs in the writer's thread, inside its transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.lanes import Lanes
from twilio_notifications.adapters.journal.memory import Standing
from twilio_notifications.adapters.journal.rows import PRIORITIES, encoded_charges
from twilio_notifications.adapters.journal.standings import read_standings, was_ended
from twilio_notifications.adapters.journal.statements import chains, wishes
from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.adapters.journal.taking import (
    StepChanges,
    end_wait,
)
from twilio_notifications.core.lifecycle import ForbiddenTransition, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import Ledger
    from twilio_notifications.core.policy import Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Opens the attempts of claimed requests."""

    ledger: Ledger
    overtaking: bool
    """See Turns: a claimed request may have lost its turn since, to one that is due earlier."""

    def lanes(self, ids: Sequence[int], charges: Mapping[int, Sequence[Charge]]) -> Lanes:
        """What `open` keeps other connectors out of."""
        names = self.ledger.charging.lanes(one for id_ in ids for one in charges.get(id_, ()))
        return Lanes(names=names, requests=frozenset(ids), of_senders=self.ledger.paces.are_any)

    def open(
        self,
        connection: Connection,
        ids: Sequence[int],
        *,
        at: float,
        clock_offset: float | None,
        charges: Mapping[int, Sequence[Charge]],
    ) -> list[int]:
        """Those that have an attempt now; the leases of the others are given back.

        What was cancelled, superseded or overtaken since its claim has none.
        Nor has one whose paced sender has no room any more, or which begins to wait for its sender.
        Raises ForbiddenTransition where one of the others does not wait, or does not have its turn.
        """
        read = read_standings(connection, ids)
        if len(read) != len(ids):
            raise ForbiddenTransition(f"the journal does not hold each of the requests {ids} once")
        ledger, found = self.ledger, [(id_, read[id_]) for id_ in ids]
        if any(one.chain is not None for _, one in found):
            ledger.sharing.require_journal()
        found = self._still_to_send(connection, found)
        found = self._leaving(connection, found, at=at)
        charged = ledger.charging.charge(connection, {id_: charges.get(id_, ()) for id_, _ in found})
        found = [(id_, one) for id_, one in found if id_ in charged]
        self._write(connection, found, at=at, clock_offset=clock_offset, charges=charges)
        ledger.paces.write(connection)
        opened = [id_ for id_, _ in found]
        left = set(ids).difference(opened)
        if left:
            ledger.sharing.release(connection, sorted(left))
        return opened

    def _write(
        self,
        connection: Connection,
        opening: Sequence[tuple[int, Standing]],
        *,
        at: float,
        clock_offset: float | None,
        charges: Mapping[int, Sequence[Charge]],
    ) -> None:
        """Ends the waits, opens the attempts, and remembers them."""
        changes, lease = StepChanges(), self.ledger.sharing.token
        for id_, standing in opening:
            end_wait(id_, standing, at, changes)
        changes.write(connection)
        encoded = {id_: encoded_charges(charges.get(id_, ())) for id_, _ in opening}
        rows = [(at, clock_offset, charge, lease, id_) for id_, charge in encoded.items()]
        if connection.executemany(sql.OPEN, rows).rowcount != len(opening):
            raise ForbiddenTransition(f"not all of the requests {[*encoded]} wait and have their turn")
        for id_, standing in opening:
            self.ledger.memory.opened(
                id_,
                Standing(
                    State.OPEN,
                    *standing.recipient,
                    standing.request_id,
                    standing.origin,
                    standing.opened + 1,
                    at,
                    encoded[id_],
                    chain=standing.chain,
                    envelope=standing.envelope,
                    lease=lease,
                ),
            )
        self.ledger.memory.change(was=State.WAITING, now=State.OPEN, by=len(opening))
        notified = [(at, one.chain, one.phone_number) for _, one in opening if one.chain is not None]
        if notified:
            connection.executemany(chains.NOTIFIED_AT, notified)

    def _still_to_send(
        self, connection: Connection, claimed: Sequence[tuple[int, Standing]]
    ) -> list[tuple[int, Standing]]:
        """Without those that were ended, overtaken, or lost to another connector since they were claimed."""
        found = self._leased(connection, claimed) if self.ledger.sharing.is_shared else list(claimed)
        found = [(id_, one) for id_, one in found if not was_ended(connection, id_, one)]
        if connection.execute(wishes.UNFINISHED_WISH, (1,)).fetchone() is not None:
            # What a wish that goes on is to end: the next claim says so.
            covered = _chosen(connection, wishes.COVERED_OF, found)
            found = [(id_, one) for id_, one in found if id_ not in covered]
        if self.overtaking:
            have_turn = _chosen(connection, sql.HAVE_TURN, found)
            found = [(id_, one) for id_, one in found if one.state is not State.WAITING or id_ in have_turn]
        return found

    def _leased(
        self, connection: Connection, claimed: Sequence[tuple[int, Standing]]
    ) -> list[tuple[int, Standing]]:
        """Those that this connector may open: its lease of them lasts.

        One that it had claimed before it joined again may have been attempted by others since.
        """
        if not self.ledger.sharing.is_member(connection):
            return []
        token = self.ledger.sharing.token
        return [(id_, one) for id_, one in claimed if one.state is State.WAITING and one.lease == token]

    def _leaving(
        self, connection: Connection, admitted: Sequence[tuple[int, Standing]], *, at: float
    ) -> list[tuple[int, Standing]]:
        """Those for which there is room. What has only now been admitted begins to wait for its sender.

        Such a one leaves by a later claim, and nothing of its sender leaves before it that is younger and not
        more urgent.
        """
        needed = self.ledger.paces.needed(connection, [id_ for id_, one in admitted if one.sender is None])
        changes = StepChanges()
        for id_, one in admitted:
            if id_ in needed:
                end_wait(id_, one, at, changes)
        changes.write(connection)
        if needed:
            self.ledger.paces.join(connection, needed, at=at)
        joined = {id_: (needed[id_][0], one.priority) for id_, one in admitted if id_ in needed}
        return [
            (id_, one)
            for id_, one in admitted
            if id_ not in joined
            and not any(
                sender == one.sender and rank <= one.priority and older < id_
                for older, (sender, rank) in joined.items()
            )
            and self._leaves(one, at=at)
        ]

    def _leaves(self, standing: Standing, *, at: float) -> bool:
        """Takes what it needs of its sender's rate; False where there is no room."""
        sender = standing.sender
        if sender is None:
            return True
        if not self.ledger.paces.has_room(sender, standing.amount, at=at):
            return False
        self.ledger.paces.leave(sender, standing.amount, PRIORITIES[standing.priority], at=at)
        return True


def _chosen(connection: Connection, statement: str, found: Sequence[tuple[int, Standing]]) -> set[int]:
    """Those of them that the statement selects."""
    return {id_ for (id_,) in connection.execute(statement, (json.dumps([id_ for id_, _ in found]),))}
