"""The outside of a confined program: starts it, as this user or an ordinary one, and has it try things.

Everything lies in one folder that the user owns: configuration, secrets, certificates, journal, and a part
that is not the connector's. Nothing of it outlives the test.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.certificates import Certificates, make_certificates
from tests.support.house import SOURCE
from tests.support.process import ACCOUNT_SID, environment, write_configuration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.process import Section

NOBODY = 65534
ANSWER_SECONDS = 60.0
"""On an idle machine the slowest answer takes two."""
TOKEN = "5ecre7-70k3n-0f-tw1l10"
PROGRAM = Path(__file__).with_name("confined.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with all that a connector needs, and with something that is not its business."""

    folder: Path
    user: int
    certificates: Certificates

    @property
    def config(self) -> Path:
        return self.folder / "etc" / "connector.toml"

    @property
    def token(self) -> Path:
        return self.folder / "secrets" / "token"

    @property
    def journal(self) -> Path:
        return self.folder / "state" / "journal.db"

    @property
    def elsewhere(self) -> Path:
        """Readable and writable for the user, and not for the confined connector."""
        return self.folder / "elsewhere"

    def configure(self, **sections: Section) -> None:
        settings: dict[str, Section] = {
            "connector.parameters": {"TWILIO_ACCOUNT_SID": ACCOUNT_SID},
            "secrets": {"source": "file", "path": str(self.token)},
            "journal": {"url": f"sqlite:///{self.journal}"},
            "log": {"level": "INFO"},
        }
        write_configuration(self.config, settings | sections)
        self.own()

    def own(self) -> None:
        """Gives everything to the user; needed after each new file."""
        if self.user != os.geteuid():
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self.user, self.user)


@contextmanager
def a_place(user: int) -> Iterator[Place]:
    """In the system's folder for temporary files, because a test's own one is closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="twilio-notifications-"))
    try:
        for name in ("etc", "secrets", "state", "elsewhere"):
            (folder / name).mkdir()
        certificates = make_certificates(folder / "certificates")
        place = Place(folder=folder, user=user, certificates=certificates)
        place.token.write_text(TOKEN)
        place.token.chmod(0o600)
        (place.elsewhere / "file").write_text("not the connector's business")
        place.configure()
        yield place
    finally:
        shutil.rmtree(folder)


class Inside:
    """`with Inside(place) as inside:` is confined; `inside.tries(…)` has it try something."""

    def __init__(
        self, place: Place, *, through: Sequence[str] = (), stderr: int | None = None, **variables: str
    ) -> None:
        """`through` is a program that runs this one, with its arguments; `stderr` is a file descriptor."""
        self._place = place
        self._through = through
        self._stderr = stderr
        self._variables = variables

    def tries(self, name: str, *arguments: Any) -> Any:
        """What came of it, or the name of the error, as in "EACCES"."""
        assert self._program.stdin is not None
        words = [str(word) if isinstance(word, Path) else word for word in arguments]
        self._program.stdin.write(json.dumps([name, *words]) + "\n")
        self._program.stdin.flush()
        answer = json.loads(self._line())
        return answer["result"] if "result" in answer else answer["error"]

    def __enter__(self) -> Self:
        user = self._place.user
        other = user != os.geteuid()
        self._program = subprocess.Popen(
            [*self._through, interpreter_for(user), str(PROGRAM), str(self._place.config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment_for(user) | self._variables,
            cwd="/",
            text=True,
            user=user if other else None,
            group=user if other else None,
            extra_groups=[] if other else None,
        )
        assert "confined\n" == self._line()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait()
        self._program.stdout.close()

    def _line(self) -> str:
        """The next line that it says; it is ended if it does not, and so is the test."""
        assert self._program.stdout is not None
        said, _, _ = select.select([self._program.stdout], [], [], ANSWER_SECONDS)
        if not said:
            self._program.kill()
            raise AssertionError(f"no answer within {ANSWER_SECONDS:g} s")
        return self._program.stdout.readline()


@cache
def interpreter_for(user: int) -> str:
    """A Python of this version that the user may run with our packages; "" where there is none."""
    if user == os.geteuid():
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, *(f"{folder}/{version}" for folder in ("/usr/bin", "/usr/local/bin"))]
    return next((program for program in candidates if _runs(program, user)), "")


def _runs(program: str, user: int) -> bool:
    command = [program, "-c", "import twilio_notifications.bootstrap"]
    try:
        ended = subprocess.run(
            command, env=environment_for(user), user=user, cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return ended.returncode == 0


def environment_for(user: int) -> dict[str, str]:
    """Another user may not be able to use this environment's Python, only what is installed in it."""
    if user == os.geteuid():
        return environment()
    path = os.pathsep.join([sysconfig.get_path("purelib"), str(SOURCE.parent)])
    return {"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}
