"""The addresses of the configuration, taken apart: broker, journal, Twilio's API, and where to listen.

Pure. A URL may hold a password, so no message repeats any part of a wrong URL.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from twilio_notifications.core.model import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_BROKER_PORTS = {"mqtt": 1883, "mqtts": 8883}
_WEB_PORTS = {"http": 80, "https": 443}
_DATABASE_SCHEMES = ("postgresql://", "postgres://")
_DATABASE_PORT = 5432
_DATABASE_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_INSISTING_MODES = ("require", "verify-ca", "verify-full")
_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_DATABASE_WORDS = {
    "sslmode": ("disable", "allow", "prefer", *_INSISTING_MODES),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
    "target_session_attrs": ("any", "primary", "standby", "read-write", "read-only", "prefer-standby"),
}
"""Options of a database's URL of which the driver knows only these words, which it reads at the start."""
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A value that cannot be used; `demand` is what a sentence says after the name of the setting."""

    demand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """A broker's URL, taken apart and percent-decoded."""

    host: str
    port: int
    tls: bool
    username: str | None = field(repr=False)
    password: Secret | None


def read_broker_url(url: str) -> BrokerAddress | Wrong:
    parts = _split(url)
    if parts is None or parts.scheme not in _BROKER_PORTS:
        return Wrong(demand="must be mqtt://host:port or mqtts://host:port")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        return Wrong(
            demand="must end after host and port; in user and password write / as %2F, ? as %3F and # as %23"
        )
    port = _port(parts)
    if port is None:
        return Wrong(demand=f"must have a port from 1 to {_HIGHEST_PORT}, or none")
    return _broker_address(parts, port=port or _BROKER_PORTS[parts.scheme])


def read_web_url(url: str) -> str | Wrong:
    """The URL without a slash at its end, so that a path can follow."""
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return Wrong(demand="must be an absolute URL, https://host or http://host")
    if _port(parts) is None:
        return Wrong(demand=f"must have a port from 1 to {_HIGHEST_PORT}, or none")
    if "@" in parts.netloc or parts.query or parts.fragment:
        return Wrong(demand="must have no user, password, query or fragment")
    return parts.geturl().rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatUrl:
    """A URL that only its service and its callers know, with the parts of it that may be shown."""

    whole: Secret
    scheme: str
    host: str
    port: int


