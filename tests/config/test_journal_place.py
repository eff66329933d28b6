"""Where the journal is by default, and what becomes of one at the default of an earlier version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from twilio_notifications.config import JournalPlace, load, load_journal
from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.config import Settings

ACCOUNT = '[connector.parameters]\nTWILIO_ACCOUNT_SID = "AC1"\n'


def settings(folder: Path, url: str = "") -> Settings:
    return load(configuration(folder, url), {})


def configuration(folder: Path, url: str = "") -> Path:
    path = folder / "connector.toml"
    path.write_text(ACCOUNT + (f'[journal]\nurl = "{url}"\n' if url else ""))
    return path


def problems(folder: Path, url: str = "") -> tuple[str, ...]:
    path = configuration(folder, url)
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    return caught.value.problems


def test_the_journal_has_a_folder_of_its_own(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert (tmp_path / "journal" / "journal.db", JournalPlace.DEFAULT) == (
        found.journal.path,
        found.journal.place,
    )
    assert () == found.warnings


def test_a_journal_at_the_earlier_default_is_used_with_a_warning_that_says_what_to_do(
    tmp_path: Path,
) -> None:
    earlier = tmp_path / "journal.db"
    earlier.write_bytes(b"requests")
    found = settings(tmp_path)
    assert (earlier, JournalPlace.EARLIER_DEFAULT) == (found.journal.path, found.journal.place)
    (warning,) = found.warnings
    assert f"mkdir -m 700 {tmp_path}/journal && mv {earlier}* {tmp_path}/journal" in warning
    assert earlier == load_journal(tmp_path / "connector.toml", {}).journal.path


def test_so_is_one_that_is_all_in_its_log_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    (tmp_path / "journal.db-wal").write_bytes(b"requests")
    assert tmp_path / "journal.db" == settings(tmp_path).journal.path


def test_an_empty_file_there_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    assert tmp_path / "journal" / "journal.db" == settings(tmp_path).journal.path


def test_two_journals_are_a_problem_that_names_both(tmp_path: Path) -> None:
    for path in (tmp_path / "journal.db", tmp_path / "journal" / "journal.db"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"requests")
    (problem,) = problems(tmp_path)
    assert f"there are two journals, {tmp_path}/journal/journal.db and {tmp_path}/journal.db" in problem
    assert "journal list --only waiting" in problem
    with pytest.raises(ConfigurationError, match="two journals"):
        load_journal(tmp_path / "connector.toml", {})


def test_each_of_them_can_be_named(tmp_path: Path) -> None:
    """So that a person can look into both."""
    for path in (tmp_path / "journal.db", tmp_path / "journal" / "journal.db"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"requests")
        environ = {"TWILIO_NOTIFICATIONS__JOURNAL__URL": f"sqlite:///{path}"}
        assert path == load_journal(configuration(tmp_path), environ).journal.path


@pytest.mark.parametrize("url", ["sqlite:///elsewhere.db", "sqlite:///journal/journal.db"])
def test_one_that_a_written_url_leaves_behind_is_warned_of(tmp_path: Path, url: str) -> None:
    (tmp_path / "journal.db").write_bytes(b"requests")
    found = settings(tmp_path, url)
    assert tmp_path / url.removeprefix("sqlite:///") == found.journal.path
    (warning,) = found.warnings
    assert f"the journal {tmp_path}/journal.db" in warning
    assert "is not used" in warning
    assert "Requests may wait in it" in warning


def test_a_log_without_its_journal_is_not_left_behind(tmp_path: Path) -> None:
    """After a crash, a person who moves journal.db alone leaves the last requests in journal.db-wal."""
    (tmp_path / "journal.db-wal").write_bytes(b"requests")
    (problem,) = problems(tmp_path)
    assert f"move it next to that journal, to {tmp_path}/journal/journal.db-wal" in problem


def test_a_written_url_is_taken_as_it_is(tmp_path: Path) -> None:
    found = settings(tmp_path, "sqlite:///journal.db")
    assert (tmp_path / "journal.db", JournalPlace.NAMED, ()) == (
        found.journal.path,
        found.journal.place,
        found.warnings,
    )
