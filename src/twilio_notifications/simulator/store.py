"""Keeps the simulator's messages and calls in order of creation, and the ledger of all creates.

A book holds the resources of one channel and finds them by SID, by recipient and by place. The ledger
loses no entry by deleting or redacting a resource: that does not undo its creation.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.ledger import KeptLedger
from twilio_notifications.simulator.orders import CallOrder, TextOrder
from twilio_notifications.simulator.resources import Resource, new_call, new_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from twilio_notifications.simulator.plans import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One resource that was created. `created_at` is in seconds since the epoch, by the simulator's clock."""

    sid: str
    channel: Channel
    account_sid: str
    to: str
    sender: str | None
    messaging_service_sid: str | None = None
    body: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    twiml: str | None = field(default=None, repr=False)
    media_urls: tuple[str, ...] = field(default=(), repr=False)
    created_at: float


@dataclass(slots=True)
class _OfRecipient:
    """The places of one recipient's resources in ascending order, and how many of them were forgotten."""

    places: list[int] = field(default_factory=list)
    forgotten: int = 0


class Book:
    """The resources of one channel, at most the latest `keep`; None: all of them.

    A place is a number in the order of creation; it is never reused.
    """

    def __init__(self, *, keep: int | None = None) -> None:
        self._keep = keep
        self._sids: dict[int, tuple[str, str]] = {}  # by place, each with its recipient
        self._first = self._next = 0
        self._places: dict[str, int] = {}
        self._resources: dict[str, Resource] = {}
        self._recipients: dict[str, _OfRecipient] = {}

    def add(self, resource: Resource) -> None:
        place = self._next
        self._next += 1
        self._sids[place] = resource.sid, resource.to
        self._places[resource.sid] = place
        self._resources[resource.sid] = resource
        self._recipients.setdefault(resource.to, _OfRecipient()).places.append(place)
        if self._keep is not None and len(self._sids) > self._keep:
            self._forget_oldest()

    def get(self, sid: str) -> Resource | None:
        return self._resources.get(sid)

    def count_of(self, to: str) -> int:
        """The number of resources to this recipient so far, as long as one of them is kept."""
        found = self._recipients.get(to)
        return 0 if found is None else len(found.places) + found.forgotten

    def replace(self, resource: Resource) -> None:
        """Keeps the resource as it is now, unless it was forgotten meanwhile."""
        if resource.sid in self._places:
            self._resources[resource.sid] = resource

    def remove(self, sid: str) -> None:
        """Removes the resource and keeps its place, so that page tokens that name the place still work."""
        del self._resources[sid]

    def older_than(self, sid: str | None, *, to: str | None) -> Iterator[Resource]:
        """The resources created before that one (None: all of them), newest first."""
        places = self._candidates(to)
        end = len(places) if sid is None else bisect_left(places, self._places.get(sid, 0))
        return self._present(places[index] for index in range(end - 1, -1, -1))

    def newer_than(self, sid: str, *, to: str | None) -> Iterator[Resource]:
        """The resources created after that one, oldest first."""
        places = self._candidates(to)
        start = bisect_right(places, self._places.get(sid, self._next))
        return self._present(islice(places, start, None))

    def _candidates(self, to: str | None) -> Sequence[int]:
        if to is None:
            return range(self._first, self._next)
        found = self._recipients.get(to)
        return [] if found is None else found.places

    def _present(self, places: Iterator[int]) -> Iterator[Resource]:
        for place in places:
            resource = self._resources.get(self._sids[place][0])
            if resource is not None:
                yield resource

    def _forget_oldest(self) -> None:
        """Forgets the oldest resource, whether it was removed or not."""
        sid, to = self._sids.pop(self._first)
        self._first += 1
        del self._places[sid]
        self._resources.pop(sid, None)
        recipient = self._recipients[to]
        recipient.forgotten += 1
        del recipient.places[0]
        if not recipient.places:
            del self._recipients[to]


class Store:
    """All resources of all accounts. `new_sid` makes a SID of the prefix it is given.

    With `keep`, it forgets all but the latest texts, calls, and entries of the ledger, so many of each.
    """

    def __init__(self, *, new_sid: Callable[[str], str], keep: int | None = None) -> None:
        self._new_sid = new_sid
        self.books = {channel: Book(keep=keep) for channel in Channel}
        self.creates: KeptLedger[LedgerEntry] = KeptLedger(keep=keep)

    @property
    def ledger(self) -> list[LedgerEntry]:
        """The creates that are kept, in order."""
        return self.creates.entries

    def find(self, sid: str) -> Resource | None:
        """The resource as it stands; None where there is none, or where it was deleted or forgotten."""
        return self.books[Channel.CALL if sid.startswith("CA") else Channel.SMS].get(sid)

    def add_inbound(self, resource: Resource) -> None:
        """Adds what came from outside: it is in the lists, and not in the ledger of creates."""
        self.books[resource.channel].add(resource)

    def create(self, order: TextOrder | CallOrder, *, account_sid: str, now: float, plan: Plan) -> Resource:
        """Carries out an order: the resource exists from now on, whether or not its answer arrives."""
        resource, entry = (
            self._text(order, account_sid=account_sid, now=now, plan=plan)
            if isinstance(order, TextOrder)
            else self._call(order, account_sid=account_sid, now=now, plan=plan)
        )
        self.books[resource.channel].add(resource)
        self.creates.add(entry)
        return resource

    def _text(
        self, order: TextOrder, *, account_sid: str, now: float, plan: Plan
    ) -> tuple[Resource, LedgerEntry]:
        sid = self._new_sid("MM" if order.media_urls else "SM")
        entry = LedgerEntry(
            sid=sid,
            channel=Channel.SMS,
            account_sid=account_sid,
            to=order.to,
            sender=order.sender,
            messaging_service_sid=order.messaging_service_sid,
            body=order.body,
            media_urls=order.media_urls,
            created_at=now,
        )
        return new_message(order, sid=sid, account_sid=account_sid, now=now, plan=plan), entry

    def _call(
        self, order: CallOrder, *, account_sid: str, now: float, plan: Plan
    ) -> tuple[Resource, LedgerEntry]:
        sid = self._new_sid("CA")
        entry = LedgerEntry(
            sid=sid,
            channel=Channel.CALL,
            account_sid=account_sid,
            to=order.to,
            sender=order.sender,
            url=order.url,
            twiml=order.twiml,
            created_at=now,
        )
        return new_call(order, sid=sid, account_sid=account_sid, now=now, plan=plan), entry
