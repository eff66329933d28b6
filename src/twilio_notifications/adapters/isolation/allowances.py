"""What the connector needs of its machine, piece by piece; `bootstrap.isolation` puts them together.

Pure but for following symbolic links. A piece allows the least that works: a folder only where the files in
it may be replaced while the connector runs, because a rule of Landlock belongs to a file and not to its name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twilio_notifications.adapters.isolation.confinement import Confinement
from twilio_notifications.config import MqttSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from twilio_notifications.adapters.isolation.surroundings import Surroundings
    from twilio_notifications.config import (
        JournalSettings,
        MetricsSettings,
        TransportSettings,
        TwilioSettings,
    )

SHARED_FOLDERS = frozenset(
    (
        *("/", "/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/srv"),
        *("/sys", "/tmp", "/usr", "/var"),  # noqa: S108 - named, never written to
        *("/etc/pki", "/etc/pki/tls", "/etc/pki/tls/private", "/etc/ssl", "/etc/ssl/private"),
        *("/run/secrets", "/run/user", "/usr/local", "/usr/local/etc", "/usr/share", "/var/lib"),
        "/var/tmp",  # noqa: S108 - as above
    )
)
"""Folders where everybody keeps something: to allow one of them would allow the secrets of others."""

OWN_NAME = "twilio-notifications"
"""A folder of this name is the connector's own, whatever is in it."""

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
"""The C library loads more of itself when a name is resolved or a thread ends."""

TIME_ZONES = ("/etc/localtime", "/usr/share/zoneinfo")

