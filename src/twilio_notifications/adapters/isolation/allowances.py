"""The parts of the machine that the connector needs, one function for each; `bootstrap.isolation` joins them.

Pure, apart from following symbolic links. Each function allows the least that works. It allows a folder only
where the files in it may be replaced while the connector runs, because a rule of Landlock belongs to a
file and not to its name.
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
        TransportSettings,
        TwilioSettings,
    )
    from twilio_notifications.config.urls import HeartbeatUrl

SHARED_FOLDERS = frozenset(
    (
        *("/", "/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/opt", "/proc", "/root", "/run", "/srv"),
        *("/sys", "/tmp", "/usr", "/var"),  # noqa: S108 - named, never written to
        *("/etc/pki", "/etc/pki/tls", "/etc/pki/tls/private", "/etc/ssl", "/etc/ssl/private"),
        *("/run/secrets", "/run/user", "/usr/local", "/usr/local/etc", "/usr/share", "/var/lib"),
        "/var/tmp",  # noqa: S108 - as above
    )
)
"""Folders that many programs use: to allow one of them would also allow the secrets of other programs."""

OWN_NAME = "twilio-notifications"
"""A folder of this name belongs to the connector alone, with everything in it."""

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
"""The C library loads more of its files when it resolves a name or ends a thread."""

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
"""/etc/ssl itself is left out, because it also holds private keys of other programs."""

RESOLVER_FILES = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf")
"""The files that getaddrinfo reads, at each call or after a change."""
NAMES_OF_PORTS = ("/etc/services", "/etc/protocols")

DNS_PORT = 53
"""The resolver repeats a query by TCP when the answer is too long for UDP."""

WEB_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
NUCLEUS_SOCKET = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"
AVAHI = Path("/run/avahi-daemon")
"""The C library asks the Avahi daemon for names that end in .local, by a socket in this folder (nss-mdns)."""

PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def python(surroundings: Surroundings) -> Confinement:
    """The interpreter, its packages, the shared libraries and the time zones."""
    return Confinement(readable=_own(surroundings.python, surroundings) | _paths(*LIBRARIES, *TIME_ZONES))


def devices() -> Confinement:
    """/dev/null, /dev/urandom, and the kernel's files about this process and its processors.

    Thread pools take their size from the latter. Without them, the pools would be too large in a container
    with a quota.
    """
    return Confinement(
        readable=_paths(
            "/dev/null", "/dev/urandom", "/proc/self", "/sys/devices/system/cpu", "/sys/fs/cgroup"
        )
    )


def certificates(surroundings: Surroundings) -> Confinement:
    """The certificate authorities that the system trusts, and those that the environment names."""
    environ = surroundings.environ
    named = frozenset(Path(folder) for folder in environ.get("SSL_CERT_DIR", "").split(":") if folder)
    allowed = Confinement(readable=surroundings.certificates | named | _paths(*CERTIFICATES))
    if environ.get("SSL_CERT_FILE"):
        allowed |= file_read_again(Path(environ["SSL_CERT_FILE"]), surroundings)
    return allowed


def name_resolution(surroundings: Surroundings) -> Confinement:
    """The files and the TCP port that resolving names takes. Neither Landlock nor the filter confines UDP."""
    allowed = Confinement(readable=_paths(*NAMES_OF_PORTS), connect_ports=frozenset({DNS_PORT}))
    for name in RESOLVER_FILES:
        allowed |= file_read_again(Path(name), surroundings, is_public=True)
    return allowed


def local_names(hosts: Iterable[str], surroundings: Surroundings) -> Confinement:
    """The socket for names that end in .local, if one of the hosts has such a name and the daemon runs.

    Other names need no socket with a path: where the C library reaches neither nscd nor systemd-resolved, it
    uses files and DNS.
    """
    is_wanted = any(host.rstrip(".").lower().endswith(".local") for host in hosts)
    runs = is_wanted and surroundings.resolve(AVAHI / "socket").exists()
    return Confinement(sockets=frozenset({AVAHI})) if runs else Confinement()


def file_read_again(path: Path, surroundings: Surroundings, *, is_public: bool = False) -> Confinement:
    """A file that other programs may replace, and that the connector reads again while it runs.

    Allows its folder, so that the connector can read the next file of this name too. If the folder is not the
    connector's own, allows and watches the file alone. With `is_public`, the folder may hold files of other
    programs, because every user may read those anyway.
    """
    allowed = _file(path, surroundings, is_public=is_public)
    return allowed if allowed.outlives_replacement(path) else allowed | Confinement(watched=frozenset({path}))


def configuration(config: Path | None, definition: Path | None, *, surroundings: Surroundings) -> Confinement:
    """The files of the configuration, for a reload, and the folder where systemd puts credentials."""
    allowed = Confinement()
    for path in (config, definition):
        if path is not None:
            allowed |= _file(path.absolute(), surroundings)
    credentials = surroundings.environ.get("CREDENTIALS_DIRECTORY")
    return allowed | Confinement(readable=_paths(credentials)) if credentials else allowed


def journal(settings: JournalSettings, surroundings: Surroundings) -> Confinement:
    """The folder of the journal: SQLite creates and removes files next to it; or the ports of its servers."""
    if settings.database is None:
        return Confinement(writable=frozenset({settings.path.parent}))
    hosts = settings.database.hosts
    folders = frozenset(Path(host) for host, _ in hosts if host.startswith("/"))
    ports = frozenset(port for host, port in hosts if not host.startswith("/"))
    allowed = Confinement(connect_ports=ports, sockets=folders)
    return allowed | _files_read_again(settings.database.files, surroundings)


def nucleus(surroundings: Surroundings) -> Confinement:
    """The socket of the Greengrass nucleus and its folder: the nucleus makes a new socket at each start."""
    name = surroundings.environ.get(NUCLEUS_SOCKET)
    if not name:
        return Confinement()
    path = Path(name).absolute()
    places = {path, surroundings.resolve(path)}
    folders = {surroundings.resolve(place.parent) for place in places}
    return Confinement(sockets=frozenset(places | _own(folders, surroundings)))


def broker(settings: TransportSettings, surroundings: Surroundings) -> Confinement:
    """The broker's port and the certificates for it.

    Nothing for a Greengrass nucleus, which is not on TCP.
    """
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
    """Twilio's port, the ports of the proxies that the environment names, and the file of authorities."""
    variables = (*PROXY_VARIABLES, *map(str.lower, PROXY_VARIABLES))
    proxies = filter(None, map(surroundings.environ.get, variables))
    ports = map(web_port, (settings.base_url, *proxies))
    allowed = Confinement(connect_ports=frozenset(port for port in ports if port is not None))
    return allowed | _files_read_again([settings.ca_file], surroundings)


