"""Definitions of Greengrass V1, in all the forms in which people have them, become one configuration."""

from __future__ import annotations

import itertools
import json
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings as bounds
from hypothesis import strategies as st

from tests.migration.examples import created, examples, json_in
from tests.migration.house import (
    ACCOUNT_SID,
    DEVICE,
    FUNCTION,
    GIVEN,
    OTHER_SECRET,
    PARAMETERS,
    SECRET,
    TEMPLATE,
    arn,
    connector,
    connectors,
    definitions,
    migrated,
    parameters,
    problems,
    resources,
    subscription,
    subscriptions,
)
from tests.support.variants import as_a
from twilio_notifications.component import NucleusKind
from twilio_notifications.component.configuration import configured
from twilio_notifications.config import GreengrassSettings, load
from twilio_notifications.config.component import read_component
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.migration import MigrationFiles, Upload, migrate
from twilio_notifications.migration.routes import matches

GROUP = json.loads(Path(__file__).with_name("group.json").read_text(encoding="utf-8"))

FORMS: dict[str, Any] = {
    "bare": connectors(),
    "input of create-connector-definition": {"Name": "c", "InitialVersion": connectors()},
    "output of get-connector-definition-version": {
        "Arn": "arn:aws:greengrass:us-west-2:123456789012:/greengrass/definition/connectors/1/versions/2",
        "CreationTimestamp": "2019-06-24T20:46:30.134Z",
        "Definition": connectors(),
        "Id": "1",
        "Version": "2",
    },
    "somewhere else": {"my": [{"group": {"twilio": connector()}}]},
    "template in JSON": {
        "Resources": {
            "C": {
                "Type": "AWS::Greengrass::ConnectorDefinitionVersion",
                "Properties": {"ConnectorDefinitionId": "x"} | connectors(),
            }
        }
    },
}


def loaded(migration: MigrationFiles, tmp_path: Path) -> Any:
    path = tmp_path / "twilio-notifications.toml"
    path.write_text(migration.files["twilio-notifications.toml"], encoding="utf-8")
    return load(path, {})


@pytest.mark.parametrize("form", FORMS)
def test_the_connector_is_found_in_every_form(form: str, tmp_path: Path) -> None:
    migration = migrated(FORMS[form], resources(), subscriptions())
    settings = loaded(migration, tmp_path)
    assert 4 == settings.connector.version
    assert ACCOUNT_SID == settings.parameters.account_sid
    assert SECRET == settings.parameters.secret_arn
    assert "+15005550006" == settings.parameters.default_sender_number


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_the_files_means_nothing(order: tuple[int, ...]) -> None:
    documents = [connectors(), resources(), subscriptions()]
    files = migrated(*documents).files
    shuffled = migrated(*(documents[position] for position in order)).files
    assert files["greengrass-v1/definitions.json"] == shuffled["greengrass-v1/definitions.json"]
    assert files["greengrass-v2/deployment.json"] == shuffled["greengrass-v2/deployment.json"]


def test_all_definitions_may_stand_in_one_document() -> None:
    migration = migrated(connectors() | resources() | subscriptions())
    assert 2 == len(definitions(migration)["Subscriptions"])


def test_a_template_with_short_tags_is_resolved(tmp_path: Path) -> None:
    migration = migrated(TEMPLATE, given=GIVEN)
    settings = loaded(migration, tmp_path)
    assert (5, SECRET, "+15005550006", "NoContainer") == (
        settings.connector.version,
        settings.parameters.secret_arn,
        settings.parameters.default_sender_number,
        settings.parameters.isolation_mode,
    )


def test_what_a_template_leaves_open_is_asked_for_by_name_all_at_once() -> None:
    asked = "\n".join(problems(TEMPLATE))
    assert "--set 'SecretArn=VALUE'" in asked
    assert "--set 'AWS::AccountId=VALUE'" in asked
    assert "AWS::Region" not in asked, "a connector's region means nothing"


def test_a_given_name_that_nothing_asks_for_is_a_slip() -> None:
    (problem,) = problems(TEMPLATE, given=GIVEN | {"SecretArm": "x"})
    assert "--set 'SecretArm' gives a name that is not asked for: did you mean SecretArn?" == problem


