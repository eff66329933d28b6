"""Each setting from both sides of its rule, written in the file and in the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.config.loading_steps import (
    SECRET_ARN,
    environment,
    from_environment,
    from_toml,
    only_problem,
    only_problem_in_toml,
)
from tests.support.variants import as_a
from twilio_notifications.config import AwsSecrets, CredentialFile, FileSecrets, MqttSettings
from twilio_notifications.config.kinds import Choice, Duration, FilePath, Kind, WholeNumber
from twilio_notifications.config.sections import SETTINGS
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.policy import Period, Unit

if TYPE_CHECKING:
    from twilio_notifications.config import Settings
    from twilio_notifications.core.policy import Limits

KINDS: dict[str, Kind[object]] = {name: key.kind for name, key in SETTINGS.items()}
DURATIONS = [name for name, kind in KINDS.items() if isinstance(kind, Duration)]
MAY_BE_ZERO = {
    "transport.session_expiry_seconds",
    "transport.probe_seconds",
    "transport.broker_probe_seconds",
    "secrets.refresh_seconds",
    "journal.retention_seconds",
    "delivery.settle_seconds",
    "delivery.deduplicate_by_id_seconds",
    "delivery.drain_seconds",
    "limits.identical_text_seconds",
}
LONGEST = 4294967295
SHORTER = {
    "transport.keepalive_seconds": 65535,
    "calls.ring_seconds": 600,
    "calls.time_limit_seconds": 86400,
    "limits.recipient_period_seconds": 2678400,
    "limits.identical_text_seconds": 2678400,
    "journal.lease_seconds": 600,
}
# A connector that shares its journal writes to the database ten times in a lease.
LONGER = {"journal.lease_seconds": 0.5}
WHOLE_NUMBERS = {
    "connector.version": (1, 5),
    "transport.receive_maximum": (1, 65535),
    "journal.maximum_waiting": (1, 1_000_000_000),
    "journal.maximum_bytes": (1_000_000, 1_000_000_000_000_000),
    "twilio.concurrency": (1, 1000),
    "tracking.requests_per_minute": (1, 6000),
    "limits.requests_per_recipient": (0, 1_000_000_000),
    **{f"limits.{unit}_per_{period}": (0, 1_000_000_000) for unit in Unit for period in Period},
}
CHOICES = {
    "transport.kind": ["mqtt", "greengrass"],
    "transport.protocol": ["auto", "5", "3.1.1"],
    "transport.pubsub": ["local", "iot_core", "both"],
    "transport.statuses_to": ["origin", "both"],
    "secrets.source": ["environment", "file", "aws", "greengrass"],
    "delivery.ordering": ["recipient", "none"],
    "limits.when_exceeded": ["wait", "refuse"],
    "quiet_hours.then": ["wait", "refuse"],
    "status.detail": ["document", "extended"],
    "status.follow_up": ["none", "final", "all"],
    "calls.machine_detection": ["off", "detect"],
    "tracking.mode": ["poll", "callback", "off"],
    "log.level": ["DEBUG", "INFO", "WARNING", "ERROR"],
    "log.format": ["text", "json"],
}
# So that one setting can be at its edge without contradicting another.
PARTNERS = {
    "transport.reconnect_initial_seconds": "transport.reconnect_maximum_seconds",
    "transport.reconnect_maximum_seconds": "transport.reconnect_initial_seconds",
    "delivery.backoff_initial_seconds": "delivery.backoff_maximum_seconds",
    "delivery.backoff_maximum_seconds": "delivery.backoff_initial_seconds",
}


def toml(name: str, value: str) -> str:
    """One setting, and its partner at the same value."""
    section = name.partition(".")[0]
    names = [name, PARTNERS[name]] if name in PARTNERS else [name]
    return f"[{section}]\n" + "".join(f"{each.split('.')[1]} = {value}\n" for each in names)


def variables(name: str, text: str) -> dict[str, str]:
    names = [name, PARTNERS[name]] if name in PARTNERS else [name]
    return {each.replace(".", "__").upper(): text for each in names}


def read(settings: Settings, name: str) -> Any:
    section, key = name.split(".")
    if section == "limits":
        return read_limit(settings.limits, key)
    return getattr(getattr(settings, section), key)


def read_limit(limits: Limits, key: str) -> Any:
    """Limits are a value of the core, with fields of its own."""
    unit, _, period = key.partition("_per_")
    if unit in set(Unit):
        return sum(quota.most for quota in limits.quotas if (quota.unit, quota.period) == (unit, period))
    return getattr(limits, key)


def refusal(name: str, value: object) -> str:
    wrong = KINDS[name].accept(value)
    assert isinstance(wrong, Wrong), wrong
    return wrong.demand


# Durations


@pytest.mark.parametrize("name", DURATIONS)
def test_a_duration_may_be_whole_or_a_fraction_from_well_below_a_second_up(tmp_path: Path, name: str) -> None:
    """Acceptance checks run the real program with small ones."""
    assert 7 == read(from_toml(tmp_path, toml(name, "7")), name)
    assert 7 == read(from_environment(**variables(name, "7")), name)
    written = LONGER.get(name, 0.001)
    smallest = 1 if name.endswith(("keepalive_seconds", "session_expiry_seconds")) else written
    assert smallest == read(from_toml(tmp_path, toml(name, f"{written}")), name)
    assert smallest == read(from_environment(**variables(name, f"{written}")), name)


@pytest.mark.parametrize("name", DURATIONS)
def test_zero_is_a_duration_only_where_it_makes_sense(tmp_path: Path, name: str) -> None:
    if name in MAY_BE_ZERO:
        assert 0 == read(from_toml(tmp_path, toml(name, "0")), name)
        assert 0 == read(from_environment(**variables(name, "0")), name)
    else:
        smallest = LONGER.get(name, 0.001)
        assert f"must be a number of seconds from {smallest} to" in refusal(name, 0)
        assert f"must be a number of seconds from {smallest} to" in refusal(name, smallest - 0.0001)


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize(
    "value", [-1, -0.001, float("inf"), float("nan"), 10**400, True, False, "10", [10], None, {}]
)
def test_what_is_no_duration_is_refused(name: str, value: object) -> None:
    assert "must be a number of seconds" in refusal(name, value)


@pytest.mark.parametrize("name", DURATIONS)
def test_a_duration_has_an_end(name: str) -> None:
    longest = SHORTER.get(name, LONGEST)
    assert longest == KINDS[name].accept(longest)
    assert f"to {longest}, not {longest + 1}" in refusal(name, longest + 1)


@pytest.mark.parametrize("value", ["inf", "nan", "true"])
def test_the_odd_numbers_of_toml_are_no_durations(tmp_path: Path, value: str) -> None:
    assert "delivery.lifetime_seconds must be a number" in only_problem_in_toml(
        tmp_path, toml("delivery.lifetime_seconds", value)
    )


@pytest.mark.parametrize("text", ["ten", "", "10s", "nan", "inf", "1e999", "0x10", "true", "9" * 5000])
def test_a_text_that_is_no_number_is_refused_by_its_variable(text: str) -> None:
    found = only_problem(None, environment(**variables("delivery.drain_seconds", text)))
    assert "delivery.drain_seconds must be a number of seconds from 0 to" in found
    assert "TWILIO_NOTIFICATIONS__DELIVERY__DRAIN_SECONDS" in found


def test_what_mqtt_counts_in_whole_seconds_is_rounded_up_to_them() -> None:
    """Rounded down, a fraction would become 0, which switches the probe off and lets the session end."""
    loaded = from_environment(TRANSPORT__KEEPALIVE_SECONDS="0.2", TRANSPORT__SESSION_EXPIRY_SECONDS="1.5")
    settings = as_a(MqttSettings, loaded.transport)
    assert (1, 2) == (settings.keepalive_seconds, settings.session_expiry_seconds)
    assert (int, int) == (type(settings.keepalive_seconds), type(settings.session_expiry_seconds))


# Whole numbers


def test_the_whole_numbers_are_those_listed_here() -> None:
    assert set(WHOLE_NUMBERS) == {name for name, kind in KINDS.items() if isinstance(kind, WholeNumber)}


@pytest.mark.parametrize(("name", "bounds"), WHOLE_NUMBERS.items())
def test_a_whole_number_lies_between_its_bounds(tmp_path: Path, name: str, bounds: tuple[int, int]) -> None:
    for bound in bounds:
        assert bound == read(from_toml(tmp_path, toml(name, str(bound))), name)
        assert bound == read(from_environment(**variables(name, str(bound))), name)
    for beyond in (bounds[0] - 1, bounds[1] + 1):
        expected = f"must be a whole number from {bounds[0]} to {bounds[1]}, not {beyond}"
        assert expected in refusal(name, beyond)
        assert expected in only_problem(None, environment(**variables(name, str(beyond))))


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
@pytest.mark.parametrize("value", [1.0, "1", True, [1], None, float("nan")])
def test_what_is_no_whole_number_is_refused(name: str, value: object) -> None:
    assert f"not {value!r}" in refusal(name, value)


# Words


def test_the_choices_are_those_listed_here() -> None:
    assert set(CHOICES) == {name for name, kind in KINDS.items() if isinstance(kind, Choice)}


@pytest.mark.parametrize(("name", "words"), CHOICES.items())
def test_a_choice_is_one_of_its_words(name: str, words: list[str]) -> None:
    for word in words:
        assert word == KINDS[name].accept(word)
        assert KINDS[name].accept(word) == KINDS[name].accept(KINDS[name].from_text(word))
    expected = f"must be one of {', '.join(chr(34) + word + chr(34) for word in words)}, not "
    for wrong in ("", words[0] + " ", words[0].swapcase() + "x", 5, True, [words[0]], None):
        assert expected + repr(wrong) == refusal(name, wrong)


# Strings and lists


NAMES = ["transport.client_id"] + [
    f"secrets.{key}" for key in ("variable", "second_variable", "staging_label", "second_label", "json_key")
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_not_empty(name: str) -> None:
    assert "x" == KINDS[name].accept("x")
    for wrong in ("", 5, ["x"]):
        assert "must be a string that is not empty" in refusal(name, wrong)
    assert "NUL" in refusal(name, "a\0b")


def test_a_variable_has_no_equals_sign() -> None:
    assert "without =" in refusal("secrets.variable", "A=B")
    assert "without =" in refusal("secrets.second_variable", "A=B")


API_KEY = "SK0123456789abcdef0123456789ABCDEF"


def test_the_sid_of_an_api_key_is_sk_and_32_digits() -> None:
    kind = KINDS["secrets.api_key_sid"]
    assert (API_KEY, None) == (kind.accept(API_KEY), kind.accept(""))


@pytest.mark.parametrize("value", [API_KEY[:-1], API_KEY + "0", API_KEY.replace("SK", "AC"), "x", 5, True])
def test_what_is_no_sid_of_an_api_key_is_refused_and_not_shown(value: object) -> None:
    """The key's secret stands next to its SID where an operator copies both."""
    assert "must be the SID of an API key, SK and 32 hexadecimal digits" == refusal(
        "secrets.api_key_sid", value
    )


