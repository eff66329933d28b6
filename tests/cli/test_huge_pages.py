"""`run` takes small pages only, because huge ones make a small process larger."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.process import environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has huge pages of this kind")

WATCHED = """
import ctypes, os, sys
prctl = ctypes.CDLL(None).prctl
def watch(event, arguments):
    if event == "import" and arguments[0] == "pyreqwest":
        os.write(1, f"huge pages off: {prctl(42, 0, 0, 0, 0)}\\n".encode())
sys.addaudithook(watch)
sys.argv = ["twilio-notifications", *sys.argv[1:]]
from twilio_notifications.__main__ import main
main()
"""


def test_run_has_no_huge_pages_before_the_http_client_takes_memory(tmp_path: Path) -> None:
    arguments = ["run", "--config", str(tmp_path / "missing.toml")]
    command = [sys.executable, "-c", WATCHED, *arguments]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert {"huge pages off: 1"} == set(ended.stdout.splitlines())
