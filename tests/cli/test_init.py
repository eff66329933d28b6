"""`init`: two files that `check` accepts, a token that others cannot read, and nothing overwritten."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.dialogue import END_OF_INPUT, dialogue
from tests.support.patience import WAIT_SECONDS
from tests.support.process import ACCOUNT_SID, DEFAULT_FROM, TOKEN, TOKEN_VARIABLE, environment
from twilio_notifications.commands.init import _service_group
from twilio_notifications.config import FileSecrets, MqttSettings, load
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.model import Secret
from twilio_notifications.setup.broker import has_password, has_user, with_password
from twilio_notifications.setup.first_configuration import Machine, first_configuration
from twilio_notifications.setup.questions import BROKER, QUESTIONS

if TYPE_CHECKING:
    from pathlib import Path

CONFIG, TOKEN_FILE = "twilio-notifications.toml", "twilio-auth-token"
ANSWERS = ("--account-sid", ACCOUNT_SID, "--from", DEFAULT_FROM)


def run(
    folder: Path, *arguments: str, typed: str = "", token: str | None = TOKEN
) -> subprocess.CompletedProcess[str]:
    """The program with standard input from a pipe, which is no terminal."""
    variables = {} if token is None else {TOKEN_VARIABLE: token}
    return subprocess.run(
        [sys.executable, "-m", "twilio_notifications", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(**variables),
        timeout=WAIT_SECONDS,
        check=False,
    )


def init(
    folder: Path, *arguments: str, typed: str = "", token: str | None = TOKEN
) -> subprocess.CompletedProcess[str]:
    return run(folder, "init", "--yes", *arguments, typed=typed, token=token)


def test_what_it_writes_passes_the_check(tmp_path: Path) -> None:
    assert 0 == init(tmp_path, *ANSWERS).returncode
    checked = run(tmp_path, "check", "--offline", token=None)
    assert 0 == checked.returncode, checked.stdout + checked.stderr
    assert "read from file" in checked.stdout


def test_only_the_owner_may_read_the_token(tmp_path: Path) -> None:
    init(tmp_path, *ANSWERS)
    assert 0o600 == (tmp_path / TOKEN_FILE).stat().st_mode & 0o777
    assert f"{TOKEN}\n" == (tmp_path / TOKEN_FILE).read_text()
    assert TOKEN not in (tmp_path / CONFIG).read_text()


def test_each_setting_has_its_comment(tmp_path: Path) -> None:
    init(tmp_path, *ANSWERS)
    lines = (tmp_path / CONFIG).read_text().splitlines()
    settings_in_it = [number for number, line in enumerate(lines) if " = " in line and line[0] != "#"]
    assert len(settings_in_it) > 5
    assert [] == [lines[number] for number in settings_in_it if not lines[number - 1].startswith("# ")]


def test_it_says_what_to_do_next(tmp_path: Path) -> None:
    said = init(tmp_path, *ANSWERS, "--folder", "my place").stdout
    assert f"wrote  my place/{CONFIG}\n" in said
    for command in ("check", "run", "send txt"):
        assert f"next   twilio-notifications {command} --config 'my place/{CONFIG}'" in said


def test_options_become_settings(tmp_path: Path) -> None:
    options = ("--to", "+49, +15005550006", "--texts-per-day", "7", "--calls-per-day", "0")
    assert 0 == init(tmp_path, *ANSWERS, *options, "--broker", "mqtts://example.org").returncode
    found = load(tmp_path / CONFIG, {})
    assert ("+49", "+15005550006") == found.limits.texts.allowed == found.limits.calls.allowed
    assert [7] == [quota.most for quota in found.limits.quotas]
    assert isinstance(found.transport, MqttSettings)
    assert ("example.org", 8883) == (found.transport.broker.host, found.transport.broker.port)


@pytest.mark.parametrize("kind", ["file", "dangling link"])
@pytest.mark.parametrize("name", [CONFIG, TOKEN_FILE])
def test_nothing_is_overwritten(tmp_path: Path, name: str, kind: str) -> None:
    if kind == "file":
        (tmp_path / name).write_text("mine")
    else:
        (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    ended = init(tmp_path, *ANSWERS)
    assert 2 == ended.returncode
    assert f"{name} is there already: remove it, or choose another --folder" in ended.stderr
    assert [name] == [path.name for path in tmp_path.iterdir()]


def test_all_that_is_missing_and_wrong_is_said_at_once(tmp_path: Path) -> None:
    wrong = ("--from", "12", "--to", "Berlin", "--texts-per-day", "many", "--broker", "http://x")
    ended = init(tmp_path, *wrong, token=None)
    assert 2 == ended.returncode
    for sentence in (
        "--from must be a number",
        "--to must be a list",
        "--texts-per-day must be a whole number",
        "--broker must be mqtt://",
        "--account-sid is missing",
        "the auth token is missing",
    ):
        assert sentence in ended.stderr
    assert [] == list(tmp_path.iterdir())


def test_the_token_comes_from_standard_input(tmp_path: Path) -> None:
    assert 0 == init(tmp_path, *ANSWERS, "--token-file", "-", typed=f"{TOKEN}\n", token=None).returncode
    assert f"{TOKEN}\n" == (tmp_path / TOKEN_FILE).read_text()


def test_the_token_comes_from_a_file_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "given").write_text(f"  {TOKEN}\n")
    assert 0 == init(tmp_path, *ANSWERS, "--token-file", "given", token="another").returncode
    assert f"{TOKEN}\n" == (tmp_path / TOKEN_FILE).read_text()


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "$TWILIO_AUTH_TOKEN is empty"),
        ('"quoted"', "$TWILIO_AUTH_TOKEN has quotes around it"),
        ("one two", "$TWILIO_AUTH_TOKEN has a space in it"),
        ("one\ntwo", "$TWILIO_AUTH_TOKEN has more than one line"),
    ],
)
def test_what_cannot_be_a_token_is_not_written(tmp_path: Path, token: str, sentence: str) -> None:
    ended = init(tmp_path, *ANSWERS, token=token)
    assert (2, True) == (ended.returncode, sentence in ended.stderr), ended.stderr
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "No such file"), (b"\xff", "bytes that are no text")]
)
def test_a_token_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "given").write_bytes(content)
    ended = init(tmp_path, *ANSWERS, "--token-file", "given", token=None)
    assert (2, 1) == (ended.returncode, len(ended.stderr.splitlines())), ended.stderr
    assert sentence in ended.stderr


def test_no_option_takes_a_secret(tmp_path: Path) -> None:
    """Other users of the machine can read the arguments of a program."""
    helped = run(tmp_path, "init", "--help").stdout
    assert "--token-file" in helped
    assert "--token " not in helped
    ended = init(tmp_path, *ANSWERS, "--broker", "mqtt://user:secret@host")
    assert 2 == ended.returncode
    assert "--broker holds a password, which other users" in ended.stderr
    assert "secret@" not in ended.stderr


def test_a_brokers_password_comes_from_a_file_and_closes_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss/word: ü\n")
    options = ("--broker", "mqtt://user@host", "--broker-password-file", "password")
    assert 0 == init(tmp_path, *ANSWERS, *options).returncode
    transport = load(tmp_path / CONFIG, {}).transport
    assert isinstance(transport, MqttSettings)
    assert transport.broker.password == Secret("p@ss/word: ü")
    assert 0o600 == (tmp_path / CONFIG).stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--broker-password-file", "x"),
            "--broker-password-file needs a --broker of the form mqtt://USER@HOST",
        ),
        (
            ("--token-file", "-", "--broker", "mqtt://u@h", "--broker-password-file", "-"),
            "--token-file and --broker-password-file cannot both be",
        ),
    ],
)
def test_a_password_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    ended = init(tmp_path, *ANSWERS, *options)
    assert (2, True) == (ended.returncode, sentence in ended.stderr), ended.stderr


def test_a_folder_that_cannot_be_written_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = init(tmp_path, *ANSWERS, "--folder", "file/below")
    assert (1, 1) == (ended.returncode, len(ended.stderr.splitlines())), ended.stderr
    assert "Choose another --folder" in ended.stderr


def test_a_service_gets_its_journal_and_its_log(tmp_path: Path) -> None:
    ended = init(tmp_path, *ANSWERS, "--service", "--folder", str(tmp_path / "etc"))
    assert "next   sudo systemctl enable --now twilio-notifications\n" in ended.stdout
    found = load(tmp_path / "etc" / CONFIG, {})
    assert "/var/lib/twilio-notifications/journal.db" == str(found.journal.path)
    assert isinstance(found.secrets, FileSecrets)
    assert TOKEN_FILE == found.secrets.file.name


def test_a_password_that_the_services_user_cannot_read_is_a_note(tmp_path: Path) -> None:
    """The user's group may read the configuration, where there is that group already."""
    (tmp_path / "password").write_text("word")
    options = ("--broker", "mqtt://user@host", "--broker-password-file", "password", "--service")
    ended = init(tmp_path, *ANSWERS, *options, "--folder", "etc")
    assert 0 == ended.returncode, ended.stderr
    assert (_service_group() is None) == ("let the service's user read it too" in ended.stdout)


