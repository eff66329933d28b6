"""Random kills under load with several connectors on one database: the leader dies, or one that only sends.

In between the database is restarted, and the broker, and all of them stand still for longer than their
leases. `make torture CONNECTORS=3 JOURNAL=postgresql` runs it; what is judged, and how, is the same as in
`torture.py`.
"""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, cast

from tests.reliability.people import escalation_of
from tests.reliability.plan import faults_of, requests_of, settings_of
from tests.reliability.torture import END_SECONDS, Torture
from tests.reliability.traffic import WINDOW
from tests.support.mosquitto import HOST, Mosquitto
from tests.support.mqtt_peer import STATUS_TOPIC, Peer
from tests.support.process import Connector
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.reliability.plan import Plan
    from tests.reliability.torture import Account
    from tests.reliability.traffic import Request
    from tests.support.mqtt_peer import Received
    from tests.support.postgresql import PostgreSql

LEASE_SECONDS = 3.0
STANDSTILL_SECONDS = LEASE_SECONDS + 0.5
KILL_SECONDS = (0.5, 4.0)
"""The least and the most between two kills."""
LEADER_SHARE = 0.5
"""How many of the kills hit the connector that leads."""


class LastingPeer:
    """The test's client of the broker, which is another one after a restart of the broker.

    Nothing is published while that happens: it could not be known whether the broker took it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._publishing = 0
        self._may_publish = asyncio.Event()
        self._peer: Peer
        self._turn = asyncio.Condition()

    async def connect(self) -> None:
        self._peer = await Peer(self._url, subscribe=STATUS_TOPIC, protocol="3.1.1").__aenter__()
        self._may_publish.set()

    async def rest(self) -> None:
        """Returns when nothing is on its way, and lets nothing more be published until `connect`."""
        self._may_publish.clear()
        async with self._turn:
            await self._turn.wait_for(lambda: not self._publishing)

    async def close(self) -> None:
        await self._peer.__aexit__(None, None, None)

    async def publish(self, topic: str, payload: bytes | str) -> None:
        await self._may_publish.wait()
        self._publishing += 1
        try:
            await self._peer.publish(topic, payload)
        finally:
            async with self._turn:
                self._publishing -= 1
                self._turn.notify_all()

    async def next_message(self, timeout: float) -> Received:  # noqa: ASYNC109 - as Peer has it
        """The next one that any of the clients has received."""
        async with asyncio.timeout(timeout):
            while True:
                try:
                    return await self._peer.next_message(timeout=0.2)
                except AssertionError:
                    continue


class SeveralTorture(Torture):
    """One run with `connectors` of them; `server` is the database's."""

    def __init__(
        self, plan: Plan, folder: Path, *, tell: Callable[[str], None], connectors: int, server: PostgreSql
    ) -> None:
        super().__init__(plan, folder, tell=tell)
        self._count = connectors
        self._server = server
        self._running: dict[int, Connector] = {}

    async def run(self) -> Account:
        began = time.monotonic()
        with Mosquitto(self._folder / "broker", persistence=True) as self._broker:
            async with self._simulator() as self._twilio, Proxy(self._broker.port) as self._proxy:
                await self._run_through_broker()
        self._account.seconds = time.monotonic() - began
        return self._account

    async def _run_through_broker(self) -> None:
        url = f"mqtt://{HOST}:{self._proxy.port}"
        self._settings = settings_of(self._plan, broker_url=url, twilio_url=self._twilio.base_url)
        self._settings["journal"] = {**self._settings["journal"], "lease_seconds": LEASE_SECONDS}
        armed = [self._twilio.add_fault(fault) for fault in faults_of(self._plan.seed)]
        self._peer = LastingPeer(self._broker.url)
        await self._peer.connect()
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen(cast("Peer", self._peer)))
            await self._live(cast("Peer", self._peer), group)
            listening.cancel()
        await self._peer.close()
        self._count_faults(armed)

    async def _live(self, peer: Peer, group: asyncio.TaskGroup) -> None:
        requests = requests_of(self._plan)
        await self._register()
        people = [group.create_task(self._react(peer, one)) for one in requests if escalation_of(one)]
        publishing = asyncio.create_task(_publish_slowly(self._peer, requests))
        for slot in range(self._count):
            await self._begin(slot)
        for kill in range(self._plan.kills):
            await asyncio.sleep(self._chance.uniform(*KILL_SECONDS))
            await self._kill_one()
            if kill == self._plan.kills // 3:
                self._tell("the database is restarted")
                await asyncio.to_thread(self._server.stop)
                await asyncio.to_thread(self._server.start)
            if kill == 2 * self._plan.kills // 3:
                await self._restart_broker()
            if kill == self._plan.kills // 2:
                await self._stand_still()
        await asyncio.wait([publishing, *people], timeout=END_SECONDS)
        await self._wait_for_the_end(requests)
        for slot in list(self._running):
            await self._stop(slot)
        for task in (publishing, *people):
            task.cancel()
        await self._look_at_what_is_left()
        await self._hear_the_rest(peer)
        self._judge(requests)

    async def _begin(self, slot: int) -> None:
        connector = Connector(self._folder / f"connector-{slot}", self._settings)
        self._running[slot] = connector
        await connector.start()
        await connector.ready()

    async def _kill_one(self) -> None:
        leaders = [slot for slot, one in self._running.items() if _leads(one)]
        wants_leader = leaders and self._chance.random() < LEADER_SHARE
        slot = leaders[-1] if wants_leader else self._chance.choice(list(self._running))
        connector = self._running[slot]
        await connector.kill()
        self._keep(slot, connector)
        self._account.kills += 1
        await self._hear_the_rest(cast("Peer", self._peer))  # before another connector can take over
        await self._begin(slot)

    async def _restart_broker(self) -> None:
        """Its sessions last; the test's client is back before a connector can be."""
        self._tell("the broker is restarted")
        await self._peer.rest()
        await self._proxy.refuse()
        await self._hear_what_was_published()
        await self._peer.close()
        await asyncio.to_thread(cast("Mosquitto", self._broker).restart)
        await self._peer.connect()
        await self._proxy.restore()

    async def _stand_still(self) -> None:
        """All at once, for longer than their leases, as on a machine that has no time for them.

        Whichever leads then, publishes again what the broker had not acknowledged.
        """
        self._tell("all connectors stand still")
        for connector in self._running.values():
            connector.signal(signal.SIGSTOP)
        await asyncio.sleep(STANDSTILL_SECONDS)
        for connector in self._running.values():
            connector.signal(signal.SIGCONT)

    async def _hear_what_was_published(self) -> None:
        """Returns when nothing has come for a moment: no connector can publish any more."""
        heard = -1
        while heard != len(self._heard):
            heard = len(self._heard)
            await asyncio.sleep(0.5)

    @property
    def _life(self) -> int:
        return 0

    async def _stop(self, slot: int) -> None:
        connector = self._running.pop(slot)
        await connector.terminate()
        self._keep(slot, connector)

    def _keep(self, slot: int, connector: Connector) -> None:
        log = self._folder / f"slot-{slot}.log"
        with log.open("a") as kept:
            kept.write("\n".join(connector.stderr) + "\n")
        self._account.in_doubt += sum(opened["in_doubt"] for opened in connector.events("journal_opened"))
        self._account.repeated += len(connector.events("repeated_publish_ignored"))


def _leads(connector: Connector) -> bool:
    names = [record["event"] for record in connector.log]
    return names.count("leadership_taken") > names.count("leadership_lost")


async def _publish_slowly(peer: LastingPeer, requests: Sequence[Request]) -> None:
    for start in range(0, len(requests), WINDOW):
        window = requests[start : start + WINDOW]
        await asyncio.gather(*(peer.publish(request.topic, request.payload) for request in window))
        await asyncio.sleep(0.02)
