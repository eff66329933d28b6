"""Where the output of a command goes never decides whether the command works."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import WAIT_SECONDS
from tests.support.process import environment
from twilio_notifications.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHELL = "/bin/sh"
FULL = "/dev/full"


def shell(script: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell in which $P is the program."""
    environ: Mapping[str, str] = environment(P=f"{sys.executable} -m twilio_notifications", **variables)
    return subprocess.run(
        [SHELL, "-c", script], env=environ, capture_output=True, timeout=WAIT_SECONDS, check=False
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a warning that no ASCII terminal can show."""
    path = tmp_path / "größe.toml"
    path.write_text(
        '[connector.parameters]\nTWILIO_ACCOUNT_SID = "AC1"\nIsolationMode = "NoContainer"\n'
        "[secrets]\nsource = 'environment'\n"
    )
    return path


def check(config: Path, redirection: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return shell(
        f"$P check --offline --config '{config}' {redirection}", TWILIO_AUTH_TOKEN="token", **variables
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_the_encoding_of_the_output_lacks_is_escaped(config: Path, encoding: str) -> None:
    shown = check(config, "", PYTHONIOENCODING=encoding)
    assert 0 == shown.returncode, shown.stderr
    expected = "gr\\u00f6\\u00dfe" if encoding == "ascii" else "größe"
    assert expected in shown.stdout.decode(encoding)


def test_a_reader_that_has_read_enough_is_no_failure(config: Path) -> None:
    shown = shell(f"($P check --offline --config '{config}'; echo $? >&2) | true", TWILIO_AUTH_TOKEN="token")
    assert b"0" == shown.stderr.strip()


@pytest.mark.parametrize(
    ("redirection", "complaint"),
    [(f"> {FULL}", b"No space left on device"), (">&-", b"standard output is closed")],
    ids=["full", "closed"],
)
def test_an_output_that_cannot_be_written_is_one_sentence_and_exit_code_1(
    config: Path, redirection: str, complaint: bytes
) -> None:
    shown = check(config, redirection)
    assert 1 == shown.returncode
    assert complaint in shown.stderr
    assert 1 == shown.stderr.count(b"\n"), shown.stderr


@pytest.mark.parametrize("redirection", ["2>&-", f"2>{FULL}", ">&- 2>&- <&-"])
@pytest.mark.parametrize("arguments", ["--version", "check --config nowhere.toml", "fly"])
def test_a_closed_or_full_standard_error_changes_no_exit_code(arguments: str, redirection: str) -> None:
    expected = shell(f"$P {arguments} >/dev/null").returncode
    assert expected == shell(f"$P {arguments} {redirection}").returncode


def test_a_file_never_gets_the_number_of_a_standard_stream_that_is_closed() -> None:
    script = "import os; from twilio_notifications import __main__ as m; m._occupy_standard_descriptors()"
    script += "; os._exit(os.open('/dev/null', os.O_RDONLY))"
    ended = subprocess.run([SHELL, "-c", f'{sys.executable} -c "{script}" <&- >&- 2>&-'], check=False)
    assert 2 < ended.returncode


INTERRUPTED_WHILE_LOADING = """
import sys
from twilio_notifications.__main__ import main

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "twilio_notifications.cli":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
sys.argv = ["twilio-notifications", "check"]
main()
"""


def test_ctrl_c_while_the_program_is_still_loaded_is_one_line() -> None:
    command = [sys.executable, "-c", INTERRUPTED_WHILE_LOADING]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert (130, "twilio-notifications: interrupted\n") == (ended.returncode, ended.stderr)


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b]0;title\x07",
        "line\nforged  success",
        "\r\x08\x7f",
        "\x9b31m",
        "\u202egnp.exe\u2066",
        "\u2028\u2029\ufeff",
        "half \ud800",
        "\U000e0041",
    ],
    ids=ascii,
)
def test_nothing_that_a_terminal_obeys_is_printed(hostile: str) -> None:
    shown = printable(f"a{hostile}z")
    assert shown.isprintable()
    assert f"a{hostile}z" == json.loads(f'"{shown}"')


def test_the_text_of_any_language_is_printed_as_it_is() -> None:
    text = "Gefriertruhe: 18 °C, 冷凍庫, فریزر می‌خواهد, 👩‍🚒"
    assert text == printable(text)
