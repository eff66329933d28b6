"""`make component` says where the recipes still need the operator's bucket."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.device import BUILDER
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

SENTENCE = "make component: without --bucket NAME the recipes say s3://BUCKET/"


def complaint(*arguments: str, folder: Path) -> str:
    """What it says before it builds anything: the configuration is not there."""
    command = [*BUILDER, "--configuration", str(folder / "absent.json"), *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    assert "is no JSON file that can be read" in ended.stderr
    return ended.stderr


def test_without_a_bucket_the_operator_is_asked_for_it(tmp_path: Path) -> None:
    assert complaint(folder=tmp_path).startswith(SENTENCE)


@pytest.mark.parametrize("arguments", [["--bucket", "mine"], ["--gdk"], ["--local", "--nucleus", "lite"]])
def test_where_the_bucket_is_known_or_not_needed_nothing_is_said(
    tmp_path: Path, arguments: list[str]
) -> None:
    assert SENTENCE not in complaint(*arguments, folder=tmp_path)
