"""What a confined connector may reach, computed from its settings: the least that works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.process import write_configuration
from twilio_notifications.adapters import isolation
from twilio_notifications.adapters.isolation import Confinement, Surroundings
from twilio_notifications.adapters.isolation.allowances import (
    file_read_again,
    is_shared,
    web_port,
)
from twilio_notifications.bootstrap.isolation import allowed
from twilio_notifications.checks.isolation import notes
from twilio_notifications.config import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.process import Section
    from twilio_notifications.config import Settings

HOMES = Path("/home")
HOME = HOMES / "pi"
PYTHON = Path("/opt/twilio-notifications/lib")


def surroundings(**environ: str) -> Surroundings:
    return Surroundings(
        environ=environ,
        home=HOME,
        python=frozenset({PYTHON, Path("/usr/share"), HOME}),
        certificates=frozenset({Path("/usr/lib/ssl/certs")}),
        resolve=Path.resolve,
    )


def settings(folder: Path, environ: Mapping[str, str] | None = None, **sections: Section) -> Settings:
    parameters = {"connector.parameters": {"TWILIO_ACCOUNT_SID": "AC1"}}
    folder.mkdir(exist_ok=True)
    return load(write_configuration(folder / "connector.toml", parameters | sections), environ or {})


def of(folder: Path, environ: Mapping[str, str] | None = None, **sections: Section) -> Confinement:
    """The whole confinement of a connector that is configured so, with its configuration in `folder`."""
    return allowed(
        settings(folder, environ, **sections), folder / "connector.toml", surroundings(**(environ or {}))
    )


# Ports.


def test_the_ports_are_those_of_the_broker_of_twilio_and_of_dns(tmp_path: Path) -> None:
    confinement = of(tmp_path, transport={"url": "mqtts://broker.example"})
    assert {53, 443, 8883} == confinement.connect_ports


@pytest.mark.parametrize(
    ("base_url", "port"),
    [("http://127.0.0.1:4010", 4010), ("http://proxy.example", 80), ("https://[::1]:8443", 8443)],
)
def test_twilios_port_is_that_of_its_address(tmp_path: Path, base_url: str, port: int) -> None:
    assert port in of(tmp_path, twilio={"base_url": base_url}).connect_ports


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
def test_the_port_of_a_proxy_of_the_environment_is_allowed(tmp_path: Path, variable: str) -> None:
    assert 3128 in of(tmp_path, {variable: "http://proxy.example:3128"}).connect_ports


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://proxy.example", 80),
        ("https://user:secret@proxy.example", 443),
        ("proxy.example:3128", 3128),
        ("socks5h://proxy.example", 1080),
        ("http://proxy.example:no-port", None),
        ("ftp://proxy.example", None),
    ],
)
def test_the_port_of_an_address_is_found_however_it_is_written(url: str, port: int | None) -> None:
    assert port == web_port(url)


def test_nothing_listens_by_default(tmp_path: Path) -> None:
    assert frozenset() == of(tmp_path).listen_ports


def test_the_port_of_the_health_may_be_listened_on(tmp_path: Path) -> None:
    assert {9465} == of(tmp_path, health={"listen": "127.0.0.1:9465"}).listen_ports


@pytest.mark.parametrize(
    ("section", "url", "port"),
    [
        ("heartbeat", "https://hc.example/ping/secret", 443),
        ("heartbeat", "http://hc.example:8000/ping/secret", 8000),
        ("traces", "http://127.0.0.1:4318/v1/traces", 4318),
        ("traces", "https://collector.example/v1/traces", 443),
    ],
)
def test_the_ports_of_heartbeat_and_collector_may_be_connected_to(
    tmp_path: Path, section: str, url: str, port: int
) -> None:
    assert port in of(tmp_path, **{section: {"url": url}}).connect_ports


def test_the_port_of_the_metrics_may_be_listened_on(tmp_path: Path) -> None:
    assert {9464} == of(tmp_path, metrics={"listen": "127.0.0.1:9464"}).listen_ports


def test_a_greengrass_nucleus_needs_no_port(tmp_path: Path) -> None:
    confinement = isolation.broker(
        settings(tmp_path, transport={"kind": "greengrass"}).transport, surroundings()
    )
    assert Confinement() == confinement


# Folders.


def test_only_the_journals_folder_can_be_written_to(tmp_path: Path) -> None:
    confinement = of(tmp_path, journal={"url": f"sqlite:///{tmp_path}/state/journal.db"})
    assert {tmp_path / "state"} == confinement.writable


def test_python_is_readable_without_the_folders_that_others_use_too(tmp_path: Path) -> None:
    confinement = of(tmp_path)
    assert PYTHON in confinement.readable
    assert not {Path("/usr/share"), HOME} & confinement.readable


@pytest.mark.parametrize("environ", [{}, {"SSL_CERT_FILE": "/etc/ssl/private/all.pem"}])
def test_no_folder_is_readable_in_which_others_keep_secrets(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    confinement = of(tmp_path, environ)
    assert [] == [str(path) for path in confinement.readable if is_shared(path, surroundings())]
    shadow, key = Path("/etc/shadow"), Path("/etc/ssl/private/other.key")
    assert not confinement.outlives_replacement(shadow)
    assert not confinement.outlives_replacement(key)


@pytest.mark.parametrize(
    "folder",
    ["/", "/etc", HOMES, HOME, HOMES / "somebody", "/run/secrets", "/etc/ssl/private", "/root"],
)
def test_a_folder_of_the_system_or_a_home_is_shared(folder: str | Path) -> None:
    assert is_shared(Path(folder), surroundings())


@pytest.mark.parametrize(
    "folder", ["/etc/twilio-notifications", HOME / "connector", "/journal", "/var/lib/twilio-notifications"]
)
def test_a_folder_with_a_purpose_is_not_shared(folder: str | Path) -> None:
    assert not is_shared(Path(folder), surroundings())


# Files that are replaced.


def test_a_file_in_a_folder_of_its_own_is_allowed_by_its_folder(tmp_path: Path) -> None:
    """So that its successor of the same name can be read."""
    token = tmp_path / "secrets" / "token"
    confinement = of(tmp_path, secrets={"source": "file", "path": str(token)})
    assert token.parent in confinement.readable
    assert token not in confinement.watched


def test_a_file_in_a_shared_folder_is_allowed_alone_and_watched(tmp_path: Path) -> None:
    token = Path("/etc/twilio-token")
    confinement = of(tmp_path, secrets={"source": "file", "path": str(token)})
    assert token in confinement.readable
    assert token in confinement.watched
    assert Path("/etc") not in confinement.readable


@pytest.mark.parametrize("other", ["other.key", "work", "docker.sock"])
def test_a_file_among_those_of_others_is_allowed_alone_and_watched(tmp_path: Path, other: str) -> None:
    """As in /greengrass/v2 and /run/user/1000: the whole folder would open what the others keep there."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    token = folder / "token"
    token.touch()
    (folder / other).mkdir() if other == "work" else (folder / other).touch()
    confinement = of(tmp_path / "etc", secrets={"source": "file", "path": str(token)})
    assert token in confinement.readable
    assert token in confinement.watched
    assert not confinement.outlives_replacement(folder / other)
    (remark,) = remarks(confinement)
    assert remark.startswith(f"{token} is in a folder that other programs use too")


