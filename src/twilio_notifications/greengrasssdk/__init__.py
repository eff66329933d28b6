"""The interface of the Greengrass Core SDK of V1, for functions that stay unchanged.

A function changes one import, to `from twilio_notifications import greengrasssdk`; `client("iot-data")` and
`client("secretsmanager")` work as before. Topics are those of the configured broker, or of the Greengrass V2
nucleus that has started the process. Only the first call reads the configuration and opens a connection.
"""

from __future__ import annotations

from typing import Literal, overload

from twilio_notifications.core.errors import ConfigurationError, ConnectorError, TransportError
from twilio_notifications.greengrasssdk.publisher import Publisher
from twilio_notifications.greengrasssdk.secret_values import SecretsManagerError, SecretValues

__all__ = [
    "ConfigurationError",
    "ConnectorError",
    "Publisher",
    "SecretValues",
    "SecretsManagerError",
    "TransportError",
    "client",
]


@overload
def client(client_type: Literal["iot-data"], *_: object, **__: object) -> Publisher: ...
@overload
def client(client_type: Literal["secretsmanager"], *_: object, **__: object) -> SecretValues: ...
@overload
def client(client_type: str, *_: object, **__: object) -> Publisher | SecretValues: ...
def client(client_type: str, *_: object, **__: object) -> Publisher | SecretValues:
    """The client of this name.

    V1 ignored further arguments as well. Raises ValueError for an unknown name.
    """
    match client_type:
        case "iot-data":
            return Publisher()
        case "secretsmanager":
            return SecretValues()
        case _:
            raise ValueError(
                f'there is no client {client_type!r} here: use client("iot-data"), for publish, or '
                'client("secretsmanager"), for get_secret_value; V1 has others only inside its core'
            )
