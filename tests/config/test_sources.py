"""Where settings come from: the file, the environment that wins over it, and what is wrong with either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.config.loading_steps import (
    ACCOUNT,
    ACCOUNT_VARIABLE,
    PREFIX,
    SECRET_ARN,
    environment,
    from_environment,
    from_toml,
    only_problem,
    only_problem_in_toml,
    problems,
    write,
)
from tests.support.variants import as_a
from twilio_notifications.config import (
    FileSecrets,
    LogFormat,
    LogLevel,
    MqttSettings,
    Ordering,
    ProtocolVersion,
    StatusDetail,
    find,
    load,
)
from twilio_notifications.config.sources import FILE_NAME, SYSTEM_FOLDER
from twilio_notifications.core.model import Secret

# The example that users find in the documentation, with every section in use.
COMPLETE = f"""
[connector]
version = 5
[connector.parameters]
TWILIO_ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
TwilioAuthTokenSecretArn = "{SECRET_ARN}"
TwilioAuthTokenSecretArn-ResourceId = "TwilioAuthToken"
DefaultFromPhoneNumber = "+15005550006"
IsolationMode = "NoContainer"
[transport]
kind = "mqtt"
url = "mqtts://alice:s%40cret@broker.example"
protocol = "3.1.1"
client_id = "site7"
alpn = ["x-amzn-mqtt-ca"]
topic_prefix = "site7/"
keepalive_seconds = 30
session_expiry_seconds = 0
receive_maximum = 10
[secrets]
source = "file"
path = "token"
[journal]
url = "sqlite:////var/lib/twilio/journal.db"
retention_seconds = 0
maximum_waiting = 10
[twilio]
base_url = "http://127.0.0.1:8080/"
concurrency = 1
timeout_seconds = 0.2
[delivery]
lifetime_seconds = 60
ordering = "none"
backoff_initial_seconds = 0.01
backoff_maximum_seconds = 0.1
settle_seconds = 0
credential_wait_seconds = 1
credential_probe_seconds = 0.05
drain_seconds = 0
[status]
detail = "extended"
[log]
level = "DEBUG"
format = "json"
"""


def test_a_complete_file_sets_everything(tmp_path: Path) -> None:
    settings = load(write(tmp_path, COMPLETE), {})
    transport, delivery = as_a(MqttSettings, settings.transport), settings.delivery
    assert "+15005550006" == settings.parameters.default_sender_number
    broker = transport.broker
    assert ("broker.example", 8883, True) == (broker.host, broker.port, broker.tls)
    assert ("alice", Secret("s@cret")) == (broker.username, broker.password)
    assert ProtocolVersion.V311 is transport.protocol
    assert ("site7", ("x-amzn-mqtt-ca",), "site7/") == (
        transport.client_id,
        transport.alpn,
        transport.topic_prefix,
    )
    assert (30, 0, 10) == (
        transport.keepalive_seconds,
        transport.session_expiry_seconds,
        transport.receive_maximum,
    )
    assert tmp_path / "token" == as_a(FileSecrets, settings.secrets).file.path
    assert Path("/var/lib/twilio/journal.db") == settings.journal.path
    assert (0, 10) == (settings.journal.retention_seconds, settings.journal.maximum_waiting)
    assert ("http://127.0.0.1:8080", 1, 0.2) == (
        settings.twilio.base_url,
        settings.twilio.concurrency,
        settings.twilio.timeout_seconds,
    )
    assert (60, Ordering.NONE, 0.01, 0.1, 0, 1, 0.05, 0) == (
        delivery.lifetime_seconds,
        delivery.ordering,
        delivery.backoff_initial_seconds,
        delivery.backoff_maximum_seconds,
        delivery.settle_seconds,
        delivery.credential_wait_seconds,
        delivery.credential_probe_seconds,
        delivery.drain_seconds,
    )
    assert StatusDetail.EXTENDED is settings.status.detail
    assert (LogLevel.DEBUG, LogFormat.JSON) == (settings.log.level, settings.log.format)
    assert () == settings.warnings


def test_the_environment_says_the_same_as_the_file(tmp_path: Path) -> None:
    """Every key can be set either way, and means the same."""
    path = write(tmp_path, COMPLETE.replace('"token"', f'"{tmp_path}/token"'))
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
    section, environ = "", {}
    for line in lines:
        if line.startswith("["):
            section = line.strip("[]").replace(".", "__")
        else:
            key, _, value = line.partition(" = ")
            environ[f"{PREFIX}{section}__{key.replace('-', '_')}".upper()] = value.strip('"')
    from_file, from_variables = load(path, {}), load(None, environ)
    assert from_file == from_variables


def test_the_environment_wins_key_by_key(tmp_path: Path) -> None:
    path = write(tmp_path, ACCOUNT + '[log]\nlevel = "ERROR"\nformat = "json"\n')
    settings = load(path, {f"{PREFIX}LOG__LEVEL": "DEBUG", ACCOUNT_VARIABLE: "AC2"})
    assert (LogLevel.DEBUG, LogFormat.JSON) == (settings.log.level, settings.log.format)
    assert "AC2" == settings.parameters.account_sid


def test_the_environment_alone_is_enough() -> None:
    assert LogLevel.WARNING is from_environment(LOG__LEVEL="WARNING").log.level


@pytest.mark.parametrize(
    "variable",
    [
        "TWILIOAUTHTOKENSECRETARN_RESOURCEID",
        "TwilioAuthTokenSecretArn_ResourceId",
        "TwilioAuthTokenSecretArn-ResourceId",
        "TWILIOAUTHTOKENSECRETARN-RESOURCEID",
    ],
)
def test_a_parameter_is_found_in_any_case_and_with_either_hyphen(variable: str) -> None:
    """No shell sets a variable with a hyphen, but container files do."""
    settings = from_environment(**{f"CONNECTOR__PARAMETERS__{variable}": "MySecret"})
    assert "MySecret" == settings.parameters.secret_resource_id


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("TRANSPORT__ALPN", "", ()),
        ("TRANSPORT__ALPN", "a, b", ("a", "b")),
        ("TRANSPORT__ALPN", '["a", "b,c"]', ("a", "b,c")),
    ],
)
def test_a_list_in_the_environment_is_comma_separated_or_json(
    name: str, text: str, expected: tuple[str, ...]
) -> None:
    settings = from_environment(**{name: text, "TRANSPORT__URL": "mqtts://broker.example"})
    assert expected == as_a(MqttSettings, settings.transport).alpn


@pytest.mark.parametrize("text", ['["a"', "[1]", '["a", ""]', "a,,b", "[" * 200_000])
def test_a_list_in_the_environment_that_is_neither_is_refused(text: str) -> None:
    found = only_problem(None, environment(TRANSPORT__ALPN=text, TRANSPORT__URL="mqtts://broker.example"))
    assert "transport.alpn must be a list of strings" in found


def test_an_empty_string_unsets_what_names_a_file_or_an_arn(tmp_path: Path) -> None:
    """So that a variable of a container file, empty by default, does not have to be left out."""
    path = write(
        tmp_path, ACCOUNT + '[twilio]\nca_file = "missing.pem"\n[secrets]\nsource = "file"\npath = "token"\n'
    )
    nothing = {f"{PREFIX}TWILIO__CA_FILE": "", f"{PREFIX}CONNECTOR__ARN": ""}
    settings = load(path, nothing | {f"{PREFIX}SECRETS__SECOND_PATH": ""})
    assert (None, None) == (settings.twilio.ca_file, settings.connector.arn)
    assert as_a(FileSecrets, settings.secrets).second_file is None
    assert "needs secrets.path" in only_problem(path, nothing | {f"{PREFIX}SECRETS__PATH": ""})


# Paths


def test_relative_paths_of_the_file_start_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal must be the same one wherever the connector is started."""
    tmp_path.joinpath("etc", "ca").mkdir(parents=True)
    tmp_path.joinpath("etc", "ca", "broker.pem").touch()
    path = write(
        tmp_path / "etc",
        ACCOUNT
        + '[transport]\nurl = "mqtts://b"\nca_file = "ca/broker.pem"\n'
        + '[secrets]\nsource = "file"\npath = "token"\n',
    )
    for folder, name in ((tmp_path, path), (tmp_path, Path("etc/connector.toml"))):
        monkeypatch.chdir(folder)
        settings = load(name, {})
        assert tmp_path / "etc" / "ca" / "broker.pem" == as_a(MqttSettings, settings.transport).ca_file
        assert tmp_path / "etc" / "journal" / "journal.db" == settings.journal.path
        file = as_a(FileSecrets, settings.secrets).file
        assert (tmp_path / "etc" / "token", "token") == (file.path, file.name)


