"""The programs of the scenario `peers`, and how each is brought to the same work.

An alarm is a text that the program sends to the recipient who belongs to the topic. The connector and the
bare loop get it as a request of their own form. mqttwarn comes from PyPI and Node-RED from npm, each with its
service or node for Twilio as it is published; a small file that is loaded before them leads their clients
from api.twilio.com to the simulator.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from bench import stage
from bench.load import ACCOUNT_SID, AUTH_TOKEN, REQUEST_TOPIC, SENDER_NUMBER
from bench.stage import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

MQTTWARN, TWILIO_PYTHON = "0.36.1", "9.13.0"
NODE_RED, TWILIO_NODE = "4.1.15", "0.1.0"
INSTALL_SECONDS = 900.0
RECIPIENTS = 200
CONCURRENCY = 200
TOPICS, CLIENT_ID = "alarms", "peer"
"""As the flow has them too."""

LEAD = Path(__file__).with_name("lead")
"""What is loaded before the programs, and the flow of Node-RED."""


class Contestant(Protocol):
    """A program that can be measured."""

    @property
    def name(self) -> str:
        """As the table has it."""

    @property
    def subscription(self) -> str:
        """The last topic to which it subscribes."""

    def lack(self) -> str:
        """Why it cannot be measured here, as a sentence; empty: it can. Installs it where it can be."""

    def start(self, folder: Path, *, broker: str, twilio: str) -> stage.Starting:
        """The program, subscribed; started again in the same folder, it finds what it left there."""

    def alarm(self, number: int) -> tuple[str, bytes]:
        """Topic and payload of the alarm with this number."""


def body(number: int) -> str:
    """The text by which Twilio's ledger tells this alarm from all others."""
    return f"alarm {number}: the pump in hall 3 has stopped"


def recipient(number: int) -> str:
    """The recipient of the alarm with this number."""
    return f"+1415{number % RECIPIENTS:07d}"


def topic(number: int) -> str:
    """The topic of this recipient, for programs that do not find one in the payload; it may hold no "+"."""
    return f"{TOPICS}/{recipient(number).removeprefix('+')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The connector, or the bare loop."""

    kind: Kind

    @property
    def name(self) -> str:
        return str(self.kind)

    @property
    def subscription(self) -> str:
        return REQUEST_TOPIC

    def lack(self) -> str:
        return ""

    def start(self, folder: Path, *, broker: str, twilio: str) -> stage.Starting:
        return stage.subject(self.kind, folder, broker=broker, twilio=twilio, concurrency=CONCURRENCY)

    def alarm(self, number: int) -> tuple[str, bytes]:
        person = {"name": "Darla", "phone_number": recipient(number), "message": body(number)}
        return REQUEST_TOPIC, json.dumps({"id": str(number), "request": {"recipient": person}}).encode()


class Foreign:
    """What mqttwarn and Node-RED have in common: the topic of an alarm names its recipient."""

    def alarm(self, number: int) -> tuple[str, bytes]:
        return topic(number), body(number).encode()


class Mqttwarn(Foreign):
    """mqttwarn with one target of its service `twilio` for each recipient; its session lasts."""

    name = "mqttwarn"
    subscription = topic(RECIPIENTS - 1)

    def __init__(self, cache: Path) -> None:
        self._folder = cache / f"mqttwarn-{MQTTWARN}"

    def lack(self) -> str:
        pip = [str(self._folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        return installed(
            self._folder,
            [sys.executable, "-m", "venv", str(self._folder)],
            [*pip, f"mqttwarn=={MQTTWARN}", f"twilio=={TWILIO_PYTHON}"],
        )

    def start(self, folder: Path, *, broker: str, twilio: str) -> stage.Starting:
        (folder / "mqttwarn.ini").write_text(self._settings(urlsplit(broker).port or 0))
        return stage.program(
            [str(self._folder / "bin" / "mqttwarn"), f"--config-file={folder / 'mqttwarn.ini'}"],
            log=folder / "mqttwarn.log",
            ready="Starting 1 worker threads",
            environ={"PYTHONPATH": str(LEAD), "BENCH_TWILIO": twilio},
        )

    def _settings(self, port: int) -> str:
        recipients = {topic(number): recipient(number) for number in range(RECIPIENTS)}
        targets = {number: [ACCOUNT_SID, AUTH_TOKEN, SENDER_NUMBER, number] for number in recipients.values()}
        lines = ["[defaults]", f"hostname = '{stage.LOOPBACK}'", f"port = {port}"]
        lines += [f"clientid = '{CLIENT_ID}'", "cleansession = False", "loglevel = INFO"]
        lines += ["launch = twilio", "[config:twilio]", f"targets = {targets}"]
        for own_topic, number in recipients.items():
            lines += [f"[{own_topic}]", f"targets = twilio:{number}", "qos = 1"]
        return "\n".join(lines) + "\n"


class NodeRed(Foreign):
    """Node-RED with a flow of three nodes: MQTT in, the recipient out of the topic, Twilio."""

    name = "Node-RED"
    subscription = f"{TOPICS}/#"

    def __init__(self, cache: Path) -> None:
        self._folder = cache / f"node-red-{NODE_RED}"

    def lack(self) -> str:
        if shutil.which("npm") is None:
            return "npm is not installed; install it: `apt install npm`"
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(self._folder)]
        packages = [f"node-red@{NODE_RED}", f"node-red-node-twilio@{TWILIO_NODE}"]
        return installed(self._folder, [*install, *packages])

    def start(self, folder: Path, *, broker: str, twilio: str) -> stage.Starting:
        home, modules = folder / "node-red", self._folder / "node_modules"
        home.mkdir(exist_ok=True)
        (home / "settings.js").write_text(
            f"module.exports = {{httpAdminRoot: false, httpNodeRoot: false, telemetry: {{enabled: false}}, "
            f"nodesDir: {json.dumps(str(modules / 'node-red-node-twilio'))}, twilio: {json.dumps(_KEY)}}};\n"
        )
        nodes = json.loads((LEAD / "flow.json").read_text())
        for node in nodes:
            if node["type"] == "mqtt-broker":
                node["port"] = str(urlsplit(broker).port)
        (home / "flow.json").write_text(json.dumps(nodes))
        command = ["node", "--require", str(LEAD / "node.js"), str(modules / "node-red" / "red.js")]
        options = ["--userDir", str(home), "--settings", str(home / "settings.js"), "flow.json"]
        return stage.program(
            [*command, *options],
            log=folder / "node-red.log",
            ready="Connected to broker",
            environ={"HOME": str(home), "BENCH_TWILIO": twilio, "BENCH_MODULES": str(modules)},
        )


_KEY = {"account": ACCOUNT_SID, "authtoken": AUTH_TOKEN, "from": SENDER_NUMBER}


def contestants() -> tuple[Contestant, ...]:
    """All of them, the connector first."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twilio-notifications-bench"
    return (Own(kind=Kind.CONNECTOR), Own(kind=Kind.BARE_LOOP), Mqttwarn(cache), NodeRed(cache))


def installed(folder: Path, *commands: Sequence[str]) -> str:
    """Runs the commands, unless they have succeeded for this folder before; what is wrong, as a sentence."""
    done = folder / "installed"
    if done.exists():
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    for command in commands:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if ended.returncode:
            said = (ended.stderr.strip() or "no reason given").splitlines()[-1]
            return f"{folder.name} could not be installed: {said}"
    done.touch()
    return ""
