"""Connector ARNs and connector definitions: the document's own example, and each form of the AWS CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twilio_notifications.core.parameters import (
    ConnectorVersion,
    DefinedConnector,
    InvalidParameters,
    Unreadable,
    ValidParameters,
    check_parameters,
    read_connector_arn,
    read_definition,
)

SECRET_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
CONNECTOR_ARN = "arn:aws:greengrass:region::/connectors/TwilioNotifications/versions/5"
# The document, "Create Connector Example (AWS CLI)", as it is printed there.
EXAMPLE = json.loads(
    Path(__file__).parents[1].joinpath("config", "published_definition.json").read_text(encoding="utf-8")
)


def judged(given: dict[str, Any]) -> ValidParameters | InvalidParameters:
    return check_parameters(given, version=5, secret_parameters_required=True)


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_arn_of_each_version_is_read_and_written_back(version: int, partition: str) -> None:
    arn = f"arn:{partition}:greengrass:cn-north-1::/connectors/TwilioNotifications/versions/{version}"
    read = read_connector_arn(arn)
    assert ConnectorVersion(number=version, partition=partition, region="cn-north-1") == read
    assert arn == ConnectorVersion(number=version, partition=partition, region="cn-north-1").arn


def test_the_word_region_of_the_document_is_a_region() -> None:
    assert ConnectorVersion(number=5, region="region") == read_connector_arn(CONNECTOR_ARN)


@pytest.mark.parametrize("number", ["0", "6", "10", "9" * 5000])
def test_an_unknown_version_is_refused_by_its_number(number: str) -> None:
    read = read_connector_arn(CONNECTOR_ARN[:-1] + number)
    assert isinstance(read, Unreadable)
    assert "1 to 5" in read.problems[0]


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "5",
        CONNECTOR_ARN + "\n",
        CONNECTOR_ARN.replace("aws:", "aws-iso:"),
        CONNECTOR_ARN.replace("::", ":123456789012:"),
        CONNECTOR_ARN.replace("/versions/5", ""),
        CONNECTOR_ARN.replace("versions/5", "versions/05"),
        CONNECTOR_ARN.replace("Twilio", "twilio"),
        CONNECTOR_ARN.replace("TwilioNotifications", "SNS"),
    ],
)
def test_what_is_no_arn_of_this_connector_is_refused_with_the_form_it_should_have(arn: str) -> None:
    read = read_connector_arn(arn)
    assert isinstance(read, Unreadable)
    assert (
        "arn:aws:greengrass:<region>::/connectors/TwilioNotifications/versions/<1 to 5>" in read.problems[0]
    )


def definition_of(*connectors: object) -> dict[str, Any]:
    return {"Connectors": list(connectors)}


def connector(arn: str = CONNECTOR_ARN, **changes: object) -> dict[str, Any]:
    return {
        "Id": "MyTwilio",
        "ConnectorArn": arn,
        "Parameters": {"TWILIO_ACCOUNT_SID": "abcd12345xyz"},
        **changes,
    }


def refusal(document: object) -> str:
    read = read_definition(document)
    assert isinstance(read, Unreadable), read
    assert 1 == len(read.problems)
    return read.problems[0]


def found(document: object) -> DefinedConnector:
    read = read_definition(document)
    assert isinstance(read, DefinedConnector), read
    return read


def test_the_documents_example_is_read_and_with_a_real_secret_valid() -> None:
    defined = found(EXAMPLE)
    assert "MyTwilioNotificationsConnector" == defined.identifier
    assert 5 == defined.version.number
    checked = judged(dict(defined.parameters))
    assert isinstance(checked, InvalidParameters)
    assert [True] == ["account must be 12 digits" in problem.sentence for problem in checked.problems]
    checked = judged({**defined.parameters, "TwilioAuthTokenSecretArn": SECRET_ARN})
    assert isinstance(checked, ValidParameters)
    assert "+19999999999" == checked.parameters.default_sender_number


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(EXAMPLE, id="bare"),
        pytest.param({"Name": "MyGreengrassConnectors", "InitialVersion": EXAMPLE}, id="create"),
        pytest.param({"ConnectorDefinitionId": "1-2", **EXAMPLE}, id="create-version"),
        pytest.param(
            {
                "Arn": "arn:aws:greengrass:us-west-2:123456789012:/greengrass/definition/connectors/1",
                "CreationTimestamp": "2019-06-19T19:30:01.300Z",
                "Definition": EXAMPLE,
                "Id": "1",
                "Version": "2",
            },
            id="get-version",
        ),
    ],
)
def test_each_form_of_the_aws_cli_holds_the_same_connector(document: object) -> None:
    assert found(EXAMPLE) == found(document)


def test_other_connectors_are_ignored() -> None:
    others = [
        connector("arn:aws:greengrass:us-west-2::/connectors/SNS/versions/9", Id="Sns"),
        connector("arn:aws:greengrass:us-west-2::/connectors/TwilioNotificationsPlus/versions/1"),
        connector("no ARN at all"),
    ]
    assert "MyTwilio" == found(definition_of(others[0], connector(), *others[1:])).identifier
    assert "holds no Twilio Notifications connector: found 'arn:" in refusal(definition_of(*others))


def test_two_connectors_of_ours_are_refused_with_their_names() -> None:
    """The document, "Changelog": a group can contain only one version of the connector at a time."""
    older = connector(CONNECTOR_ARN[:-1] + "4", Id="Older")
    problem = refusal(definition_of(connector(), older))
    assert "2 Twilio Notifications connectors ('MyTwilio', 'Older')" in problem


def test_a_connector_of_ours_with_an_unknown_version_is_refused_and_not_ignored() -> None:
    assert "names an unknown version" in refusal(definition_of(connector(CONNECTOR_ARN[:-1] + "7")))
    without_version = CONNECTOR_ARN.removesuffix("/versions/5")
    assert "is not an ARN of the Twilio" in refusal(definition_of(connector(without_version)))


def test_a_definition_without_connectors_says_what_is_missing() -> None:
    assert "its list of connectors is empty" in refusal(definition_of())
    assert "the definition has no Connectors" == refusal({})
    assert "Connectors must be a list" in refusal({"Connectors": {"Id": "x"}})
    assert "must be a JSON object" in refusal([connector()])
    assert "connector 1 of the definition must be an object" == refusal(definition_of("x"))
    assert "connector 2 of the definition has no ConnectorArn" == refusal(
        definition_of(connector(), {"Id": "x"})
    )


def test_an_answer_that_only_names_the_definition_is_told_which_answer_to_take() -> None:
    """What `aws greengrass create-connector-definition` prints; it is easily taken for the definition."""
    answer = {"Arn": "arn:…", "Id": "1", "LatestVersion": "2", "LatestVersionArn": "arn:…", "Name": "x"}
    assert "get-connector-definition-version" in refusal(answer)


@pytest.mark.parametrize("parameters", [None, {}])
def test_parameters_that_greengrass_left_out_are_none(parameters: object) -> None:
    assert {} == found(definition_of(connector(Parameters=parameters))).parameters


@pytest.mark.parametrize("parameters", [[], "", "x", 0, False])
def test_parameters_that_are_no_object_are_refused(parameters: object) -> None:
    assert "Parameters of connector 'MyTwilio'" in refusal(definition_of(connector(Parameters=parameters)))
