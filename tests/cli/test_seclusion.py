"""Every command closes itself to other programs of its user before it loads anything of the program."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.process import environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can close a process")

WATCHED = """
import ctypes, os, sys
dumpable = ctypes.CDLL(None).prctl
def watch(event, arguments):
    if event == "import" and arguments[0].startswith("twilio_notifications."):
        os.write(1, f"{arguments[0]} {dumpable(3, 0, 0, 0, 0)}\\n".encode())
sys.addaudithook(watch)
sys.argv = ["twilio-notifications", *sys.argv[1:]]
from twilio_notifications.__main__ import main
main()
"""


@pytest.mark.parametrize("arguments", [["--version"], ["run", "--help"], ["check", "--help"]])
def test_nothing_of_the_program_is_loaded_while_others_can_look_in(arguments: list[str]) -> None:
    """The environment can hold the token, and loading the program takes tenths of a second."""
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments], capture_output=True, text=True, check=True
    )
    loaded = [line.split() for line in ended.stdout.splitlines() if line.startswith("twilio_notifications.")]
    open_to_others = {name for name, dumpable in loaded if dumpable != "0"}
    assert len(loaded) > 5
    assert open_to_others <= {"twilio_notifications.__main__", "twilio_notifications.seclusion"}


def test_keys_of_tls_sessions_are_written_nowhere(tmp_path: Path) -> None:
    """By no library: Python's ssl, urllib3 of boto3, and OpenSSL itself look for the variable."""
    script = (
        "import os, ssl\n"
        "from twilio_notifications.seclusion import seclude\n"
        "seclude()\n"
        "from botocore.httpsession import create_urllib3_context\n"
        "print(os.environ.get('SSLKEYLOGFILE'), ssl.create_default_context().keylog_filename,"
        " create_urllib3_context().keylog_filename)"
    )
    environ = environment(SSLKEYLOGFILE=str(tmp_path / "keys"))
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert "None None None\n" == ended.stdout
    assert not (tmp_path / "keys").exists()
