"""Connector ARNs and connector definitions, in every form in which the AWS CLI takes or prints them.

Finds the one Twilio Notifications connector and its version; its parameters are judged elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters.published import CONNECTOR_NAME, PARTITIONS, VERSIONS
from twilio_notifications.core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The document itself prints the word "region" where a region belongs, and people paste that.
_CONNECTOR_ARN = re.compile(
    rf"arn:(?P<partition>{'|'.join(PARTITIONS)}):greengrass:(?P<region>[a-z0-9\-]+)::"
    rf"/connectors/{CONNECTOR_NAME}/versions/(?P<number>[1-9][0-9]*)"
)
# Any version, partition and form: what is ours and written wrongly is refused, not ignored.
_OURS = re.compile(rf"arn:[^:]*:greengrass:[^:]*:[^:]*:/connectors/{CONNECTOR_NAME}(/.*)?")


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
    ours = [entry for entry in entries if _OURS.fullmatch(entry["ConnectorArn"])]
    match ours:
        case [only]:
            return _defined_connector(only)
        case []:
            arns = ", ".join(shown(entry["ConnectorArn"]) for entry in entries)
            found = f"found {arns}" if arns else "its list of connectors is empty"
            return _unreadable(f"the definition holds no Twilio Notifications connector: {found}")
        case _:
            return _several_connectors(ours)


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
