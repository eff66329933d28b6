"""Files whose names were given from outside: plain ones alone, and only so much of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twilio_notifications.config import load
from twilio_notifications.config.files import read_plain
from twilio_notifications.core.errors import ConfigurationError


def test_a_plain_file_is_read_up_to_the_bound(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert b"12345" == read_plain(tmp_path / "file", most_bytes=5)
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_plain(tmp_path / "file", most_bytes=4)


@pytest.mark.parametrize("what", ["pipe", "device", "definition in a pipe"])
def test_a_configuration_that_is_no_plain_file_is_one_clear_problem(tmp_path: Path, what: str) -> None:
    """A pipe without a writer would be waited for without end, and a device has no end."""
    os.mkfifo(tmp_path / "pipe")
    path = {"pipe": tmp_path / "pipe", "device": Path("/dev/zero")}.get(what, tmp_path / "connector.toml")
    if not path.exists():
        path.write_text('[connector]\ndefinition = "pipe"\n')
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    (problem,) = caught.value.problems
    assert "must be a plain file" in problem


def test_a_configuration_of_any_size_is_refused_beyond_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "connector.toml"
    with path.open("wb") as file:
        file.truncate(1 << 34)
    with pytest.raises(ConfigurationError, match="cannot be read: it has more than"):
        load(path, {})
