"""[console]: who may sign in, where it may listen, and what the program next to the connector needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.loading_steps import from_toml, only_problem_in_toml, write
from twilio_notifications.config import load_console
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.password_hash import hash_of

if TYPE_CHECKING:
    from pathlib import Path

HASH = str(hash_of("correct horse", salt=b"sixteen bytes..!", cost=14))
USER = f'{{ name = "darla", password_hash = "{HASH}" }}'


def test_by_default_it_is_local_and_asks_for_nothing(tmp_path: Path) -> None:
    console = from_toml(tmp_path, "").console
    assert ("127.0.0.1", 8377) == console.listen
    assert console.is_local
    assert not console.asks_for_sign_in


@pytest.mark.parametrize("text", [f"users = [{USER}]", f'token_hash = "{HASH}"'])
def test_with_a_sign_in_it_may_listen_anywhere_with_a_warning_about_the_network(
    tmp_path: Path, text: str
) -> None:
    settings = from_toml(tmp_path, f'[console]\nlisten = "0.0.0.0:8377"\n{text}\n')
    assert settings.console.asks_for_sign_in
    (warning,) = settings.warnings
    assert "passwords cross the network unencrypted" in warning


def test_behind_a_certificate_there_is_no_warning(tmp_path: Path) -> None:
    text = (
        f'[console]\nlisten = "0.0.0.0:8377"\npublic_url = "https://alarms.example.com"\nusers = [{USER}]\n'
    )
    assert () == from_toml(tmp_path, text).warnings


@pytest.mark.parametrize("listen", ["0.0.0.0:8377", "[::]:8377", "192.0.2.1:8377", "gateway:8377"])
def test_without_a_sign_in_it_may_not_listen_beyond_the_loopback(tmp_path: Path, listen: str) -> None:
    problem = only_problem_in_toml(tmp_path, f'[console]\nlisten = "{listen}"\n')
    assert "can be reached from other machines" in problem
    assert "set console.users or console.token_hash" in problem


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:8377", "localhost:8377"])
def test_the_loopback_has_several_names(tmp_path: Path, listen: str) -> None:
    assert from_toml(tmp_path, f'[console]\nlisten = "{listen}"\n').console.is_local


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('listen = ""', "console.listen must be HOST:PORT"),
        ('users = [{ name = "darla" }]', "password_hash is missing"),
        ('users = [{ name = "", password_hash = "x" }]', "name must be"),
        ('users = [{ name = "darla", password = "x" }]', "unknown key password"),
        (f"users = [{USER}, {USER}]", "console.users has the name 'darla' 2 times"),
        (f"users = [{USER.replace('darla', 'darla ')}]", "name must not begin or end with a space"),
        (f'users = [{USER.replace("darla", "token")}]\ntoken_hash = "{HASH}"', "give that user another name"),
        ('token_hash = "secret"', "console.token_hash must be a hash"),
        ('public_url = "alarms"', "console.public_url must be an absolute URL"),
        ("session_seconds = 0", "console.session_seconds must be"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in only_problem_in_toml(tmp_path, f"[console]\n{text}\n")


def test_the_console_needs_its_own_sections_alone(tmp_path: Path) -> None:
    path = write(tmp_path, '[tracking]\nmode = "sometimes"\n[journal]\nurl = "sqlite:///there/journal.db"\n')
    settings = load_console(path, {})
    assert tmp_path / "there" / "journal.db" == settings.journal.path
    with pytest.raises(ConfigurationError, match=r"console\.listen"):
        load_console(write(tmp_path, '[console]\nlisten = "x"\n'), {})


def test_it_knows_the_variables_with_secrets_to_forget_them(tmp_path: Path) -> None:
    path = write(tmp_path, '[secrets]\nvariable = "TOKEN"\nsecond_variable = "SECOND"\n')
    assert ("TOKEN", "SECOND") == load_console(path, {}).secret_variables
