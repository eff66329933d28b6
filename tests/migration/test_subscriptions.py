"""Every subscription of the files is carried over, named as left out with its reason, or asked about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings as bounds
from hypothesis import strategies as st

from tests.migration.house import (
    DEVICE,
    FUNCTION,
    PARAMETERS,
    arn,
    connector,
    connectors,
    definitions,
    migrated,
    problems,
    subscription,
)
from tests.migration.templates import STATUSES, TEXTS, template, when
from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from twilio_notifications.migration import MigrationFiles

OURS = connectors(connector(5))
AS_FUNCTION = "arn:aws:lambda:us-west-2:aws:function:TwilioNotifications:4"


def with_entries(*entries: dict[str, Any], **given: str) -> MigrationFiles:
    return migrated(OURS, {"Subscriptions": list(entries)}, given=given)


def carried(migration: MigrationFiles) -> list[str]:
    return [each["Id"] for each in definitions(migration)["Subscriptions"]]


def note_on(identifier: str, migration: MigrationFiles) -> str:
    (note,) = [each for each in migration.notes if each.startswith(f"subscription '{identifier}'")]
    return note


# Left out, with the reason.


def test_one_of_others_is_named_with_its_ends() -> None:
    migration = with_entries(TEXTS, subscription("cloud", "temperature/input", FUNCTION, "input"))
    note = note_on("input", migration)
    assert "is not carried over: it is not the connector's, but from 'cloud' on 'temperature/input'" in note


def test_the_same_again_is_named_with_the_first() -> None:
    migration = with_entries(TEXTS, TEXTS | {"Id": "again"})
    assert ["texts"] == carried(migration)
    assert "it is the same again as subscription 'texts' (file2, at Subscriptions[0])" in note_on(
        "again", migration
    )


def test_the_same_in_another_file_is_not_counted_as_one_of_others() -> None:
    migration = migrated(
        OURS, {"Subscriptions": [TEXTS, STATUSES]}, {"Definition": {"Subscriptions": [TEXTS]}}
    )
    assert ["texts", "statuses"] == carried(migration)
    assert "it is the same again as" in note_on("texts", migration)


def test_the_same_file_twice_is_read_once() -> None:
    migration = migrated(OURS, OURS, {"Subscriptions": [TEXTS]})
    assert 1 == len(definitions(migration)["Connectors"])
    assert "file2 holds the same as file1: it was read once" in migration.notes


def test_two_with_one_id_are_both_carried_over_under_ids_of_their_own() -> None:
    migration = with_entries(TEXTS, subscription(FUNCTION, "twilio/call", arn(5), "texts"))
    assert ["texts", "texts-2"] == carried(migration)
    assert any("has the Id 'texts', too: this one is called 'texts-2'" in note for note in migration.notes)


def test_one_between_the_connector_and_itself_is_named() -> None:
    note = note_on("loop", with_entries(TEXTS, subscription(arn(5), "twilio/#", arn(5), "loop")))
    assert "it joins the connector with itself" in note


def envelope(kind: str, number: int, content: dict[str, Any]) -> dict[str, Any]:
    place = f"arn:aws:greengrass:us-west-2:123456789012:/greengrass/definition/{kind}/1/versions/{number}"
    return {"Arn": place, "Definition": content, "Id": "1", "Version": str(number)}


def group(number: int) -> dict[str, Any]:
    place = (
        f"arn:aws:greengrass:us-west-2:123456789012:/greengrass/definition/subscriptions/1/versions/{number}"
    )
    return {"Definition": {"SubscriptionDefinitionVersionArn": place}}


def test_one_of_a_version_that_the_group_does_not_name_is_named() -> None:
    old = envelope("subscriptions", 1, {"Subscriptions": [TEXTS, STATUSES]})
    new = envelope("subscriptions", 2, {"Subscriptions": [TEXTS | {"Id": "new"}]})
    migration = migrated(OURS, old, new, group(2))
    assert ["new"] == carried(migration)
    assert "but the group version is made of another subscription definition" in note_on("texts", migration)


def test_a_group_whose_subscriptions_are_in_no_file_is_refused() -> None:
    """Those of another version are there; without a word, the group would go on with none."""
    (problem,) = problems(OURS, envelope("subscriptions", 1, {"Subscriptions": [TEXTS]}), group(2))
    assert "definition/subscriptions/1/versions/2', which no file holds: give the output of" in problem
    assert "or leave the group version out" in problem


def test_several_group_versions_are_said_to_count_together() -> None:
    one, two = (
        envelope("subscriptions", number, {"Subscriptions": [entry]})
        for number, entry in ((1, TEXTS), (2, STATUSES))
    )
    migration = migrated(OURS, one, two, group(1), group(2))
    assert ["texts", "statuses"] == carried(migration)
    assert any("the files hold 2 group versions (file4, at Definition; file5" in n for n in migration.notes)


def test_a_group_that_leaves_open_which_definition_counts_is_asked_about() -> None:
    first, second = (
        {"Type": "AWS::Greengrass::SubscriptionDefinition", "Properties": {"InitialVersion": content}}
        for content in ({"Subscriptions": [TEXTS]}, {"Subscriptions": [STATUSES]})
    )
    latest = [{"Fn::GetAtt": [name, "LatestVersionArn"]} for name in ("Subscriptions", "Second")]
    version = {"SubscriptionDefinitionVersionArn": when("IsOpen", *latest)}
    named = {"Type": "AWS::Greengrass::Group", "Properties": {"InitialVersion": version}}
    document = template(Subscriptions=first, Second=second, Group=named)
    assert "SubscriptionDefinitionVersionArn of the group depends on Open" in problems(document)[0]
    assert ["texts"] == carried(migrated(document, given={"Open": "yes"}))
    assert ["statuses"] == carried(migrated(document, given={"Open": "no"}))


def test_a_definition_without_its_content_is_named_with_the_command_that_gives_it() -> None:
    place = "arn:aws:greengrass:us-west-2:1:/greengrass/definition/subscriptions/1"
    named = {"Arn": place, "Id": "1", "LatestVersion": "2", "LatestVersionArn": f"{place}/versions/2"}
    notes = migrated(OURS, named).notes
    assert any("'aws greengrass get-subscription-definition-version'" in note for note in notes)


def test_a_group_without_a_connector_is_said_to_be_one() -> None:
    asked = problems(group(1))
    assert any("has no ConnectorDefinitionVersionArn, so its group had no such" in each for each in asked)


def test_what_names_the_connector_in_an_unknown_form_is_named() -> None:
    notes = migrated(OURS, {"routes": [{"from": FUNCTION, "to": arn(5)}]}).notes
    assert any("is not carried over (file2, at routes[0].to)" in note for note in notes)


# Asked about.


@pytest.mark.parametrize("lacking", ["Source", "Subject"])
@pytest.mark.parametrize("value", [None, "", 5, "absent"])
def test_one_that_is_not_complete_is_asked_about(lacking: str, value: object) -> None:
    entry = TEXTS | {lacking: value}
    if value == "absent":
        del entry[lacking]
    (problem,) = problems(OURS, {"Subscriptions": [entry]})
    assert f"subscription 'texts' is the connector's and has no {lacking}" in problem


@pytest.mark.parametrize("target", ["", "CHANGE_ME", "lambda-arn", None, "ARN:AWS:GREENGRASS::"])
def test_an_end_of_no_known_kind_may_be_the_connector(target: object) -> None:
    (problem,) = problems(OURS, {"Subscriptions": [TEXTS | {"Target": target}]})
    assert "whether the Target of subscription 'texts' is the connector depends on" in problem


@pytest.mark.parametrize(
    "source",
    [
        "arn:aws:lambda:${REGION}:${ACCOUNT}:function:F:7",
        "arn:aws:lambda:region:account-id:function:F:7",
        "lambda-alias-arn",
        "<lambda>",
        "YOUR_FUNCTION",
        "$FUNCTION_ARN",
    ],
)
def test_a_placeholder_at_the_other_end_is_asked_for(source: str) -> None:
    (problem,) = problems(OURS, {"Subscriptions": [TEXTS | {"Source": source}]})
    assert problem.startswith("Source of subscription 'texts' ")


def test_a_word_that_stands_for_an_arn_can_be_given() -> None:
    migration = with_entries(TEXTS | {"Source": "lambda-alias-arn"}, **{"lambda-alias-arn": FUNCTION})
    assert FUNCTION == definitions(migration)["Subscriptions"][0]["Source"]


# The connector under other names.


@pytest.mark.parametrize("name", ["Connector::Site7", "connector:Site7", "Connectors/Site7", "Site7"])
def test_a_tools_own_name_for_the_connector_is_the_connector(name: str) -> None:
    """greengo writes `Connector::Id` and `Lambda::Name`, and no Ids."""
    document = {
        "Connectors": [connector(5, Id="Site7")],
        "Subscriptions": [
            {"Source": "Lambda::TempMonitor", "Subject": "twilio/txt", "Target": name},
            {"Source": name, "Subject": "twilio/message/status", "Target": "Device::Display"},
        ],
    }
    migration = migrated(document)
    assert ["Subscription1", "Subscription2"] == carried(migration)
    router = json.loads(migration.files["greengrass-v2/legacy-subscription-router.json"])
    assert ["component:TempMonitor"] == [each["source"] for each in router["subscriptions"].values()]
    assert any("'Lambda::TempMonitor', as a tool does: put its ARN" in note for note in migration.notes)


def test_a_definition_and_a_devices_function_are_one_connector() -> None:
    device = {
        "Lambdas": [{"FunctionArn": AS_FUNCTION, "Environment": {"Variables": PARAMETERS}}],
        "Subscriptions": [
            subscription(FUNCTION, "twilio/txt", AS_FUNCTION, "in"),
            subscription(AS_FUNCTION, "twilio/message/status", "cloud", "out"),
        ],
    }
    assert ["in", "out"] == carried(migrated(OURS, device))
    assert ["in", "out"] == carried(migrated(OURS, {"Subscriptions": device["Subscriptions"]}))


def test_a_device_that_has_another_value_is_asked_about() -> None:
    other = PARAMETERS | {"DefaultFromPhoneNumber": "+15005550007"}
    device = {"FunctionArn": AS_FUNCTION, "Environment": other}
    (problem,) = problems(OURS, device)
    assert problem.startswith(
        "DefaultFromPhoneNumber is not the same in file1, at Connectors[0] and in file2"
    )
    migrated(OURS, device, given={"DefaultFromPhoneNumber": "+15005550006"})


@pytest.mark.parametrize(
    "written",
    [
        arn(5).replace("::/", ":/"),
        arn(5).replace("/versions/5", ""),
        arn(5).replace("us-west-2", "<region>"),
        arn(5).replace("us-west-2", "REGION"),
        f" {arn(5)}\n",
    ],
)
def test_an_arn_with_a_slip_is_still_the_connectors(written: str) -> None:
    assert ["texts"] == carried(with_entries(TEXTS | {"Target": written}))


def test_other_spellings_of_the_members_are_known() -> None:
    document = {
        "connectors": [{"id": "t", "connector_arn": arn(5), "parameters": PARAMETERS}],
        "subscriptions": [{"id": "s", "source": FUNCTION, "subject": "twilio/txt", "target": arn(5)}],
    }
    assert ["s"] == carried(migrated(document))


# The router.


def routed(*entries: dict[str, Any]) -> list[tuple[str, str]]:
    files = with_entries(*entries).files
    router = json.loads(files["greengrass-v2/legacy-subscription-router.json"])["subscriptions"]
    assert all(name == each["id"] for name, each in router.items())
    return [(each["source"], each["subject"]) for each in router.values()]


def test_a_function_has_one_entry_for_a_topic_however_many_subscriptions_it_had() -> None:
    """The router passes a message on for each entry that fits, so a second one would send the text again."""
    aliases = [FUNCTION, FUNCTION.replace("GG_TempMonitor", "Other"), FUNCTION.replace("GG_TempMonitor", "7")]
    entries = [
        subscription(alias, subject, arn(5), f"{alias}{subject}")
        for alias in aliases
        for subject in ("twilio/txt", "twilio/#", "#")
    ]
    assert [("component:TempMonitor", "twilio/txt"), ("component:TempMonitor", "twilio/call")] == routed(
        *entries
    )


# All of them, whatever stands around.

ENDS = st.sampled_from(
    [arn(5), FUNCTION, DEVICE, "cloud", AS_FUNCTION, "", "x", None, {"Ref": "Open"}, {"Ref": "StandIn"}]
)
SUBJECTS = st.sampled_from(["twilio/txt", "twilio/#", "a/b", "", None, {"Ref": "Open"}, "$X"])
AROUND = st.sampled_from(["nothing", "open", "default", "other branch"])


def wrapped(entry: dict[str, Any], around: str) -> dict[str, Any]:
    match around:
        case "open":
            return when("IsOpen", entry)
        case "default":
            return when("IsLive", entry)
        case "other branch":
            return when("IsLive", {"Ref": "AWS::NoValue"}, entry)
        case _:
            return entry


@bounds(deadline=None)  # a machine that is shared has pauses
@drawn(st.lists(st.tuples(ENDS, SUBJECTS, ENDS, AROUND), min_size=1, max_size=5))
def test_no_subscription_is_lost_in_silence(entries: list[tuple[Any, Any, Any, str]]) -> None:
    listed = [
        wrapped(subscription(source, subject, target, f"number{number}"), around)
        for number, (source, subject, target, around) in enumerate(entries)
    ]
    document = template(subscriptions=listed)
    try:
        migration = migrated(document, given={"X": "twilio/txt"} if "$X" in repr(listed) else {})
    except ConfigurationError:
        return  # a question, or a value that nothing asks for
    said = "\n".join([*migration.found, *migration.notes])
    assert all(f"number{number}" in said for number in range(len(entries)))
