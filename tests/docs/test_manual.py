"""The manual page: what reads manual pages finds nothing wrong with it, and it names everything."""

from __future__ import annotations

import re
import subprocess

import pytest

from docs.generate import MANUAL
from docs.manual import EXIT_CODES
from tests.support.patience import WAIT_SECONDS
from twilio_notifications import cli, exit_codes
from twilio_notifications.outline import outline

WITHOUT_A_DATE = 'missing date, using ""'
"""The page is the same on each day on which it is generated; its version says how old it is."""


def mandoc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["mandoc", *arguments, str(MANUAL)], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )


@pytest.mark.mandoc
def test_a_strict_reader_finds_nothing_wrong() -> None:
    found = [line for line in mandoc("-Tlint").stdout.splitlines() if WITHOUT_A_DATE not in line]
    # A usage that cannot be broken is a long line in the source.
    assert [] == [line for line in found if "input text line longer" not in line]


@pytest.mark.mandoc
def test_each_command_and_each_option_is_shown_as_it_is_typed() -> None:
    shown = re.sub(r".\x08", "", mandoc("-Tutf8").stdout)
    for command in outline(cli.parser()).walk():
        assert command.name.partition(" ")[2] in shown
        assert [] == [option for each in command.arguments for option in each.options if option not in shown]


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = [value for name, value in vars(exit_codes).items() if name.isupper() and type(value) is int]
    assert {"0", *map(str, codes)} == EXIT_CODES.keys()
