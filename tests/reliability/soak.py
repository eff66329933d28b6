"""A long run at an even load: connectors are killed, Twilio misbehaves, and nothing grows that should not.

The requests, faults, people and the judgement are those of `torture.py`. The load is even, and a journal in a
file so small that it removes what was reported. In the first part of the run the first connector is killed
again and again; its last life lasts for more than half of the run, so that its growth can be seen. Others
that share the journal with it, in PostgreSQL, are killed until the end. Memory, file descriptors and journal
are measured all the time, and become a picture.

Run as `make soak MINUTES=10 JOURNAL=postgresql CONNECTORS=3`, or `python -m tests.reliability.soak`. The last
lines are the judgement and the growth; the exit code is 1 when a promise was not kept or something grows.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench import readings
from bench.filling import JOURNAL
from tests.reliability.growth import Sample, growth, picture
from tests.reliability.kept import kept_in
from tests.reliability.people import escalation_of
from tests.reliability.plan import Plan, requests_of
from tests.reliability.torture import Account, Torture, database, report
from tests.reliability.traffic import publish
from tests.support.needs import ROOT, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.reliability.traffic import Request
    from tests.support.mqtt_peer import Peer
    from tests.support.process import Connector

PER_SECOND: Final = 15
KILLING_SHARE: Final = 0.4
"""The part of the run in which the connector is killed."""
SHORT_LIFE_SECONDS: Final = (1.0, 15.0)
LONG_LIFE_SECONDS: Final = (60.0, 80.0)
LONG_SHARE: Final = 1 / 3
"""Of the lives: the journal removes a request only after a connection that outlived its acknowledgement, by
45 seconds with this keep alive, and in short lives alone it would fill up."""
KEEPALIVE_SECONDS: Final = 5
LEASE_SECONDS: Final = 2.0
JOURNAL_BYTES: Final = 12_000_000
"""It is full after about five minutes."""
SAMPLES: Final = 400
SHORTEST_PERIOD_SECONDS: Final = 0.5
KEPT_SECONDS: Final = 5.0
"""Between two looks at what the journal keeps; it removes nothing that is so young."""
PICTURE: Final = ROOT / "build" / "soak.svg"


class Soak(Torture):
    """One run of so many seconds; `samples` and `killed_at` are there when it has ended."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        *,
        seconds: float,
        tell: Callable[[str], None],
        connectors: int = 1,
    ) -> None:
        super().__init__(plan, folder, tell=tell)
        self._seconds = seconds
        self._others = [f"connector-{number}" for number in range(1, connectors)]
        self._begun = 0.0
        self._connector: Connector | None = None
        self._withdrawn: Counter[tuple[int, int, str]] = Counter()
        self._followed: dict[str, str] = {}
        self.samples: list[Sample] = []
        self.killed_at: list[float] = []

    @property
    def _now(self) -> float:
        """Seconds since the load began."""
        return time.monotonic() - self._begun

    @property
    def _life(self) -> int:
        return 0 if self._others else super()._life

    async def _live(self, peer: Peer, group: asyncio.TaskGroup) -> None:
        journal = dict(self._settings.get("journal", {}))
        if self._plan.journal_url is None:
            journal["maximum_bytes"] = JOURNAL_BYTES
        else:
            journal["lease_seconds"] = LEASE_SECONDS
        self._settings["journal"] = journal
        self._settings["transport"] |= {"keepalive_seconds": KEEPALIVE_SECONDS}
        self._settings["log"] = {"level": "INFO", "format": "json"}
        requests = requests_of(self._plan)
        await self._register()
        self._begun = time.monotonic()
        watching = [group.create_task(self._measure()), group.create_task(self._remember())]
        publishing = group.create_task(self._publish_evenly(peer, requests, group))
        others = [group.create_task(self._die_until_the_end(place)) for place in self._others]
        while self._now < KILLING_SHARE * self._seconds:
            await self._live_and_die()
            await self._hear_the_rest(peer)
        async with self._start() as self._connector:
            people = await publishing
            if others:
                await asyncio.wait(others)
            await self._wait_for_the_end(requests)
            await asyncio.wait(people)
            for one in watching:
                one.cancel()
            await self._connector.terminate()
        await self._look_at_what_is_left()
        await self._hear_the_rest(peer)
        self._judge(requests)

    async def _publish_evenly(
        self, peer: Peer, requests: Sequence[Request], group: asyncio.TaskGroup
    ) -> list[asyncio.Task[None]]:
        """All requests over the whole run; the reactions of the people whom they reach."""
        people = []
        for start in range(0, len(requests), PER_SECOND):
            window = requests[start : start + PER_SECOND]
            people += [group.create_task(self._react(peer, one)) for one in window if escalation_of(one)]
            await publish(peer, window)
            await asyncio.sleep(max(0.0, self._seconds * (start + PER_SECOND) / len(requests) - self._now))
        return people

    async def _live_and_die(self) -> None:
        # Not beyond the part in which it is killed, or a short run would have no kill at all.
        left = KILLING_SHARE * self._seconds - self._now
        async with self._start() as self._connector:
            await asyncio.sleep(max(SHORT_LIFE_SECONDS[0], min(self._a_life(), left)))
            await self._kill(self._connector)

    async def _die_until_the_end(self, place: str) -> None:
        """Has another connector live and die as long as requests come; its last life ends in peace."""
        while self._now < self._seconds:
            async with self._start(place) as connector:
                await asyncio.sleep(min(self._a_life(), max(0.0, self._seconds - self._now)))
                if self._now < self._seconds:
                    await self._kill(connector)
                else:
                    await connector.terminate()

    def _a_life(self) -> float:
        is_long = self._chance.random() < LONG_SHARE
        return self._chance.uniform(*(LONG_LIFE_SECONDS if is_long else SHORT_LIFE_SECONDS))

    async def _kill(self, connector: Connector) -> None:
        await connector.kill()
        self.killed_at.append(self._now)
        self._account.kills += 1
        self._account.kills_while_starting += not connector.events("connector_ready")

    async def _measure(self) -> None:
        period = max(SHORTEST_PERIOD_SECONDS, self._seconds / SAMPLES)
        while True:
            with suppress(FileNotFoundError, ProcessLookupError):  # it is being killed
                self._sample()
            await asyncio.sleep(period)

    def _sample(self) -> None:
        if self._connector is None or self._connector.ended:
            return
        sample = Sample(
            at=self._now,
            life=self._connector.pid,
            memory_bytes=readings.resident_bytes(self._connector.pid),
            files=readings.open_files(self._connector.pid),
            journal_bytes=self._journal_bytes(),
        )
        self.samples.append(sample)

    def _journal_bytes(self) -> int:
        """Of its files, or of its database."""
        if self._plan.journal_url is None:
            return readings.journal_bytes(self._folder / "connector" / JOURNAL)
        with self._journal.reading(glance=True) as connection:
            return int(connection.execute("SELECT pg_database_size(current_database())").fetchone()[0])

    async def _remember(self) -> None:
        """Writes down what the judgement needs of the journal, before the journal removes it."""
        while True:
            self._kept()
            await asyncio.sleep(KEPT_SECONDS)

    def _kept(self) -> tuple[Counter[tuple[int, int, str]], dict[str, str]]:
        withdrawn, followed = kept_in(self._journal)
        self._withdrawn |= withdrawn
        self._followed |= followed
        return self._withdrawn, self._followed


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it in a folder of its own, which is kept when anything was wrong."""
    options = _options(arguments)
    with database(options.journal) as (journal_url, _):
        return _run(options, journal_url)


def _run(options: argparse.Namespace, journal_url: str | None) -> int:
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    seconds = 60 * options.minutes
    plan = Plan(requests=round(PER_SECOND * seconds), kills=0, seed=seed, journal_url=journal_url)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    _say(f"soak: {options.minutes:g} minutes, {PER_SECOND} requests a second, seed {seed}")
    soak = Soak(plan, folder, seconds=seconds, tell=_say, connectors=options.connectors)
    account = asyncio.run(soak.run())
    grown = growth(soak.samples, journal_limit=JOURNAL_BYTES if journal_url is None else None)
    _draw(soak, account, options)
    is_well = account.kept and not any(one.is_too_much for one in grown)
    if is_well:
        shutil.rmtree(folder)
    else:
        _say(f"the journal and the log of every start are kept in {folder}")
    for line in [f"picture: {options.picture}", *report(plan, account), *map(str, grown)]:
        _say(line)
    return 0 if is_well else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="draws the same again (default: another one)")
    parser.add_argument("--journal", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--connectors", type=int, default=1, help="how many share the journal (1)")
    parser.add_argument("--picture", type=Path, default=PICTURE, help=f"where the picture goes ({PICTURE})")
    options = parser.parse_args(arguments)
    if sys.platform != "linux":
        parser.error("memory and file descriptors are read from /proc, which only Linux has")
    if options.connectors > 1 and options.journal == "sqlite":
        parser.error("several connectors share a journal in PostgreSQL alone: add --journal postgresql")
    for need in ("mosquitto", options.journal):
        lack = missing(need, os.environ)
        if lack is not None:
            parser.error(lack.reason)
    return options


def _draw(soak: Soak, account: Account, options: argparse.Namespace) -> None:
    journal = f"journal of at most {JOURNAL_BYTES / 1e6:g} MB"
    if options.journal == "postgresql":
        journal = f"{options.connectors} connectors on PostgreSQL, the first of them shown"
    file = options.picture
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn = picture(
        soak.samples,
        soak.killed_at,
        title="What the connector takes during a soak",
        subtitle=f"{account.seconds / 60:.1f} minutes, {PER_SECOND} requests a second, "
        f"{account.kills} kills (red), {journal}",
    )
    file.write_text(drawn.svg())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
