"""What keeps a process from being confined is found out, and ends the program before anything is read."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from twilio_notifications.adapters.isolation import Offer, refusal

if TYPE_CHECKING:
    from pathlib import Path

WITH_A_THREAD = """
import threading
from twilio_notifications.adapters.isolation import Confinement, confine, discover
from twilio_notifications.core.errors import IsolationFailed

stop = threading.Event()
threading.Thread(target=stop.wait).start()
try:
    confine(Confinement(), discover())
except IsolationFailed as error:
    print(error)
finally:
    stop.set()
"""

WITH_A_PORT_THAT_IS_NONE = """
from twilio_notifications.adapters.isolation import Confinement, Offer, confine
from twilio_notifications.core.errors import IsolationFailed

try:
    confine(Confinement(connect_ports=frozenset({1 << 20})), Offer(version=7))
except IsolationFailed as error:
    print(error)
"""

IN_A_FOLDER_OF_OTHERS = """
import os, sys
from twilio_notifications.adapters.isolation import Confinement, confine, discover
from twilio_notifications.core.errors import IsolationFailed

os.__file__ = sys.argv[1]
try:
    confine(Confinement(), discover())
except IsolationFailed as error:
    print(error)
"""


def output(code: str, *arguments: str) -> str:
    """What a program says that tries to confine itself; it cannot be undone, so each has its own process."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.landlock
def test_a_process_with_threads_is_not_confined() -> None:
    """They would stay free, with all the rights that the others have lost."""
    said = output(WITH_A_THREAD)
    assert "it already has 2 threads" in said
    assert 'IsolationMode = "NoContainer"' in said


@pytest.mark.landlock
def test_a_step_that_the_kernel_refuses_is_an_error_that_says_so() -> None:
    """A port that does not exist stands for whatever a kernel may refuse."""
    said = output(WITH_A_PORT_THAT_IS_NONE)
    assert "the process cannot be confined: " in said
    assert "Invalid argument" in said


@pytest.mark.landlock
def test_a_program_that_only_the_privileges_of_root_can_read_is_an_error_that_says_so(tmp_path: Path) -> None:
    """As in another user's home, started with sudo. What is loaded later would not be found."""
    library = tmp_path / "os.py"
    library.touch(mode=0o000)
    said = output(IN_A_FOLDER_OF_OTHERS, str(library))
    assert f"the program's own file {library} is not readable for this user" in said
    assert "/opt/twilio-notifications" in said


@pytest.mark.parametrize("version", range(1, 6))
def test_a_refusal_names_two_ways_out_that_the_version_has(version: int) -> None:
    sentence = refusal(Offer(version=0, reason="why"), connector_version=version)
    assert "(why)" in sentence
    assert "Either start a kernel" in sentence
    assert 'or configure IsolationMode = "NoContainer"' in sentence.replace(
        "[connector] version = 5 and ", ""
    )
    assert ("version = 5" in sentence) == (version < 5)
