"""Random kills under load: the connector dies again and again while requests arrive and Twilio misbehaves.

Every text and call is followed to an end that the simulator draws, and some requests begin a chain, which
people acknowledge or cancel, or not.

Run as `make torture N=2000 KILLS=50`, or `python -m tests.reliability.torture --requests N --kills K`.
The last line is the judgement; the exit code is 1 unless all its numbers are 0. The seed decides which
requests, faults, ends and moments of a kill are drawn; when exactly each falls it does not, and is not meant
to.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.acceptance.house import until
from tests.reliability.aftermath import ALL_TRUE, Evidence, Heard, judge_aftermath, sorted_out, tell
from tests.reliability.kept import kept_in, open_in
from tests.reliability.people import LONGEST_RUN_SECONDS, People, escalation_of
from tests.reliability.plan import (
    LATENCY_SECONDS,
    RECIPIENTS,
    SPEED,
    Plan,
    faults_of,
    requests_of,
    settings_of,
)
from tests.reliability.traffic import ALL_KEPT, Request, judge, publish
from tests.support.engines import access_of
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import STATUS_TOPIC, Peer
from tests.support.needs import missing
from tests.support.process import Connector
from tests.support.rabbitmq import RabbitMq
from twilio_notifications.core.errors import Reason
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from tests.reliability.aftermath import Aftermath
    from tests.reliability.traffic import Verdict
    from tests.support.postgresql import PostgreSql
    from tests.support.process import Section
    from twilio_notifications.adapters.journal.access import Access
    from twilio_notifications.simulator.faults import ArmedFault

STARTING_SHARE = 0.15
"""How many of the kills hit the start and its recovery."""
STARTING_SECONDS = 1.0
PROGRESS_SECONDS = 3.0
"""How long a kill waits for the progress that was drawn; a pause that Twilio asked for may last longer."""
STRAY_SECONDS = 0.02
"""Between the progress that was drawn and the kill, so that it falls between any two steps."""

END_SECONDS = 90.0
"""Without any progress of what is left when the killing is over."""

CLIENT_ID = "twilio-notifications"
"""Of each connector at the broker, where nothing else is configured."""

MOST_SHOWN = 20
"""Ids of requests in a line of the report."""

_BROKERS = {"mosquitto": Mosquitto, "rabbitmq": RabbitMq}


@dataclass(slots=True, kw_only=True)
class Account:
    """What was done and what came of it."""

    verdict: Verdict = ALL_KEPT
    aftermath: Aftermath = ALL_TRUE
    chains: Counter[str] = field(default_factory=Counter)
    """Chains by what their people did."""
    ends: Counter[str] = field(default_factory=Counter)
    """Texts and calls by Twilio's last word."""
    kills: int = 0
    kills_while_starting: int = 0
    in_doubt: int = 0
    """Attempts that a start found in doubt, over all starts."""
    repeated: int = 0
    """PUBLISH packets that the broker sent again, and that were acknowledged without being carried out."""
    published_again: int = 0
    """Statuses that came more than once, with or without a reason."""
    failed: tuple[str, ...] = ()
    """Requests that were reported as failed; no fault here justifies that."""
    left: tuple[int, ...] = ()
    """What the last start found in the journal: waiting, in doubt, unreported."""
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        """Whether every promise was."""
        kept = ALL_KEPT == self.verdict and ALL_TRUE == self.aftermath
        return kept and not self.failed and not any(self.left)