@pytest.mark.parametrize("prefix", ["", "site7/", "a/b/", "/", "ü/", " /"])
def test_a_topic_prefix_is_any_beginning_of_a_topic(tmp_path: Path, prefix: str) -> None:
    settings = from_toml(tmp_path, f'[transport]\ntopic_prefix = "{prefix}"\n')
    assert (prefix, ()) == (settings.transport.topic_prefix, settings.warnings)


@pytest.mark.parametrize("prefix", ["+/", "site/#", "a+b/"])
def test_a_topic_prefix_with_a_wildcard_is_refused(tmp_path: Path, prefix: str) -> None:
    found = only_problem_in_toml(tmp_path, f'[transport]\ntopic_prefix = "{prefix}"\n')
    assert "transport.topic_prefix must be a string, without + and #, that does not begin with" in found


@pytest.mark.parametrize("key", ["topic_prefix", "text_topic", "call_topic", "status_topic"])
@pytest.mark.parametrize("topic", ["$share/group/twilio/txt", "$queue/twilio/txt", "$exclusive/twilio/txt"])
def test_a_shared_subscription_is_refused(tmp_path: Path, key: str, topic: str) -> None:
    """Its messages arrive on another name, and two connectors on one topic cannot keep an order."""
    found = only_problem_in_toml(tmp_path, f'[transport]\n{key} = "{topic}"\n')
    assert "that does not begin with $share/" in found