def listener(address: tuple[str, int] | None) -> Confinement:
    """The port of an address to listen on; nothing for None. It is opened before the process is confined."""
    return Confinement() if address is None else Confinement(listen_ports=frozenset({address[1]}))


def heartbeat(url: HeartbeatUrl | None) -> Confinement:
    """The port of the address that the heartbeat calls; nothing for None.

    The ports of proxies are allowed for Twilio already.
    """
    return Confinement() if url is None else Confinement(connect_ports=frozenset({url.port}))


def collector(url: str | None) -> Confinement:
    """The port to which traces go; nothing for None."""
    port = None if url is None else web_port(url)
    return Confinement() if port is None else Confinement(connect_ports=frozenset({port}))


def remarks(allowed: Confinement, surroundings: Surroundings) -> Iterator[str]:
    """One sentence for each thing that the operator should arrange better."""
    for folder in sorted(allowed.writable):
        if is_shared(surroundings.resolve(folder), surroundings):
            yield (
                f"the connector writes into {folder}, which other programs use too, so even a confined "
                "connector can read and change everything in it: give the journal a folder of its own "
                "([journal] url)"
            )
    for path in sorted(allowed.watched - _paths(*RESOLVER_FILES)):
        if not allowed.outlives_replacement(path):
            yield (
                f"{path} is in a folder that other programs use too, so the connector cannot read a file "
                "that replaces it, and ends in order to be started again: give the file a folder of its own"
            )


def is_shared(folder: Path, surroundings: Surroundings) -> bool:
    """Whether other programs use the folder too: a folder of the system, a home, or a folder above one."""
    home = surroundings.home
    return str(folder) in SHARED_FOLDERS or home.is_relative_to(folder) or folder.parent == Path("/home")


def web_port(url: str) -> int | None:
    """The port of a URL, or of HOST:PORT as proxies are often given; None where it names no port."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        return parts.port or WEB_PORTS.get(parts.scheme)
    except ValueError:
        return None


def _file(path: Path, surroundings: Surroundings, *, is_public: bool = False) -> Confinement:
    """The folders of a file and of its link's target; if one is not the connector's own, the file as well."""
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
    """Whether the folder holds only files that the configuration names, so no secret of other programs."""
    real = surroundings.resolve(folder)
    if real.name == OWN_NAME or str(folder) == surroundings.environ.get("CREDENTIALS_DIRECTORY"):
        return True
    if surroundings.work is not None and real == surroundings.resolve(surroundings.work):
        return True
    places = {surroundings.resolve(path.parent) / path.name for path in named}
    places |= {surroundings.resolve(path) for path in named}
    return _holds_only(real, frozenset(places), surroundings)


def _holds_only(folder: Path, named: frozenset[Path], surroundings: Surroundings) -> bool:
    """Whether the folder, with the folders in it, holds only `named` and versions of `named`.

    A version is a file such as token.new or .token.swp, or an entry such as ..data, which Kubernetes puts
    next to a secret.
    """
    names = surroundings.list_names(folder)
    if names is None:
        return False
    beginnings = tuple(path.name for path in named if path.parent == folder)
    for name in names:
        entry = folder / name
        if entry in named or name.startswith("..") or name.lstrip(".").startswith(beginnings):
            continue
        leads_to_named = any(path.is_relative_to(entry) for path in named)
        if not leads_to_named or not _holds_only(entry, named, surroundings):
            return False
    return True


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
