"""The Makefile as people meet it: `make` alone shows what there is and starts nothing."""

from __future__ import annotations

import re
import subprocess

from tests.support.needs import ROOT
from tests.support.process import environment

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def said_by_make(*arguments: str) -> list[str]:
    made = subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    return made.stdout.splitlines()


def test_make_alone_has_a_line_of_help_for_each_target() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    helped = [match[1] for line in said_by_make() if (match := re.match(r"  (\w+) +\S", line))]
    assert sorted(targets.split()) == sorted(helped)


def test_make_demo_says_what_it_does_before_packages_come() -> None:
    planned = said_by_make("--dry-run", "--always-make", "demo")
    install = next(number for number, line in enumerate(planned) if "pip install" in line and "demo" in line)
    assert "Fetching the packages of the demo" in planned[install - 1]
