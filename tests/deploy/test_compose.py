"""The Compose file is valid, fits our program, and its containers are as closed as they can be."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from twilio_notifications import cli
from twilio_notifications.config import FileSecrets, load, load_console
from twilio_notifications.config.sources import defaults

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "deploy" / "compose"
FILE = FOLDER / "compose.yaml"
IGNORED = ROOT / ".gitignore"
CONFIGURATION = FOLDER / "configuration" / "twilio-notifications.toml"
CONTAINERFILE = (ROOT / "deploy" / "container" / "Containerfile").read_text("utf-8")

VALUES = {
    "JOURNAL_PASSWORD": "8b2f5c",
    "BROKER_PASSWORD": "4d1e7a",
    "CONSOLE_TOKEN_HASH": "scrypt:15:6GHrEb4bOrRHtfWRXwBp6g:RJIL7yMPmUyXxQ1AVkvKXyUYUxu1S0MXGZ3AHTwhsDs",
}
"""What an operator fills into `.env`."""

Service = dict[str, Any]


def filled_in(text: str) -> str:
    """The text with the variables of Compose in it replaced, as `docker compose config` does."""
    return re.sub(
        r"\$\{(\w+)(?::\?[^}]*|:-([^}]*))?\}",
        lambda found: VALUES[found[1]] if found[2] is None else VALUES.get(found[1], found[2]),
        text,
    )


COMPOSE = yaml.safe_load(filled_in(FILE.read_text("utf-8")))
SERVICES: dict[str, Service] = COMPOSE["services"]
EACH = pytest.mark.parametrize("name", SERVICES)
OURS = pytest.mark.parametrize("name", ["connector", "console"])


def validated(file: Path) -> subprocess.CompletedProcess[str]:
    """What the schema of compose-spec.io says of it; the schema is a part of the package."""
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)


def test_compose_takes_the_file_and_knows_each_word_of_it() -> None:
    run = validated(FILE)
    assert 0 == run.returncode, run.stdout + run.stderr


def test_the_schema_finds_a_word_that_compose_does_not_know(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(FILE.read_text("utf-8").replace("read_only:", "readonly:"), "utf-8")
    assert "'readonly' was unexpected" in validated(wrong).stdout


# Fit together


@EACH
def test_what_a_service_names_exists(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
    assert service.get("depends_on", {}).keys() <= SERVICES.keys()
    for volume in service["volumes"]:
        source = volume.partition(":")[0]
        assert (FOLDER / source).is_dir() if source.startswith(".") else source in COMPOSE["volumes"]


def test_what_is_waited_for_says_when_it_is_well() -> None:
    waited_for = {
        name
        for service in SERVICES.values()
        for name, condition in service.get("depends_on", {}).items()
        if condition["condition"] == "service_healthy"
    }
    assert {"postgresql"} == waited_for
    assert "healthcheck" in SERVICES["postgresql"]


def test_the_addresses_lead_to_services_of_the_file() -> None:
    for variable, user in (("JOURNAL", "connector"), ("TRANSPORT", "connector")):
        url = SERVICES["connector"]["environment"][f"TWILIO_NOTIFICATIONS__{variable}__URL"]
        assert re.fullmatch(rf"\w+://{user}:\w+@({'|'.join(SERVICES)}):\d+(/journal)?", url), url
    database = SERVICES["postgresql"]["environment"]
    assert ("connector", "journal") == (database["POSTGRES_USER"], database["POSTGRES_DB"])


def test_each_variable_is_in_the_example_for_it_and_none_has_a_value_there() -> None:
    named = set(re.findall(r"\$\{(\w+)", FILE.read_text("utf-8")))
    example = (FOLDER / "example.env").read_text("utf-8")
    assert named == set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
    assert VALUES.keys() == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))


@pytest.mark.skipif(not IGNORED.exists(), reason="a source distribution has no list of what is not committed")
def test_what_an_operator_fills_in_is_never_committed() -> None:
    ignored = IGNORED.read_text("utf-8").splitlines()
    token = COMPOSE["secrets"]["twilio-auth-token"]["file"].removeprefix("./")
    for name in (".env", token, "broker/passwords"):
        assert f"/deploy/compose/{name}" in ignored


def test_the_broker_asks_each_user_of_the_access_list_for_a_password() -> None:
    lines = (FOLDER / "broker" / "mosquitto.conf").read_text("utf-8").splitlines()
    assert {"allow_anonymous false", "persistence true", "listener 1883"} <= set(lines)
    for setting, file in (("password_file", "passwords"), ("acl_file", "acl")):
        assert f"{setting} /mosquitto/config/{file}" in lines
    assert "./broker:/mosquitto/config:ro" in SERVICES["mosquitto"]["volumes"]


# Fit our program


@OURS
def test_the_image_is_built_with_what_the_services_need_and_has_the_version_of_this_project(
    name: str,
) -> None:
    build = SERVICES[name]["build"]
    assert f"twilio-notifications:{version('twilio-notifications')}" == SERVICES[name]["image"]
    assert {"console", "postgres"} <= set(build["args"]["EXTRAS"].split())
    assert ROOT == (FOLDER / build["context"]).resolve()
    assert (ROOT / build["dockerfile"]).is_file()


def test_the_configuration_loads_and_warns_only_of_what_stays_on_this_machine() -> None:
    broker, journal = load(CONFIGURATION, SERVICES["connector"]["environment"]).warnings
    assert broker.startswith("transport.url begins with mqtt:// and holds a user name or password")
    assert journal.startswith("journal.url holds a password, which may cross the network unencrypted")


def test_the_console_listens_where_its_port_is_published_for_this_machine_alone() -> None:
    settings = load_console(CONFIGURATION, SERVICES["console"]["environment"])
    host, port = settings.console.listen
    assert "0.0.0.0" == host
    assert [f"127.0.0.1:{port}:{port}"] == SERVICES["console"]["ports"]
    assert settings.console.token_hash is not None


def test_the_console_has_no_token() -> None:
    assert "secrets" not in SERVICES["console"]


def test_the_health_is_asked_where_the_configuration_has_it() -> None:
    settings = load(CONFIGURATION, SERVICES["connector"]["environment"])
    assert settings.health.listen is not None
    program, *_, code = SERVICES["connector"]["healthcheck"]["test"][1:]
    assert f"http://127.0.0.1:{settings.health.listen[1]}/health/ready" in code
    assert f"{program.rpartition('/bin/')[0]}/bin/twilio-notifications" in CONTAINERFILE


def test_the_token_is_mounted_where_the_configuration_reads_it() -> None:
    secrets = load(CONFIGURATION, SERVICES["connector"]["environment"]).secrets
    assert isinstance(secrets, FileSecrets)
    assert f"/run/secrets/{SERVICES['connector']['secrets'][0]}" == secrets.file.name


def test_the_configuration_is_mounted_where_the_program_reads_it() -> None:
    (mount,) = SERVICES["connector"]["volumes"]
    source, place, _ = mount.split(":")
    assert (FOLDER / source).resolve() == CONFIGURATION.parent
    assert f'"{place}/{CONFIGURATION.name}"' in CONTAINERFILE
    options = cli.parser().parse_args(SERVICES["console"]["command"])
    assert f"{place}/{CONFIGURATION.name}" == str(options.config)


def test_a_stop_may_take_as_long_as_the_drain() -> None:
    drain = defaults(folder=ROOT)["delivery.drain_seconds"].value
    assert float(str(drain)) < float(SERVICES["connector"]["stop_grace_period"].removesuffix("s"))


# Closed


@EACH
def test_a_container_has_no_privileges_and_writes_into_volumes_alone(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & service.keys()


@EACH
def test_a_container_is_bounded_and_is_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"] in {"512m", "1g"}
    assert 128 == service["pids_limit"]
    assert "max-size" in service["logging"]["options"]
    assert "always" == service["restart"]


def test_no_container_runs_as_root() -> None:
    assert re.search(r"^USER [1-9]\d+:", CONTAINERFILE, re.MULTILINE)
    assert {"postgresql": "postgres", "mosquitto": "1883:1883"} == {
        name: service["user"] for name, service in SERVICES.items() if "build" not in service
    }


def test_nothing_but_the_programs_reaches_the_journal() -> None:
    assert COMPOSE["networks"]["journal"]["internal"]
    assert "ports" not in SERVICES["postgresql"]
    on_it = {name for name, service in SERVICES.items() if "journal" in service["networks"]}
    assert {"connector", "console", "postgresql"} == on_it


@EACH
def test_what_is_published_can_be_reached_from_this_machine_alone(name: str) -> None:
    assert [] == [port for port in SERVICES[name].get("ports", ()) if not port.startswith("127.0.0.1:")]
