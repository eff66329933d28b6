"""Says whether this kernel can confine the connector as the configuration wants, and what it may still do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters import isolation
from twilio_notifications.adapters.isolation import Surroundings
from twilio_notifications.bootstrap.isolation import allowed, port_list, undone
from twilio_notifications.checks.finding import Finding
from twilio_notifications.core.parameters import IsolationMode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.adapters.isolation import Confinement, Offer
    from twilio_notifications.config import Settings


def outlook(settings: Settings, config: Path | None, environ: Mapping[str, str]) -> Finding:
    """Whether a connector with these settings could start on this kernel, and what it might still do."""
    offer = isolation.discover()
    mode = settings.parameters.isolation_mode
    if mode is IsolationMode.NO_CONTAINER:
        sentence = f"{mode}: the process is not confined (Landlock: {offer})"
        return Finding(subject="isolation", works=True, sentence=sentence)
    if not offer.version:
        sentence = isolation.refusal(offer, connector_version=settings.connector.version)
        return Finding(subject="isolation", works=False, sentence=sentence)
    surroundings = Surroundings.here(environ)
    confinement = allowed(settings, config, surroundings)
    problems = undone(confinement, settings, config, surroundings)
    if problems:
        return Finding(subject="isolation", works=False, sentence="; ".join(problems))
    second = f"no seccomp ({offer.no_filter})" if offer.no_filter else "seccomp"
    sentence = (
        f"{mode}: Landlock {offer} and {second}, not confined: {offer.not_confined(confinement)}; "
        f"{reach(confinement, offer)}"
    )
    return Finding(subject="isolation", works=True, sentence=sentence)


def reach(confinement: Confinement, offer: Offer) -> str:
    """What a confined connector may still do, in a few words; everything else is forbidden."""
    writes = (
        f"writes into {_joined(confinement.writable)} alone" if confinement.writable else "writes no file"
    )
    words = [writes, "executes nothing", "has no privileges"]
    if confinement.sockets:
        words.append(f"uses the sockets {_joined(confinement.sockets)}")
    if offer.confines_ports:
        words += [
            f"connects to the TCP ports {port_list(confinement.connect_ports)}",
            f"listens on {port_list(confinement.listen_ports)}",
        ]
    return ", ".join(words)


def _joined(paths: frozenset[Path]) -> str:
    return " and ".join(map(str, sorted(paths)))


def notes(settings: Settings, config: Path | None, environ: Mapping[str, str]) -> list[str]:
    """Remarks on settings that weaken the isolation."""
    if settings.parameters.isolation_mode is IsolationMode.NO_CONTAINER:
        return []
    surroundings = Surroundings.here(environ)
    return list(isolation.remarks(allowed(settings, config, surroundings), surroundings))