CERTIFICATES = (
    *("/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/etc/ssl/ca-bundle.pem"),
    *(
        "/etc/pki/tls/certs",
        "/etc/pki/tls/cert.pem",
        "/etc/pki/tls/openssl.cnf",
        "/etc/pki/ca-trust/extracted",
    ),
    *("/etc/ca-certificates/extracted", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"),
)
"""Not all of /etc/ssl: private keys of others are in it."""

RESOLVER_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf")
"""What getaddrinfo reads, at each call or when it has changed."""
NAMES_OF_PORTS = ("/etc/services", "/etc/protocols")

DNS_PORT = 53
"""An answer too long for UDP is asked for again by TCP."""

WEB_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
NUCLEUS_SOCKET = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"
AVAHI = Path("/run/avahi-daemon")
"""Names that end in .local are asked of the Avahi daemon by a socket, where it runs (nss-mdns)."""

PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def python(surroundings: Surroundings) -> Confinement:
    """The interpreter, its packages, the shared libraries and the time zones."""
    return Confinement(readable=_own(surroundings.python, surroundings) | _paths(*LIBRARIES, *TIME_ZONES))


def devices() -> Confinement:
    """Nothing and randomness, and what the kernel says of this process and of the processors it may use.

    Thread pools are sized by the latter; without it they would be too large in a container with a quota.
    """
    return Confinement(
        readable=_paths(
            "/dev/null", "/dev/urandom", "/proc/self", "/sys/devices/system/cpu", "/sys/fs/cgroup"
        )
    )


def certificates(surroundings: Surroundings) -> Confinement:
    """The authorities that the system trusts, or those that the environment names instead."""
    environ = surroundings.environ
    named = frozenset(Path(folder) for folder in environ.get("SSL_CERT_DIR", "").split(":") if folder)
    allowed = Confinement(readable=surroundings.certificates | named | _paths(*CERTIFICATES))
    if environ.get("SSL_CERT_FILE"):
        allowed |= file_read_again(Path(environ["SSL_CERT_FILE"]), surroundings)
    return allowed


def name_resolution(surroundings: Surroundings) -> Confinement:
    """Names to addresses, by files and by DNS. UDP is confined neither by Landlock nor by the filter."""
    allowed = Confinement(readable=_paths(*NAMES_OF_PORTS), connect_ports=frozenset({DNS_PORT}))
    for name in RESOLVER_FILES:
        allowed |= file_read_again(Path(name), surroundings, is_public=True)
    return allowed


def local_names(hosts: Iterable[str], surroundings: Surroundings) -> Confinement:
    """The socket for names of the own network, where one of the hosts has such a name and the daemon runs.

    All other names are resolved without any socket that has a path: the C library goes on with files and DNS
    where it reaches neither nscd nor systemd-resolved.
    """
    is_wanted = any(host.rstrip(".").lower().endswith(".local") for host in hosts)
    runs = is_wanted and surroundings.resolve(AVAHI / "socket").exists()
    return Confinement(sockets=frozenset({AVAHI})) if runs else Confinement()


def file_read_again(path: Path, surroundings: Surroundings, *, is_public: bool = False) -> Confinement:
    """A file that others may replace, and that the connector reads again by itself.

    Its folder is allowed, so that the next file of this name can be read too; where the folder is not the
    connector's own, the file alone, which is watched then. In a folder with `is_public` files others may keep
    something too, because everybody may read it anyway.
    """
    allowed = _file(path, surroundings, is_public=is_public)
    return allowed if allowed.outlives_replacement(path) else allowed | Confinement(watched=frozenset({path}))


def configuration(config: Path | None, definition: Path | None, *, surroundings: Surroundings) -> Confinement:
    """The configuration's own files, for a reload, and where systemd puts credentials."""
    allowed = Confinement()
    for path in (config, definition):
        if path is not None:
            allowed |= _file(path.absolute(), surroundings)
    credentials = surroundings.environ.get("CREDENTIALS_DIRECTORY")
    return allowed | Confinement(readable=_paths(credentials)) if credentials else allowed


def journal(settings: JournalSettings) -> Confinement:
    """The folder of the journal: SQLite creates and removes files next to it."""
    return Confinement(writable=frozenset({settings.path.parent}))


def nucleus(surroundings: Surroundings) -> Confinement:
    """The socket of the Greengrass nucleus, with its folder: the nucleus makes a new socket at each start."""
    name = surroundings.environ.get(NUCLEUS_SOCKET)
    if not name:
        return Confinement()
    path = Path(name).absolute()
    places = {path, surroundings.resolve(path)}
    folders = {surroundings.resolve(place.parent) for place in places}
    return Confinement(sockets=frozenset(places | _own(folders, surroundings)))


def broker(settings: TransportSettings, surroundings: Surroundings) -> Confinement:
    """The broker's port and the certificates for it. The Greengrass nucleus is not reached by TCP."""
    if not isinstance(settings, MqttSettings):
        return Confinement()
    ports = Confinement(connect_ports=frozenset({settings.broker.port}))
    return ports | _files_read_again(broker_files(settings), surroundings)


def broker_files(settings: TransportSettings) -> tuple[Path, ...]:
    """The authorities, the certificate and the key for the broker; none for a nucleus."""
    if not isinstance(settings, MqttSettings):
        return ()
    files = (settings.ca_file, settings.certificate_file, settings.key_file)
    return tuple(path for path in files if path is not None)


def twilio(settings: TwilioSettings, surroundings: Surroundings) -> Confinement:
    """Twilio's port, and those of the proxies that the environment names."""
    proxies = filter(None, map(surroundings.environ.get, _either_case(PROXY_VARIABLES)))
    ports = map(web_port, (settings.base_url, *proxies))
    allowed = Confinement(connect_ports=frozenset(port for port in ports if port is not None))
    return allowed | _files_read_again([settings.ca_file], surroundings)


def metrics(settings: MetricsSettings) -> Confinement:
    """The port on which the metrics are served, where they are; opened before the process is confined."""
    return (
        Confinement()
        if settings.listen is None
        else Confinement(listen_ports=frozenset({settings.listen[1]}))
    )


def remarks(allowed: Confinement, surroundings: Surroundings) -> Iterator[str]:
    """What an operator may want to arrange better, one sentence each."""
    for folder in sorted(allowed.writable):
        if is_shared(surroundings.resolve(folder), surroundings):
            yield (
                f"the connector writes into {folder}, which is not its own, so even confined it can read and "
                "change everything in there: give what it keeps a folder of its own ([journal] url)"
            )
    for path in sorted(allowed.watched - _paths(*RESOLVER_FILES)):
        if not allowed.outlives_replacement(path):
            yield (
                f"{path} stands in a folder of others, so another file in its place would be out of reach: "
                "the connector ends then, to be started again. Give it a folder of its own"
            )


def is_shared(folder: Path, surroundings: Surroundings) -> bool:
    """Whether the connector is not alone in it: a folder of the system, a home, or one above these."""
    home = surroundings.home
    return str(folder) in SHARED_FOLDERS or home.is_relative_to(folder) or folder.parent == Path("/home")


def web_port(url: str) -> int | None:
    """The port of a URL, or of HOST:PORT as proxies are often given; None where there is none to be found."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        return parts.port or WEB_PORTS.get(parts.scheme)
    except ValueError:
        return None


def _file(path: Path, surroundings: Surroundings, *, is_public: bool = False) -> Confinement:
    """The folders of a file and of what it links to; where one is not the connector's own, the file too."""
    target = surroundings.resolve(path)
    folders = {surroundings.resolve(path.parent), path.parent, target.parent}
    named = surroundings.own | {path, target}
    own = frozenset(
        folder
        for folder in folders
        if not _is_shared_link(folder, surroundings) and (is_public or _is_own(folder, named, surroundings))
    )
    return Confinement(readable=own if len(own) == len(folders) else own | {target})


def _is_own(folder: Path, named: frozenset[Path], surroundings: Surroundings) -> bool:
    """Whether the folder holds only what the configuration names, so no secret of others."""
    real = surroundings.resolve(folder)
    if real.name == OWN_NAME or str(folder) == surroundings.environ.get("CREDENTIALS_DIRECTORY"):
        return True
    if surroundings.work is not None and real == surroundings.resolve(surroundings.work):
        return True
    places = {surroundings.resolve(path.parent) / path.name for path in named}
    places |= {surroundings.resolve(path) for path in named}
    return _holds_only(real, frozenset(places), surroundings)


def _holds_only(folder: Path, named: frozenset[Path], surroundings: Surroundings) -> bool:
    names = surroundings.listed(folder)
    return names is not None and all(
        _is_ours(folder / name, named) or _leads_to_ours_alone(folder / name, named, surroundings)
        for name in names
    )


def _leads_to_ours_alone(entry: Path, named: frozenset[Path], surroundings: Surroundings) -> bool:
    return any(path.is_relative_to(entry) for path in named) and _holds_only(entry, named, surroundings)


def _is_ours(entry: Path, named: frozenset[Path]) -> bool:
    """Also what Kubernetes puts next to a secret (..data), and versions such as token.new and .token.swp."""
    versions = (path.name for path in named if path.parent == entry.parent)
    name = entry.name
    return entry in named or name.startswith("..") or any(map(name.lstrip(".").startswith, versions))


def _is_shared_link(folder: Path, surroundings: Surroundings) -> bool:
    return is_shared(folder, surroundings) or is_shared(surroundings.resolve(folder), surroundings)


def _files_read_again(paths: Iterable[Path | None], surroundings: Surroundings) -> Confinement:
    allowed = Confinement()
    for path in paths:
        if path is not None:
            allowed |= file_read_again(path, surroundings)
    return allowed


def _own(folders: Iterable[Path], surroundings: Surroundings) -> frozenset[Path]:
    return frozenset(folder for folder in folders if not _is_shared_link(folder, surroundings))


def _paths(*names: str) -> frozenset[Path]:
    return frozenset(map(Path, names))


def _either_case(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (name, name.lower())