# A person answers.


def test_a_person_is_asked_until_each_answer_is_valid(tmp_path: Path) -> None:
    with dialogue("init", folder=tmp_path) as person:
        person.answer("Account SID", "my account")
        person.answer('It must be "AC" and 32 hexadecimal digits', "", end="")
        person.answer("Account SID", ACCOUNT_SID)
        person.answer("Sender number", DEFAULT_FROM)
        person.answer("Broker: mqtt://HOST", "mqtt://user@192.0.2.1")
        person.answer("Countries and numbers", "+1")
        person.answer("Texts a day at most (0: any number) [200]", "")
        person.answer("Calls a day at most", "3")
        person.answer("Auth token", "")
        person.answer("the token is empty", "", end="")
        person.answer("Auth token", TOKEN)
        person.answer("Password of the broker's user", "hunter2")
        code, shown = person.end()
    assert 0 == code, shown
    assert TOKEN not in shown
    assert "hunter2" not in shown
    found = load(tmp_path / CONFIG, {})
    assert [200, 3] == [quota.most for quota in found.limits.quotas]
    assert isinstance(found.transport, MqttSettings)
    assert Secret("hunter2") == found.transport.broker.password
    assert f"{TOKEN}\n" == (tmp_path / TOKEN_FILE).read_text()


