"""Writes the texts of the files: TOML for a broker, JSON for Greengrass.

It writes every value from a file as a quoted text, so that no value can become syntax.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twilio_notifications.component import (
    NucleusKind,
    access_control,
    cloud_policy,
    default_configuration,
    deployment,
    recipe,
)
from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.migration.routes import needs_cloud, router

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.migration.parameters import Carried
    from twilio_notifications.migration.routes import Route

CONFIGURATION = "twilio-notifications.toml"
REPORT = "report.md"
ROUTER = "greengrass-v2/legacy-subscription-router.json"
POLICY = "greengrass-v2/iot-policy.json"
DEFINITIONS = "greengrass-v1/definitions.json"

_TOML = """\
# For `twilio-notifications run --config twilio-notifications.toml`, made by `twilio-notifications migrate`.
# What is not here has its default.

[connector]
version = {version}

[connector.parameters]
{parameters}

[transport]
url = "mqtt://127.0.0.1:1883"   # the broker that your publishers use from now on

[secrets]
source = "environment"          # the auth token, in the variable that is named here
variable = "TWILIO_AUTH_TOKEN"
# To leave the token in AWS Secrets Manager, where {secret_parameter} points, instead:
# source = "aws"                # needs credentials for AWS on this machine
# key_file = "device.key"       # a private key of this machine, which seals the local copy
"""


def toml(carried: Carried) -> str:
    """The configuration for a plain broker."""
    parameters = "\n".join(
        f"{name} = {json.dumps(carried.parameters[name], ensure_ascii=False)}"
        for name in PublishedParameter
        if name in carried.parameters
    )
    # A text in JSON is a text in TOML too, except that TOML wants U+007F escaped.
    parameters = parameters.replace("\x7f", "\\u007f")
    return _TOML.format(
        version=carried.version.number, parameters=parameters, secret_parameter=PublishedParameter.SECRET_ARN
    )


def definitions(carried: Carried, routes: Sequence[Route]) -> str:
    """The connector and its subscriptions in Greengrass V1's own form, at the version of `carried`."""
    arn = carried.version.arn
    connector = {
        "Id": carried.identifier,
        "ConnectorArn": arn,
        "Parameters": {name: carried.parameters[name] for name in carried.parameters},
    }
    return _json({"Connectors": [connector], "Subscriptions": [route.arns(arn) for route in routes]})


def greengrass(carried: Carried, routes: Sequence[Route], *, release: str) -> dict[str, str]:
    """The texts of the files for Greengrass V2, by name."""
    cloud = needs_cloud(routes)
    classic, lite = (
        default_configuration(kind, parameters=carried.parameters, pubsub_to_iot_core=cloud)
        for kind in (NucleusKind.CLASSIC, NucleusKind.LITE)
    )
    own = {name: value for name, value in carried.parameters.items() if value}
    documents: dict[str, Mapping[str, object]] = {
        "configuration.json": {**own, "PubSubToIoTCore": str(cloud).lower()},
        "recipe-classic.json": recipe(NucleusKind.CLASSIC, version=release, configuration=classic),
        "recipe-lite.json": recipe(NucleusKind.LITE, version=release, configuration=lite),
        "deployment.json": deployment(NucleusKind.CLASSIC, version=release, configuration=classic),
        "deployment-lite.json": deployment(NucleusKind.LITE, version=release, configuration=lite),
        "access-control.json": access_control(classic),
    }
    files = {f"greengrass-v2/{name}": _json(document) for name, document in documents.items()}
    policy, routed = cloud_policy(classic, partition=carried.version.partition), router(routes)
    wanted = {POLICY: policy, ROUTER: routed}
    return files | {name: _json(document) for name, document in wanted.items() if document is not None}


def _json(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
