"""Greengrass nucleus lite itself, by three of its programs: for tests that nothing of ours can stand in for.

The programs are those that its public source builds: `ggconfigd`, `ggpubsubd` and `ggipcd`. They find each
other in /run/greengrass, so they get a mount namespace in which that folder is their own. A component proves
its name by the control group that it runs in; the class makes one, as systemd would, for the moment in which
it asks for a token. All files stay in the given folder, and it ends no process but those that it started.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from awsiot import greengrasscoreipc
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2

from tests.support.needs import CONTROL_GROUPS, ROOT
from tests.support.nucleus.frames import Frame, Kind, read
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PUBSUB, CONFIGURATION, IPC = "ggpubsubd", "ggconfigd", "ggipcd"
POLL_SECONDS = 0.02
_OWN_FOLDER = "mkdir -p /run/greengrass && mount -t tmpfs none /run/greengrass && echo && exec sleep infinity"
_ASK = "from tests.support.nucleus.lite import print_token; import sys; print_token(*sys.argv[1:])"


class NucleusLite:
    """`with NucleusLite(programs, folder, components) as nucleus:`, with configurations by component."""

    def __init__(self, programs: Path, folder: Path, components: Mapping[str, Mapping[str, Any]]) -> None:
        self._programs = programs
        self._folder = folder
        self._components = components
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._namespace: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        (self._folder / "config.d").mkdir(parents=True)
        services = {
            name: {"version": "0.1.0", "configuration": own} for name, own in self._components.items()
        }
        system = {"rootPath": str(self._folder), "thingName": "test-core"}
        # JSON is YAML, too.
        (self._folder / "config.yaml").write_text(json.dumps({"system": system, "services": services}))
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _OWN_FOLDER]
        self._namespace = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._namespace.stdout is not None
        self._namespace.stdout.readline()  # the folder is there
        for name in (CONFIGURATION, PUBSUB, IPC):
            self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self._running.values()):
            program.terminate()
            program.wait(WAIT_SECONDS)
        if self._namespace is not None:
            self._namespace.terminate()
            self._namespace.communicate(timeout=WAIT_SECONDS)

    def restart(self, name: str) -> None:
        """As `systemctl restart` of its unit does."""
        program = self._running.pop(name)
        program.terminate()
        program.wait(WAIT_SECONDS)
        self._start(name)

    def _start(self, name: str) -> None:
        assert self._namespace is not None
        arguments = {
            CONFIGURATION: ["-c", str(self._folder / "config.yaml"), "-C", str(self._folder / "config.d")],
            IPC: ["-s", str(self._socket)],
        }.get(name, [])
        inside = ["nsenter", "--mount", "--target", str(self._namespace.pid), f"--wd={self._folder}"]
        command = [*inside, str(self._programs / name), *arguments]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(command, stdout=log, stderr=log)
        own = Path(f"/proc/{self._namespace.pid}/root/run/greengrass")
        path = {CONFIGURATION: own / "gg_config", PUBSUB: own / "gg_pubsub", IPC: self._socket}[name]
        deadline = time.monotonic() + WAIT_SECONDS
        while not _answers(path):
            assert self._running[name].poll() is None, self.log(name)
            assert time.monotonic() < deadline, f"{name} does not answer: {self.log(name)}"
            time.sleep(POLL_SECONDS)

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")

    @property
    def _socket(self) -> Path:
        return self._folder / "ipc"

    def environ(self, component: str) -> dict[str, str]:
        """What the nucleus puts into the environment of this component, with a new token."""
        # A slice of this process, because another test may ask for the same component at the same time.
        unit = CONTROL_GROUPS / f"nucleus{os.getpid()}.slice" / f"ggl.{component}.service"
        unit.mkdir(parents=True)
        ask = [sys.executable, "-c", _ASK, str(unit), str(self._socket), component]
        token = subprocess.run(ask, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
        unit.rmdir()
        unit.parent.rmdir()
        return {
            "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT": str(self._socket),
            "SVCUID": token,
            "AWS_IOT_THING_NAME": "test-core",
            "AWS_REGION": "us-west-2",
        }

    @contextmanager
    def client(self, component: str) -> Iterator[Any]:
        """The SDK's client, as this component."""
        token = self.environ(component)["SVCUID"]
        connected = greengrasscoreipc.connect(ipc_socket=str(self._socket), authtoken=token)
        client = GreengrassCoreIPCClientV2(client=connected)
        try:
            yield client
        finally:
            client.close()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def print_token(unit: str, path: str, component: str) -> None:
    """Prints the token that the nucleus gives to this component; for a process of its own, which ends then.

    `unit` is the control group of the component's unit: the process goes into it, for its name.
    """
    (Path(unit) / "cgroup.procs").write_text(str(os.getpid()))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        hello = json.dumps({"componentName": component}).encode()
        connection.sendall(Frame(kind=Kind.CONNECT, headers={":version": "0.1.0"}, payload=hello).encode())
        answer = read(connection)
    assert isinstance(answer, Frame), "the nucleus does not believe the name"
    sys.stdout.write(str(answer.headers["svcuid"]))
