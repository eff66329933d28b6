"""The configuration of a Greengrass V2 component: the published names, AWS's manner, and our own sections."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.loading_steps import ACCOUNT, SECRET_ARN, write
from tests.support.variants import as_a
from twilio_notifications.config import (
    GreengrassSettings,
    PubSub,
    SecretOrigin,
    Settings,
    StatusesTo,
    TransportKind,
    load,
)
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.parameters import IsolationMode

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS: dict[str, Any] = {
    "TWILIO_ACCOUNT_SID": "AC1",
    "TwilioAuthTokenSecretArn": SECRET_ARN,
    "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
}


def settings(**configuration: Any) -> Settings:
    return load(None, {}, component=PARAMETERS | configuration)


def problems(**configuration: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        settings(**configuration)
    return caught.value.problems


def test_a_component_is_preset_for_its_nucleus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings()
    assert TransportKind.GREENGRASS is found.transport.kind
    assert SecretOrigin.GREENGRASS is found.secrets.source
    assert (tmp_path / "journal" / "journal.db", SECRET_ARN) == (
        found.journal.path,
        found.parameters.secret_arn,
    )
    assert IsolationMode.GREENGRASS_CONTAINER is found.parameters.isolation_mode
    transport = as_a(GreengrassSettings, found.transport)
    assert (PubSub.LOCAL, StatusesTo.ORIGIN) == (transport.pubsub, transport.statuses_to)


def test_what_is_missing_is_to_be_set_where_a_component_is_configured() -> None:
    """On a device there is no file to edit, and no person sets an environment variable."""
    found = problems(TWILIO_ACCOUNT_SID="", TwilioAuthTokenSecretArn="")
    assert [
        f"{label} ({name}) is required (set {name} in the component configuration, by a deployment)"
        for label, name in (
            ("Twilio account SID", "TWILIO_ACCOUNT_SID"),
            ("ARN of Twilio auth token secret", "TwilioAuthTokenSecretArn"),
        )
    ] == list(found)


def test_the_file_is_below_the_component_and_the_environment_above(tmp_path: Path) -> None:
    path = write(
        tmp_path, f'{ACCOUNT}[twilio]\nconcurrency = 1\ntimeout_seconds = 1\n[log]\nlevel = "DEBUG"\n'
    )
    component = PARAMETERS | {"twilio": {"concurrency": 2, "timeout_seconds": 2}}
    found = load(path, {"TWILIO_NOTIFICATIONS__TWILIO__CONCURRENCY": "3"}, component=component)
    assert ("DEBUG", 2, 3) == (found.log.level, found.twilio.timeout_seconds, found.twilio.concurrency)


@pytest.mark.parametrize(
    "topics",
    [{"txt": "a/txt", "call": "a/call"}, ["a/txt", "a/call"], "a/txt,a/call", " a/txt , a/call "],
)
def test_input_topics_are_written_in_either_manner(topics: object) -> None:
    found = settings(InputTopics=topics, OutputTopic="a/out").transport.topics
    assert ("a/txt", "a/call", "a/out") == (found.text, found.call, found.status)


@pytest.mark.parametrize("topics", ["a", ["a"], ["a", "b", "c"], {"sms": "a"}, 7])
def test_other_input_topics_are_a_problem(topics: object) -> None:
    (problem,) = problems(InputTopics=topics)
    assert problem.startswith(
        'InputTopics must be {"txt": TOPIC, "call": TOPIC}, or these two topics in this'
    )
    assert problem.endswith("(InputTopics in the component configuration)")


@pytest.mark.parametrize("wanted", [True, "true", "True", " TRUE "])
def test_pubsub_to_iot_core_is_for_requests_and_statuses(wanted: object) -> None:
    found = as_a(GreengrassSettings, settings(PubSubToIoTCore=wanted).transport)
    assert (PubSub.BOTH, StatusesTo.BOTH) == (found.pubsub, found.statuses_to)


@pytest.mark.parametrize("wanted", [False, "false", "", None])
def test_without_it_everything_is_local(wanted: object) -> None:
    found = as_a(GreengrassSettings, settings(PubSubToIoTCore=wanted).transport)
    assert (PubSub.LOCAL, StatusesTo.ORIGIN) == (found.pubsub, found.statuses_to)


def test_what_is_neither_true_nor_false_is_a_problem() -> None:
    (problem,) = problems(PubSubToIoTCore="yes")
    assert "PubSubToIoTCore must be true or false, not 'yes'" in problem


def test_the_transports_own_settings_are_more_precise() -> None:
    found = as_a(
        GreengrassSettings, settings(PubSubToIoTCore=True, transport={"statuses_to": "origin"}).transport
    )
    assert (PubSub.BOTH, StatusesTo.ORIGIN) == (found.pubsub, found.statuses_to)


@pytest.mark.parametrize("count", [7, 7.0, "7", "7.0"])
@pytest.mark.parametrize("paused", [True, "true", "True"])
@pytest.mark.parametrize("numbers", [["+1*"], '["+1*"]'])
def test_a_value_may_come_typed_or_as_text(count: object, paused: object, numbers: object) -> None:
    """As the two nuclei give them."""
    found = settings(limits={"texts_per_day": count, "paused": paused, "allowed_texts": numbers}).limits
    assert ([7], True) == ([quota.most for quota in found.quotas], found.paused)
    assert found == settings(limits={"texts_per_day": 7, "paused": True, "allowed_texts": ["+1*"]}).limits


def test_a_double_is_a_whole_number_only_where_it_has_no_fraction() -> None:
    """The classic nucleus makes a double of every number; a fraction of the operator's is refused."""
    found = settings(connector={"version": 5.0}, delivery={"lifetime_seconds": 1.5})
    assert (5, 1.5) == (found.connector.version, found.delivery.lifetime_seconds)
    for wrong in (1.5, "1.5", float("inf")):
        (problem,) = problems(limits={"texts_per_day": wrong})
        assert "limits.texts_per_day must be a whole number" in problem


