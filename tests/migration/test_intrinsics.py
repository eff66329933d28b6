"""CloudFormation's functions, as far as the template has the answer; what is open keeps its name."""

from __future__ import annotations

from typing import Any

import pytest

from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.migration.intrinsics import TemplateScope
from twilio_notifications.migration.partly import Partly, names_in

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Text": {"Type": "String", "Default": "text"},
        "Number": {"Type": "Number", "Default": 5},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "NoDefault": {"Type": "String"},
        "Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/where/it/is"},
    },
    "Mappings": {"Map": {"one": {"x": "mapped", "list": ["a", "b"]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Text"}, "text"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "Open"}]},
        "Open": {"Fn::Equals": [{"Ref": "NoDefault"}, "x"]},
        "Itself": {"Condition": "Itself"},
    },
    "Resources": {"Function": {"Type": "AWS::Lambda::Function"}, "Def": {"Type": "AWS::Greengrass::Group"}},
}


def resolve(value: object, **given: str) -> object:
    return TemplateScope(document="t", template=TEMPLATE, given=given).resolve(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Text"}, "text"),
        ({"Ref": "Number"}, "5"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Fn::Sub": "${Text}-${Number}-${!Text}"}, "text-5-${Text}"),
        ({"Fn::Sub": ["${a}${Text}", {"a": {"Ref": "Number"}}]}, "5text"),
        ({"Fn::Join": [":", ["a", {"Ref": "Text"}]]}, "a:text"),
        ({"Fn::Join": ["", {"Ref": "List"}]}, "ab"),
        ({"Fn::Select": [1, {"Ref": "List"}]}, "b"),
        ({"Fn::Select": ["0", {"Fn::Split": ["-", "x-y"]}]}, "x"),
        ({"Fn::FindInMap": ["Map", "one", "x"]}, "mapped"),
        ({"Fn::FindInMap": ["Map", "one", "list"]}, ["a", "b"]),
        ({"Fn::If": ["Yes", "a", "b"]}, "a"),
        ({"Fn::If": ["No", "a", "b"]}, "b"),
        ({"Fn::If": ["Both", "a", "b"]}, "b"),
        ({"Fn::If": ["Either", "a", "b"]}, "a"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": True}, {"b": "true"}),
        ([{"Ref": "AWS::NoValue"}, 1], ["1"]),
        ({"Fn::GetAtt": ["Def", "LatestVersionArn"]}, "template:t#Def"),
        ({"Ref": "Def"}, "template:t#Def"),
        ({"Plain": "object"}, {"Plain": "object"}),
    ],
)
def test_what_the_template_holds_is_resolved(value: object, expected: object) -> None:
    assert expected == resolve(value)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"Ref": "NoDefault"}, ["NoDefault"]),
        ({"Ref": "Ssm"}, ["Ssm"]),
        ({"Ref": "AWS::Region"}, ["AWS::Region"]),
        ({"Fn::GetAtt": ["Function", "Arn"]}, ["Function.Arn"]),
        ({"Fn::Sub": "${Function.Arn}:${Text}:${AWS::Region}"}, ["Function.Arn", "AWS::Region"]),
        ({"Fn::Join": ["", ["a", {"Ref": "NoDefault"}]]}, ["NoDefault"]),
        ({"Fn::ImportValue": "exported-name"}, ["exported-name"]),
        ({"Fn::If": ["Open", "a", "b"]}, ["NoDefault"]),
        ({"Fn::If": ["Itself", "a", "b"]}, ["condition Itself"]),
        ({"Fn::If": ["Unknown", "a", "b"]}, ["condition Unknown"]),
        ({"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "x"]}, ["AWS::Region"]),
        ({"Fn::FindInMap": ["Map", "two", "x"]}, ["Fn::FindInMap Map two x"]),
        ({"Fn::Select": [{"Ref": "NoDefault"}, ["a"]]}, ["NoDefault"]),
        ({"Fn::Split": [",", {"Ref": "NoDefault"}]}, ["NoDefault"]),
        ("{{resolve:ssm:/twilio/sid}}", ["resolve:ssm:/twilio/sid"]),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, ["Fn::Transform"]),
        ({"Fn::GetAtt": 5}, ["Fn::GetAtt"]),
        ({"Fn::Select": [7, ["a"]]}, ["Fn::Select 7"]),
        ({"Fn::Join": ["x" * 9000, ["a", "b", "c"]]}, ["a text of more than 16384 characters"]),
    ],
)
def test_what_it_does_not_hold_is_asked_for_by_name_and_not_guessed(value: object, names: list[str]) -> None:
    assert names == list(names_in(resolve(value)))


@pytest.mark.parametrize(
    ("value", "given", "expected"),
    [
        ({"Ref": "NoDefault"}, {"NoDefault": "x"}, "x"),
        ({"Ref": "Text"}, {"Text": "given"}, "given"),
        ({"Fn::Sub": "${Function.Arn}:1"}, {"Function.Arn": "arn"}, "arn:1"),
        ({"Fn::ImportValue": "exported"}, {"exported": "x"}, "x"),
        ("a{{resolve:ssm:/b}}", {"resolve:ssm:/b": "c"}, "ac"),
        ({"Fn::If": ["Open", "a", "b"]}, {"NoDefault": "x"}, "a"),
    ],
)
def test_a_given_value_stands_for_its_name(value: object, given: dict[str, str], expected: str) -> None:
    assert expected == resolve(value, **given)


def test_an_open_text_shows_what_is_known_of_it() -> None:
    value = resolve({"Fn::Sub": "arn:${AWS::Region}:${Text}"})
    assert isinstance(value, Partly)
    assert ("arn:${AWS::Region}:text", ("AWS::Region",)) == (str(value), value.names)


def test_a_template_that_multiplies_its_texts_is_refused() -> None:
    """A few thousand references to one long default would fill the memory."""
    template = {"Parameters": {"Long": {"Type": "String", "Default": "x" * 15_000}}}
    scope = TemplateScope(document="t.json", template=template, given={})
    with pytest.raises(ConfigurationError, match=r"t\.json grows beyond"):
        scope.resolve([{"Ref": "Long"}] * 1000)


def test_conditions_that_go_on_and_on_are_left_open() -> None:
    conditions = {f"C{n}": {"Condition": f"C{n + 1}"} for n in range(10_000)}
    scope = TemplateScope(document="t", template={"Conditions": conditions}, given={})
    assert isinstance(scope.condition("C0"), Partly)