def test_relative_paths_of_the_environment_start_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("etc").mkdir()
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "etc", ACCOUNT)
    assert tmp_path / "x.db" == load(path, {f"{PREFIX}JOURNAL__URL": "sqlite:///x.db"}).journal.path
    assert tmp_path / "journal" / "journal.db" == from_environment().journal.path


# What is wrong with a source


def test_a_missing_file_is_a_problem_and_nothing_else_is_said_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "connector.toml"
    assert f"the configuration file {path} does not exist" == only_problem(path, {})


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in only_problem(tmp_path, {})


def test_a_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, '[log]\nlevel = "INFO"\nformat = text\n')
    found = only_problem(path, {})
    assert str(path) in found
    assert "line 3" in found


def test_a_file_in_another_encoding_is_a_problem_but_a_byte_order_mark_is_none(tmp_path: Path) -> None:
    path = tmp_path / "connector.toml"
    path.write_bytes(ACCOUNT.encode("utf-8-sig"))
    assert "AC1" == load(path, {}).parameters.account_sid
    path.write_bytes(b"# \xff\n")
    assert "is not UTF-8" in only_problem(path, {})


def test_an_unreadable_file_does_not_hide_what_is_wrong_with_the_environment(tmp_path: Path) -> None:
    found = problems(tmp_path / "missing.toml", {f"{PREFIX}LOG__LEVL": "x"})
    assert 2 == len(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[log]\nlevl = "INFO"', "unknown key log.levl: did you mean level?"),
        ('[log]\ncolour = "red"', "unknown key log.colour: known are level, format"),
        ("[twilio]\nsettle_seconds = 1", "unknown key twilio.settle_seconds: it belongs in [delivery]"),
        ('[log]\npath = "x"', "unknown key log.path: it belongs in [secrets]"),
        (
            '[twilio]\nurl = "x"',
            "unknown key twilio.url: it belongs in [transport] or [journal] or [heartbeat] or [traces]",
        ),
        (
            '[connector]\nTWILIO_ACCOUNT_SID = "AC1"',
            "unknown key connector.TWILIO_ACCOUNT_SID: it belongs in [connector.parameters]",
        ),
        ('[transpot]\nurl = "x"', "unknown section [transpot]: did you mean transport?"),
        ("[log.more]\nlevel = 1", "unknown key log.more: known are level, format"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = write(tmp_path, text)
    assert f"{expected} (in {path})" == only_problem(path, {ACCOUNT_VARIABLE: "AC1"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('level = "INFO"\n', "unknown key level outside of any section: it belongs in [log]"),
        ('lvel = "INFO"\n', "unknown key lvel outside of any section: known are connector"),
        ("log = 5\n", "log must be a section: write [log] on a line of its own"),
        ("[[log]]\nlevel = 1\n", "log must be a section: write [log] on a line of its own"),
        (
            "[connector]\nparameters = 5\n",
            "connector.parameters must be a section: write [connector.parameters]",
        ),
    ],
)
def test_what_stands_outside_of_its_section_is_told_where_to_go(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert expected in only_problem(write(tmp_path, text), {ACCOUNT_VARIABLE: "AC1"})


@pytest.mark.parametrize("variable", ["LOG__LEVL", "LOG_LEVEL", "LOG__", "", "LOGS__LEVEL", "LOG__LEVEL__X"])
def test_an_unknown_variable_is_refused_by_its_name_with_the_nearest_known_one(variable: str) -> None:
    """Its value is not shown: it may be a secret under a wrong name."""
    found = only_problem(None, environment(**{variable: "hunter2"}))
    assert found.startswith(f"unknown environment variable {PREFIX}{variable}: ")
    assert "hunter2" not in found
    if variable == "LOG__LEVL":
        assert found.endswith(f"did you mean {PREFIX}LOG__LEVEL?")


def test_an_unknown_parameter_in_the_environment_names_the_variable() -> None:
    found = only_problem(None, environment(CONNECTOR__PARAMETERS__ISOLATION="x"))
    assert "did you mean IsolationMode?" in found
    assert f"(in the environment variable {PREFIX}CONNECTOR__PARAMETERS__ISOLATION)" in found


def test_two_variables_for_one_setting_are_refused() -> None:
    found = only_problem(None, environment(LOG__LEVEL="INFO", LOG__level="DEBUG"))
    assert f"{PREFIX}LOG__level sets log.level a second time" in found


def test_other_variables_are_not_looked_at() -> None:
    others = {"TWILIO_AUTH_TOKEN": "x", "TWILIO_NOTIFICATIONS_LOG__LEVEL": "x", "PATH": "/bin"}
    assert from_environment() == load(None, environment() | others)


def test_a_wrong_value_names_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, ACCOUNT + '[log]\nlevel = "LOUD"\n')
    wrong = 'log.level must be one of "DEBUG", "INFO", "WARNING", "ERROR", not '
    assert f"{wrong}'LOUD' (in {path})" == only_problem(path, {})
    variable = f"{PREFIX}LOG__LEVEL"
    assert f"{wrong}'loud' (in the environment variable {variable})" == only_problem(path, {variable: "loud"})


def test_all_problems_of_all_sources_are_reported_at_once(tmp_path: Path) -> None:
    text = """
    [transport]
    url = "amqp://broker"
    keepalive_seconds = 0
    [log]
    levl = "INFO"
    [connector]
    version = 4
    [connector.parameters]
    IsolationMode = "NoContainer"
    [secrets]
    source = "file"
    [delivery]
    backoff_initial_seconds = 100
    """
    found = problems(
        write(tmp_path, text), environment(TWILIO__CONCURRENCY="many", LOGG="x") | {ACCOUNT_VARIABLE: ""}
    )
    expected = [
        "unknown key log.levl",
        f"unknown environment variable {PREFIX}LOGG",
        "transport.url must be mqtt://",
        "transport.keepalive_seconds must be",
        "twilio.concurrency must be",
        "delivery.backoff_initial_seconds = 100 must not be above delivery.backoff_maximum_seconds = 60",
        'secrets.source = "file" needs secrets.path',
        "Twilio account SID (TWILIO_ACCOUNT_SID) is required and must not be empty",
        "Container isolation mode (IsolationMode) came with version 5",
    ]
    assert len(expected) == len(found)
    for beginning, problem in zip(expected, found, strict=True):
        assert problem.startswith(beginning)


def test_no_secret_is_shown_whatever_is_printed(tmp_path: Path) -> None:
    settings = from_toml(tmp_path, '[transport]\nurl = "mqtts://a-token:hunter2@broker.example"\n')
    address = as_a(MqttSettings, settings.transport).address
    shown = repr(settings) + str(settings) + address
    assert "hunter2" not in shown
    assert "a-token" not in shown
    assert "mqtts://broker.example:8883" == address


def test_settings_cannot_be_changed_in_place() -> None:
    settings = from_environment()
    with pytest.raises(AttributeError):
        settings.log.level = LogLevel.DEBUG  # type: ignore[misc]  # that is the claim
    louder = replace(settings, log=replace(settings.log, level=LogLevel.DEBUG))
    assert LogLevel.INFO is settings.log.level is not louder.log.level


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 50_000], ids=["digits", "brackets"])
def test_what_the_reader_of_toml_chokes_on_is_a_problem_of_the_file(tmp_path: Path, value: str) -> None:
    assert "is not valid TOML" in only_problem_in_toml(tmp_path, f"[log]\nlevel = {value}\n")


