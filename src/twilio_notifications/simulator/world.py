"""What happens in the simulator's world outside the API: ends, callbacks, keys, texts and calls back.

It joins the store with the plans and the callbacks, and carries out the orders of a test, or of a person
at a telephone. A refused order raises `OrderRefused` with a sentence for the person who gave it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from twilio_notifications.core.model import Channel
from twilio_notifications.core.twiml import flaw_of
from twilio_notifications.simulator.announcer import Announcer, CallbackEntry
from twilio_notifications.simulator.callbacks import Purpose
from twilio_notifications.simulator.errors import OrderRefused
from twilio_notifications.simulator.inbound import InboundOrder, OptOuts, inbound
from twilio_notifications.simulator.numbers import normalized
from twilio_notifications.simulator.orders import TextOrder
from twilio_notifications.simulator.resources import (
    DOCUMENT_UNREADABLE,
    INBOUND,
    Call,
    Notice,
    Press,
    Resource,
    Step,
    TextMessage,
    changed,
    is_on_the_line,
    sender_at,
)
from twilio_notifications.simulator.store import Store
from twilio_notifications.simulator.telephone.hands import acted
from twilio_notifications.simulator.telephone.memory import TelephoneMemory
from twilio_notifications.simulator.telephone.off import cut_off
from twilio_notifications.simulator.telephone.switches import Switches
from twilio_notifications.simulator.voice_document import find_gather, spoken_in

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from twilio_notifications.simulator.deliveries import DeliveryOrders
    from twilio_notifications.simulator.orders import CallOrder
    from twilio_notifications.simulator.plans import Plan
    from twilio_notifications.simulator.telephone.hands import HandOrder
    from twilio_notifications.simulator.telephone.switches import SwitchOrder, TelephoneSettings

DOCUMENT_NOT_FETCHED = 11200
SUCCESS = range(200, 300)


class ChangeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A status that a text or a call takes at once, in place of all that was to come.

    It may contradict an earlier end, as Twilio's callbacks now and then do.
    """

    sid: str
    status: Literal[
        "accepted",
        "queued",
        "sending",
        "sent",
        "delivered",
        "undelivered",
        "failed",
        "canceled",
        "read",
        "partially_delivered",
        "ringing",
        "in-progress",
        "completed",
        "busy",
        "no-answer",
    ]
    error_code: int | None = None
    error_message: str | None = None


class KeyOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys that the person presses now, in a call that is in progress."""

    sid: str
    digits: Annotated[str, msgspec.Meta(pattern="^[0-9*#]{1,32}$")]


class World:
    """The resources, and what becomes of them. `new_sid` makes a SID of the prefix that it gets.

    With `keep`, older texts, calls, and entries of the ledgers are forgotten.
    """

    def __init__(
        self,
        *,
        new_sid: Callable[[str], str],
        chance: random.Random,
        deliveries: DeliveryOrders,
        keep: int | None = None,
    ) -> None:
        self._new_sid = new_sid
        self.store = Store(new_sid=new_sid, keep=keep)
        self.deliveries = deliveries
        self.announcer = Announcer(find=self.store.find, chance=chance, keep=keep)
        self.opt_outs = OptOuts()
        self.switches = Switches()
        self.memory = TelephoneMemory()
        self.early_sid: str | None = None
        """The latest new resource whose first callback comes before the answer to its create."""

    def create(
        self, order: TextOrder | CallOrder, *, account_sid: str, now: float, plan: Plan | None
    ) -> Resource:
        """Carries out a create; without a plan, the telephone's switches and `deliveries` choose one."""
        if plan is None:
            channel = Channel.SMS if isinstance(order, TextOrder) else Channel.CALL
            earlier = self.store.books[channel].count_of(order.to)
            usual = partial(self.deliveries.plan_for, channel, order.to, earlier=earlier)
            plan = self.switches.plan_for(channel, order.to, usual=usual)
        resource = self.store.create(order, account_sid=account_sid, now=now, plan=plan)
        self.memory.add(resource)
        if self.announcer.begin(resource, now=now):
            self.early_sid = resource.sid
        return resource

    def replace(self, resource: Resource) -> None:
        """Keeps a resource that has changed, and announces the change."""
        self.store.books[resource.channel].replace(resource)
        self.announcer.follow(resource)

    def change(self, order: ChangeOrder, *, now: float) -> Resource:
        """Carries out the order; raises OrderRefused where there is no such resource."""
        resource = self._existing(order.sid)
        step = Step(now, order.status, order.error_code, order.error_message)
        resource = changed(resource, step)
        self.replace(resource)
        return resource

    def press(self, order: KeyOrder, *, now: float) -> Call:
        """Carries out the order; raises OrderRefused where the call takes no keys at this instant."""
        call = self._existing_call(order.sid)
        if not is_on_the_line(call, now):
            raise OrderRefused(f"The call {order.sid} is not in progress: no key can be pressed")
        if find_gather(call.twiml) is None:
            raise OrderRefused(
                f"The call {order.sid} takes no keys: its Twiml has no <Gather> with an absolute action"
            )
        call = replace(call, presses=(*call.presses, Press(at=now, digits=order.digits)))
        self.replace(call)
        return call

    def act(self, order: HandOrder, *, now: float) -> Call:
        """Carries out the order; raises OrderRefused where the call does not allow the act now."""
        call = acted(self._existing_call(order.sid), order.act, now=now)
        self.replace(call)
        return call

    def switch(self, order: SwitchOrder, *, now: float) -> TelephoneSettings:
        """Carries out the order. What is on its way to a telephone that goes off does not arrive."""
        settings = self.switches.set(order)
        if order.on is False:
            numbers = self.memory.by_number()
            chosen = numbers if order.number is None else [normalized(order.number)]
            for sid in (sid for number in chosen for sid in numbers.get(number, ())):
                resource = self.store.find(sid)
                lost = None if resource is None else cut_off(resource, now=now)
                if lost is not None:
                    self.replace(lost)
        return settings

    def receive(self, order: InboundOrder, *, now: float) -> Resource:
        """Carries out the order; raises OrderRefused where it leaves out what cannot be known yet."""
        order = order if order.to is not None else self._addressed(order, now=now)
        account_sid = order.account_sid
        if account_sid is None:
            if not self.store.ledger:
                raise OrderRefused("Name the account_sid: nothing was created yet that would tell it")
            account_sid = self.store.ledger[-1].account_sid
        sid = self._new_sid("CA" if order.channel is Channel.CALL else "SM")
        resource = inbound(order, sid=sid, account_sid=account_sid, now=now)
        if isinstance(resource, TextMessage):
            self.opt_outs.read(resource)
        self.store.add_inbound(resource)
        self.memory.add(resource)
        return resource

    def _addressed(self, order: InboundOrder, *, now: float) -> InboundOrder:
        """The order to the number from which the telephone got something last."""
        for sid in self.memory.by_number().get(normalized(order.sender), ()):
            resource = self.store.find(sid)
            sender = None if resource is None else sender_at(resource, now)
            if resource is not None and resource.direction != INBOUND and sender is not None:
                return msgspec.structs.replace(order, to=sender)
        raise OrderRefused(f"Name the number in `to`: the telephone {order.sender} got nothing yet to answer")

    def note_answer(self, entry: CallbackEntry, *, now: float) -> None:
        """Keeps what the answer to keys says; adds a notification where it is no document, as Twilio does."""
        callback = entry.callback
        call = self.store.find(callback.sid)
        if callback.purpose is not Purpose.KEYS or not isinstance(call, Call):
            return
        if entry.status not in SUCCESS:
            code = DOCUMENT_NOT_FETCHED
        elif flaw_of(entry.answer) is not None:
            code = DOCUMENT_UNREADABLE
        else:
            said = spoken_in(entry.answer)
            if said is not None:
                self.replace(replace(call, heard=(*call.heard, said)))
            return
        notice = Notice(at=now, code=code, url=callback.url)
        self.replace(replace(call, notices=(*call.notices, notice)))

    def _existing_call(self, sid: str) -> Call:
        call = self._existing(sid)
        if not isinstance(call, Call):
            raise OrderRefused(f"{sid} is a text: only a call takes keys, or can be picked up and ended")
        return call

    def _existing(self, sid: str) -> Resource:
        resource = self.store.find(sid)
        if resource is None:
            raise OrderRefused(f"There is no message or call {sid}")
        return resource