def test_a_device_keeps_the_parameters_somewhere(tmp_path: Path) -> None:
    """No sample of a device's file with a connector is public: so the whole tree is searched."""
    migration = migrated(GROUP)
    settings = loaded(migration, tmp_path)
    assert (4, SECRET) == (settings.connector.version, settings.parameters.secret_arn)
    assert any("'MY_REGION'" in note for note in migration.notes)
    assert 1 == len(definitions(migration)["Subscriptions"])


def test_a_connector_that_a_device_knows_as_a_function_has_its_subscriptions() -> None:
    ours = "arn:aws:lambda:us-west-2:aws:function:TwilioNotifications:4"
    document = {
        "Lambdas": [{"FunctionArn": ours, "Configuration": PARAMETERS}, {"FunctionArn": FUNCTION}],
        "Subscriptions": [subscription(FUNCTION, "twilio/txt", ours)],
    }
    (route,) = definitions(migrated(document, to_version=4))["Subscriptions"]
    assert (FUNCTION, arn(4).replace("us-west-2", "region")) == (route["Source"], route["Target"])


def test_the_version_that_a_device_does_not_tell_is_asked_for() -> None:
    bag = {"Environment": {"Variables": PARAMETERS}}
    assert "give the version with --to-version N" in problems(bag)[0]
    assert (
        arn(2).replace("us-west-2", "region")
        == definitions(migrated(bag, to_version=2))["Connectors"][0]["ConnectorArn"]
    )


# The secret.


def test_the_secret_is_followed_from_its_resource() -> None:
    without = {name: value for name, value in PARAMETERS.items() if name != "TwilioAuthTokenSecretArn"}
    migration = migrated(connectors(connector(Parameters=without)), resources())
    assert SECRET == parameters(migration)["TwilioAuthTokenSecretArn"]


def test_a_secret_whose_resource_is_not_there_is_that_of_the_parameter_and_said() -> None:
    migration = migrated(connectors())
    assert SECRET == parameters(migration)["TwilioAuthTokenSecretArn"]
    assert any("'TwilioAuthToken' is in none of the files" in note for note in migration.notes)


def test_a_resource_that_points_elsewhere_is_a_question() -> None:
    documents = (connectors(), resources(OTHER_SECRET))
    (problem,) = problems(*documents)
    assert "say which one it is with --set 'TwilioAuthTokenSecretArn=ARN'" in problem
    migration = migrated(*documents, given={"TwilioAuthTokenSecretArn": OTHER_SECRET})
    assert OTHER_SECRET == parameters(migration)["TwilioAuthTokenSecretArn"]


def test_the_identifier_of_the_envelope_is_not_that_of_a_resource() -> None:
    envelope = {"Arn": "arn:aws:x", "Id": "TwilioAuthToken", "Definition": resources(OTHER_SECRET)}
    envelope["Definition"]["Resources"][0]["Id"] = "Another"  # type: ignore[index]  # it is a dict
    assert SECRET == parameters(migrated(connectors(), envelope))["TwilioAuthTokenSecretArn"]


def test_a_secret_of_others_is_named() -> None:
    other = resources(OTHER_SECRET)["Resources"][0] | {"Id": "AnotherSecret"}
    notes = migrated(connectors(), resources(), {"Resources": [other]}).notes
    assert any("secret resource 'AnotherSecret' (file3, at Resources[0]) is not carried" in n for n in notes)


# Which connector.


def test_two_connectors_in_a_group_are_refused_and_named() -> None:
    (problem,) = problems(connectors(connector(Id="one"), connector(Id="two")))
    assert "holds 2 Twilio Notifications connectors ('one', 'two')" in problem
    assert "Connectors[0]" in problem
    assert "Connectors[1]" in problem


def template(**resources: object) -> dict[str, Any]:
    return {
        "Parameters": {"Stage": {"Type": "String", "Default": "test"}, "Open": {"Type": "String"}},
        "Conditions": {
            "IsLive": {"Fn::Equals": [{"Ref": "Stage"}, "live"]},
            "IsOpen": {"Fn::Equals": [{"Ref": "Open"}, "yes"]},
        },
        "Resources": resources,
    }


