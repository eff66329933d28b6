"""What Twilio answered to attempts whose leases had ended by then: runs in the writer's thread.

It is kept apart from the attempts, because the leader may be settling the same doubt. It weighs more than
Twilio's records: those may not show yet what an answer has said.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.rows import paid_back
from twilio_notifications.adapters.journal.statements import members as sql
from twilio_notifications.adapters.journal.statements import work
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.memory import Standing
    from twilio_notifications.core.steps import Step

CARRIED_OUT = "Twilio has carried out an earlier attempt of this request, and answered it late"
LATE = "Twilio answered after its records had shown that nothing was sent"


def keep(connection: Connection, step: Step, attempt: int) -> None:
    """Keeps what the step says of its attempt, if it says anything, and has the doubt settled at once."""
    if step.outcome is None or step.outcome is AttemptOutcome.IN_DOUBT:
        return
    values = (step.id, attempt, step.outcome, *_answered(step), step.at)
    connection.execute(sql.KEEP_EVIDENCE, values)
    connection.execute(sql.HASTEN_SETTLING, (step.at, step.id))


def overrules(connection: Connection, step: Step, *, settles: bool) -> bool:
    """Whether Twilio has given the request a SID of which the step knows nothing.

    A step that `settles` a doubt rests on Twilio's records, so it must name that SID; an answer to a later
    attempt may have one of its own.
    """
    sid = step.sid if isinstance(step, Finish) else None
    if sid is not None and not settles:
        return False
    sids = {found for (found,) in connection.execute(sql.SIDS_OF_EVIDENCE, (step.id,))}
    return bool(sids) and sid not in sids


def doubt_instead(step: Step) -> Doubt:
    """The step in place of one that is overruled: the settler finishes the request by its evidence."""
    return Doubt(id=step.id, at=step.at, settle_at=step.at, message=CARRIED_OUT, attempt=step.attempt)


def correct(connection: Connection, step: Finish, attempt: int, known: Standing | None) -> None:
    """The attempt was closed as one that sent nothing, and its request waits; now its SID is known.

    `known` is the attempt as this connector opened it; None: what it charged is not known any more.
    """
    connection.execute(sql.CORRECT_ATTEMPT, (LATE, step.sid, step.id, attempt))
    for charge in paid_back(AttemptOutcome.FAILED, None if known is None else known.charges):
        connection.execute(work.CHARGE, (charge.scope, charge.since, charge.amount))


def _answered(step: Step) -> tuple[str | None, str | None, str | None, str | None, int | None]:
    """SID, Twilio's word, its numbers, and its code."""
    match step:
        case Finish(follow=follow) if follow is not None:
            return step.sid, follow.word, follow.sender_number, follow.phone_number, step.code
        case Finish(sid=str()):
            payload = json.loads(step.status).get("response", {}).get("payload", {})
            messages = payload.get("messages", {})
            numbers = payload.get("from_number"), messages.get("to_number")
            return step.sid, messages.get("message_status"), *numbers, None
        case Finish() | Postpone():
            return None, None, None, None, step.code
        case _:
            return None, None, None, None, None
