"""`init`: asks a person what the connector needs, and writes a configuration and a token file.

This module asks, reads and writes; the room `setup` knows the questions and what follows from the answers.
"""

from __future__ import annotations

import grp
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twilio_notifications import terminal
from twilio_notifications.adapters import isolation
from twilio_notifications.config.files import read_plain
from twilio_notifications.config.sources import SYSTEM_FOLDER
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.errors import ConfigurationError, SecretUnavailable
from twilio_notifications.core.model import Secret
from twilio_notifications.core.secret_text import oddity, token_of
from twilio_notifications.new_files import NewFile, in_words, refuse_existing, write_new
from twilio_notifications.setup.broker import has_password, has_user, with_password
from twilio_notifications.setup.first_configuration import (
    CONFIG_NAME,
    TOKEN_NAME,
    Machine,
    first_configuration,
)
from twilio_notifications.setup.questions import BROKER, QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.setup.questions import Question

SERVICE_GROUP: Final = "twilio-notifications"
_VARIABLE = "TWILIO_AUTH_TOKEN"
_MOST_BYTES = 65_536
_FOLDER_OPTION = "--folder"
_WITHOUT_PERSON = "give --yes, and the options that `twilio-notifications init --help` lists"
_STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the command line says. `given` are the answers of its options; `asks`: a person answers the rest.

    Without a `folder` the files go where the connector finds them by itself.
    """

    folder: Path | None
    as_service: bool
    given: Mapping[Question, str]
    token_file: Path | None
    broker_password_file: Path | None
    asks: bool

    @property
    def place(self) -> Path:
        """The folder of the files."""
        return self.folder or (SYSTEM_FOLDER if self.as_service else Path())


def init(order: Order, *, environ: Mapping[str, str]) -> int:
    """Writes both files and says what to do next; returns 0.

    Raises ConfigurationError with everything that is missing or wrong, or with each file that exists already,
    FolderUnusable, and InputEnded. In each case nothing is written.
    """
    files = [order.place / CONFIG_NAME, order.place / TOKEN_NAME]
    refuse_existing(files, option=_FOLDER_OPTION)
    problems: list[str] = []
    answers = _given_answers(order, problems)
    token = _given_token(order, environ, problems)
    password = _given_password(order, problems)
    if order.asks and not terminal.is_interactive():
        problems = [f"standard input is no terminal, so no person can answer: {_WITHOUT_PERSON}"]
    elif not order.asks:
        problems += _missing(order, has_token=token is not None)
    if problems:
        raise ConfigurationError(problems)
    answers |= {question: _answer(question, order) for question in QUESTIONS if question not in answers}
    token = token or _asked_token()
    url = str(answers[BROKER])
    if password is None and order.asks and has_user(url) and not has_password(url):
        password = Secret(terminal.ask_hidden("Password of the broker's user (is not shown; empty: none): "))
    if password is not None and password.reveal():
        answers[BROKER] = with_password(url, password)
    values = {name: value for question, value in answers.items() for name in question.settings}
    machine = Machine(as_service=order.as_service, can_confine=bool(isolation.discover().version))
    write_new(_files(order, values, token, machine), option=_FOLDER_OPTION)
    _say_what_is_next(order, values, machine)
    return 0


def _given_answers(order: Order, problems: list[str]) -> dict[Question, object]:
    """The answers that options give; `problems` get what is wrong with them."""
    answers: dict[Question, object] = {}
    for question, text in order.given.items():
        value = question.value(text)
        if question is BROKER and has_password(text):
            problems.append(
                f"{BROKER.option} holds a password, which other users of this machine can read: give "
                "mqtt://USER@HOST and --broker-password-file"
            )
        elif isinstance(value, Wrong):
            problems.append(f"{question.option} {value.demand}")
        else:
            answers[question] = value
    return answers


def _missing(order: Order, *, has_token: bool) -> Iterator[str]:
    for question in QUESTIONS:
        if question.default is None and question not in order.given:
            yield f"{question.option} is missing: {question.asks}"
    if not has_token and order.token_file is None:
        yield (
            f'the auth token is missing: give --token-file, with "-" for standard input, or set {_VARIABLE}'
        )


def _answer(question: Question, order: Order) -> object:
    """The first answer of a person that is valid; the default where no one is asked."""
    hint = f" [{question.default}]" if question.default else ""
    while True:
        text = terminal.ask(f"{question.asks}{hint}: ").strip() if order.asks else ""
        value = question.value(text or question.default or "")
        if not isinstance(value, Wrong):
            return value
        terminal.say(f"It {value.demand}.")


def _given_token(order: Order, environ: Mapping[str, str], problems: list[str]) -> Secret | None:
    """The auth token of a file or of the environment; None where there is none, or `problems` say why not."""
    name, text = f"${_VARIABLE}", environ.get(_VARIABLE)
    if order.token_file is not None:
        name, text = "--token-file", _read(order.token_file, "--token-file", problems)
    token = None if text is None else _judged(text, name=name)
    if isinstance(token, Wrong):
        problems.append(token.demand)
        return None
    return token


def _asked_token() -> Secret:
    while True:
        text = terminal.ask_hidden("Auth token, next to the SID in Twilio's console (is not shown): ")
        token = _judged(text, name="the token")
        if not isinstance(token, Wrong):
            return token
        terminal.say(f"{token.demand}.")


def _judged(text: str, *, name: str) -> Secret | Wrong:
    try:
        token = token_of(text, json_key=None, name=name)
    except SecretUnavailable as error:
        return Wrong(demand=str(error).rstrip("."))
    odd = oddity(token)
    return token if odd is None else Wrong(demand=f"{name} {odd}, which no token of Twilio has")


def _given_password(order: Order, problems: list[str]) -> Secret | None:
    """The password of the broker's user from a file; None where none is given, or `problems` say why not."""
    path = order.broker_password_file
    if path is None:
        return None
    if path == order.token_file == _STANDARD_INPUT:
        problems.append('--token-file and --broker-password-file cannot both be "-": name a file for one')
        return None
    if not has_user(order.given.get(BROKER, "")):
        problems.append(f"--broker-password-file needs a {BROKER.option} of the form mqtt://USER@HOST")
    text = _read(path, "--broker-password-file", problems)
    return Secret(text.rstrip("\r\n")) if text else None


