"""The chains of `torture.py`: who is reached after an alarm, and what those people do.

A person acknowledges on the topic, by a text back or by a call back, or cancels the alarm, or does nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tests.acceptance.house import SENDER, until
from tests.reliability.traffic import recipient
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from tests.reliability.traffic import Request
    from tests.support.mqtt_peer import Peer
    from tests.support.process import Section
    from twilio_notifications.simulator.server import Simulator
    from twilio_notifications.simulator.store import LedgerEntry

ESCALATIONS: Final = 8
FIRST_CONTACT: Final = 1000
"""The numbers of contacts, apart from those of the other recipients, whose order is judged."""

FIRST_SECONDS: Final = 0.4
SECOND_SECONDS: Final = 0.9
WAIT_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 3.0
"""Before a person does something: about as long as a chain lasts, so that both may come first."""

LONGEST_RUN_SECONDS: Final = 3600.0


class Fate(StrEnum):
    """How a chain is to end; what comes later than its last step comes too late."""

    NEVER = "never"
    TOPIC = "topic"
    TEXT_BACK = "text back"
    CALL_BACK = "call back"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A configured chain: a call to one contact, then a text to two."""

    number: int

    @property
    def name(self) -> str:
        return f"chain{self.number}"

    @property
    def rounds(self) -> int:
        return 1 + self.number % 2

    @property
    def contacts(self) -> tuple[str, str, str]:
        first, second, third = (recipient(FIRST_CONTACT + 3 * self.number + place) for place in range(3))
        return first, second, third

    def whom(self, step: int) -> tuple[str, ...]:
        """The telephone numbers that step 1 or 2 reaches."""
        return self.contacts[:1] if step == 1 else self.contacts[1:]

    @property
    def sections(self) -> dict[str, Section]:
        """Its part of the configuration."""
        names = [f"p{3 * self.number + place}" for place in range(3)]
        called = {"channel": "call", "contacts": names[:1], "voice_message": "step 1 of {message}"}
        texted = {"channel": "text", "contacts": names[1:], "message": "step 2 of {message}"}
        people = {
            f"contacts.{name}": {"name": name, "phone_number": number}
            for name, number in zip(names, self.contacts, strict=True)
        }
        chain = {
            "steps": [
                called | {"after_seconds": FIRST_SECONDS},
                texted | {"after_seconds": SECOND_SECONDS},
            ],
            "repeat": self.rounds - 1,
            "wait_seconds": WAIT_SECONDS,
            "tell_others": self.number % 3 == 0,
        }
        return {**people, f"escalations.{self.name}": chain}


CHAINS: Final = tuple(Escalation(number=number) for number in range(ESCALATIONS))


def escalation_of(request: Request) -> Escalation | None:
    """The chain that this request begins; None: it begins none."""
    name = request.extensions.get("escalation")
    return next((chain for chain in CHAINS if chain.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Those who are reached, with a telephone each and a client at the broker."""

    peer: Peer
    twilio: Simulator
    chance: random.Random

    async def react(self, request: Request, *, answered: Callable[[], bool]) -> Fate:
        """Does what is drawn for the chain of this request, some time after it is answered."""
        fate = self.chance.choice(tuple(Fate))
        pause = self.chance.uniform(0, LONGEST_PAUSE_SECONDS)
        await until(answered, limit_seconds=LONGEST_RUN_SECONDS)
        await asyncio.sleep(pause)
        match fate:
            case Fate.TOPIC:
                wish = {"id": request.id, "by": f"person {request.number}"}
                await self.peer.publish("twilio/acknowledge", json.dumps(wish))
            case Fate.CANCELLED:
                await self.peer.publish("twilio/cancel", json.dumps({"id": request.id}))
            case Fate.TEXT_BACK:
                for entry in texts_of(request, self.twilio.ledger)[-1:]:
                    self.twilio.receive_text(code_in(entry), sender=entry.to, to=SENDER)
            case Fate.CALL_BACK:
                self.twilio.receive_call(sender=request.to, to=SENDER)
            case Fate.NEVER:
                pass
        return fate


_ABOUT: Final = re.compile(r"(?:step (?P<step>[12]) of )?number (?P<number>[0-9]+)\b")
_HINT: Final = re.compile(r"Reply ([0-9]+) to acknowledge\.")


def about(entry: LedgerEntry) -> tuple[int, int] | None:
    """The number of the request and the step of its chain, 0 for itself; None: neither of both."""
    found = _ABOUT.search(entry.body or entry.twiml or "")
    return None if found is None else (int(found["number"]), int(found["step"] or 0))


def texts_of(request: Request, ledger: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """The texts of its chain so far that name a code."""
    return [
        entry
        for entry in ledger
        if entry.channel is Channel.SMS
        and (found := about(entry)) is not None
        and found[0] == request.number
        and _HINT.search(entry.body or "")
    ]


def code_in(entry: LedgerEntry) -> str:
    """The code that the last line of a text names."""
    found = _HINT.search(entry.body or "")
    assert found is not None
    return found[1]
