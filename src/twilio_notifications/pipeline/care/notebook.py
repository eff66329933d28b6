"""Writes down how the connector itself stands: for people, who read its journal without asking it.

It hears the events and keeps what has changed. Nothing of it is on the way of a request: a connector that
sends all day writes a few rows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import JournalError
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.ports.events import (
    BrokerConnected,
    BrokerDeaf,
    BrokerGrantsLess,
    BrokerLost,
    BrokerUnreachable,
    BrokerUnsteady,
    CredentialsAccepted,
    CredentialsRefused,
    Defect,
    LoginAccepted,
    LoginForTests,
    LoginRefused,
    LoginUnchecked,
    NucleusConnected,
    NucleusDeaf,
    NucleusDeliversAgain,
    NucleusLost,
    NucleusRefused,
    NucleusUnreachable,
)
from twilio_notifications.ports.journal.facts import Fact, FactName, FactWord

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock, Event, Events
    from twilio_notifications.ports.journal.facts import Facts

PAUSE_SECONDS: Final = 1.0
"""Between two writes: a connection that comes and goes many times a second costs one row a second."""

LAST_WRITE_SECONDS: Final = 2.0
"""The most seconds for which the end of the connector waits until the journal has its last note."""

NUCLEUS: Final = "the Greengrass nucleus"

TEST_CREDENTIALS: Final = "these are Twilio's test credentials: nothing arrives"


@dataclass(slots=True, kw_only=True)
class Notebook:
    """Hears the events. Its methods but `tell` are for one stage."""

    clock: Clock
    version: str
    """Of this program."""
    _known: dict[FactName, Fact] = field(init=False, default_factory=dict)
    _unwritten: dict[FactName, Fact] = field(init=False, default_factory=dict)
    _alarm: Alarm = field(init=False)

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)

    def tell(self, event: Event) -> None:
        """Notes what the event changes, if it is one of the few that change something."""
        kind = type(event)
        if kind in _OF_THE_CONNECTION:
            self._hear_of_the_connection(event)
        elif kind in _OF_THE_CREDENTIALS:
            self._hear_of_the_credentials(event)

    async def run(self, journal: Facts, *, events: Events) -> None:
        """Writes down what has changed, until cancelled. Raises JournalError."""
        self._note(FactName.CONNECTOR, FactWord.RUNNING, about=self.version)
        if FactName.CONNECTION not in self._known:
            self._note(FactName.CONNECTION, FactWord.DISCONNECTED, detail="not connected since the start")
        if FactName.CREDENTIALS not in self._known:
            self._note(FactName.CREDENTIALS, FactWord.UNCHECKED)
        while True:
            await self._write(journal, events)
            await self.clock.sleep(PAUSE_SECONDS)
            await self._alarm.wait()

    async def end(self, journal: Facts, *, events: Events) -> None:
        """Writes down that the connector has ended in order; gives up where that takes long."""
        self._note(FactName.CONNECTOR, FactWord.ENDED, about=self.version)
        known = self._known.get(FactName.CONNECTION)
        broker = "" if known is None else known.about
        self._note(FactName.CONNECTION, FactWord.DISCONNECTED, about=broker, detail="the connector has ended")
        writing = asyncio.ensure_future(self._write(journal, events))
        await asyncio.wait({writing}, timeout=LAST_WRITE_SECONDS)
        if not writing.cancel():
            writing.result()

    async def _write(self, journal: Facts, events: Events) -> None:
        facts, self._unwritten = list(self._unwritten.values()), {}
        if not facts:
            return
        try:
            await journal.keep_facts(facts, at=self.clock.now())
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - then a person reads less, and requests go on
            events.tell(Defect(name="journal_step_failed", error=error))

    def _hear_of_the_connection(self, event: Event) -> None:
        name = FactName.CONNECTION
        match event:
            case BrokerConnected(broker=broker, protocol=protocol):
                self._note(name, FactWord.CONNECTED, about=f"{broker} ({protocol})")
            case NucleusConnected():
                self._note(name, FactWord.CONNECTED, about=NUCLEUS)
            case BrokerLost(broker=broker, error=error) | BrokerUnreachable(broker=broker, error=error):
                self._note(name, FactWord.DISCONNECTED, about=broker, detail=error)
            case NucleusLost(error=error) | NucleusRefused(error=error) | NucleusUnreachable(error=error):
                self._note(name, FactWord.DISCONNECTED, about=NUCLEUS, detail=error)
            case BrokerDeaf(error=error) | BrokerGrantsLess(error=error) | BrokerUnsteady(error=error):
                self._remark(error)
            case NucleusDeaf(side=side):
                self._remark(f"a message of the connector to itself did not come back from {side}")
            case NucleusDeliversAgain():
                self._remark("")
            case _:
                pass

    def _hear_of_the_credentials(self, event: Event) -> None:
        name = FactName.CREDENTIALS
        match event:
            case LoginAccepted() | CredentialsAccepted():
                self._note(name, FactWord.ACCEPTED)
            case LoginForTests():
                self._note(name, FactWord.ACCEPTED, detail=TEST_CREDENTIALS)
            case LoginRefused(error=error) | CredentialsRefused(error=error):
                self._note(name, FactWord.REFUSED, detail=error)
            case LoginUnchecked(error=error):
                self._note(name, FactWord.UNCHECKED, detail=error)
            case _:
                pass

    def _remark(self, detail: str) -> None:
        """Something is to be said of the connection as it is."""
        known = self._known.get(FactName.CONNECTION)
        if known is not None:
            self._note(known.name, known.word, about=known.about, detail=detail)

    def _note(self, name: FactName, word: FactWord, *, about: str = "", detail: str = "") -> None:
        known = self._known.get(name)
        same = known is not None and (known.word, known.about) == (word, about)
        since = known.since if known is not None and same else self.clock.now()
        fact = Fact(name=name, word=word, about=about, detail=detail, since=since)
        if fact != known:
            self._known[name] = self._unwritten[name] = fact
            self._alarm.ring()


_OF_THE_CONNECTION: Final[frozenset[type[Event]]] = frozenset(
    {
        BrokerConnected,
        BrokerDeaf,
        BrokerGrantsLess,
        BrokerLost,
        BrokerUnreachable,
        BrokerUnsteady,
        NucleusConnected,
        NucleusDeaf,
        NucleusDeliversAgain,
        NucleusLost,
        NucleusRefused,
        NucleusUnreachable,
    }
)

_OF_THE_CREDENTIALS: Final[frozenset[type[Event]]] = frozenset(
    {CredentialsAccepted, CredentialsRefused, LoginAccepted, LoginForTests, LoginRefused, LoginUnchecked}
)
