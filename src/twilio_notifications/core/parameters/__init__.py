"""The published parameters of connector versions 1 to 5, connector ARNs and connector definitions.

Judges values that its caller has read: never touches a file, the environment or a log.
"""

from __future__ import annotations

from twilio_notifications.core.parameters.definitions import (
    ConnectorVersion,
    DefinedConnector,
    Unreadable,
    read_connector_arn,
    read_definition,
)
from twilio_notifications.core.parameters.judgement import check_parameters, secret_arn_demand
from twilio_notifications.core.parameters.published import (
    CONNECTOR_NAME,
    PARTITIONS,
    VERSIONS,
    InvalidParameters,
    IsolationMode,
    Parameters,
    PublishedParameter,
    Remark,
    ValidParameters,
    published_in,
)

__all__ = [
    "CONNECTOR_NAME",
    "PARTITIONS",
    "VERSIONS",
    "ConnectorVersion",
    "DefinedConnector",
    "InvalidParameters",
    "IsolationMode",
    "Parameters",
    "PublishedParameter",
    "Remark",
    "Unreadable",
    "ValidParameters",
    "check_parameters",
    "published_in",
    "read_connector_arn",
    "read_definition",
    "secret_arn_demand",
]