def read_heartbeat_url(url: str) -> HeartbeatUrl | Wrong:
    parts = _split(url)
    if parts is None or parts.scheme not in _WEB_PORTS or not parts.hostname:
        return Wrong(demand="must be an absolute URL, https://host/path or http://host/path")
    port = _port(parts)
    if port is None:
        return Wrong(demand=f"must have a port from 1 to {_HIGHEST_PORT}, or none")
    if "@" in parts.netloc or parts.fragment:
        return Wrong(demand="must have no user, password or fragment")
    return HeartbeatUrl(
        whole=Secret(url), scheme=parts.scheme, host=parts.hostname, port=port or _WEB_PORTS[parts.scheme]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """A journal on PostgreSQL: the URL as its driver takes it, and what of it may be shown."""

    whole: Secret
    hosts: tuple[tuple[str, int], ...]
    """Host and port of each server that it names; a host may be the folder of a socket."""
    database: str
    files: tuple[Path, ...]
    """Certificates, keys and passwords that it names."""
    is_exposed: bool
    """It holds a password, a server may be on another machine, and a connection in the clear is allowed."""


def read_journal_url(url: str) -> Path | DatabaseAddress | Wrong:
    """The database file, relative with three slashes and absolute with four; or a database of PostgreSQL."""
    if url.startswith(_DATABASE_SCHEMES):
        return _database_address(url)
    form = (
        "must be sqlite:///relative/file.db, sqlite:////absolute/file.db or "
        "postgresql://user:password@host/database"
    )
    if not url.startswith("sqlite:///"):
        return Wrong(demand=form)
    name = url.removeprefix("sqlite:///")
    if name == "" or name.endswith("/"):
        return Wrong(demand=f"{form}: the name of the file is missing")
    if name == ":memory:":
        return Wrong(demand=f"{form}: what is only in memory is lost at the end, with every request in it")
    if "?" in name:
        # Other programs read options there; taken as part of the name it would start a second, empty journal.
        return Wrong(demand=f"{form}, without options after it")
    return Path(name)


def _database_address(url: str) -> DatabaseAddress | Wrong:
    parts = _split(url)
    database = "" if parts is None else unquote(parts.path.removeprefix("/"))
    if parts is None or parts.fragment or "/" in database:
        return Wrong(
            demand="must be postgresql://user:password@host/database; in user and password write / as %2F, ? "
            "as %3F, # as %23 and @ as %40"
        )
    if not database:
        return Wrong(demand="must end with the name of a database: postgresql://user:password@host/database")
    try:
        options = dict(parse_qsl(parts.query, strict_parsing=True))
    except ValueError:
        return Wrong(demand="must have its options after a ?, each as name=value, with & between them")
    for name, words in _DATABASE_WORDS.items():
        if options.get(name, words[0]) not in words:
            return Wrong(demand=f"must have one of these words after {name}=: {', '.join(words)}")
    hosts = _database_hosts(parts.netloc.rpartition("@")[2], options)
    if None in hosts:
        return Wrong(demand=f"must have a port from 1 to {_HIGHEST_PORT}, or none")
    found = tuple(host for host in hosts if host is not None)
    return DatabaseAddress(
        whole=Secret(url),
        hosts=found,
        database=database,
        files=tuple(Path(options[name]) for name in _DATABASE_FILES if name in options),
        is_exposed=bool(parts.password or {"password", "passfile"} & options.keys())
        and options.get("sslmode") not in _INSISTING_MODES
        and not all(host.startswith("/") or is_loopback_host(host) for host, _ in found),
    )


def _database_hosts(named: str, options: Mapping[str, str]) -> list[tuple[str, int] | None]:
    """Those between // and the path, or else those of the options, as the driver reads them."""
    if named:
        return [_database_host(each, "") if each else None for each in named.split(",")]
    names, ports = options.get("host", "").split(","), options.get("port", "").split(",")
    ports *= len(names) if len(ports) == 1 else 1
    if len(names) != len(ports):
        return [None]
    return [_database_host(name, port) for name, port in zip(names, ports, strict=True)]


def _database_host(text: str, port: str) -> tuple[str, int] | None:
    """Host and port of one server; None where the port is none."""
    if text.startswith("/"):  # a folder that may have a colon in its name
        name, digits = text, port
    else:
        found = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?|([^:\[\]]*)(?::(\d{1,5}))?", text)
        if found is None:
            return None
        name, digits = unquote(found[1] or found[3] or "localhost"), port or found[2] or found[4]
    if digits and not re.fullmatch(r"\d{1,5}", digits):
        return None
    number = int(digits or _DATABASE_PORT)
    return (name, number) if 0 < number <= _HIGHEST_PORT else None


def read_listen_address(text: str) -> tuple[str, int] | None:
    """Host and port of HOST:PORT, without the brackets of IPv6; None where it is something else."""
    host, _, port = text.rpartition(":")
    fits = host and re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= _HIGHEST_PORT
    return (host.strip("[]"), int(port)) if fits else None


def is_loopback(url: str) -> bool:
    """Whether the URL cannot leave this machine."""
    return is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Whether what is sent to this host cannot leave this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def _split(url: str) -> SplitResult | None:
    # urlsplit silently drops tabs and line ends, so they are refused first.
    if re.search(r"[\x00-\x20\x7f]", url):
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    """0 for no port, `None` for a wrong one."""
    try:
        port = parts.port
    except ValueError:
        return None
    if port is None:
        return 0
    return port or None


def _broker_address(parts: SplitResult, *, port: int) -> BrokerAddress | Wrong:
    if not parts.hostname:
        return Wrong(demand="must name a host, as in mqtt://127.0.0.1:1883")
    if parts.password is not None and not parts.username:
        return Wrong(demand="must have a user name where it has a password")  # MQTT 3.1.1, 3.1.2.9
    try:
        username = unquote(parts.username, errors="strict") if parts.username else None
        password = unquote(parts.password, errors="strict") if parts.password is not None else None
    except UnicodeDecodeError:
        return Wrong(demand="must have user and password percent-encoded as UTF-8")
    return BrokerAddress(
        host=parts.hostname,
        port=port,
        tls=parts.scheme == "mqtts",
        username=username,
        password=None if password is None else Secret(password),
    )