@pytest.mark.parametrize("number", [4254492999, 4254492999.0])
def test_a_telephone_number_that_became_a_number_is_a_text_again(number: float) -> None:
    assert "4254492999" == settings(DefaultFromPhoneNumber=number).parameters.default_sender_number


@pytest.mark.parametrize("nothing", ["", None, "null"])
def test_a_parameter_that_was_emptied_is_not_set(nothing: object) -> None:
    found = settings(DefaultFromPhoneNumber=nothing, IsolationMode=nothing).parameters
    assert (None, IsolationMode.GREENGRASS_CONTAINER) == (found.default_sender_number, found.isolation_mode)


def test_what_belongs_to_the_nucleus_is_left_alone_and_a_relic_is_a_warning() -> None:
    found = settings(accessControl={"x": {}}, UseInstaller="true")
    (warning,) = found.warnings
    assert warning.startswith("unknown key UseInstaller: ")
    assert warning.endswith("(UseInstaller in the component configuration)")


def test_a_file_that_only_the_next_start_reads_is_a_warning_for_who_runs(tmp_path: Path) -> None:
    """An upgrade names a new file, which a confined connector may not read. The limits count."""
    missing = {"twilio": {"ca_file": str(tmp_path / "new.pem")}, "limits": {"paused": "true"}}
    (problem,) = problems(**missing)
    assert "cannot be read: No such file" in problem
    found = load(None, {}, component=PARAMETERS | missing, is_running=True)
    assert found.limits.paused
    (warning,) = found.warnings
    assert "twilio.ca_file = " in warning
    assert "cannot be read: No such file or directory: the next start needs it" in warning
    assert warning.endswith("(twilio.ca_file in the component configuration)")


def test_everything_that_is_wrong_is_said_at_once_with_its_place() -> None:
    found = problems(limits={"texts_per_dy": 1}, twilio={"concurrency": 0}, delivery=5, IsolationMode="Box")
    assert 4 == len(found)
    assert "unknown key limits.texts_per_dy: did you mean texts_per_day?" in found[0]
    for place in ("delivery", "IsolationMode", "twilio.concurrency", "limits.texts_per_dy"):
        assert f"({place} in the component configuration)" in "".join(found)


@given(
    st.dictionaries(
        st.sampled_from(
            (
                *("InputTopics", "OutputTopic", "PubSubToIoTCore", "TWILIO_ACCOUNT_SID"),
                *("limits", "log", "contacts", "escalations"),
            )
        )
        | st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_no_configuration_whatever_is_a_defect(configuration: dict[str, Any]) -> None:
    with suppress(ConfigurationError):
        load(None, {}, component=PARAMETERS | configuration)


@given(
    st.dictionaries(
        st.sampled_from(("darla", "a.b", "")) | st.text(max_size=3),
        st.dictionaries(
            st.sampled_from(("steps", "repeat", "acknowledge_words", "reply_hint")),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(("after_seconds", "channel", "contacts")), inner)
                ),
            ),
        ),
    )
)
def test_no_escalation_whatever_is_a_defect(escalations: dict[str, Any]) -> None:
    with suppress(ConfigurationError):
        load(None, {}, component=PARAMETERS | {"escalations": escalations})