def version_resource(number: int, **around: object) -> dict[str, Any]:
    properties = {"ConnectorDefinitionId": {"Fn::GetAtt": ["Definition", "Id"]}}
    return {
        "Type": "AWS::Greengrass::ConnectorDefinitionVersion",
        "Properties": properties | connectors(connector(number)),
    } | around


def test_a_resource_whose_condition_does_not_hold_is_not_there() -> None:
    document = template(A=version_resource(3), B=version_resource(5, Condition="IsLive"))
    assert arn(3) == definitions(migrated(document))["Connectors"][0]["ConnectorArn"]
    assert "holds 2" in problems(document, given={"Stage": "live"})[0]


def test_a_resource_whose_condition_is_open_is_a_question() -> None:
    document = template(A=version_resource(3, Condition="IsOpen"))
    (problem,) = problems(document)
    assert "whether this connector is there depends on Open" in problem
    assert arn(3) == definitions(migrated(document, given={"Open": "yes"}))["Connectors"][0]["ConnectorArn"]


def test_a_group_may_ask_for_the_latest_version_of_a_definition() -> None:
    """The version then stands in a resource of its own, which names the definition."""
    latest = {"ConnectorDefinitionVersionArn": {"Fn::GetAtt": ["Definition", "LatestVersionArn"]}}
    document = template(
        Definition={"Type": "AWS::Greengrass::ConnectorDefinition", "Properties": {"Name": "c"}},
        A=version_resource(3),
        Group={"Type": "AWS::Greengrass::Group", "Properties": {"InitialVersion": latest}},
    )
    assert arn(3) == definitions(migrated(document))["Connectors"][0]["ConnectorArn"]


def test_an_open_version_in_the_arn_is_a_question() -> None:
    open_arn = {"Fn::Sub": "arn:aws:greengrass:r::/connectors/TwilioNotifications/versions/${Open}"}
    resource = version_resource(3)
    resource["Properties"]["Connectors"][0]["ConnectorArn"] = open_arn
    assert "ConnectorArn depends on Open" in problems(template(A=resource))[0]
    assert 1 == len(definitions(migrated(template(A=resource), given={"Open": "4"}))["Connectors"])


def test_a_function_that_nobody_can_carry_out_is_to_be_written_out() -> None:
    resource = version_resource(3)
    resource["Properties"]["Connectors"][0]["ConnectorArn"] = {"Fn::Transform": {"Name": "Mine"}}
    assert "write the value itself into a copy of the file" in problems(template(A=resource))[0]


def test_two_different_ones_in_two_files_are_refused() -> None:
    (problem,) = problems(connectors(), connectors(connector(3)))
    assert "file1" in problem
    assert "file2" in problem


def test_the_same_connector_in_two_files_is_one() -> None:
    assert 1 == len(definitions(migrated(*FORMS.values()))["Connectors"])