class Torture:
    """One run in `folder`, which keeps the journal and every start's log."""

    def __init__(self, plan: Plan, folder: Path, *, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._tell = tell
        self._chance = random.Random(plan.seed)  # noqa: S311 - a seed makes a run repeatable
        self._account = Account()
        self._starts = 0
        self._heard: list[Heard] = []
        self._round_trip = b""
        """A message of the test through the broker that has not come back yet; empty: there is none."""
        self._answered: set[str] = set()
        self._settings: dict[str, Section]
        self._broker: Mosquitto | RabbitMq
        self._twilio: Simulator

    async def run(self) -> Account:
        began = time.monotonic()
        with _BROKERS[self._plan.broker](self._folder / "broker") as self._broker:
            await self._run_through_broker()
        self._account.seconds = time.monotonic() - began
        return self._account

    async def _run_through_broker(self) -> None:
        async with self._simulator() as twilio, Peer(self._broker.url, protocol="3.1.1") as peer:
            self._twilio = twilio
            self._settings = settings_of(self._plan, broker_url=self._broker.url, twilio_url=twilio.base_url)
            armed = [twilio.add_fault(fault) for fault in faults_of(self._plan.seed)]
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self._listen(peer))
                await self._live(peer, group)
                listening.cancel()
            self._count_faults(armed)

    def _simulator(self) -> Simulator:
        return Simulator(
            clock=time.time,
            random=self._chance,
            latency_seconds=LATENCY_SECONDS,
            delivery_seed=str(self._plan.seed),
            delivery_speed=SPEED,
        )

    def _count_faults(self, armed: Sequence[ArmedFault]) -> None:
        for one in armed:
            self._account.faults[f"{type(one.fault.effect).__name__} ({one.fault.on or 'creates'})"] += (
                one.fired
            )

    async def _listen(self, peer: Peer) -> None:
        """Notes when each status comes, and from which life of the connector."""
        while True:
            message = await peer.next_message(timeout=LONGEST_RUN_SECONDS)
            if message.payload == self._round_trip:
                self._round_trip = b""
                continue
            self._heard.append(Heard(payload=message.payload, at=time.time(), life=self._life))
            self._answered.add(message.json()["id"])

    @property
    def _life(self) -> int:
        """The life of the only connector; 0 where several share the work."""
        return self._starts

    async def _live(self, peer: Peer, group: asyncio.TaskGroup) -> None:
        requests = requests_of(self._plan)
        lives = self._plan.kills + 1
        await self._register()
        publishing: list[asyncio.Task[None]] = []
        people = [group.create_task(self._react(peer, one)) for one in requests if escalation_of(one)]
        for life in range(lives):
            share = requests[len(requests) * life // lives : len(requests) * (life + 1) // lives]
            before = publishing[-1] if publishing else None
            publishing.append(asyncio.create_task(_publish(peer, share, after=before)))
            if life < self._plan.kills:
                await self._die(len(share))
                await self._hear_the_rest(peer)
        await self._end(requests, [*publishing, *people])
        await self._hear_the_rest(peer)
        self._judge(requests)

    async def _react(self, peer: Peer, request: Request) -> None:
        people = People(peer=peer, twilio=self._twilio, chance=self._chance)
        fate = await people.react(request, answered=lambda: request.id in self._answered)
        self._account.chains[fate] += 1

    async def _register(self) -> None:
        """From here on the broker keeps what arrives while the connector is dead."""
        async with self._start() as connector:
            await connector.ready()
            assert 0 == await connector.terminate()

    @asynccontextmanager
    async def _start(self, place: str = "connector") -> AsyncIterator[Connector]:
        connector = Connector(self._folder / place, self._settings)
        self._starts += 1
        log = self._folder / f"start-{self._starts}.log"
        try:
            async with connector:
                yield connector
        finally:
            log.write_text("\n".join(connector.stderr) + "\n")
        self._account.in_doubt += sum(opened["in_doubt"] for opened in connector.events("journal_opened"))
        self._account.repeated += len(connector.events("repeated_publish_ignored"))

    async def _die(self, share: int) -> None:
        async with self._start() as connector:
            if self._chance.random() < STARTING_SHARE:
                await asyncio.sleep(self._chance.uniform(0, STARTING_SECONDS))
            else:
                await connector.ready()
                await until(lambda: bool(connector.events("journal_opened")))  # it leads
                await self._progress(self._chance.choice((0, self._chance.randrange(2 * share + 1))))
                await asyncio.sleep(self._chance.uniform(0, STRAY_SECONDS))
            await connector.kill()
        self._account.kills += 1
        self._account.kills_while_starting += not connector.events("connector_ready")

    async def _hear_the_rest(self, peer: Peer) -> None:
        """Returns when the broker has handed over what the connector published before its end.

        Otherwise it would be taken for something that the next life has published, or would be missing.
        """
        heard = None
        while heard != len(self._heard):
            heard = len(self._heard)
            self._round_trip = json.dumps({"after": heard}).encode()
            await peer.publish(STATUS_TOPIC, self._round_trip)
            await until(lambda: not self._round_trip)

    async def _progress(self, entries: int) -> None:
        wanted = len(self._twilio.ledger) + entries
        deadline = time.monotonic() + PROGRESS_SECONDS
        await until(lambda: len(self._twilio.ledger) >= wanted or time.monotonic() > deadline)

    async def _end(self, requests: Sequence[Request], publishing: Sequence[asyncio.Task[None]]) -> None:
        async with self._start() as connector:
            await asyncio.wait(publishing, timeout=END_SECONDS)
            await self._wait_for_the_end(requests)
            await connector.terminate()
        for task in publishing:
            task.cancel()
        await self._look_at_what_is_left()

    async def _wait_for_the_end(self, requests: Sequence[Request]) -> None:
        """What has no end, and comes no nearer to one, is for the judgement to say."""
        deadline = time.monotonic() + END_SECONDS
        asked_at = 0.0
        still_open: dict[str, int] = {}
        while time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            if self._answered >= {request.id for request in requests} and time.monotonic() > asked_at + 1:
                asked_at, before, still_open = time.monotonic(), still_open, open_in(self._journal)
                if not still_open:
                    return
                if before != still_open:
                    deadline = time.monotonic() + END_SECONDS
        self._tell(f"not all had come to an end after {END_SECONDS:g} s: {open_in(self._journal)}")

    async def _look_at_what_is_left(self) -> None:
        async with self._start() as connector:
            await connector.ready()
            await until(lambda: bool(connector.events("journal_opened")))  # it leads
            opened = connector.events("journal_opened")[-1]
            self._account.left = tuple(opened[name] for name in ("waiting", "in_doubt", "unreported"))
            await connector.terminate()

    @property
    def _journal(self) -> Access:
        return access_of(self._plan.journal_url or self._folder / "connector" / "journal" / "journal.db")

    def _kept(self) -> tuple[Counter[tuple[int, int, str]], dict[str, str]]:
        """What the journal keeps of requests that were not sent, and of deliveries."""
        return kept_in(self._journal)

    def _judge(self, requests: Sequence[Request]) -> None:
        ledger = self._twilio.ledger
        answers = [one.answers[0].payload for one in sorted_out(self._heard).values() if one.answers]
        self._account.verdict = judge(requests, ledger, answers)
        failures = {one["id"]: one["response"]["error"] for one in map(json.loads, answers) if _failed(one)}
        self._account.failed = tuple(
            sorted(id_ for id_, error in failures.items() if error != Reason.CANCELLED)
        )
        last_words = {entry.sid: self._twilio.last_status_of(entry.sid) for entry in ledger}
        withdrawn, followed = self._kept()
        evidence = Evidence(
            ledger=ledger,
            heard=self._heard,
            last_words=last_words,
            withdrawn=withdrawn,
            followed=followed,
            connected=self._broker.connected_at(CLIENT_ID) if isinstance(self._broker, Mosquitto) else (),
        )
        self._account.aftermath = found = judge_aftermath(requests, evidence)
        for id_ in dict.fromkeys([*found.untold, *found.untrue, *found.republished][:MOST_SHOWN]):
            self._tell(tell(id_, evidence))
        self._account.published_again = len(self._heard) - len({one.payload for one in self._heard})
        self._account.ends = Counter(last_words.values())


def _failed(status: Mapping[str, Any]) -> bool:
    return bool(status["response"]["status"] == "fail")


async def _publish(peer: Peer, share: Sequence[Request], *, after: asyncio.Task[None] | None) -> None:
    if after is not None:
        await after  # one share after the other, or their order would not be known
    await publish(peer, share)


def report(plan: Plan, account: Account) -> list[str]:
    """What was done, line by line; the judgement is the last line."""
    struck = ", ".join(f"{name} {count}" for name, count in account.faults.items() if count)
    doubt = f"{account.in_doubt} attempts found in doubt, {account.repeated} repeated packets recognised"
    did = ", ".join(f"{fate} {count}" for fate, count in sorted(account.chains.items()))
    words = ", ".join(f"{word} {count}" for word, count in account.ends.most_common())
    lines = [
        f"{plan.requests} requests, {RECIPIENTS} recipients, seed {plan.seed}, {account.seconds:.0f} s",
        f"{account.kills} kills (-9), {account.kills_while_starting} of them before it was ready; {doubt}",
        f"faults: {struck or 'none'}",
        f"{account.chains.total()} chains, by what people did: {did or 'none'}",
        f"{account.ends.total()} texts and calls, by Twilio's last word: {words or 'none'}",
        f"{account.published_again} statuses published again",
    ]
    verdict, aftermath = account.verdict, account.aftermath
    wrong = {
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "out of order": verdict.out_of_order,
        "unanswered": verdict.unanswered,
        "contradicted": verdict.contradicted,
        "reported as failed": account.failed,
        "steps skipped": aftermath.skipped,
        "steps repeated": aftermath.repeated,
        "steps too late": aftermath.late,
        "ends untold": aftermath.untold,
        "deliveries untrue": aftermath.untrue,
        "statuses repeated": aftermath.republished,
    }
    lines += [f"{what}: {', '.join(ids[:MOST_SHOWN])} ({len(ids)})" for what, ids in wrong.items() if ids]
    if any(account.left):
        lines.append("left in the journal: {} waiting, {} in doubt, {} unreported".format(*account.left))
    return [*lines, f"{verdict}, {aftermath}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it in a folder of its own, which is kept when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.torture", description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="draws the same again (default: another one)")
    parser.add_argument("--broker", choices=tuple(_BROKERS), default="mosquitto")
    parser.add_argument("--journal", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--connectors", type=int, default=1, help="that share the journal")
    parser.add_argument("--callbacks", action="store_true", help="Twilio calls back, and is polled less")
    options = parser.parse_args(arguments)
    for need in (options.broker, options.journal):
        lack = missing(need, os.environ)
        if lack is not None:
            parser.error(lack.reason)
    if options.connectors > 1 and options.journal != "postgresql":
        parser.error("several connectors share a journal on PostgreSQL only: --journal postgresql")
    with database(options.journal) as (journal_url, server):
        return _run(options, journal_url, server)


@contextmanager
def database(journal: str) -> Iterator[tuple[str | None, PostgreSql | None]]:
    """The URL of a new database on a server of the run's own; None where the journal is a file."""
    if journal == "sqlite":
        yield None, None
        return
    from tests.support.postgresql import PostgreSql  # noqa: PLC0415 - needs asyncpg

    with PostgreSql() as server, server.database(empty=True) as url:
        yield url, server


def _run(options: argparse.Namespace, journal_url: str | None, server: PostgreSql | None) -> int:
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    plan = Plan(
        requests=options.requests,
        kills=options.kills,
        seed=seed,
        broker=options.broker,
        journal_url=journal_url,
        callbacks=options.callbacks,
    )
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    _say(f"torture: {plan.requests} requests, {plan.kills} kills, seed {plan.seed}")
    try:
        account = asyncio.run(_torture(plan, folder, server, connectors=options.connectors).run())
    except AssertionError:
        _say(f"it went wrong at a start; the journal and the log of every start are kept in {folder}")
        raise
    if account.kept:
        shutil.rmtree(folder)
    else:
        _say(f"the journal and the log of every start are kept in {folder}")
    for line in report(plan, account):
        _say(line)
    return 0 if account.kept else 1


def _torture(plan: Plan, folder: Path, server: PostgreSql | None, *, connectors: int) -> Torture:
    if server is None or connectors == 1:
        return Torture(plan, folder, tell=_say)
    from tests.reliability.several import SeveralTorture  # noqa: PLC0415 - it is one of these itself

    return SeveralTorture(plan, folder, tell=_say, connectors=connectors, server=server)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