def test_what_an_option_gives_is_not_asked(tmp_path: Path) -> None:
    options = (*ANSWERS, "--to", "", "--texts-per-day", "1", "--calls-per-day", "1")
    with dialogue("init", *options, folder=tmp_path, environ=environment(TWILIO_AUTH_TOKEN=TOKEN)) as person:
        person.answer("Broker", "")
        code, shown = person.end()
    assert 0 == code, shown
    assert "Account SID" not in shown
    assert "Auth token" not in shown


def test_a_person_who_ends_the_input_gets_no_files(tmp_path: Path) -> None:
    with dialogue("init", *ANSWERS, folder=tmp_path) as person:
        person.answer("Broker", END_OF_INPUT, end="")
        code, shown = person.end()
    assert 1 == code, shown
    assert "nothing is written" in shown
    assert [] == list(tmp_path.iterdir())


def test_without_a_terminal_it_does_not_wait_for_a_person(tmp_path: Path) -> None:
    ended = run(tmp_path, "init", *ANSWERS)
    assert 2 == ended.returncode
    assert "standard input is no terminal, so no person can answer: give --yes" in ended.stderr


# The questions and the file, by themselves.


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sender=st.just("") | st.from_regex(r"\+[1-9][0-9]{1,14}", fullmatch=True),
    user=st.sampled_from(["user", "a%40b"]),
    password=st.text(max_size=10),
    to=st.lists(st.from_regex(r"\+[0-9]{1,5}", fullmatch=True), max_size=3).map(",".join),
    texts=st.integers(0, 1_000_000_000).map(str),
    as_service=st.booleans(),
    can_confine=st.booleans(),
)
def test_whatever_is_answered_the_file_is_a_configuration(  # noqa: PLR0917 - drawn, each by its name
    tmp_path: Path,
    sender: str,
    user: str,
    password: str,
    to: str,
    texts: str,
    as_service: bool,  # noqa: FBT001 - drawn
    can_confine: bool,  # noqa: FBT001 - drawn
) -> None:
    typed = {
        "--account-sid": ACCOUNT_SID,
        "--from": sender,
        "--broker": f"mqtt://{user}@host",
        "--to": to,
        "--texts-per-day": texts,
        "--calls-per-day": "0",
    }
    answers = {question: question.value(typed[question.option]) for question in QUESTIONS}
    assert [] == [value for value in answers.values() if isinstance(value, Wrong)]
    answers[BROKER] = with_password(str(answers[BROKER]), Secret(password))
    values = {name: value for question, value in answers.items() for name in question.settings}
    path = tmp_path / CONFIG
    text = first_configuration(values, Machine(as_service=as_service, can_confine=can_confine))
    path.write_text(text, encoding="utf-8")
    transport = load(path, {}).transport
    assert isinstance(transport, MqttSettings)
    assert transport.broker.password == Secret(password)


@pytest.mark.parametrize(
    ("url", "user", "password"),
    [
        ("mqtt://host", False, False),
        ("mqtt://host:1883", False, False),
        ("mqtt://user@host:1883", True, False),
        ("mqtt://user:word@host", True, True),
        ("mqtt://user:w@rd@host", True, True),
        ("user:word@host", True, True),
    ],
)
def test_a_password_in_a_url_is_found(url: str, user: bool, password: bool) -> None:  # noqa: FBT001 - a row
    assert (user, password) == (has_user(url), has_password(url))