def test_the_group_version_tells_which_definition_counts() -> None:
    def envelope(number: int, version: int) -> dict[str, Any]:
        place = (
            f"arn:aws:greengrass:us-west-2:123456789012:/greengrass/definition/connectors/1/versions/{number}"
        )
        return {"Arn": place, "Definition": connectors(connector(version))}

    group = {"Definition": {"ConnectorDefinitionVersionArn": envelope(2, 3)["Arn"].replace(":/", ":")}}
    migration = migrated(envelope(1, 2), envelope(2, 3), group)
    assert arn(3) == definitions(migration)["Connectors"][0]["ConnectorArn"]
    assert any("is not in the group version" in note for note in migration.notes)
    assert "another connector definition" in problems(envelope(1, 2), group)[0]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "found no connector at all"),
        (
            {"Connectors": [connector(ConnectorArn="arn:aws:greengrass:r::/connectors/SNS/versions/1")]},
            "/SNS/",
        ),
        (connectors(connector(9)), "names an unknown version"),
        (connectors(connector(Parameters=[])), "must be an object"),
        (connectors(connector(Parameters={})), "TWILIO_ACCOUNT_SID) is required"),
        (
            connectors(connector(Parameters=PARAMETERS | {"IsolationMode": "NoContainer"})),
            "came with version 5",
        ),
        (connectors(connector(Parameters=PARAMETERS | {"Colour": "red"})), "unknown parameter 'Colour'"),
        ({"Id": "x", "LatestVersion": "y"}, "names a definition but does not hold it"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(document: object, sentence: str) -> None:
    said = problems(document)
    assert any(sentence in problem for problem in said), said


def test_nobody_is_asked_for_the_value_of_what_nobody_knows() -> None:
    """It may have been a token, and a command line is no place for one."""
    (problem,) = problems(connectors(connector(Parameters=PARAMETERS | {"AuthToken": "s3cret"})))
    assert problem.endswith("(file1, at Connectors[0]: remove it there)"), problem
    assert "s3cret" not in problem


def test_a_missing_parameter_can_be_given() -> None:
    document = connectors(connector(Parameters={k: PARAMETERS[k] for k in list(PARAMETERS)[1:]}))
    assert "--set 'TWILIO_ACCOUNT_SID=VALUE'" in problems(document)[0]
    assert (
        ACCOUNT_SID
        == parameters(migrated(document, given={"TWILIO_ACCOUNT_SID": ACCOUNT_SID}))["TWILIO_ACCOUNT_SID"]
    )


# Versions.


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_the_version_is_changed_and_the_subscriptions_with_it(version: int, tmp_path: Path) -> None:
    migration = migrated(connectors(), subscriptions(), to_version=version)
    written = definitions(migration)
    assert [arn(version)] == [each["ConnectorArn"] for each in written["Connectors"]]
    ends = [end for each in written["Subscriptions"] for end in (each["Source"], each["Target"])]
    assert [FUNCTION, arn(version), arn(version), "cloud"] == ends
    assert version == loaded(migration, tmp_path).connector.version


def test_an_isolation_mode_before_its_version_is_kept_by_raising_the_version() -> None:
    document = connectors(connector(4, Parameters=PARAMETERS | {"IsolationMode": "NoContainer"}))
    (problem,) = problems(document)
    assert problem.endswith("or raise the connector's version with --to-version 5)")
    migration = migrated(document, to_version=5)
    assert ("NoContainer", [arn(5)]) == (
        parameters(migration)["IsolationMode"],
        [each["ConnectorArn"] for each in definitions(migration)["Connectors"]],
    )


def test_lowering_drops_the_isolation_mode_and_says_so() -> None:
    document = connectors(connector(5, Parameters=PARAMETERS | {"IsolationMode": "NoContainer"}))
    migration = migrated(document, to_version=4)
    assert "IsolationMode" not in parameters(migration)
    assert any(note.startswith("IsolationMode = 'NoContainer' was dropped") for note in migration.notes)
    assert "NoContainer" == parameters(migrated(document))["IsolationMode"]


def test_subscriptions_of_another_version_are_said_to_have_carried_nothing() -> None:
    migration = migrated(connectors(), subscriptions(version=3))
    assert 2 == sum("names version 3 of the connector, which is at version 4" in n for n in migration.notes)
    assert 2 == len(definitions(migration)["Subscriptions"])


@pytest.mark.parametrize(
    ("subject", "topic", "expected"),
    [
        ("twilio/txt", "twilio/txt", True),
        ("twilio/call", "twilio/txt", False),
        ("twilio/+", "twilio/txt", True),
        ("+/txt", "twilio/txt", True),
        ("+", "twilio/txt", False),
        ("#", "twilio/txt", True),
        ("twilio/#", "twilio/message/status", True),
        ("twilio/txt/#", "twilio/txt", False),
        ("twilio/txt/+", "twilio/txt", False),
        ("", "twilio/txt", False),
    ],
)
def test_wildcards_mean_what_they_meant_in_greengrass(subject: str, topic: str, *, expected: bool) -> None:
    """`sensor/#` is `sensor/` and what is deeper, not `sensor` itself, other than in MQTT."""
    assert expected == matches(subject, topic)


def test_labels_of_a_secret_are_said() -> None:
    labelled = resources()
    secret = labelled["Resources"][0]["ResourceDataContainer"]["SecretsManagerSecretResourceData"]
    secret["AdditionalStagingLabelsToDownload"] = ["AWSPREVIOUS"]
    assert any("AdditionalStagingLabelsToDownload" in note for note in migrated(connectors(), labelled).notes)


# Subscriptions and what takes their place.


def merged(migration: MigrationFiles, name: str = "deployment.json") -> dict[str, Any]:
    document = json.loads(migration.files[f"greengrass-v2/{name}"])
    merge = document["components"]["TwilioNotifications"]["configurationUpdate"]["merge"]
    found: dict[str, Any] = json.loads(merge)
    return found


def with_subscriptions(*entries: dict[str, Any]) -> MigrationFiles:
    return migrated(connectors(), resources(), {"Subscriptions": list(entries)})


def test_a_function_comes_by_the_router_and_the_cloud() -> None:
    migration = with_subscriptions(subscription(FUNCTION, "twilio/txt", arn()))
    router = json.loads(migration.files["greengrass-v2/legacy-subscription-router.json"])
    (entry,) = router["subscriptions"].values()
    assert ("component:TempMonitor", "twilio/txt", "cloud") == (
        entry["source"],
        entry["subject"],
        entry["target"],
    )
    assert "true" == merged(migration)["PubSubToIoTCore"]
    assert "aws.greengrass.ipc.mqttproxy" in json.loads(migration.files["greengrass-v2/access-control.json"])


def test_who_goes_by_the_cloud_is_told_that_every_device_hears_it() -> None:
    """In Greengrass V1 a function reached the connector of its own group alone, and one text was sent."""
    migration = with_subscriptions(subscription(FUNCTION, "twilio/txt", arn()))
    (note,) = [note for note in migration.notes if "every core device" in note]
    assert "each of them sends it" in note
    assert "each of them sends it" in migration.files["report.md"]
    local = with_subscriptions(subscription(DEVICE, "twilio/txt", arn()))
    assert not any("AWS IoT Core" in note for note in local.notes)


def test_a_numbered_function_keeps_its_arn() -> None:
    numbered = FUNCTION.replace("GG_TempMonitor", "7")
    migration = with_subscriptions(subscription(numbered, "twilio/#", arn()))
    router = json.loads(migration.files["greengrass-v2/legacy-subscription-router.json"])["subscriptions"]
    assert [(numbered, "twilio/txt"), (numbered, "twilio/call")] == [
        (entry["source"], entry["subject"]) for entry in router.values()
    ]


def test_devices_alone_need_neither_router_nor_cloud() -> None:
    migration = with_subscriptions(
        subscription(DEVICE, "twilio/call", arn()), subscription(arn(), "twilio/message/status", DEVICE, "b")
    )
    assert "greengrass-v2/legacy-subscription-router.json" not in migration.files
    assert "false" == merged(migration)["PubSubToIoTCore"]
    assert "aws.greengrass.ipc.mqttproxy" not in json.loads(
        migration.files["greengrass-v2/access-control.json"]
    )
    assert '"source": "LocalMqtt"' in migration.files["report.md"]


def test_what_has_no_successor_is_said() -> None:
    migration = with_subscriptions(
        subscription("GGShadowService", "twilio/txt", arn(), "shadow"),
        subscription(FUNCTION, "twilio/fax", arn(), "fax"),
    )
    notes = "\n".join(migration.notes)
    assert "subscription 'shadow' (file3, at Subscriptions[0]) joins the connector with" in notes
    assert "'GGShadowService', which has no successor" in notes
    assert "has the subject 'twilio/fax', which is none of its topics" in notes


def test_what_does_not_concern_the_connector_is_named() -> None:
    sns = connector(Id="sns", ConnectorArn="arn:aws:greengrass:r::/connectors/SNS/versions/1")
    notes = "\n".join(migrated(connectors(connector(), sns), subscriptions()).notes)
    assert (
        "subscription 'TemperatureInput' (file2, at Subscriptions[1]) is not carried over: it is not" in notes
    )
    assert "connector 'sns' (file1, at Connectors[1]) is not carried over: it is another connector" in notes


# What is written.


def test_the_component_reads_its_configuration_and_the_secret_manager_is_told_the_secret() -> None:
    migration = migrated(connectors(), resources(), subscriptions())
    source = read_component(merged(migration))
    assert () == source.problems == source.warnings
    components = json.loads(migration.files["greengrass-v2/deployment.json"])["components"]
    secrets = json.loads(components["aws.greengrass.SecretManager"]["configurationUpdate"]["merge"])
    assert {"cloudSecrets": [{"arn": SECRET}]} == secrets
    assert "1.2.3" == components["TwilioNotifications"]["componentVersion"]


def test_the_written_configuration_is_that_of_a_component() -> None:
    migration = migrated(connectors(), resources(), subscriptions())
    written = json.loads(migration.files["greengrass-v2/configuration.json"])
    settings = load(None, {}, component=configured(NucleusKind.CLASSIC, written))
    assert () == settings.warnings
    transport = as_a(GreengrassSettings, settings.transport)
    assert (SECRET, "both") == (settings.parameters.secret_arn, transport.pubsub)


def test_nothing_for_the_nucleus_lite_depends_on_the_secret_manager() -> None:
    migration = migrated(connectors(), resources(), subscriptions())
    for name in ("recipe-lite.json", "deployment-lite.json"):
        assert "aws.greengrass.SecretManager" not in migration.files[f"greengrass-v2/{name}"]


def test_the_report_names_every_file_and_no_whole_phone_number() -> None:
    migration = migrated(connectors(), resources(), subscriptions())
    report = migration.files["report.md"]
    assert all(f"`{name}`" in report for name in migration.files)
    assert "********0006" in report
    assert "15005550006" not in report


def test_the_report_says_that_the_archive_is_built_and_uploaded_first() -> None:
    report = migrated(connectors(), resources(), subscriptions()).files["report.md"]
    steps = [report.index(f"{number}. ", report.index("## With Greengrass V2")) for number in range(1, 6)]
    assert sorted(steps) == steps
    built, policy = (
        report.index(text) for text in ("make component ARGS='--bucket", "iot-policy.json` lists")
    )
    assert report.index("## With Greengrass V2") < built < policy < report.index("create-component-version")
    assert (
        "aws s3 cp build/greengrass/twilio-notifications.zip s3://BUCKET/TwilioNotifications/1.2.3/" in report
    )


def test_the_policy_of_the_core_device_allows_what_the_component_does_at_aws_iot_core() -> None:
    policy = json.loads(
        migrated(connectors(), resources(), subscriptions()).files["greengrass-v2/iot-policy.json"]
    )
    start = "arn:aws:iot:REGION:ACCOUNT:"
    probe = "twilio/notifications/probe"
    heard = ("twilio/txt", "twilio/call", "twilio/cancel", "twilio/acknowledge", probe)
    assert {
        "iot:Subscribe": [f"{start}topicfilter/{topic}" for topic in heard],
        "iot:Receive": [f"{start}topic/{topic}" for topic in heard],
        "iot:Publish": [f"{start}topic/{topic}" for topic in ("twilio/message/status", probe)],
    } == {each["Action"]: each["Resource"] for each in policy["Statement"]}


def test_without_aws_iot_core_the_core_device_needs_no_policy() -> None:
    migration = with_subscriptions(subscription(DEVICE, "twilio/txt", arn()))
    assert "greengrass-v2/iot-policy.json" not in migration.files
    assert "needs nothing for the component, which uses local topics alone" in migration.files["report.md"]


HOSTILE = "`|\n# <b\x1b[2J\u202e\"'\\ %s"


def test_a_hostile_name_is_only_ever_a_text(tmp_path: Path) -> None:
    document = connectors(connector(Id=HOSTILE))
    hostile = subscription("cloud", f"twilio/txt{HOSTILE}", arn(), f"{HOSTILE}2")
    migration = migrated(
        document, {"Subscriptions": [hostile]}, given={"TWILIO_ACCOUNT_SID": 'AC"\x7f\x01[x]'}
    )
    assert 'AC"\x7f\x01[x]' == loaded(migration, tmp_path).parameters.account_sid
    for line in (*migration.found, *migration.notes, *migration.files["report.md"].splitlines()):
        assert line.isprintable(), line
        assert not line.startswith("# <b")
    assert {name for name in migration.files if ".." in name or name.startswith("/")} == set()


def said(*documents: object, to_version: int | None = None) -> tuple[str, ...]:
    """The sentences for the operator, whether or not they are errors."""
    try:
        migration = migrated(*documents, to_version=to_version)
    except ConfigurationError as error:
        return error.problems
    return (*migration.found, *migration.notes)


# The examples of the AWS CLI, from the installed package.


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_an_example_of_the_aws_cli_is_migrated_or_says_why_not(path: Path) -> None:
    for document in json_in(path.read_text(encoding="utf-8")):
        assert said(document)


def test_the_examples_of_the_aws_cli_make_a_configuration(tmp_path: Path) -> None:
    """Connector, resource and subscription of its pages belong together; its sender number has no plus."""
    texts = created()
    assert 3 == len(texts)
    migration = migrated(*(document for text in texts for document in json_in(text)))
    settings = loaded(migration, tmp_path)
    assert (2, "4254492999") == (settings.connector.version, settings.parameters.default_sender_number)
    assert any("has no plus sign" in note for note in migration.notes)
    assert migration.found[1:], "its subscriptions are the connector's"


# No document whatever raises.

WORDS = """
Connectors ConnectorArn Parameters Id Source Subject Target Resources Type Ref Definition InitialVersion
Properties Arn ARN Conditions Condition Fn::Sub Fn::If Fn::Join Fn::Select Fn::Split Fn::FindInMap Fn::GetAtt
Mappings Default resources ConnectorDefinitionVersionArn LatestVersion TemplateBody ResourceDataContainer
"""
TEXTS = """
cloud twilio/txt # ${a} {{resolve:x}} a.b AWS::Greengrass::ConnectorDefinition AWS::Region AWS::NoValue
TwilioAuthToken
"""
KEYS = st.sampled_from([*WORDS.split(), *PARAMETERS])
VALUES = st.sampled_from(
    [*TEXTS.split(), arn(), arn(5), arn(9), SECRET, FUNCTION, DEVICE, ACCOUNT_SID, "", "x: ["]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | VALUES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=40,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("Id", "ConnectorArn", "Parameters", "Source", "Subject", "Target"), DOCUMENTS | VALUES
    ),
)
NEARLY = st.builds(
    lambda entry, more: {"Connectors": [connector() | entry], **more},
    ENTRIES,
    st.dictionaries(KEYS, DOCUMENTS, max_size=3),
) | st.builds(
    lambda entry, more: (
        {"Resources": {"A": {"Type": "AWS::Greengrass::X", "Properties": [connector() | entry]}}} | more
    ),
    ENTRIES,
    st.dictionaries(KEYS.filter(lambda key: key != "Resources"), DOCUMENTS, max_size=3),
)


@bounds(deadline=None)  # a machine that is shared has pauses
@drawn(st.lists(DOCUMENTS | NEARLY, max_size=3), st.sampled_from([None, 1, 5]))
def test_no_document_whatever_raises(documents: list[object], to_version: int | None) -> None:
    sentences = said(*documents, to_version=to_version)
    assert all(sentence.isprintable() and sentence for sentence in sentences)


@bounds(deadline=None)  # a machine that is shared has pauses
@drawn(NEARLY, st.sampled_from([None, 1, 5]))
def test_what_is_written_can_be_read(document: object, to_version: int | None) -> None:
    with suppress(ConfigurationError):
        readable(migrated(document, to_version=to_version))


def readable(migration: MigrationFiles) -> None:
    tomllib.loads(migration.files["twilio-notifications.toml"])
    for text in migration.files.values():
        text.encode()


@bounds(deadline=None)  # a machine that is shared has pauses
@drawn(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_no_bytes_whatever_raise(content: bytes) -> None:
    with pytest.raises(ConfigurationError):
        migrate([Upload(name="file", content=content)], given={}, to_version=None, release="1.0.0")
