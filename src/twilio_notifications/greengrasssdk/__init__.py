"""The interface of the Greengrass Core SDK of V1, for functions that go on unchanged.

`from twilio_notifications import greengrasssdk` is the one import that changes; `client("iot-data")` and
`client("secretsmanager")` are what they were. Topics are those of the configured broker, or of the Greengrass
V2 nucleus that has started the process. Nothing is read or connected before the first call needs it.
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
    """The client of that name. V1 passed further arguments on to classes that took none."""
    match client_type:
        case "iot-data":
            return Publisher()
        case "secretsmanager":
            return SecretValues()
        case _:
            raise ValueError(
                f"there is no client {client_type!r} here: what a V1 function finds outside a Greengrass V1 "
                'core is client("iot-data"), for publish, and client("secretsmanager"), for get_secret_value'
            )
