"""What the telephones show, in the form of the simulator's JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from twilio_notifications.core.twilio_codes import explained
from twilio_notifications.simulator.resources import (
    INBOUND,
    Call,
    Resource,
    TextMessage,
    answered_by,
    sender_at,
    step_at,
)
from twilio_notifications.simulator.telephone.hands import Act, possible_acts
from twilio_notifications.simulator.voice_document import find_gather, spoken_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twilio_notifications.simulator.world import World

MOST_ENTRIES: Final = 200
"""How many entries of one telephone a page of the interface may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelephoneEntry:
    """One text or call on a telephone.

    `outgoing`: it comes from this telephone. `other` is the number at the other end, None while a Messaging
    Service has not chosen it. Of a call, `spoken` is what Twilio speaks, `document` the address of what it
    plays, `keys` are those that were pressed, `heard` is what the answers to them say, and `acts` are what a
    person can do with the call now.
    """

    sid: str
    kind: Literal["text", "call"]
    outgoing: bool
    other: str | None
    created_at: float
    status: str
    error_code: int | None = None
    error_means: str | None = None
    body: str | None = field(default=None, repr=False)
    media_urls: tuple[str, ...] = field(default=(), repr=False)
    spoken: str | None = field(default=None, repr=False)
    document: str | None = field(default=None, repr=False)
    answered_by: str | None = None
    takes_keys: bool = False
    keys: str = ""
    heard: tuple[str, ...] = field(default=(), repr=False)
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """One telephone with its latest entries, newest first. `kept` counts those that it could show."""

    number: str
    on: bool
    by_hand: bool
    kept: int
    ringing: bool
    entries: Sequence[TelephoneEntry]


def telephones(
    world: World, *, now: float, number: str | None, search: str, most: int
) -> tuple[Telephone, ...]:
    """The telephones, that with the newest entry first, each with at most `most` entries.

    `number` None: all that have got something; else this one alone, whether it has or not. A search that is
    not empty leaves out the entries without these words, in upper or lower case, and the telephones without
    such entries.
    """
    found = world.memory.by_number()
    if number is not None:
        found = {number: found.get(number, [])}
    wanted = search.casefold()
    shown = (_telephone(world, each, sids, wanted, now=now, most=most) for each, sids in found.items())
    return tuple(each for each in shown if each.entries or number is not None or not wanted)


def _telephone(
    world: World, number: str, sids: Sequence[str], wanted: str, *, now: float, most: int
) -> Telephone:
    resources = [resource for sid in sids if (resource := world.store.find(sid)) is not None]
    matching = (
        each for each in resources if not wanted or wanted in "\n".join(_words_of(each, number)).casefold()
    )
    settings = world.switches.of(number)
    return Telephone(
        number=number,
        on=settings.on,
        by_hand=settings.by_hand,
        kept=len(resources),
        ringing=any(
            isinstance(each, Call) and each.direction != INBOUND and step_at(each, now).status == "ringing"
            for each in resources
        ),
        entries=[entry(each, now=now) for each in islice(matching, most)],
    )


def entry(resource: Resource, *, now: float) -> TelephoneEntry:
    """The text or call as its telephone shows it at `now`."""
    return _text(resource, now=now) if isinstance(resource, TextMessage) else _call(resource, now=now)


def _text(text: TextMessage, *, now: float) -> TelephoneEntry:
    step = step_at(text, now)
    outgoing = text.direction == INBOUND
    return TelephoneEntry(
        sid=text.sid,
        kind="text",
        outgoing=outgoing,
        other=text.to if outgoing else sender_at(text, now),
        created_at=text.created_at,
        status=step.status,
        error_code=step.error_code,
        error_means=_means(step.error_code),
        body=text.body,
        media_urls=text.media_urls,
    )


def _call(call: Call, *, now: float) -> TelephoneEntry:
    outgoing = call.direction == INBOUND
    step = step_at(call, now)
    notice = next((notice for notice in call.notices if notice.at <= now), None)
    code = step.error_code if notice is None else notice.code
    return TelephoneEntry(
        sid=call.sid,
        kind="call",
        outgoing=outgoing,
        other=call.to if outgoing else call.sender,
        created_at=call.created_at,
        status=step.status,
        error_code=code,
        error_means=_means(code),
        spoken=spoken_in(call.twiml),
        document=None if call.order is None else call.order.url,
        answered_by=answered_by(call, now),
        takes_keys="hang-up" in possible_acts(call, now) and find_gather(call.twiml) is not None,
        keys="".join(press.digits for press in call.presses if press.at <= now),
        heard=call.heard,
        acts=possible_acts(call, now),
    )


def _means(code: int | None) -> str | None:
    return None if code is None else explained(code).means


def _words_of(resource: Resource, number: str) -> Iterator[str]:
    """All that a search looks through."""
    yield from (number, resource.sid, resource.to, resource.sender or "")
    if isinstance(resource, TextMessage):
        yield resource.body
        yield from resource.media_urls
    else:
        yield spoken_in(resource.twiml) or ""
        yield resource.order.url or "" if resource.order is not None else ""
