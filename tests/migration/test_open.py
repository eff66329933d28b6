"""What a template leaves open around the connector and its subscriptions is asked for, and never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.migration.house import (
    ACCOUNT_SID,
    FUNCTION,
    PARAMETERS,
    arn,
    connector,
    definitions,
    migrated,
    problems,
    subscription,
)
from tests.migration.templates import NO_VALUE, STATUSES, TEXTS, definition, template, when
from twilio_notifications.migration import Upload, migrate

AROUND_A_SUBSCRIPTION: dict[str, Any] = {
    "itself": template(subscriptions=[when("IsOpen", TEXTS), STATUSES]),
    "the other branch": template(subscriptions=[when("IsOpen", NO_VALUE, TEXTS)]),
    "its list": template(subscriptions=when("IsOpen", [TEXTS], [])),
    "two ifs": template(subscriptions=[when("IsOpen", when("IsOpen", TEXTS))]),
    "its initial version": template(
        Subscriptions=definition("Subscription", when("IsOpen", {"Subscriptions": [TEXTS]}))
    ),
    "its properties": template(
        Subscriptions={
            "Type": "AWS::Greengrass::SubscriptionDefinition",
            "Properties": when("IsOpen", {"InitialVersion": {"Subscriptions": [TEXTS]}}),
        }
    ),
    "its resource": template(
        Subscriptions=definition("Subscription", {"Subscriptions": [TEXTS]}, Condition="IsOpen")
    ),
}


@pytest.mark.parametrize("around", AROUND_A_SUBSCRIPTION)
def test_an_open_condition_around_a_subscription_is_a_question(around: str) -> None:
    (problem,) = problems(AROUND_A_SUBSCRIPTION[around])
    assert "whether subscription 'texts' is there depends on Open" in problem
    assert "--set 'Open=VALUE'" in problem


@pytest.mark.parametrize("around", AROUND_A_SUBSCRIPTION)
def test_with_the_answer_it_is_carried_over_or_named(around: str) -> None:
    migrations = [migrated(AROUND_A_SUBSCRIPTION[around], given={"Open": word}) for word in ("yes", "no")]
    carried = [
        any(each["Id"] == "texts" for each in definitions(migration)["Subscriptions"])
        for migration in migrations
    ]
    assert sorted(carried) == [False, True]
    (without,) = (migration for migration, is_there in zip(migrations, carried, strict=True) if not is_there)
    assert any(
        "subscription 'texts'" in note and "it is the connector's, but the condition IsOpen" in note
        for note in without.notes
    )


OPEN_ENDS: dict[str, Any] = {
    "reference": {"Ref": "Open"},
    "reference to what no file holds": {"Ref": "FromElsewhere"},
    "import": {"Fn::ImportValue": "exported"},
    "attribute of a custom resource": {"Fn::GetAtt": ["Custom", "Arn"]},
    "dynamic reference": "{{resolve:ssm:/twilio/arn}}",
    "choice": when("IsOpen", arn(5), FUNCTION),
    "choice of nothing": when("IsOpen", arn(5)),
    "part of a list": {"Fn::Select": [0, {"Fn::Split": ["|", {"Ref": "Open"}]}]},
    "name of the connector": {"Fn::Sub": "arn:aws:greengrass:${AWS::Region}::/connectors/${Open}/versions/5"},
    "default that stands in": {"Ref": "StandIn"},
}


@pytest.mark.parametrize("target", OPEN_ENDS)
def test_a_target_that_may_be_the_connector_is_a_question(target: str) -> None:
    document = template(
        subscriptions=[subscription(FUNCTION, "twilio/txt", OPEN_ENDS[target], "texts"), STATUSES]
    )
    (problem,) = problems(document)
    assert problem.startswith("whether the Target of subscription 'texts' is the connector depends on ")


def test_a_source_that_may_be_the_connector_is_a_question() -> None:
    document = template(subscriptions=[subscription({"Ref": "Open"}, "twilio/#", "cloud", "b")])
    assert problems(document)[0].startswith("whether the Source of subscription 'b' is the connector")


CERTAINLY_OTHERS: dict[str, dict[str, Any]] = {
    "subject of others": subscription({"Ref": "Open"}, "temperature/#", {"Ref": "Open"}, "other"),
    "function with an open account": subscription(
        FUNCTION,
        "twilio/txt",
        {"Fn::Sub": "arn:aws:lambda:us-west-2:${AWS::AccountId}:function:F:1"},
        "other",
    ),
    "function of the template": subscription(FUNCTION, "twilio/txt", {"Ref": "Version"}, "other"),
    "another connector": subscription(
        FUNCTION,
        "twilio/txt",
        {"Fn::Sub": "arn:aws:greengrass:${AWS::Region}::/connectors/SNS/versions/${Open}"},
        "other",
    ),
}


@pytest.mark.parametrize("case", CERTAINLY_OTHERS)
def test_what_is_open_and_certainly_of_others_is_named_and_no_question(case: str) -> None:
    document = template(
        subscriptions=[CERTAINLY_OTHERS[case], TEXTS],
        Version={"Type": "AWS::Lambda::Version", "Properties": {}},
    )
    notes = migrated(document).notes
    assert any(note.startswith("subscription 'other'") and "is not carried over" in note for note in notes)


def test_the_same_connector_in_every_region_is_no_question() -> None:
    by_region = {"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "arn"]}
    document = template(
        subscriptions=[subscription(FUNCTION, "twilio/txt", by_region, "texts")],
        connectors=[connector(5, ConnectorArn=by_region)],
    )
    migration = migrated(document)
    assert ["texts"] == [each["Id"] for each in definitions(migration)["Subscriptions"]]


AROUND_THE_CONNECTOR: dict[str, Any] = {
    "itself": template(connectors=[when("IsOpen", connector(5))]),
    "its list": template(connectors=when("IsOpen", [connector(5)], [])),
    "its resource": template(
        Connectors=definition("Connector", {"Connectors": [connector(5)]}, Condition="IsOpen")
    ),
}


@pytest.mark.parametrize("around", AROUND_THE_CONNECTOR)
def test_an_open_condition_around_the_connector_is_a_question(around: str) -> None:
    asked = problems(AROUND_THE_CONNECTOR[around])
    assert any(problem.startswith("whether this connector is there depends on Open") for problem in asked)
    found = definitions(migrated(AROUND_THE_CONNECTOR[around], given={"Open": "yes"}))
    assert 1 == len(found["Connectors"])


def test_a_choice_of_parameters_is_a_question() -> None:
    confined = PARAMETERS | {"IsolationMode": "NoContainer"}
    document = template(connectors=[connector(5, Parameters=when("IsOpen", PARAMETERS, confined))])
    (problem,) = problems(document)
    assert problem.startswith("Parameters of connector 'MyTwilioNotificationsConnector' depends on Open")
    kept = definitions(migrated(document, given={"Open": "no"}))["Connectors"][0]["Parameters"]
    assert "NoContainer" == kept["IsolationMode"]


INCLUDE = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/part.yaml"}}}
HIDDEN: dict[str, Any] = {
    "included subscription": template(subscriptions=[INCLUDE, TEXTS]),
    "included list": template(subscriptions=INCLUDE),
    "included connectors": template(connectors=INCLUDE),
    "merged": template(
        Subscriptions={
            "Type": "AWS::Greengrass::SubscriptionDefinition",
            "Properties": {"Name": "s"} | INCLUDE,
        }
    ),
    "reference for a list": template(subscriptions={"Ref": "Open"}),
    "reference for an element": template(subscriptions=[{"Ref": "Open"}, TEXTS]),
    "placeholder for a list": template(subscriptions="${file(part.yaml)}"),
    "words for a list": template(subscriptions="SUBSCRIPTIONS_HERE"),
    "another transform": template(subscriptions=[{"Fn::Transform": {"Name": "Mine"}}]),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_definition_of_which_a_part_cannot_be_read_is_refused(case: str) -> None:
    asked = problems(HIDDEN[case])
    assert any("write it" in problem for problem in asked), asked


@pytest.mark.parametrize(
    "resource",
    [
        {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3/bucket/more.yaml"}},
        INCLUDE,
    ],
    ids=["nested stack", "include"],
)
def test_what_stands_elsewhere_and_may_concern_the_group_is_named(resource: dict[str, Any]) -> None:
    document = template()
    document["Resources"] |= resource if "Fn::Transform" in resource else {"More": resource}
    notes = migrated(document).notes
    assert any("which was not read: if it concerns the group, give that file, too" in note for note in notes)


def test_a_template_that_is_only_an_include_says_which_file_to_give() -> None:
    asked = "\n".join(problems({"Resources": INCLUDE}))
    assert "'s3://bucket/part.yaml' is included there: give that file, too" in asked


# Defaults.


def test_what_rests_on_a_default_is_said() -> None:
    parameters = PARAMETERS | {
        "TWILIO_ACCOUNT_SID": {"Ref": "Sid"},
        "DefaultFromPhoneNumber": {"Ref": "From"},
    }
    document = template(
        subscriptions=[subscription({"Ref": "Function"}, "twilio/txt", arn(5), "texts")],
        connectors=[connector(5, Parameters=parameters)],
    )
    document["Parameters"] |= {
        "Sid": {"Type": "String", "Default": ACCOUNT_SID},
        "From": {"Type": "String", "Default": "+15005550006"},
    }
    notes = "\n".join(migrated(document).notes)
    for name in ("Sid", "From", "Function"):
        assert f"rests on the default of the template's parameter {name}, " in notes
        assert f"--set '{name}=VALUE'" in notes
    assert "+15005550006" not in notes
    given = {"Sid": ACCOUNT_SID, "From": "+15005550006", "Function": FUNCTION}
    assert "rests on the default" not in "\n".join(migrated(document, given=given).notes)


def test_a_default_that_stands_for_a_value_is_asked_for() -> None:
    parameters = PARAMETERS | {"TWILIO_ACCOUNT_SID": {"Ref": "StandIn"}}
    document = template(connectors=[connector(5, Parameters=parameters)])
    (problem,) = problems(document)
    assert "TWILIO_ACCOUNT_SID is 'CHANGE_ME', the default of the template's parameter StandIn" in problem
    assert "give it with --set 'StandIn=VALUE'" in problem
    migrated(document, given={"StandIn": ACCOUNT_SID})


def test_a_connector_that_a_default_leaves_out_is_said_to_be_so() -> None:
    document = template(
        Connectors=definition("Connector", {"Connectors": [connector(5)]}, Condition="IsLive")
    )
    (problem,) = problems(document)
    assert "it is ours, but the condition IsLive does not hold with the default of Stage ('dev')" in problem
    assert "--set 'Stage=VALUE'" in problem
    assert 1 == len(definitions(migrated(document, given={"Stage": "live"}))["Connectors"])


@pytest.mark.parametrize(
    "document",
    [
        template(subscriptions=[when("IsLive", TEXTS), STATUSES]),
        template(Subscriptions=definition("Subscription", {"Subscriptions": [TEXTS]}, Condition="IsLive")),
    ],
    ids=["if", "condition"],
)
def test_a_subscription_that_a_default_leaves_out_is_named(document: dict[str, Any]) -> None:
    notes = migrated(document).notes
    (note,) = [note for note in notes if note.startswith("subscription 'texts'")]
    assert "it is the connector's, but the condition IsLive does not hold with the default of Stage" in note
    assert "--set 'Stage=VALUE'" in note


# Names that mean nothing.


def test_an_open_id_is_replaced_and_said() -> None:
    identifier = {"Fn::Sub": "${AWS::StackName}-twilio"}
    document = template(subscriptions=[TEXTS | {"Id": identifier}], connectors=[connector(5, Id=identifier)])
    migration = migrated(document)
    written = definitions(migration)
    assert "TwilioNotifications" == written["Connectors"][0]["Id"]
    assert ["Subscription1"] == [each["Id"] for each in written["Subscriptions"]]
    assert 2 == sum("is open" in note for note in migration.notes)
    named = definitions(migrated(document, given={"AWS::StackName": "x"}))
    assert "x-twilio" == named["Connectors"][0]["Id"]


# The Serverless framework, and loops.


def test_a_list_of_templates_is_one_template() -> None:
    first = {"Conditions": template()["Conditions"], "Parameters": template()["Parameters"]}
    second = {"Resources": template(subscriptions=[when("IsOpen", TEXTS)])["Resources"]}
    document = {"service": "edge", "resources": ["${file(more.yml)}", first, second]}
    assert "depends on Open" in problems(document)[0]
    migration = migrated(document, given={"Open": "yes"})
    assert ["texts"] == [each["Id"] for each in definitions(migration)["Subscriptions"]]
    assert any("${file(more.yml)}" in note and "give that file, too" in note for note in migration.notes)


def test_a_loop_is_carried_over_once_and_asks_for_what_depends_on_its_variable() -> None:
    body = {"Connectors${Site}": template()["Resources"]["Connectors"]}
    loop = {"Resources": {"Fn::ForEach::Sites": ["Site", ["Berlin", "Turin"], body]}}
    migration = migrated(loop)
    assert any("Fn::ForEach::Sites repeats what stands in it" in note for note in migration.notes)
    parameters = PARAMETERS | {"DefaultFromPhoneNumber": {"Ref": "Site"}}
    body["Connectors${Site}"] = definition("Connector", {"Connectors": [connector(5, Parameters=parameters)]})
    assert "DefaultFromPhoneNumber depends on Site" in problems(loop)[0]


def test_a_file_that_has_the_included_part_answers_the_question() -> None:
    uploads = [
        Upload(name="main.json", content=json.dumps(template(subscriptions=INCLUDE)).encode()),
        Upload(name="/somewhere/part.yaml", content=json.dumps({"Subscriptions": [TEXTS]}).encode()),
    ]
    migration = migrate(uploads, given={}, to_version=None, release="1.0.0")
    assert ["texts"] == [each["Id"] for each in definitions(migration)["Subscriptions"]]
