"""The topics and secrets that a V1 function reaches, as its environment and the connector's file say.

An `Outside` belongs to one event loop. It makes each part at the first use, so that a wrong or missing
setting is an error of the call that needs the setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.bootstrap import greengrass
from twilio_notifications.config import (
    CONFIG_VARIABLE,
    MqttSettings,
    PubSub,
    SecretOrigin,
    load_client,
    load_secret_place,
)
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.greengrasssdk.outlets import BrokerOutlet, NucleusOutlet, OneNucleus
from twilio_notifications.greengrasssdk.vault import Vault
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.greengrass import Nucleus
    from twilio_notifications.config import ClientSettings, SecretPlace
    from twilio_notifications.greengrasssdk.outlets import MessageOutlet
    from twilio_notifications.greengrasssdk.vault import Kept

ANSWER_SECONDS = 10.0
"""The limit for a secret from the nucleus, where the transport may be a broker and so has no such setting."""


def settings_of(environ: Mapping[str, str]) -> ClientSettings:
    """The settings of the transport and of the log; raises ConfigurationError."""
    return load_client(config_of(environ), environ, in_nucleus=in_nucleus(environ))


def secret_place_of(environ: Mapping[str, str]) -> SecretPlace:
    """The place of the secrets; raises ConfigurationError."""
    return load_secret_place(config_of(environ), environ, in_nucleus=in_nucleus(environ))


def config_of(environ: Mapping[str, str]) -> Path | None:
    """The configuration file that the environment names; None where it names none."""
    name = environ.get(CONFIG_VARIABLE)
    return Path(name) if name else None


def in_nucleus(environ: Mapping[str, str]) -> bool:
    """Whether a Greengrass V2 nucleus has started this process."""
    socket, *_ = greengrass.STARTED_BY
    return bool(environ.get(socket))


def new_nucleus(environ: Mapping[str, str], *, answer_seconds: float) -> Nucleus:
    """The nucleus, not connected yet; raises ConfigurationError where no nucleus has started this process."""
    problems = list(greengrass.problems(environ))
    if problems:
        raise ConfigurationError(problems)
    from twilio_notifications.adapters.greengrass import Nucleus  # noqa: PLC0415 - needs the extra

    return Nucleus(environ, answer_seconds)


def side_of(pubsub: PubSub) -> Origin:
    """The side of the nucleus on which to publish. A connector that hears both would send a text twice."""
    return Origin.IOT_CORE if pubsub is PubSub.IOT_CORE else Origin.LOCAL


class Outside:
    """Topics and secrets, for the use in one event loop."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._outlet: MessageOutlet | None = None
        self._nucleus: OneNucleus | None = None
        self._prefix = ""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns when the other side has acknowledged it; raises ConfigurationError or TransportError."""
        if self._outlet is None:
            transport = settings_of(self._environ).transport
            self._prefix = transport.topic_prefix
            if isinstance(transport, MqttSettings):
                self._outlet = BrokerOutlet(transport)
            else:
                nucleus = self._one_nucleus(answer_seconds=transport.answer_seconds)
                self._outlet = NucleusOutlet(nucleus, side_of(transport.pubsub))
        await self._outlet.publish(self._prefix + topic, payload)

    async def secret(self, secret_id: str, stage: str) -> Kept:
        """The secret, read again at each call because it may have been rotated; raises a ConnectorError."""
        place = secret_place_of(self._environ)
        vault = Vault(place=place, environ=self._environ)
        if place.source is not SecretOrigin.GREENGRASS:
            return await vault.read(secret_id, stage)
        nucleus = self._one_nucleus(answer_seconds=ANSWER_SECONDS)
        return await vault.read_from_nucleus(await nucleus.connected(), secret_id, stage)

    async def close(self) -> None:
        """Ends the connection of the outlet, if one is open."""
        if self._outlet is not None:
            await self._outlet.close()

    def _one_nucleus(self, *, answer_seconds: float) -> OneNucleus:
        if self._nucleus is None:
            self._nucleus = OneNucleus(new_nucleus(self._environ, answer_seconds=answer_seconds))
        return self._nucleus
