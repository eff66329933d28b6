"""`completion`: the shells themselves complete commands, options, words and files."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import WAIT_SECONDS
from tests.support.process import environment, exit_code, run_program
from twilio_notifications import cli
from twilio_notifications.completion.scripts import script
from twilio_notifications.completion.shells import Shell
from twilio_notifications.outline import outline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = "twilio-notifications"

LINES = [
    ("jou", {"journal"}),
    ("journal res", {"resend", "resolve", "resume"}),
    ("--config x journal sho", {"show"}),
    ("--config journal ru", {"run"}),
    ("send txt --prio", {"--priority"}),
    ("send call --priority ", {"urgent", "normal", "low"}),
    ("completion ", {"bash", "zsh", "fish"}),
    ("init --to", {"--to", "--token-file"}),
    ("journal list --hel", {"--help"}),
]
"""What is typed after the program, and what a shell offers for the last word; "" is an empty word."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the script of each shell, a file and a folder."""
    for shell in Shell:
        (tmp_path / f"script.{shell}").write_text(script(shell, outline(cli.parser())), encoding="utf-8")
    (tmp_path / "my file.toml").touch()
    (tmp_path / "my folder").mkdir()
    return tmp_path


def said(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


# bash


def offered_by_bash(folder: Path, words: str) -> set[str]:
    """What bash offers for the last of these words, which are written as in a shell."""
    line = f"""
        source script.bash
        COMP_WORDS=({words})
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _twilio_notifications
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(said(folder, "bash", "--norc", "-c", line).splitlines()) - {""}


@pytest.mark.parametrize(("typed", "offered"), LINES)
def test_bash_completes_the_word(folder: Path, typed: str, offered: set[str]) -> None:
    words = [PROGRAM, *typed.split(" ")]
    assert offered == offered_by_bash(folder, shlex.join(words))


def test_bash_completes_files_and_folders(folder: Path) -> None:
    assert {"my file.toml", "my folder"} == offered_by_bash(folder, f"{PROGRAM} run --config my")
    assert {"my folder"} == offered_by_bash(folder, f"{PROGRAM} init --folder my")
    assert {"my file.toml", "my folder"} == offered_by_bash(folder, f"{PROGRAM} migrate my")


def test_bash_completes_behind_an_equals_sign(folder: Path) -> None:
    assert {"failed"} == offered_by_bash(folder, f"{PROGRAM} journal list --only = fa")


def test_bash_offers_nothing_where_it_cannot_know(folder: Path) -> None:
    assert set() == offered_by_bash(folder, f"{PROGRAM} send txt --message ''")


# fish


def offered_by_fish(folder: Path, typed: str) -> set[str]:
    line = f"source script.fish; complete -C {shlex.quote(f'{PROGRAM} {typed}')}"
    return {each.partition("\t")[0] for each in said(folder, "fish", "--no-config", "-c", line).splitlines()}


@pytest.mark.fish
@pytest.mark.parametrize(("typed", "offered"), LINES)
def test_fish_completes_the_word(folder: Path, typed: str, offered: set[str]) -> None:
    found = offered_by_fish(folder, typed)
    assert offered <= found
    assert set() == {word for word in found if not word.startswith(typed.rpartition(" ")[2])}


@pytest.mark.fish
def test_fish_completes_files_and_folders(folder: Path) -> None:
    assert {"my file.toml", "my folder/"} == offered_by_fish(folder, "run --config my")
    assert {"my folder/"} == offered_by_fish(folder, "init --folder my")


# zsh, which completes at a terminal alone


class Zsh:
    """A zsh at a terminal of its own, which completes the line that is typed."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._read = ""

    def offered(self, typed: str, words: set[str]) -> None:
        """Waits until zsh shows all of these words for the line."""
        self._read = ""
        os.write(self._terminal, f"\x15{PROGRAM} {typed}\t\t".encode())
        self.wait_for(*words)

    def wait_for(self, *words: str) -> None:
        while not all(word in self._plain() for word in words):
            ready, _, _ = select.select([self._terminal], [], [], WAIT_SECONDS)
            assert ready, f"no {words} in:\n{self._plain()}"
            self._read += os.read(self._terminal, 65_536).decode(errors="replace")

    def _plain(self) -> str:
        """What was shown since the line was typed, without the typed line and what moves the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x00-\x08\x0e-\x1f]", "", self._read)


@contextmanager
def zsh(folder: Path) -> Iterator[Zsh]:
    terminal, its_end = pty.openpty()
    running = subprocess.Popen(
        ["zsh", "-f", "-i"],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        cwd=folder,
        env=environment(TERM="vt100", ZDOTDIR=str(folder), COLUMNS="200", LINES="100"),
        start_new_session=True,
    )
    os.close(its_end)
    shell = Zsh(terminal)
    try:
        ready = "autoload -U compinit; compinit -u -D; source script.zsh; setopt no_beep; print re''ady\n"
        os.write(terminal, ready.encode())
        shell.wait_for("ready\r\n")
        yield shell
    finally:
        running.kill()
        running.wait(WAIT_SECONDS)
        os.close(terminal)


@pytest.mark.zsh
def test_zsh_completes_each_word(folder: Path) -> None:
    with zsh(folder) as shell:
        shell.offered("jou", {"journal "})
        shell.offered("journal res", {"resend", "resolve", "resume"})
        shell.offered("--config x journal sho", {"show "})
        shell.offered("send call --priority ", {"urgent", "normal", "low"})
        shell.offered("completion ", {"bash", "zsh", "fish"})
        shell.offered("init --tok", {"--token-file "})
        shell.offered("run --config my\\ fi", {"my\\ file.toml "})


@pytest.mark.zsh
def test_zsh_accepts_the_script(folder: Path) -> None:
    assert "" == said(folder, "zsh", "-f", "-n", "script.zsh")


# The command


@pytest.mark.parametrize("shell", Shell)
async def test_the_command_prints_the_script(folder: Path, shell: Shell) -> None:
    program = await run_program("completion", shell)
    assert 0 == exit_code(program), program.output
    assert (folder / f"script.{shell}").read_text(encoding="utf-8").splitlines() == program.stdout


async def test_another_shell_is_a_wrong_usage() -> None:
    program = await run_program("completion", "tcsh")
    assert 2 == exit_code(program), program.output
    # Versions of Python quote the names differently.
    assert "choose from bash, zsh, fish" in program.stderr[-1].replace("'", "")


@pytest.mark.parametrize("word", [each.word for each in outline(cli.parser()).commands])
def test_every_command_is_offered(folder: Path, word: str) -> None:
    assert word in offered_by_bash(folder, f"{PROGRAM} {word[:1]}")