def test_a_topic_prefix_with_a_nul_is_refused(tmp_path: Path) -> None:
    found = only_problem_in_toml(tmp_path, '[transport]\ntopic_prefix = "a\\u0000b/"\n')
    assert "transport.topic_prefix must not hold a NUL character" in found


def test_a_topic_prefix_without_a_slash_is_taken_as_it_is_with_a_warning(tmp_path: Path) -> None:
    settings = from_toml(tmp_path, '[transport]\ntopic_prefix = "site7"\n')
    assert "site7" == settings.transport.topic_prefix
    assert ["requests are expected on site7twilio/txt"] == [
        warning.split(": ")[1].split(" (")[0] for warning in settings.warnings
    ]


@pytest.mark.parametrize("value", ["x", [1], [""], [["a"]], None, {"a": 1}])
def test_a_list_holds_strings(value: object) -> None:
    assert "must be a list of strings that are not empty" in refusal("transport.alpn", value)
    assert ("a", "b") == KINDS["transport.alpn"].accept(["a", "b"])
    assert () == KINDS["transport.alpn"].accept([])


# Files


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if isinstance(kind, FilePath) and kind.must_exist]
)
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, name: str) -> None:
    """A pipe is not waited for, and a device is not read until the memory is full."""
    os.mkfifo(tmp_path / "pipe")
    for path, why in (
        (tmp_path / "missing", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "it is a pipe, and must be a plain file"),
        (Path("/dev/zero"), "it is a device, and must be a plain file"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            from_toml(tmp_path, _in_use(name, path))
        (problem,) = [problem for problem in caught.value.problems if problem.startswith(f"{name} =")]
        assert f"{name} = '{path}' cannot be read: {why}" in problem


def _in_use(name: str, path: Path) -> str:
    """A configuration in which this file counts."""
    section, key = name.split(".")
    other = {"transport": 'url = "mqtts://b"\n', "secrets": 'source = "aws"\n'}.get(section, "")
    return f'[{section}]\n{other}{key} = "{path}"\n'


@pytest.mark.parametrize("source", ["environment", "file", "greengrass"])
def test_the_key_of_another_source_need_not_be_there(tmp_path: Path, source: str) -> None:
    """A nucleus merges what is deployed and removes nothing, so a left-over is not a mistake."""
    more = 'path = "token"\n' if source == "file" else ""
    text = f'[secrets]\nsource = "{source}"\nkey_file = "missing"\n{more}'
    if source != "greengrass":
        assert source == from_toml(tmp_path, text).secrets.source
        return
    with pytest.raises(ConfigurationError) as caught:
        from_toml(tmp_path, text)
    assert [] == [problem for problem in caught.value.problems if "key_file" in problem]


@pytest.mark.parametrize("keys", [("ca_file",), ("certificate_file",), ("certificate_file", "key_file")])
def test_the_files_of_a_broker_need_not_be_there_for_a_nucleus(tmp_path: Path, keys: tuple[str, ...]) -> None:
    files = "".join(f'{key} = "missing"\n' for key in keys)
    settings = from_toml(tmp_path, f'[transport]\nkind = "greengrass"\n{files}')
    assert "greengrass" == settings.transport.kind


def test_a_brokers_key_counts_for_a_nucleus_where_it_seals_the_copy_of_the_secret(tmp_path: Path) -> None:
    text = '[transport]\nkind = "greengrass"\nkey_file = "missing"\n[secrets]\nsource = "aws"\n'
    with pytest.raises(ConfigurationError) as caught:
        from_toml(tmp_path, text)
    assert any(problem.startswith("transport.key_file =") for problem in caught.value.problems)


def test_the_file_of_the_token_need_not_be_there_yet(tmp_path: Path) -> None:
    """It may lie in $CREDENTIALS_DIRECTORY, and a token is rotated: the secret source looks each time."""
    settings = from_toml(tmp_path, '[secrets]\nsource = "file"\npath = "missing"\n')
    file = as_a(FileSecrets, settings.secrets).file
    assert ("missing", tmp_path / "missing") == (file.name, file.path)


def test_a_second_file_is_looked_up_as_the_first(tmp_path: Path) -> None:
    text = '[secrets]\nsource = "file"\npath = "token"\nsecond_path = "missing"\n'
    file = as_a(FileSecrets, from_toml(tmp_path, text).secrets).second_file
    assert CredentialFile(name="missing", path=tmp_path / "missing") == file


def test_the_copy_of_the_secret_lies_beside_the_journal_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "device.key").touch()
    parameters = f'TwilioAuthTokenSecretArn = "{SECRET_ARN}"\nTwilioAuthTokenSecretArn-ResourceId = "x"\n'
    text = parameters + '[journal]\nurl = "sqlite:///state/journal.db"\n'
    text += '[secrets]\nsource = "aws"\nkey_file = "device.key"\n'
    expected = tmp_path / "state/twilio-auth-token.copy"
    assert expected == as_a(AwsSecrets, from_toml(tmp_path, text).secrets).copy_path
    text += 'copy_path = "elsewhere/copy"\n'
    assert tmp_path / "elsewhere/copy" == as_a(AwsSecrets, from_toml(tmp_path, text).secrets).copy_path


@pytest.mark.parametrize("value", [5, True, ["x"]])
def test_a_path_is_a_string(value: object) -> None:
    assert "must be the path of a file, not" in refusal("secrets.path", value)
    assert "NUL" in refusal("secrets.path", "a\0b")
