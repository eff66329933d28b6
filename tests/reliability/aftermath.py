"""The judgement on chains and deliveries: what came of each request after its first status.

It is pure. It compares Twilio's ledger and the statuses as they were heard with what the journal keeps of
requests that were never sent, and of deliveries.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.reliability.people import about, escalation_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.reliability.people import Escalation
    from tests.reliability.traffic import Request
    from twilio_notifications.simulator.store import LedgerEntry

GRACE_SECONDS: Final = 2.0
"""A POST that was on its way when its chain ended is carried out within this."""

SLACK_SECONDS: Final = 2.0
"""The broker writes down in whole seconds when a client connects, and what it has handed over before may be
heard after it where the machine is busy."""

_ENDS: Final = ("The escalation ", "No one acknowledged the escalation ")
"""With this the messages of ends begin, which may come before the answer of a request in doubt."""

_TOLD: Final = re.compile(r"person ([0-9]+) has it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A status as it came."""

    payload: bytes
    at: float
    life: int = 0
    """The life of the connector in which it came, counted from 1; 0: several share the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known when all is over."""

    ledger: Sequence[LedgerEntry]
    heard: Sequence[Heard]
    last_words: Mapping[str, str]
    """Twilio's last word for each SID of the ledger."""
    withdrawn: Counter[tuple[int, int, str]]
    """Requests of steps that were cancelled before they were sent, by number, step and recipient."""
    followed: Mapping[str, str]
    """The journal's last word for each SID."""
    connected: Sequence[float] = ()
    """When a connector connected to the broker, also one that took the leadership, or took it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """The ids with which something is wrong."""

    skipped: tuple[str, ...] = ()
    """A step was left out, or reached only a part of its contacts."""
    repeated: tuple[str, ...] = ()
    """A step, or the text that tells the others, was sent more often than the chain has rounds."""
    late: tuple[str, ...] = ()
    """A step was sent after the end of the chain had been published."""
    untold: tuple[str, ...] = ()
    """The chain does not have exactly one end on the status topic."""
    untrue: tuple[str, ...] = ()
    """The follow-up or the journal has another end than Twilio, or the follow-up is not exactly one."""
    republished: tuple[str, ...] = ()
    """A status was published twice, and nothing explains it: neither the end of a connector, nor the end of a
    connection to the broker, nor another leader."""

    def __str__(self) -> str:
        return (
            f"steps skipped {len(self.skipped)}, steps repeated {len(self.repeated)}, "
            f"steps too late {len(self.late)}, ends untold {len(self.untold)}, "
            f"deliveries untrue {len(self.untrue)}, statuses repeated {len(self.republished)}"
        )


ALL_TRUE: Final = Aftermath()


@dataclass(slots=True, kw_only=True)
class Statuses:
    """What was heard of one request, by kind."""

    answers: list[Heard] = field(default_factory=list)
    """The first one that tells of no end, and what equals it."""
    ends: list[Heard] = field(default_factory=list)
    follow_ups: list[Heard] = field(default_factory=list)

    def add(self, heard: Heard) -> None:
        if _is_end(heard.payload):
            self.ends.append(heard)
        elif not self.answers or heard.payload == self.answers[0].payload:
            self.answers.append(heard)
        else:
            self.follow_ups.append(heard)

    def repeated(self, connected: Sequence[float]) -> list[Heard]:
        """Each status that was published again without a reason, as it came again."""
        before: dict[bytes, Heard] = {}
        found = []
        for one in sorted([*self.answers, *self.ends, *self.follow_ups], key=lambda one: one.at):
            first = before.get(one.payload)
            if first is not None and not _is_explained(first, one, connected):
                found.append(one)
            before[one.payload] = one
        return found


def _is_explained(first: Heard, again: Heard, connected: Sequence[float]) -> bool:
    """Whether the status may have been without the broker's acknowledgement, as far as the journal knew.

    One that has lost the leadership and does not know it yet cannot note acknowledgements any more, and may
    publish again what it did not note, a moment before its successor connects.
    """
    if first.life != again.life:
        return True
    return any(first.at - SLACK_SECONDS <= at <= again.at + SLACK_SECONDS for at in connected)


def sorted_out(heard: Iterable[Heard]) -> dict[str, Statuses]:
    """The statuses by the id of their request."""
    found: dict[str, Statuses] = defaultdict(Statuses)
    for one in heard:
        found[json.loads(one.payload)["id"]].add(one)
    return found


def judge_aftermath(requests: Sequence[Request], evidence: Evidence) -> Aftermath:
    """What the promises of the contract (sections 8 and 9) came to."""
    statuses = sorted_out(evidence.heard)
    steps: dict[int, Counter[tuple[int, str]]] = defaultdict(Counter)
    latest: dict[int, float] = {}
    for entry in evidence.ledger:
        found = about(entry)
        if found is not None and found[1]:
            steps[found[0]][found[1], entry.to] += 1
            latest[found[0]] = entry.created_at
    for (number, step, to), count in evidence.withdrawn.items():
        steps[number][step, to] += count
    told_twice = _told_twice(evidence.ledger)
    chains = [(request, chain) for request in requests if (chain := escalation_of(request)) is not None]
    skipped, repeated, late, untold = [], [], [], []
    for request, chain in chains:
        of_it = statuses.get(request.id, Statuses())
        taken = steps[request.number]
        whole = any("NotAcknowledged" == _error(end.payload) for end in of_it.ends)
        if request.number in told_twice or any(count > chain.rounds for count in taken.values()):
            repeated.append(request.id)
        elif taken not in _courses(chain, whole=whole):
            skipped.append(request.id)
        elif whole and any(number == request.number for number, *_ in evidence.withdrawn):
            skipped.append(request.id)  # no person ended the chain, and a step of it was not sent
        if of_it.ends and latest.get(request.number, 0.0) > of_it.ends[0].at + GRACE_SECONDS:
            late.append(request.id)
        if len({end.payload for end in of_it.ends}) != 1:
            untold.append(request.id)
    return Aftermath(
        skipped=tuple(skipped),
        repeated=tuple(repeated),
        late=tuple(late),
        untold=tuple(untold),
        untrue=_untrue(requests, evidence, statuses),
        republished=tuple(id_ for id_, of_it in statuses.items() if of_it.repeated(evidence.connected)),
    )


def _courses(chain: Escalation, *, whole: bool) -> list[Counter[tuple[int, str]]]:
    """What may have been sent: the first n steps for each n, or all of them."""
    course: Counter[tuple[int, str]] = Counter()
    courses = [course]
    for _ in range(chain.rounds):
        for step in (1, 2):
            course = course + Counter((step, to) for to in chain.whom(step))
            courses.append(course)
    return courses[-1:] if whole else courses


def _told_twice(ledger: Sequence[LedgerEntry]) -> set[int]:
    told = Counter(
        (int(found[1]), entry.to) for entry in ledger if (found := _TOLD.fullmatch(entry.body or ""))
    )
    return {number for (number, _), count in told.items() if count > 1}


def _untrue(
    requests: Sequence[Request], evidence: Evidence, statuses: Mapping[str, Statuses]
) -> tuple[str, ...]:
    sids: dict[str, str] = {}
    for entry in evidence.ledger:
        found = about(entry)
        content = entry.url if found is None else f"number {found[0]}" if not found[1] else None
        if content is not None:
            sids[content] = entry.sid
    wrong = [sid for sid, word in evidence.last_words.items() if evidence.followed.get(sid) != word]
    for request in requests:
        sid = sids.get(request.content)
        if sid is None:
            continue  # it was never sent, so there is nothing to follow
        follow_ups = statuses.get(request.id, Statuses()).follow_ups
        words = {_word(one.payload) for one in follow_ups}
        if words != {evidence.last_words[sid]} or len({one.payload for one in follow_ups}) != 1:
            wrong.append(request.id)
    return tuple(wrong)


def tell(id_: str, evidence: Evidence) -> str:
    """What was heard of this request, and when connectors connected meanwhile, for the report."""
    heard = [one for one in evidence.heard if json.loads(one.payload)["id"] == id_]
    if not heard:
        return f"{id_}: no status was heard"
    said = [(one.at, f"{_word(one.payload) or _error(one.payload)} in life {one.life}") for one in heard]
    first, last = heard[0].at - SLACK_SECONDS, heard[-1].at
    said += [(at, "a connector connected") for at in evidence.connected if first <= at <= last]
    return f"{id_}: " + ", ".join(f"{at:.3f} {what}" for at, what in sorted(said))


def _is_end(payload: bytes) -> bool:
    response = json.loads(payload)["response"]
    message: str = response.get("error_message", "")
    return _word(payload) == "acknowledged" or message.startswith(_ENDS)


def _error(payload: bytes) -> str | None:
    error: str | None = json.loads(payload)["response"].get("error")
    return error


def _word(payload: bytes) -> str | None:
    content: Mapping[str, Any] | None = json.loads(payload)["response"]["payload"]
    return None if content is None else content["messages"]["message_status"]
