"""The URLs of the configuration: what they are taken apart into, and what is refused without showing it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tests.config.loading_steps import environment, from_environment, only_problem
from tests.support.variants import as_a
from twilio_notifications.config import MqttSettings
from twilio_notifications.config.rules import proxy_warning
from twilio_notifications.config.urls import (
    BrokerAddress,
    DatabaseAddress,
    Wrong,
    is_loopback,
    read_broker_url,
    read_journal_url,
    read_web_url,
)
from twilio_notifications.core.model import Secret


def address(url: str) -> BrokerAddress:
    read = read_broker_url(url)
    assert isinstance(read, BrokerAddress), read
    return read


def demand(read: object) -> str:
    assert isinstance(read, Wrong), read
    return read.demand


# Broker


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", ("broker", 1883, False)),
        ("mqtts://broker", ("broker", 8883, True)),
        ("mqtt://broker/", ("broker", 1883, False)),
        ("mqtt://broker:", ("broker", 1883, False)),
        ("mqtt://127.0.0.1:18830", ("127.0.0.1", 18830, False)),
        ("mqtts://[::1]:443", ("::1", 443, True)),
        ("MQTTS://Broker.Example:65535", ("broker.example", 65535, True)),
    ],
)
def test_a_broker_url_is_taken_apart(url: str, expected: tuple[str, int, bool]) -> None:
    read = address(url)
    assert (*expected, None, None) == (read.host, read.port, read.tls, read.username, read.password)


def test_user_and_password_are_percent_decoded() -> None:
    read = address("mqtt://al%40ce:p%3Aa%2Fs%23s%25@broker")
    assert ("al@ce", Secret("p:a/s#s%")) == (read.username, read.password)
    assert (None, "alice") == (
        address("mqtt://alice@broker").password,
        address("mqtt://alice@broker").username,
    )
    assert Secret("") == address("mqtt://alice:@broker").password


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_whatever_is_percent_encoded_comes_back(text: str) -> None:
    read = address(f"mqtt://{quote(text, safe='')}:{quote(text, safe='')}@broker:1")
    assert (text, Secret(text)) == (read.username, read.password)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("broker", "must be mqtt://host:port or mqtts://host:port"),
        ("", "must be mqtt://host:port"),
        ("tcp://u:hunter2@broker:1883", "must be mqtt://host:port"),
        ("u:hunter2@broker", "must be mqtt://host:port"),
        ("mqtt://u:hunter2@bro\tker", "must be mqtt://host:port"),
        ("mqtt://u:hunter2@broker\n", "must be mqtt://host:port"),
        ("mqtt://u:hunter2@[::1", "must be mqtt://host:port"),
        ("mqtt://", "must name a host"),
        ("mqtt://u:hunter2@", "must name a host"),
        ("mqtt://u:hunter2@:1883", "must name a host"),
        ("mqtt://u:hunter2@broker:0", "must have a port from 1 to 65535"),
        ("mqtt://u:hunter2@broker:65536", "must have a port from 1 to 65535"),
        ("mqtt://u:hunter2@broker:x", "must have a port from 1 to 65535"),
        ("mqtt://u:hunter2#x@broker", "must end after host and port"),
        ("mqtt://u:hunter2?x@broker", "must end after host and port"),
        ("mqtt://u:hunter2/x@broker", "must end after host and port"),
        ("mqtt://u:hunter2@broker/topic", "must end after host and port"),
        ("mqtt://:hunter2@broker", "must have a user name where it has a password"),
        ("mqtt://u:hunter2%FF@broker", "percent-encoded as UTF-8"),
        ("mqtt://u%FF:hunter2@broker", "percent-encoded as UTF-8"),
    ],
)
def test_a_wrong_broker_url_is_refused_without_showing_any_of_it(url: str, expected: str) -> None:
    assert expected in demand(read_broker_url(url))
    if url:
        found = only_problem(None, environment(TRANSPORT__URL=url))
        assert found.startswith("transport.url must")
        assert "hunter2" not in found


@pytest.mark.parametrize("url", ["[]", '["mqtt://u:hunter2@broker"]'])
def test_a_broker_url_of_another_type_is_not_shown_either(url: str, tmp_path: Path) -> None:
    path = tmp_path / "connector.toml"
    path.write_text(f"[transport]\nurl = {url}\n", encoding="utf-8")
    found = only_problem(path, environment())
    assert f"transport.url must be an mqtt:// or mqtts:// URL (in {path})" == found


def test_the_address_for_people_writes_ipv6_in_brackets() -> None:
    transport = as_a(MqttSettings, from_environment(TRANSPORT__URL="mqtt://u:p@[::1]").transport)
    assert "mqtt://[::1]:1883" == transport.address


# Journal


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///journal.db", "journal.db"),
        ("sqlite:///some/where/j.db", "some/where/j.db"),
        ("sqlite:////var/lib/j.db", "/var/lib/j.db"),
        ("sqlite:///with space%20.db", "with space%20.db"),
    ],
)
def test_a_journal_url_names_a_file(url: str, expected: str) -> None:
    assert Path(expected) == read_journal_url(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("journal.db", "must be sqlite:///relative"),
        ("sqlite://journal.db", "must be sqlite:///relative"),
        ("mysql://u:hunter2@host/x", "must be sqlite:///relative"),
        ("sqlite:///", "name of the file is missing"),
        ("sqlite:////var/lib/", "name of the file is missing"),
        ("sqlite:///:memory:", "lost at the end"),
        ("sqlite:///journal.db?mode=ro", "without options"),
    ],
)
def test_a_wrong_journal_url_is_refused(url: str, expected: str) -> None:
    assert expected in demand(read_journal_url(url))
    found = only_problem(None, environment(JOURNAL__URL=url))
    assert found.startswith("journal.url must be sqlite:///relative/file.db, sqlite:////absolute/file.db or")
    assert "hunter2" not in found


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///journal?port=x",
        "postgresql:///journal?host=one&port=0",
        "postgresql:///journal?host=one,two&port=5433,5434,5435",
        "postgresql://one,,two/journal",
    ],
)
def test_a_journal_url_whose_ports_its_driver_could_not_read_is_refused(url: str) -> None:
    read = read_journal_url(url)
    assert isinstance(read, Wrong)
    assert "must have a port from 1 to 65535" in read.demand


@pytest.mark.parametrize(
    ("url", "hosts", "database"),
    [
        ("postgresql://host/journal", [("host", 5432)], "journal"),
        ("postgres://u:p%40w@host:5433/j%20l", [("host", 5433)], "j l"),
        ("postgresql://[::1]:5433/journal", [("::1", 5433)], "journal"),
        ("postgresql://one,two:5433/journal?port=5434", [("one", 5432), ("two", 5433)], "journal"),
        ("postgresql:///journal?host=one,two:5433", [("one", 5432), ("two", 5433)], "journal"),
        ("postgresql:///journal?host=one,two&port=5433,5434", [("one", 5433), ("two", 5434)], "journal"),
        ("postgresql:///journal?host=/run/postgresql", [("/run/postgresql", 5432)], "journal"),
        ("postgresql:///journal", [("localhost", 5432)], "journal"),
        ("postgresql:///journal?port=5434", [("localhost", 5434)], "journal"),
        ("postgresql:///journal?host=/run/postgresql&port=5434", [("/run/postgresql", 5434)], "journal"),
        ("postgresql://u@%2Frun%2Fpostgresql:5434/journal", [("/run/postgresql", 5434)], "journal"),
    ],
)
def test_a_journal_url_names_a_database(url: str, hosts: list[tuple[str, int]], database: str) -> None:
    """With the servers that its driver would connect to."""
    read = read_journal_url(url)
    assert isinstance(read, DatabaseAddress)
    assert (tuple(hosts), database) == (read.hosts, read.database)
    assert url == read.whole.reveal()
    assert "p%40w" not in repr(read)


def test_the_files_that_a_database_url_names_are_known() -> None:
    read = read_journal_url("postgresql://host/j?sslmode=verify-full&sslrootcert=/etc/ca.pem&passfile=/run/p")
    assert isinstance(read, DatabaseAddress)
    assert (Path("/etc/ca.pem"), Path("/run/p")) == read.files


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:hunter2@host/", "must end with the name of a database"),
        ("postgresql://u:hunter2@host", "must end with the name of a database"),
        ("postgresql://u:hunter2@host:99999/x", "must have a port from 1 to 65535"),
        ("postgresql://u:hunter2@host/x/y", "in user and password write / as %2F"),
        ("postgresql://u:hunter2#@host/x", "in user and password write / as %2F"),
        ("postgresql://u:hunter2@host/x?sslmode", "each as name=value"),
        (
            "postgresql://u:hunter2@host/x?sslmode=on",
            "disable, allow, prefer, require, verify-ca, verify-full",
        ),
        ("postgresql://u:hunter2@host/x?sslmode=Require", "after sslmode=: disable, allow"),
        ("postgresql://u:hunter2@host/x?sslnegotiation=no", "after sslnegotiation=: postgres, direct"),
        ("postgresql://u:hunter2@host/x?ssl_min_protocol_version=1.2", "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
        ("postgresql://u:hunter2@host/x?target_session_attrs=master", "any, primary, standby, read-write"),
    ],
)
def test_a_wrong_database_url_is_refused_without_repeating_it(url: str, expected: str) -> None:
    assert expected in demand(read_journal_url(url))
    assert "hunter2" not in only_problem(None, environment(JOURNAL__URL=url))


@pytest.mark.parametrize(
    "name",
    [
        *("sslmode", "sslnegotiation", "target_session_attrs"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_driver_knows_each_word_that_a_database_url_may_hold(tmp_path: Path, name: str) -> None:
    asyncpg = pytest.importorskip("asyncpg")
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    words = demand(read_journal_url(f"postgresql://host/x?{name}=hunter2")).rpartition(": ")[2].split(", ")
    for word in words:
        # It reads its options before it looks for the socket.
        options = {"host": tmp_path, "sslmode": "require", "sslrootcert": authority, name: word}
        url = f"postgresql:///x?{urlencode(options)}"
        with pytest.raises(OSError):  # noqa: PT011 - there is no socket
            asyncio.run(asyncpg.connect(url))


@pytest.mark.parametrize(
    ("url", "is_exposed"),
    [
        ("postgresql://u:p@db.example.com/x", True),
        ("postgresql://u:p@db.example.com/x?sslmode=prefer", True),
        ("postgresql://u@db.example.com/x?password=p", True),
        ("postgresql://u@db.example.com/x?passfile=/run/p", True),
        ("postgresql://u:p@127.0.0.1,db.example.com/x", True),
        ("postgresql://u@db.example.com/x", False),
        ("postgresql://u:p@db.example.com/x?sslmode=require", False),
        ("postgresql://u:p@db.example.com/x?sslmode=verify-full", False),
        ("postgresql://u:p@127.0.0.1/x", False),
        ("postgresql://u:p@localhost,127.0.0.1:5433/x", False),
        ("postgresql://u:p@/x?host=/run/postgresql", False),
    ],
)
def test_a_password_that_may_cross_a_network_in_the_clear_to_a_database_deserves_a_warning(
    url: str, *, is_exposed: bool
) -> None:
    warnings = from_environment(JOURNAL__URL=url).warnings
    assert is_exposed == any("holds a password, which may cross the network" in one for one in warnings)
    assert not any("u:p@" in one for one in warnings)


# Twilio's API


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.twilio.com", "https://api.twilio.com"),
        ("https://api.twilio.com/", "https://api.twilio.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("HTTPS://proxy.example/twilio//", "https://proxy.example/twilio"),
    ],
)
def test_a_web_url_loses_its_last_slash(url: str, expected: str) -> None:
    assert expected == read_web_url(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("api.twilio.com", "must be an absolute URL"),
        ("ftp://api.twilio.com", "must be an absolute URL"),
        ("https://", "must be an absolute URL"),
        ("https:///path", "must be an absolute URL"),
        ("https://a b", "must be an absolute URL"),
        ("https://host:0", "must have a port"),
        ("https://host:99999", "must have a port"),
        ("https://u:hunter2@host", "must have no user"),
        ("https://host?x=hunter2", "must have no user"),
        ("https://host#hunter2", "must have no user"),
    ],
)
def test_a_wrong_web_url_is_refused_without_showing_any_of_it(url: str, expected: str) -> None:
    assert expected in demand(read_web_url(url))
    assert "hunter2" not in only_problem(None, environment(TWILIO__BASE_URL=url))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1", "http://localhost", "http://x.localhost"],
)
def test_plain_http_inside_this_machine_needs_no_warning(url: str) -> None:
    assert is_loopback(url)
    assert () == from_environment(TWILIO__BASE_URL=url).warnings


@pytest.mark.parametrize("url", ["http://api.twilio.com", "HTTP://10.0.0.1", "http://localhost.example"])
def test_plain_http_across_a_network_is_used_with_a_warning(url: str) -> None:
    assert not is_loopback(url)
    (warning,) = from_environment(TWILIO__BASE_URL=url).warnings
    assert "the auth token crosses the network unencrypted" in warning
    assert "TWILIO_NOTIFICATIONS__TWILIO__BASE_URL" in warning


@pytest.mark.parametrize("login", ["user:password", "token"])
def test_a_password_in_clear_across_a_network_is_used_with_a_warning(login: str) -> None:
    (warning,) = from_environment(TRANSPORT__URL=f"mqtt://{login}@broker.example").warnings
    assert "crosses the network unencrypted" in warning
    assert login not in warning
    assert "TWILIO_NOTIFICATIONS__TRANSPORT__URL" in warning


@pytest.mark.parametrize(
    "url",
    [
        "mqtts://user:password@broker.example",
        "mqtt://user:password@127.0.0.1",
        "mqtt://user:password@localhost",
        "mqtt://user:password@[::1]:1884",
        "mqtt://broker.example",
    ],
)
def test_where_no_password_crosses_a_network_in_clear_no_warning_is_needed(url: str) -> None:
    assert () == from_environment(TRANSPORT__URL=url).warnings


PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_that_would_get_the_token_in_clear_is_warned_of(name: str) -> None:
    warning = proxy_warning("http://127.0.0.1:4010", {name: PROXY, "no_proxy": "elsewhere.example"})
    assert f"the environment variable {name.lower()} names a proxy" in warning
    assert "the auth token unencrypted" in warning
    assert "add 127.0.0.1 to no_proxy" in warning


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("https://api.twilio.com", {"http_proxy": PROXY, "https_proxy": PROXY}),
        ("http://127.0.0.1:4010", {"https_proxy": PROXY}),
        ("http://127.0.0.1:4010", {"http_proxy": ""}),
        ("http://127.0.0.1:4010", {"http_proxy": PROXY, "no_proxy": "localhost, 127.0.0.1"}),
        ("http://twilio.example.org", {"http_proxy": PROXY, "NO_PROXY": ".example.org"}),
        ("http://twilio.example.org", {"http_proxy": PROXY, "NO_PROXY": "*"}),
    ],
)
def test_a_proxy_that_does_not_get_it_needs_no_warning(url: str, environ: dict[str, str]) -> None:
    assert "" == proxy_warning(url, environ)


def test_https_needs_no_warning_anywhere() -> None:
    assert () == from_environment(TWILIO__BASE_URL="https://10.0.0.1").warnings
