"""The published parameters of connector versions 1 to 5, connector ARNs and connector definitions.

Judges values that its caller has read: never touches a file, the environment or a log.
A judgement is a value and names every problem at once, so that an operator can correct all in one go.
The rules are those of the published document, "Connector Parameters"; where a rule here is wider or
narrower than its pattern, the reason stands next to it. No value that could be a token is ever shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core.wording import shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VERSIONS = range(1, 6)
CONNECTOR_NAME = "TwilioNotifications"
# The document's pattern knows the partition "aws" alone; China and GovCloud had Greengrass too.
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")

_ANY_PARTITION = "|".join(PARTITIONS)
# The document itself prints the word "region" where a region belongs, and people paste that.
_CONNECTOR_ARN = re.compile(
    rf"arn:(?P<partition>{_ANY_PARTITION}):greengrass:(?P<region>[a-z0-9\-]+)::"
    rf"/connectors/{CONNECTOR_NAME}/versions/(?P<number>[1-9][0-9]*)"
)
_ANY_CONNECTOR_ARN = re.compile(r"arn:[^:]*:greengrass:[^:]*:[^:]*:/connectors/(?P<name>[^/]+)(/.*)?")
# The document's pattern for a secret's ARN, cut at its colons so that a problem can name the wrong part.
_SECRET_ARN_PARTS = (
    ("beginning", r"arn", "arn"),
    ("partition", _ANY_PARTITION, "aws, aws-cn or aws-us-gov"),
    ("service", r"secretsmanager", "secretsmanager"),
    ("region", r"[a-z0-9\-]+", "lower-case letters, digits and hyphens"),
    ("account", r"[0-9]{12}", "12 digits"),
    ("resource type", r"secret", "secret"),
    (
        "secret name",
        r"([a-zA-Z0-9\\]+/)*[a-zA-Z0-9/_+=,.@\-]+-[a-zA-Z0-9]+",
        "a name, a hyphen, and the letters and digits that Secrets Manager appends",
    ),
)
_ARN_FORM_OF_SECRETS = "arn:aws:secretsmanager:<region>:<12-digit account>:secret:<name>-<suffix>"


class PublishedParameter(StrEnum):
    """A parameter under its published name."""

    ACCOUNT_SID = "TWILIO_ACCOUNT_SID"
    SECRET_ARN = "TwilioAuthTokenSecretArn"  # noqa: S105  (a name, not a token)
    SECRET_RESOURCE_ID = "TwilioAuthTokenSecretArn-ResourceId"  # noqa: S105  (a name, not a token)
    DEFAULT_SENDER_NUMBER = "DefaultFromPhoneNumber"
    ISOLATION_MODE = "IsolationMode"

    @property
    def display_name(self) -> str:
        """What the AWS IoT console called it."""
        return _DISPLAY_NAMES[self]

    @property
    def label(self) -> str:
        """Both names, as every problem begins with them."""
        return f"{self.display_name} ({self.value})"


_DISPLAY_NAMES = {
    PublishedParameter.ACCOUNT_SID: "Twilio account SID",
    PublishedParameter.SECRET_ARN: "ARN of Twilio auth token secret",
    PublishedParameter.SECRET_RESOURCE_ID: "Twilio auth token resource",
    PublishedParameter.DEFAULT_SENDER_NUMBER: "Default from phone number",
    PublishedParameter.ISOLATION_MODE: "Container isolation mode",
}


class IsolationMode(StrEnum):
    """How far the connector is shut off from the rest of its machine."""

    GREENGRASS_CONTAINER = "GreengrassContainer"
    NO_CONTAINER = "NoContainer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Valid parameters. The sender number is as configured: with a plus sign, or warned about."""

    account_sid: str
    secret_arn: str | None = None
    secret_resource_id: str | None = None
    default_sender_number: str | None = None
    isolation_mode: IsolationMode = IsolationMode.GREENGRASS_CONTAINER


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One sentence for people, and the name of the parameter or setting that it is about."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidParameters:
    """The parameters can be used; each warning is worth a line in the log."""

    parameters: Parameters
    warnings: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidParameters:
    """The parameters cannot be used, for each of these reasons."""

    problems: tuple[Remark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorVersion:
    """A version of the connector, 1 to 5, and where its ARN said that it lives."""

    number: int
    partition: str = "aws"
    region: str = "region"

    @property
    def arn(self) -> str:
        return (
            f"arn:{self.partition}:greengrass:{self.region}::"
            f"/connectors/{CONNECTOR_NAME}/versions/{self.number}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinedConnector:
    """The one Twilio Notifications connector of a definition; its parameters are not judged yet."""

    identifier: str
    version: ConnectorVersion
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An ARN or a definition that cannot be used, one sentence for each reason."""

    problems: tuple[str, ...]


def published_in(version: int) -> tuple[PublishedParameter, ...]:
    """The parameters of one version: `IsolationMode` came with version 5 (changelog of the document)."""
    newest = version == VERSIONS[-1]
    return tuple(p for p in PublishedParameter if newest or p is not PublishedParameter.ISOLATION_MODE)


def check_parameters(
    given: Mapping[str, object], *, version: int, secret_parameters_required: bool
) -> ValidParameters | InvalidParameters:
    """Parameters under their published names, judged by the rules of one version; all problems at once.

    The document requires the two secret parameters; where the token does not come from AWS or Greengrass
    they mean nothing, so the caller says which it is. `None` counts as absent, as it does in requests.
    """
    present = {name: value for name, value in given.items() if value is not None}
    problems = (
        *_unknown(present),
        *_missing(present, secret_parameters_required=secret_parameters_required),
        *_mismatches(present, version=version),
    )
    if problems:
        return InvalidParameters(problems=problems)
    return ValidParameters(parameters=_parameters(present), warnings=tuple(_warnings(present)))


def read_connector_arn(arn: str) -> ConnectorVersion | Unreadable:
    """The version that an ARN of the Twilio Notifications connector selects."""
    match = _CONNECTOR_ARN.fullmatch(arn)
    if match is None:
        form = f"arn:aws:greengrass:<region>::/connectors/{CONNECTOR_NAME}/versions/<1 to {VERSIONS[-1]}>"
        return _unreadable(
            f"{shown(arn)} is not an ARN of the Twilio Notifications connector, which is {form}"
        )
    # Compared as text first: a number of thousands of digits is no number for int().
    if match["number"] not in {str(number) for number in VERSIONS}:
        known = f"{VERSIONS[0]} to {VERSIONS[-1]}"
        return _unreadable(f"{shown(arn)} names an unknown version, known are {known}")
    return ConnectorVersion(number=int(match["number"]), partition=match["partition"], region=match["region"])


def read_definition(document: object) -> DefinedConnector | Unreadable:
    """The Twilio Notifications connector of a parsed definition, as the AWS CLI takes or prints one.

    Other connectors in it are ignored; two of ours are refused: a group holds one version at a time.
    """
    connectors = _connectors(document)
    if isinstance(connectors, Unreadable):
        return connectors
    unreadable = tuple(_unreadable_entries(connectors))
    if unreadable:
        return Unreadable(problems=unreadable)
    entries = [entry for entry in connectors if isinstance(entry, dict)]
    ours = [entry for entry in entries if _connector_name(entry["ConnectorArn"]) == CONNECTOR_NAME]
    match ours:
        case [only]:
            return _defined_connector(only)
        case []:
            return _no_connector(entries)
        case _:
            return _several_connectors(ours)


def _unknown(present: Mapping[str, object]) -> Iterator[Remark]:
    # The value is not shown: it may be the token itself, under a name that the user made up.
    for name in present:
        if name not in set(PublishedParameter):
            sentence = f"unknown parameter {shown(name)}: {suggestion(name, PublishedParameter)}"
            yield Remark(name=name, sentence=sentence)


def _missing(present: Mapping[str, object], *, secret_parameters_required: bool) -> Iterator[Remark]:
    required = [PublishedParameter.ACCOUNT_SID]
    if secret_parameters_required:
        required += [PublishedParameter.SECRET_ARN, PublishedParameter.SECRET_RESOURCE_ID]
    for parameter in required:
        if parameter not in present:
            yield Remark(name=parameter, sentence=f"{parameter.label} is required")
        elif present[parameter] == "":
            yield Remark(name=parameter, sentence=f"{parameter.label} is required and must not be empty")


def _mismatches(present: Mapping[str, object], *, version: int) -> Iterator[Remark]:
    for parameter in PublishedParameter:
        if parameter in present:
            demand = _demand(parameter, present[parameter], version=version)
            if demand is not None:
                yield Remark(name=parameter, sentence=f"{parameter.label} {demand}")


def _demand(parameter: PublishedParameter, value: object, *, version: int) -> str | None:
    """What the value would have to be, or `None` where it is that already."""
    if parameter not in published_in(version):
        return (
            f"came with version {VERSIONS[-1]} of the connector, and version {version} is configured: "
            f"leave {shown(value)} out, or configure version {VERSIONS[-1]}"
        )
    if parameter is PublishedParameter.SECRET_ARN:
        return _secret_arn_demand(value)
    if not isinstance(value, str):
        return f"must be a string in quotes, not {shown(value)}"
    match parameter:
        case PublishedParameter.ACCOUNT_SID | PublishedParameter.SECRET_RESOURCE_ID:
            return _one_line_demand(value)
        case PublishedParameter.DEFAULT_SENDER_NUMBER:
            return _sender_number_demand(value)
        case PublishedParameter.ISOLATION_MODE:
            return _isolation_mode_demand(value)
    assert_never(parameter)


def _one_line_demand(value: str) -> str | None:
    # The document's `.+`; "" is absence, and _missing knows whether that is a problem.
    return None if re.fullmatch(r".*", value) else f"must be a single line, not {shown(value)}"


def _secret_arn_demand(value: object) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or not value.startswith("arn:"):
        return (
            f"must be the ARN of the secret, {_ARN_FORM_OF_SECRETS}; the value given is not shown here, "
            "in case it is the token itself"
        )
    parts = value.split(":", len(_SECRET_ARN_PARTS) - 1)
    if len(parts) < len(_SECRET_ARN_PARTS):
        return f"must have the form {_ARN_FORM_OF_SECRETS}, not {shown(value)}"
    wrong = [
        f"its {name} must be {demand}, not {shown(part)}"
        for (name, pattern, demand), part in zip(_SECRET_ARN_PARTS, parts, strict=True)
        if re.fullmatch(pattern, part) is None
    ]
    return f"{shown(value)} is not the ARN of a secret: {'; '.join(wrong)}" if wrong else None


def _sender_number_demand(value: str) -> str | None:
    # Wider than `^$|\+[0-9]+`: the AWS CLI examples for this connector pass 4254492999, so that has to start.
    if re.fullmatch(r"\+?[0-9]+|", value):
        return None
    return f"must be empty, or a plus sign and digits as in +14255550123, not {shown(value)}"


def _isolation_mode_demand(value: str) -> str | None:
    if value in set(IsolationMode):
        return None
    return f"must be {' or '.join(IsolationMode)}, not {shown(value)}"


def _warnings(present: Mapping[str, object]) -> Iterator[Remark]:
    # The number itself is left out: warnings are logged, and the log shows no phone number.
    name = PublishedParameter.DEFAULT_SENDER_NUMBER
    if re.fullmatch(r"[0-9]+", str(present.get(name, ""))):
        sentence = (
            f"{name.label} has no plus sign in front and is sent to Twilio as it is: "
            "write it in E.164 form, as in +14255550123"
        )
        yield Remark(name=name, sentence=sentence)


def _parameters(valid: Mapping[str, object]) -> Parameters:
    texts = {name: str(value) for name, value in valid.items()}
    default_mode = IsolationMode.GREENGRASS_CONTAINER  # the document's default
    return Parameters(
        account_sid=texts[PublishedParameter.ACCOUNT_SID],
        secret_arn=texts.get(PublishedParameter.SECRET_ARN) or None,
        secret_resource_id=texts.get(PublishedParameter.SECRET_RESOURCE_ID) or None,
        default_sender_number=texts.get(PublishedParameter.DEFAULT_SENDER_NUMBER) or None,
        isolation_mode=IsolationMode(texts.get(PublishedParameter.ISOLATION_MODE, default_mode)),
    )


def _unreadable(sentence: str) -> Unreadable:
    return Unreadable(problems=(sentence,))


def _connectors(document: object) -> Sequence[object] | Unreadable:
    """The list of connectors, from whichever of the three forms this is."""
    if not isinstance(document, dict):
        return _unreadable("a connector definition must be a JSON object")
    # Bare, as create-connector-definition takes it, as get-connector-definition-version prints it.
    for holder in (document, document.get("InitialVersion"), document.get("Definition")):
        if isinstance(holder, dict) and "Connectors" in holder:
            connectors = holder["Connectors"]
            if isinstance(connectors, list):
                return connectors
            return _unreadable("Connectors must be a list of connectors")
    if "LatestVersion" in document:
        # What create- and get-connector-definition print: where the definition is, not what is in it.
        return _unreadable(
            "this names a connector definition but does not hold its connectors: take the output of "
            "'aws greengrass get-connector-definition-version' with its Id and LatestVersion"
        )
    return _unreadable("the definition has no Connectors")


def _unreadable_entries(connectors: Sequence[object]) -> Iterator[str]:
    for position, entry in enumerate(connectors, start=1):
        if not isinstance(entry, dict):
            yield f"connector {position} of the definition must be an object"
        elif not isinstance(entry.get("ConnectorArn"), str):
            yield f"connector {position} of the definition has no ConnectorArn"


def _connector_name(arn: str) -> str | None:
    match = _ANY_CONNECTOR_ARN.fullmatch(arn)
    return None if match is None else match["name"]


def _no_connector(entries: Sequence[Mapping[str, object]]) -> Unreadable:
    arns = ", ".join(shown(entry["ConnectorArn"]) for entry in entries)
    found = f"found {arns}" if arns else "its list of connectors is empty"
    return _unreadable(f"the definition holds no Twilio Notifications connector: {found}")


def _several_connectors(ours: Sequence[Mapping[str, object]]) -> Unreadable:
    identifiers = ", ".join(shown(entry.get("Id", "without Id")) for entry in ours)
    return _unreadable(
        f"the definition holds {len(ours)} Twilio Notifications connectors ({identifiers}), "
        "and a group has one version at a time: remove all but one"
    )


def _defined_connector(entry: Mapping[str, object]) -> DefinedConnector | Unreadable:
    version = read_connector_arn(str(entry["ConnectorArn"]))
    if isinstance(version, Unreadable):
        return version
    parameters = entry.get("Parameters")
    if parameters is None:  # Greengrass leaves out a map that is empty; what is missing is reported later
        parameters = {}
    if not isinstance(parameters, dict):
        return _unreadable(f"Parameters of connector {shown(entry.get('Id'))} must be an object")
    return DefinedConnector(identifier=str(entry.get("Id", "")), version=version, parameters=parameters)
