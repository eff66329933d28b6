"""Templates of CloudFormation with a connector, for tests of what they leave open."""

from __future__ import annotations

from typing import Any

from tests.migration.house import FUNCTION, arn, connector, subscription

NO_VALUE = {"Ref": "AWS::NoValue"}
TEXTS = subscription(FUNCTION, "twilio/txt", arn(5), "texts")
STATUSES = subscription(arn(5), "twilio/message/status", "cloud", "statuses")


def when(condition: str, then: object, otherwise: object = NO_VALUE) -> dict[str, Any]:
    return {"Fn::If": [condition, then, otherwise]}


def definition(kind: str, content: object, **around: object) -> dict[str, Any]:
    return {"Type": f"AWS::Greengrass::{kind}Definition", "Properties": {"InitialVersion": content}} | around


def template(
    subscriptions: object = (TEXTS, STATUSES), connectors: object = None, **resources: object
) -> dict[str, Any]:
    """`Open` has no value, `Stage` has the default "dev"; a condition rests on each."""
    listed = list(subscriptions) if isinstance(subscriptions, tuple) else subscriptions
    return {
        "Parameters": {
            "Open": {"Type": "String"},
            "Stage": {"Type": "String", "Default": "dev"},
            "Function": {"Type": "String", "Default": FUNCTION},
            "StandIn": {"Type": "String", "Default": "CHANGE_ME"},
        },
        "Mappings": {
            "Regions": {"us-west-2": {"arn": arn(5)}, "eu-west-1": {"arn": arn(5).replace("us", "eu")}}
        },
        "Conditions": {
            "IsOpen": {"Fn::Equals": [{"Ref": "Open"}, "yes"]},
            "IsLive": {"Fn::Equals": [{"Ref": "Stage"}, "live"]},
        },
        "Resources": {
            "Connectors": definition("Connector", {"Connectors": connectors or [connector(5)]}),
            "Subscriptions": definition("Subscription", {"Subscriptions": listed}),
        }
        | resources,
    }