def test_a_key_is_no_different(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("ca.pem", "connector.pem", "connector.key", "other.key"):
        (folder / name).touch()
    transport = {
        "url": "mqtts://broker",
        "ca_file": str(folder / "ca.pem"),
        "certificate_file": str(folder / "connector.pem"),
        "key_file": str(folder / "connector.key"),
    }
    assert folder / "other.key" not in of(tmp_path / "etc", transport=transport).readable
    assert not of(tmp_path / "etc", transport=transport).outlives_replacement(folder / "other.key")
    (folder / "other.key").unlink()
    confinement = of(tmp_path / "etc", transport=transport)
    assert folder in confinement.readable
    assert frozenset() == {path for path in confinement.watched if path.is_relative_to(folder)}


@pytest.mark.parametrize("other", ["token.new", ".token.swp", "token~"])
def test_versions_of_a_file_leave_its_folder_its_own(tmp_path: Path, other: str) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in ("token", other):
        (folder / name).touch()
    secrets = {"source": "file", "path": str(folder / "token")}
    assert folder in of(tmp_path / "etc", secrets=secrets).readable


def test_a_secret_of_kubernetes_is_allowed_with_the_folders_that_its_links_go_through(tmp_path: Path) -> None:
    """A new version is a new folder behind ..data; only the mounted folder stays."""
    folder = tmp_path / "mounted"
    (folder / "..2026_11_26").mkdir(parents=True)
    (folder / "..2026_11_26" / "token").touch()
    (folder / "..data").symlink_to("..2026_11_26")
    (folder / "token").symlink_to("..data/token")
    confinement = of(tmp_path / "etc", secrets={"source": "file", "path": str(folder / "token")})
    assert folder in confinement.readable
    assert frozenset() == {path for path in confinement.watched if path.is_relative_to(folder)}


def test_a_folder_of_the_connectors_name_is_its_own_whatever_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "twilio-notifications"
    folder.mkdir()
    for name in ("token", "notes.txt"):
        (folder / name).touch()
    secrets = {"source": "file", "path": str(folder / "token")}
    assert folder in of(tmp_path / "etc", secrets=secrets).readable


def test_the_work_folder_of_a_component_is_its_own(tmp_path: Path) -> None:
    """A nucleus gives it to this component alone; the program stands there, the journal and the token."""
    for name in ("token", "venv-3f2a-3.13", "unpacked"):
        (tmp_path / name).touch()
    started = replace(surroundings(), work=tmp_path)
    confinement = file_read_again(tmp_path / "token", started)
    assert tmp_path in confinement.readable
    assert confinement.outlives_replacement(tmp_path / "token")
    assert tmp_path not in file_read_again(tmp_path / "token", surroundings()).readable


def test_a_link_is_allowed_with_the_folders_on_both_ends(tmp_path: Path) -> None:
    """As certbot and Kubernetes keep files: the link is changed, or what it leads to."""
    live, archive = tmp_path / "live", tmp_path / "archive"
    for folder in (live, archive):
        folder.mkdir()
    (archive / "key1.pem").touch()
    (live / "key.pem").symlink_to("../archive/key1.pem")
    allowed_ = isolation.file_read_again(live / "key.pem", surroundings())
    assert {live, archive} == allowed_.readable
    assert frozenset() == allowed_.watched


def test_a_secret_of_systemd_is_looked_up_in_its_folder(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": "/run/credentials/twilio-notifications.service"}
    confinement = of(tmp_path, environ, secrets={"source": "file", "path": "token"})
    assert Path(environ["CREDENTIALS_DIRECTORY"]) in confinement.readable


def test_a_path_of_a_secret_that_is_not_used_is_not_allowed(tmp_path: Path) -> None:
    secrets = {"source": "environment", "path": str(tmp_path / "secrets" / "token")}
    assert tmp_path / "secrets" not in of(tmp_path, secrets=secrets).readable


def test_the_resolvers_files_are_watched_where_they_stand_among_others(tmp_path: Path) -> None:
    assert {Path("/etc/hosts"), Path("/etc/nsswitch.conf")} <= of(tmp_path).watched


def test_all_files_of_the_configuration_can_be_read(tmp_path: Path) -> None:
    files = {name: tmp_path / name / "file.pem" for name in ("ca_file", "certificate_file", "key_file")}
    twilio = tmp_path / "twilio" / "ca.pem"
    for path in (*files.values(), twilio):
        path.parent.mkdir()
        path.touch()
    confinement = of(
        tmp_path,
        transport={"url": "mqtts://broker.example"} | {name: str(path) for name, path in files.items()},
        twilio={"ca_file": str(twilio)},
    )
    for path in (*files.values(), twilio, tmp_path / "connector.toml"):
        assert confinement.outlives_replacement(path), path


# What is said about it.


def remarks(confinement: Confinement) -> list[str]:
    return list(isolation.remarks(confinement, surroundings()))


def test_a_good_arrangement_needs_no_remark(tmp_path: Path) -> None:
    assert [] == remarks(of(tmp_path))


def test_a_secret_among_the_files_of_others_is_remarked_upon(tmp_path: Path) -> None:
    (remark,) = remarks(of(tmp_path, secrets={"source": "file", "path": "/etc/twilio-token"}))
    assert remark.startswith("/etc/twilio-token is in a folder that other programs use too")


def test_a_journal_at_home_is_remarked_upon(tmp_path: Path) -> None:
    (remark,) = remarks(of(tmp_path, journal={"url": f"sqlite:///{HOME}/journal.db"}))
    assert remark.startswith(f"the connector writes into {HOME}, which other programs use too")


def test_without_isolation_there_is_nothing_to_remark(tmp_path: Path) -> None:
    parameters = {"TWILIO_ACCOUNT_SID": "AC1", "IsolationMode": "NoContainer"}
    given = settings(
        tmp_path, **{"connector.parameters": parameters, "journal": {"url": f"sqlite:///{Path.home()}/j.db"}}
    )
    assert [] == notes(given, tmp_path / "connector.toml", {})


def test_a_user_without_a_home_has_surroundings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container, whose user is a number that no file knows."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError))
    assert Path("/nonexistent") == Surroundings.here({}).home
