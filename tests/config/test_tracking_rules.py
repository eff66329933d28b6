"""What tracking, callbacks and escalations demand of each other, and what deserves a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.loading_steps import (
    ACCOUNT,
    SECRET_ARN,
    from_environment,
    from_toml,
    only_problem_in_toml,
    problems,
    write,
)
from tests.support.variants import as_a
from twilio_notifications.config import AwsSecrets, EnvironmentSecrets, FileSecrets, MachineDetection
from twilio_notifications.core.delivery import Following, FollowUp

if TYPE_CHECKING:
    from pathlib import Path

LISTEN = 'listen = "127.0.0.1:8080"\n'
PUBLIC = 'public_url = "https://alarms.example.com/twilio/"\n'
API_KEY = f'api_key_sid = "SK{"0" * 32}"\n'
DARLA = '[contacts.darla]\nname = "Darla"\nphone_number = "+12345000000"\n'


def tracking(*lines: str) -> str:
    return "[tracking]\n" + "".join(lines)


def chain(*steps: str, more: str = "") -> str:
    return f"{DARLA}[escalations.x]\nsteps = [{', '.join(steps)}]\n{more}"


def step(after: float, *contacts: str) -> str:
    names = ", ".join(f'"{contact}"' for contact in contacts)
    return f'{{ after_seconds = {after}, channel = "text", contacts = [{names}] }}'


# Callbacks


def test_callbacks_need_an_address_here_and_one_for_twilio(tmp_path: Path) -> None:
    settings = from_toml(tmp_path, tracking('mode = "callback"\n', LISTEN, PUBLIC))
    assert (Following.CALLBACK, ("127.0.0.1", 8080), "https://alarms.example.com/twilio") == (
        settings.tracking.mode,
        settings.tracking.listen,
        settings.tracking.public_url,
    )
    assert () == settings.warnings


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (LISTEN, "tracking.listen needs tracking.public_url"),
        (PUBLIC, "tracking.public_url needs tracking.listen"),
        ('mode = "callback"\n', 'tracking.mode = "callback" needs tracking.public_url, the address under'),
        (f'mode = "callback"\n{LISTEN}', "tracking.listen needs tracking.public_url"),
        (f'mode = "callback"\n{PUBLIC}', "tracking.public_url needs tracking.listen"),
    ],
)
def test_half_of_an_address_is_a_problem(tmp_path: Path, lines: str, expected: str) -> None:
    assert only_problem_in_toml(tmp_path, tracking(lines)).startswith(expected)


def test_an_address_that_is_wrong_by_itself_is_one_problem(tmp_path: Path) -> None:
    assert "tracking.listen must be HOST:PORT" in only_problem_in_toml(
        tmp_path, tracking('listen = "x"\n', PUBLIC)
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ftp://example.com", "must be an absolute URL"),
        ("https://user:hunter2@example.com", "must have no user, password, query or fragment"),
        ("https://example.com/?hunter2", "must have no user, password, query or fragment"),
        ("https://my_alarms.example.com", "must name a host without an underscore: Twilio refuses it"),
    ],
)
def test_a_public_url_that_twilio_cannot_call_is_refused_and_not_shown(
    tmp_path: Path, url: str, expected: str
) -> None:
    found = only_problem_in_toml(tmp_path, tracking(LISTEN, f'public_url = "{url}"\n'))
    assert f"tracking.public_url {expected}" in found
    assert "hunter2" not in found


def test_scrapes_and_callbacks_do_not_share_a_port(tmp_path: Path) -> None:
    metrics = '[metrics]\nlisten = "127.0.0.1:{}"\n'
    found = only_problem_in_toml(tmp_path, tracking(LISTEN, PUBLIC) + metrics.format(8080))
    assert found.startswith("tracking.listen is metrics.listen too: each needs a port of its own")
    free = tracking(LISTEN.replace("8080", "0"), PUBLIC) + metrics.format(0)
    assert ("127.0.0.1", 0) == from_toml(tmp_path, free).tracking.listen


@pytest.mark.parametrize("url", ["http://alarms.example.com", "http://127.0.0.1:8080"])
def test_a_public_url_without_encryption_is_a_warning(tmp_path: Path, url: str) -> None:
    (warning,) = from_toml(tmp_path, tracking(LISTEN, f'public_url = "{url}"\n')).warnings
    assert warning.startswith("tracking.public_url does not begin with https://")


# Signatures


def aws(*lines: str) -> str:
    return (
        f'TwilioAuthTokenSecretArn = "{SECRET_ARN}"\n'
        'TwilioAuthTokenSecretArn-ResourceId = "TwilioAuthToken"\n'
        '[secrets]\nsource = "aws"\nkey_file = "key.pem"\n' + "".join(lines)
    )


@pytest.mark.parametrize(
    ("secrets", "missing"),
    [
        ("[secrets]\n", "secrets.signature_variable"),
        ('[secrets]\nsource = "file"\npath = "token"\n', "secrets.signature_path"),
        (aws(), "secrets.signature_arn or secrets.signature_json_key"),
    ],
)
def test_where_an_api_key_logs_in_callbacks_need_the_primary_auth_token(
    tmp_path: Path, secrets: str, missing: str
) -> None:
    tmp_path.joinpath("key.pem").touch()
    text = secrets + API_KEY
    from_toml(tmp_path, text)
    found = only_problem_in_toml(tmp_path, text + tracking(LISTEN, PUBLIC))
    assert f"tracking.listen with secrets.api_key_sid needs {missing}: Twilio signs callbacks with" in found


def test_the_primary_auth_token_has_a_place_at_each_source(tmp_path: Path) -> None:
    tmp_path.joinpath("key.pem").touch()
    callbacks = API_KEY + tracking(LISTEN, PUBLIC)
    environment = from_toml(tmp_path, f'[secrets]\nsignature_variable = "PRIMARY"\n{callbacks}').secrets
    assert "PRIMARY" == as_a(EnvironmentSecrets, environment).signature_variable
    text = f'[secrets]\nsource = "file"\npath = "a"\nsignature_path = "b"\n{callbacks}'
    file = as_a(FileSecrets, from_toml(tmp_path, text).secrets).signature_file
    assert file is not None
    assert tmp_path / "b" == file.path
    kept = as_a(AwsSecrets, from_toml(tmp_path, aws('signature_json_key = "primary"\n', callbacks)).secrets)
    assert (None, "primary") == (kept.signature_arn, kept.signature_json_key)
    other = SECRET_ARN.replace("AuthToken", "Primary")
    kept = as_a(AwsSecrets, from_toml(tmp_path, aws(f'signature_arn = "{other}"\n', callbacks)).secrets)
    assert other == kept.signature_arn


def test_what_is_no_arn_of_a_secret_is_refused_and_not_shown(tmp_path: Path) -> None:
    found = only_problem_in_toml(tmp_path, '[secrets]\nsignature_arn = "hunter2"\n')
    assert "secrets.signature_arn must be the ARN of the secret" in found
    assert "hunter2" not in found


# Following switched off


def test_without_following_there_are_no_follow_ups(tmp_path: Path) -> None:
    text = '[status]\nfollow_up = "all"\n[calls]\nmachine_detection = "detect"\n'
    settings = from_toml(tmp_path, text)
    assert (FollowUp.ALL, MachineDetection.DETECT, ()) == (
        settings.status.follow_up,
        settings.calls.machine_detection,
        settings.warnings,
    )
    (warning,) = from_toml(tmp_path, text + tracking('mode = "off"\n')).warnings
    assert warning.startswith('status.follow_up = "all" needs tracking.mode "poll" or "callback"')


def test_an_address_without_following_is_a_warning(tmp_path: Path) -> None:
    (warning,) = from_toml(tmp_path, tracking('mode = "off"\n', LISTEN, PUBLIC)).warnings
    assert warning.startswith('tracking.mode = "off" does not use tracking.public_url and tracking.listen')


def test_following_can_be_switched_by_the_environment() -> None:
    assert Following.OFF is from_environment(TRACKING__MODE="off").tracking.mode


# Topics


@pytest.mark.parametrize("key", ["cancel_topic", "acknowledge_topic"])
def test_orders_of_clients_have_topics_of_their_own(tmp_path: Path, key: str) -> None:
    found = only_problem_in_toml(tmp_path, f'[transport]\n{key} = "twilio/txt"\n')
    assert f"transport.{key} = 'twilio/txt' is transport.text_topic too" in found
    topics = from_toml(tmp_path, f'[transport]\ntopic_prefix = "a/"\n{key} = "b"\n').transport.topics
    assert "a/b" == getattr(topics, key.removesuffix("_topic"))


# Escalations


@pytest.mark.parametrize(
    ("contact", "hint"),
    [("dara", "did you mean darla?"), ("x", "known are darla")],
)
def test_a_step_names_contacts_that_exist(tmp_path: Path, contact: str, hint: str) -> None:
    found = only_problem_in_toml(tmp_path, chain(step(1, "darla"), step(2, "darla", contact)))
    claim = f"step 2 names the contact '{contact}', and there is no [contacts.{contact}]: {hint} (in "
    assert f"escalations.x.steps: {claim}" in found


def test_without_contacts_a_step_says_so(tmp_path: Path) -> None:
    text = f"[escalations.x]\nsteps = [{step(1, 'darla')}]\n"
    assert "there is no [contacts.darla]: no contact is configured" in only_problem_in_toml(tmp_path, text)


def test_a_contact_that_is_wrong_by_itself_is_not_said_to_be_missing(tmp_path: Path) -> None:
    text = chain(step(1, "darla")).replace('phone_number = "+12345000000"\n', "")
    assert "contacts.darla.phone_number is missing" in only_problem_in_toml(tmp_path, text)


def test_steps_stand_in_the_order_in_which_they_are_due(tmp_path: Path) -> None:
    from_toml(tmp_path, chain(step(5, "darla"), step(5, "darla")))
    found = only_problem_in_toml(tmp_path, chain(step(5, "darla"), step(4.5, "darla")))
    assert "step 2 has after_seconds = 4.5, less than the 5 of the step before it" in found


@pytest.mark.parametrize(
    ("words", "flaw"),
    [
        ("stop", "'stop' is a word that Twilio itself acts on"),
        ("YES", "'YES' is a word that Twilio itself acts on"),
        ("arrêt", "'arrêt' is a word that Twilio itself acts on"),
        ("2", "'2' is read as the code of one escalation"),
        ("#12", "'#12' is read as the code of one escalation"),
        ("ok!", "'ok!' is never found in a text"),
        (" ok", "' ok' is never found in a text"),
        ("?", "'?' is never found in a text"),
        ("x" * 101, "is never found in a text"),
    ],
)
def test_a_word_that_cannot_acknowledge_is_refused(tmp_path: Path, words: str, flaw: str) -> None:
    more = f'acknowledge_words = ["seen", "{words}"]\n'
    found = only_problem_in_toml(tmp_path, chain(step(1, "darla"), more=more))
    assert found.startswith("escalations.x.acknowledge_words: ")
    assert flaw in found


def test_each_word_that_cannot_acknowledge_is_a_problem(tmp_path: Path) -> None:
    more = 'acknowledge_words = ["stop", "end", "ok", "Got it"]\n'
    path = write(tmp_path, ACCOUNT + chain(step(1, "darla"), more=more))
    assert 2 == len(problems(path, {}))
