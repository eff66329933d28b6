"""A placeholder of any tool is asked for by its name, wherever a value of Greengrass should stand."""

from __future__ import annotations

import pytest

from tests.migration.house import (
    ACCOUNT_SID,
    PARAMETERS,
    SECRET,
    arn,
    connector,
    connectors,
    definitions,
    migrated,
    parameters,
    problems,
    subscription,
)
from twilio_notifications.migration.partly import Hole
from twilio_notifications.migration.placeholders import holes_in

NAMED = {
    "$SID": "SID",
    "${SID}": "SID",
    "${SID:-none}": "SID",
    "$(SID)": "SID",
    "$env:SID": "SID",
    "%SID%": "SID",
    "%(SID)s": "SID",
    "{{ SID }}": "SID",
    "{{ SID | default('x') }}": "SID",
    "{SID}": "SID",
    "{% SID %}": "SID",
    "<SID>": "SID",
    "<%= SID %>": "SID",
    "#{SID}#": "SID",
    "@SID@": "SID",
    "__SID__": "SID",
    "[[SID]]": "SID",
    "((SID))": "SID",
    "`SID`": "SID",
    "${{ secrets.SID }}": "secrets.SID",
    "${var.sid}": "var.sid",
    "${self:custom.sid}": "self:custom.sid",
    "${opt:sid, 'dev'}": "opt:sid",
    "${opt:stage, ${self:custom.sid}}": "opt:stage",
    "${ssm:/twilio/sid}": "ssm:/twilio/sid",
    "{{resolve:ssm:/twilio/sid}}": "resolve:ssm:/twilio/sid",
}


def with_sid(value: str) -> dict[str, object]:
    return connectors(connector(Parameters=PARAMETERS | {"TWILIO_ACCOUNT_SID": value}))


@pytest.mark.parametrize("placeholder", NAMED)
def test_a_placeholder_is_asked_for_and_can_be_given(placeholder: str) -> None:
    name = NAMED[placeholder]
    (problem,) = problems(with_sid(placeholder))
    assert f"TWILIO_ACCOUNT_SID depends on {name}, " in problem
    assert f"--set '{name}=VALUE'" in problem
    migration = migrated(with_sid(placeholder), given={name: ACCOUNT_SID})
    assert ACCOUNT_SID == parameters(migration)["TWILIO_ACCOUNT_SID"]


@pytest.mark.parametrize("part", ["$(aws x --y 'z')", "AC...", "${a='b'}", "$ {", "AC…"])
def test_what_has_no_name_is_to_be_written_out(part: str) -> None:
    assert problems(with_sid(part))


@pytest.mark.parametrize(
    "word",
    ["account-sid", "CHANGE_ME", "YOUR_ACCOUNT_SID", "AC" + "x" * 32, "to be done", "AC123", "SK" + "0" * 32],
)
def test_an_account_has_the_form_that_twilio_gives_it(word: str) -> None:
    (problem,) = problems(with_sid(word))
    assert "looks like a stand-in for the value, and an account's SID is AC and 32" in problem
    assert (
        word == parameters(migrated(with_sid(word), given={"TWILIO_ACCOUNT_SID": word}))["TWILIO_ACCOUNT_SID"]
    ), "what is given is taken"


def test_an_account_of_another_form_is_carried_over_with_a_note() -> None:
    """The published document's own example is one."""
    migration = migrated(with_sid("abcd12345xyz"))
    assert "abcd12345xyz" == parameters(migration)["TWILIO_ACCOUNT_SID"]
    (note,) = (note for note in migration.notes if "not of Twilio's form" in note)
    assert "'abcd12345xyz'" in note


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-REPLACE-000000",
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:YOUR-SECRET-a1b2c3",
        "arn:aws:secretsmanager:us-west-2:000000000000:secret:greengrass-Token-a1b2c3",
        "arn:aws:secretsmanager:${REGION}:123456789012:secret:greengrass-Token-a1b2c3",
        "<secret-arn>",
        "secret-arn",
    ],
)
def test_a_secret_that_stands_for_another_is_asked_for(value: str) -> None:
    document = connectors(connector(Parameters=PARAMETERS | {"TwilioAuthTokenSecretArn": value}))
    (problem,) = problems(document)
    assert "TwilioAuthTokenSecretArn" in problem
    assert "--set '" in problem


@pytest.mark.parametrize(
    "name", ["greengrass-replacement-pump", "greengrass-change-alarm", "greengrass-yours"]
)
def test_a_name_that_only_sounds_like_a_stand_in_is_a_name(name: str) -> None:
    value = SECRET.replace("greengrass-TwilioAuthToken", name)
    document = connectors(connector(Parameters=PARAMETERS | {"TwilioAuthTokenSecretArn": value}))
    assert value == parameters(migrated(document))["TwilioAuthTokenSecretArn"]


@pytest.mark.parametrize(
    "region", ["${self:provider.region}", "${AWS_REGION}", "<region>", "REGION", "{{ region }}", ""]
)
def test_a_placeholder_for_the_region_of_the_connector_is_no_question(region: str) -> None:
    """A connector's ARN belongs to AWS in every region, so the region in it means nothing here."""
    ours = arn(5).replace("us-west-2", region)
    document = connectors(connector(5, ConnectorArn=ours)) | {
        "Subscriptions": [
            subscription("cloud", "twilio/txt", ours, "in"),
            subscription(ours, "twilio/message/status", "cloud", "out"),
        ]
    }
    migration = migrated(document)
    written = definitions(migration)
    assert arn(5).replace("us-west-2", "region") == written["Connectors"][0]["ConnectorArn"]
    assert ["in", "out"] == [each["Id"] for each in written["Subscriptions"]]
    assert any("means nothing here: 'region' takes its place" in note for note in migration.notes)


@pytest.mark.parametrize("version", ["${V}", "$V", "<V>", "{{V}}"])
def test_a_placeholder_for_the_version_is_asked_for_by_its_own_name(version: str) -> None:
    ours = arn(5).replace("us-west-2", "${REGION}").replace("/5", f"/{version}")
    document = connectors(connector(5, ConnectorArn=ours))
    (problem,) = problems(document)
    assert problem.startswith("ConnectorArn depends on V, ")
    assert "REGION" not in problem
    assert 1 == len(definitions(migrated(document, given={"V": "4"}))["Connectors"])


@pytest.mark.parametrize(
    "text",
    [
        "twilio/+/#",
        "$aws/things/x/shadow/update",
        "arn:aws:lambda:us-west-2:123456789012:function:F:$LATEST",
        "my__function__name",
        "50%",
        "someone@example.org",
        "a < b",
        "[x]",
        "",
    ],
)
def test_a_value_without_a_placeholder_stays_as_it_is(text: str) -> None:
    assert text == "".join(str(part) for part in holes_in(text) if not isinstance(part, Hole))