def _read(path: Path, option: str, problems: list[str]) -> str | None:
    """The text of a file or of standard input; None where there is none, which `problems` then say."""
    try:
        content = sys.stdin.buffer.read(_MOST_BYTES) if path == _STANDARD_INPUT else read_plain(path)
        return content.decode()
    except OSError as error:
        problems.append(f"{option}: {in_words(path)} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{option}: {in_words(path)} holds bytes that are no text")
    return None


def _files(order: Order, values: Mapping[str, object], token: Secret, machine: Machine) -> list[NewFile]:
    """Both files. The service's user reads the configuration by its group, and the token from systemd."""
    group = _service_group() if order.as_service else None
    is_closed = group is not None or has_password(str(values["transport.url"]))
    return [
        NewFile(path=order.place / TOKEN_NAME, text=f"{token.reveal()}\n", mode=0o600),
        NewFile(
            path=order.place / CONFIG_NAME,
            text=first_configuration(values, machine),
            mode=0o600 if is_closed else 0o644,
            group=group,
        ),
    ]


def _service_group() -> int | None:
    """The group of the service's user; None where there is no such group, or this user may not set it."""
    try:
        return grp.getgrnam(SERVICE_GROUP).gr_gid if os.geteuid() == 0 else None
    except KeyError:
        return None


def _say_what_is_next(order: Order, values: Mapping[str, object], machine: Machine) -> None:
    config = in_words(order.place / CONFIG_NAME)
    terminal.say(
        f"wrote  {config}", f"wrote  {in_words(order.place / TOKEN_NAME)}, which its owner alone may read"
    )
    if not machine.can_confine:
        terminal.say(
            'note   IsolationMode is "NoContainer": this kernel has no Landlock to confine the connector'
        )
    if not values["limits.allowed_texts"]:
        terminal.say(
            "note   texts and calls may go to every number: see allowed_texts and allowed_calls in it"
        )
    if order.as_service and has_password(str(values["transport.url"])) and _service_group() is None:
        terminal.say(
            f"note   {config} holds the broker's password, and its owner alone may read it: let the "
            "service's user read it too"
        )
    named = "" if order.folder is None else f" --config {shlex.quote(config)}"
    sudo = "sudo " if order.as_service else ""
    run = "sudo systemctl enable --now" if order.as_service else "twilio-notifications run"
    to_you = "--to YOUR_NUMBER --name YOUR_NAME --message Hello"
    terminal.say(
        f"next   {sudo}twilio-notifications check{named}    # tries broker, token and Twilio; sends nothing",
        f"next   {run} twilio-notifications" if order.as_service else f"next   {run}{named}",
        f"next   {sudo}twilio-notifications send txt{named} {to_you}    # one text to you",
    )