def test_a_key_twice_is_a_problem_of_the_file(tmp_path: Path) -> None:
    assert "is not valid TOML" in only_problem_in_toml(tmp_path, ACCOUNT)


class TestTheFileWhereNoneIsNamed:
    def test_the_variable_goes_before_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "twilio-notifications.toml").touch()
        assert Path("other.toml") == find({"TWILIO_NOTIFICATIONS_CONFIG": "other.toml"})
        assert Path("twilio-notifications.toml") == find({"TWILIO_NOTIFICATIONS_CONFIG": ""})

    def test_without_any_file_the_environment_has_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        expected = SYSTEM_FOLDER / FILE_NAME
        assert (expected if expected.exists() else None) == find({})

    def test_a_link_that_leads_nowhere_is_found_and_named_as_unreadable(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / FILE_NAME).symlink_to("gone.toml")
        assert Path(FILE_NAME) == find({})


@pytest.mark.parametrize(
    "toml",
    [
        'TWILIO_AUTH_TOKEN = "5ecret"',
        '[secrets]\nauth_token = "5ecret"',
        '[twilio]\npassword = "5ecret"',
        '[connector.parameters]\nTWILIO_AUTH_TOKEN = "5ecret"',
        '[connector.parameters]\napi_key_secret = "5ecret"',
    ],
)
def test_a_token_in_the_file_is_answered_with_where_tokens_go(tmp_path: Path, toml: str) -> None:
    said = problems(write(tmp_path, toml), {})
    found = [problem for problem in said if "a configuration never holds secrets" in problem]
    assert 1 == len(found)
    assert "TWILIO_AUTH_TOKEN" in found[0].partition("never holds secrets")[2]
    assert "5ecret" not in found[0]
