"""`check`: one line for each part, and a sentence for each that does not work. It disturbs nothing."""

from __future__ import annotations

import random
import socket
import sqlite3
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.process import (
    TOKEN,
    TOKEN_VARIABLE,
    Connector,
    Program,
    configuration,
    environment,
    exit_code,
    run_program,
    write_configuration,
)
from tests.support.raw_broker import Kind, Link, RawBroker
from tests.support.raw_http import Exchange, RawHttp
from twilio_notifications.demo.broker import EmbeddedBroker
from twilio_notifications.simulator.faults import Fault, RefusedRequest
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.process import Section

ALWAYS = [{"from": "07:00", "to": "07:00", "time_zone": "Europe/Berlin"}]
SUBJECTS = ["configuration", "journal", "secret", "broker", "twilio"]


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    numbers = random.Random(1)  # noqa: S311 - SIDs
    async with Simulator(clock=time.time, random=numbers, auth_tokens=[TOKEN]) as twilio:
        yield twilio


class Surroundings:
    """Everything in its place; what a test wants broken it names."""

    def __init__(self, folder: Path, broker: EmbeddedBroker, twilio: Simulator) -> None:
        self.folder = folder
        self._broker_url, self._twilio_url = broker.url, twilio.base_url

    def settings(self, **sections: Section) -> dict[str, Section]:
        return configuration(broker_url=self._broker_url, twilio_url=self._twilio_url, **sections)

    async def check(self, *arguments: str, token: str = TOKEN, **sections: Section) -> Program:
        config = write_configuration(self.folder / "connector.toml", self.settings(**sections))
        environ = environment(**{TOKEN_VARIABLE: token} if token else {})
        return await run_program("check", "--config", str(config), *arguments, environ=environ)


@pytest.fixture
def surroundings(tmp_path: Path, broker: EmbeddedBroker, twilio: Simulator) -> Surroundings:
    return Surroundings(tmp_path, broker, twilio)


def lines(program: Program) -> dict[str, tuple[str, str]]:
    """For each subject whether it is ok, and the sentence."""
    found = [line.split(maxsplit=2) for line in program.stdout if not line.startswith("note")]
    return {subject: (verdict, sentence) for verdict, subject, sentence in found}


def failure(program: Program, subject: str) -> str:
    """The sentence of the only part that does not work."""
    assert 1 == exit_code(program), program.output
    assert [] == program.stderr
    verdicts = {subject: verdict for subject, (verdict, _) in lines(program).items()}
    assert [subject] == [name for name, verdict in verdicts.items() if verdict == "FAIL"], program.output
    return lines(program)[subject][1]


async def test_when_all_is_well_every_part_says_so(surroundings: Surroundings, twilio: Simulator) -> None:
    program = await surroundings.check()
    assert (0, []) == (exit_code(program), program.stderr), program.output
    verdicts = {subject: lines(program)[subject][0] for subject in SUBJECTS}
    assert dict.fromkeys(SUBJECTS, "ok") == verdicts, program.output
    assert TOKEN not in program.output
    assert [] == list(twilio.ledger)


@pytest.mark.mosquitto
async def test_a_broker_that_takes_qos_0_alone_is_a_failure(
    surroundings: Surroundings, tmp_path: Path
) -> None:
    async with Mosquitto(tmp_path / "broker", settings=["max_qos 0"]) as broker:
        sentence = failure(await surroundings.check(transport={"url": broker.url}), "broker")
    assert "a status that is lost on the way is not published again: allow QoS 1 at the broker" in sentence


async def test_topics_that_requests_do_not_need_may_be_refused(surroundings: Surroundings) -> None:
    async def refuse(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1)
        await link.grant(1, 0x87)

    async with RawBroker(refuse) as broker:
        program = await surroundings.check(transport={"url": broker.url})
    assert 0 == exit_code(program), program.output
    verdict, sentence = lines(program)["broker"]
    assert "ok" == verdict
    assert "no client can cancel or acknowledge" in sentence
    assert "twilio/acknowledge (not authorized)" in sentence


async def test_it_changes_nothing(surroundings: Surroundings) -> None:
    await surroundings.check()
    assert ["connector.toml"] == sorted(path.name for path in surroundings.folder.iterdir())


async def test_it_disturbs_no_connector_that_runs(surroundings: Surroundings) -> None:
    async with Connector(surroundings.folder, surroundings.settings()) as connector:
        await connector.ready()
        program = await surroundings.check()
        assert 0 == exit_code(program), program.output
        expected = (
            "in use by a running connector; unfinished requests: 0, statuses that are not reported yet: 0"
        )
        assert expected in lines(program)["journal"][1]
        assert [] == connector.events("broker_lost")
        assert 0 == await connector.terminate()


async def test_the_broker_sees_a_name_of_its_own_and_a_clean_session(surroundings: Surroundings) -> None:
    """Under the connector's name it would throw a running connector out of its session."""

    async def let_in(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1)
        await link.grant()

    async with RawBroker(let_in) as watching:
        program = await surroundings.check(transport={"url": watching.url, "client_id": "site7"})
        assert 0 == exit_code(program), program.output
        connect = watching.links[0].seen[0]
    assert b"site7-check-" in connect.body
    assert connect.clean


async def test_offline_nothing_is_tried_that_needs_a_network(surroundings: Surroundings) -> None:
    absent = "http://127.0.0.1:1"
    program = await surroundings.check(
        "--offline", twilio={"base_url": absent}, transport={"url": "mqtt://x.invalid"}
    )
    assert 0 == exit_code(program), program.output
    assert {"broker", "twilio"}.isdisjoint(lines(program))


async def test_offline_a_word_that_no_driver_knows_is_found_in_the_url_of_a_database(
    surroundings: Surroundings,
) -> None:
    url = "postgresql://connector:pa55@db.invalid/journal?sslmode=full"
    program = await surroundings.check("--offline", journal={"url": url})
    assert 2 == exit_code(program), program.output
    assert "sslmode=: disable, allow, prefer, require, verify-ca, verify-full" in program.output
    assert "pa55" not in program.output


# Each part broken in turn


async def test_a_broker_that_is_away_is_reported(surroundings: Surroundings) -> None:
    with socket.socket() as seat:
        seat.bind(("127.0.0.1", 0))
        url = f"mqtt://user:pa55@127.0.0.1:{seat.getsockname()[1]}"
        program = await surroundings.check(transport={"url": url})
    assert "is the broker running?" in failure(program, "broker")
    assert "pa55" not in program.output


async def test_a_broker_that_does_not_answer(surroundings: Surroundings) -> None:
    async def stay_silent(link: Link) -> None:
        await link.hear_the_end()

    async with RawBroker(stay_silent) as silent:
        program = await surroundings.check(transport={"url": silent.url, "connect_timeout_seconds": 0.1})
    assert "no answer within 0.1 s" in failure(program, "broker")


async def test_a_wrong_token(surroundings: Surroundings) -> None:
    program = await surroundings.check(token="wrong")
    assert "check TWILIO_ACCOUNT_SID and the auth token" in failure(program, "twilio")


NUMBER = "+19999999999"


def with_a_default(number: str) -> dict[str, Any]:
    return {"connector.parameters": {"DefaultFromPhoneNumber": number}}


async def test_the_default_sender_number_is_looked_up_at_twilio(surroundings: Surroundings) -> None:
    program = await surroundings.check(**with_a_default(NUMBER))
    assert 0 == exit_code(program), program.output
    assert f"{NUMBER} is one of the account's numbers" in lines(program)["twilio"][1]


async def test_a_default_sender_number_of_nobodys_is_a_note(surroundings: Surroundings) -> None:
    program = await surroundings.check(**with_a_default("+15005550001"))
    assert 0 == exit_code(program), program.output
    assert "+15005550001 is none of the account's numbers" in program.output


async def test_numbers_that_cannot_be_seen_are_a_note(surroundings: Surroundings, twilio: Simulator) -> None:
    """A restricted key, for instance."""
    refused = RefusedRequest(code=20403, message="Forbidden", status=403)
    twilio.add_fault(Fault(effect=refused, on="numbers"))
    program = await surroundings.check(**with_a_default(NUMBER))
    assert 0 == exit_code(program), program.output
    assert f"whether the account owns DefaultFromPhoneNumber {NUMBER} cannot be seen" in program.output


async def test_test_credentials_are_named(surroundings: Surroundings, twilio: Simulator) -> None:
    sentence = "Resource not accessible with Test Account Credentials"
    twilio.add_fault(Fault(effect=RefusedRequest(code=20008, message=sentence, status=403), on="lists"))
    program = await surroundings.check(**with_a_default(NUMBER))
    assert 0 == exit_code(program), program.output
    assert "test credentials" in lines(program)["twilio"][1]


async def test_a_twilio_that_is_away_is_reported(surroundings: Surroundings) -> None:
    program = await surroundings.check(twilio={"base_url": "http://127.0.0.1:1"})
    assert "http://127.0.0.1:1 cannot be reached" in failure(program, "twilio")


async def test_a_wrong_address_of_twilio_names_the_setting(surroundings: Surroundings) -> None:
    async def not_found(exchange: Exchange) -> None:
        exchange.answer(404, b'{"code": 20404, "message": "There is no such resource", "status": 404}')

    async with RawHttp(not_found) as server:
        program = await surroundings.check(twilio={"base_url": server.url})
    assert "Check base_url in [twilio]" in failure(program, "twilio")


async def test_a_system_without_authorities_is_said_without_a_trace(
    surroundings: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none.pem").write_bytes(b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    program = await surroundings.check()
    assert "ok" == lines(program)["twilio"][0], "http:// needs none"
    program = await surroundings.check(twilio={"base_url": "https://127.0.0.1:1"})
    assert "ca-certificates" in failure(program, "twilio")


async def test_something_else_than_twilio(surroundings: Surroundings) -> None:
    async def welcome(exchange: Exchange) -> None:
        exchange.answer(200, b"<html>Please log in to the hotel's network</html>")

    async with RawHttp(welcome) as portal:
        program = await surroundings.check(twilio={"base_url": portal.url})
    assert "not Twilio" in failure(program, "twilio")


async def test_no_secret_in_the_environment(surroundings: Surroundings) -> None:
    program = await surroundings.check(token="")
    assert TOKEN_VARIABLE in failure(program, "secret")
    assert "broker" in lines(program), "the other parts are tried all the same"


async def test_a_secret_file_that_everybody_can_read(surroundings: Surroundings) -> None:
    path = surroundings.folder / "token"
    path.write_text(TOKEN)
    path.chmod(0o644)
    program = await surroundings.check(secrets={"source": "file", "path": "token"})
    assert f"chmod o-r {path}" in failure(program, "secret")


async def test_a_secret_file_of_systemd_comes_first(surroundings: Surroundings, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "token").write_text(TOKEN)
    (credentials / "token").chmod(0o400)
    settings = surroundings.settings(secrets={"source": "file", "path": "token"})
    config = write_configuration(tmp_path / "connector.toml", settings)
    environ = environment(CREDENTIALS_DIRECTORY=str(credentials))
    program = await run_program("check", "--config", str(config), environ=environ)
    assert 0 == exit_code(program), program.output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"no database at all" * 100, "is damaged"), (None, "does not exist")],
    ids=["another file", "no folder"],
)
async def test_a_bad_journal(surroundings: Surroundings, content: bytes | None, sentence: str) -> None:
    url = "sqlite:///state/journal.db" if content is not None else "sqlite:///absent/journal.db"
    journal = surroundings.folder / "state" / "journal.db"
    journal.parent.mkdir()
    if content is not None:
        journal.write_bytes(content)
    program = await surroundings.check(journal={"url": url})
    assert sentence in failure(program, "journal")
    assert content is None or content == journal.read_bytes(), "it must be left as it was"


async def test_a_database_of_somebody_else(surroundings: Surroundings) -> None:
    with closing(sqlite3.connect(surroundings.folder / "journal.db")) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    program = await surroundings.check()
    assert "no journal of this program" in failure(program, "journal")


async def test_an_empty_file_is_a_journal_to_be(surroundings: Surroundings) -> None:
    """As a first start leaves it that ends before its first commit, and as `touch` does."""
    journal = surroundings.folder / "journal" / "journal.db"
    journal.parent.mkdir()
    journal.touch()
    program = await surroundings.check()
    assert 0 == exit_code(program), program.output
    assert b"" == journal.read_bytes()


async def test_a_journal_that_is_a_folder(surroundings: Surroundings) -> None:
    journal = surroundings.folder / "journal" / "journal.db"
    journal.mkdir(parents=True)
    program = await surroundings.check()
    assert f"{journal} is a folder" in failure(program, "journal")


async def test_several_things_at_once_are_all_told(surroundings: Surroundings) -> None:
    program = await surroundings.check(token="wrong", journal={"url": "sqlite:///absent/journal.db"})
    assert 1 == exit_code(program), program.output
    assert {"journal", "twilio"} == {
        name for name, (verdict, _) in lines(program).items() if verdict == "FAIL"
    }


async def test_a_wrong_configuration_is_exit_code_2(surroundings: Surroundings) -> None:
    program = await surroundings.check(log={"level": "LOUD"}, twilio={"concurrency": 0})
    assert (2, []) == (exit_code(program), program.stdout)
    assert 2 == len(program.stderr), program.output


async def test_a_sender_number_without_a_plus_is_a_note(surroundings: Surroundings) -> None:
    parameters: dict[str, Any] = {
        "connector.parameters": {"TWILIO_ACCOUNT_SID": "AC1", "DefaultFromPhoneNumber": "4254492999"}
    }
    program = await surroundings.check("--offline", **parameters)
    assert 0 == exit_code(program), program.output
    assert [line for line in program.stdout if line.startswith("note") and "DefaultFromPhoneNumber" in line]


WITHOUT = """
import importlib.util, sys
absent, find = set(sys.argv[1:3]), importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in absent else find(name, *rest)
from twilio_notifications.cli import main
sys.exit(main(sys.argv[3:]))
"""
"""The program as it is where two packages are not installed."""


@pytest.mark.parametrize("command", ["check", "run"])
async def test_what_this_installation_cannot_do_is_said_all_at_once(tmp_path: Path, command: str) -> None:
    """`check` must not find everything in order where `run` refuses to start."""
    settings = configuration(
        broker_url="mqtt://127.0.0.1:1",
        twilio_url="http://127.0.0.1:1",
        secrets={"source": "greengrass"},
        transport={"kind": "greengrass"},
        metrics={"listen": "127.0.0.1:0"},
    )
    settings["connector.parameters"] |= {
        "TwilioAuthTokenSecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:greengrass-a1b2c3",
        "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
    }
    config = write_configuration(tmp_path / "connector.toml", settings)
    without = (sys.executable, "-c", WITHOUT, "awsiot", "prometheus_client")
    program = await run_program(command, "--config", str(config), command=without)
    assert 2 == exit_code(program), program.output
    wanted = ("awsiotsdk, which is not installed", "SVCUID are not set", "prometheus-client, which is not")
    assert all(part in line for part, line in zip(wanted, program.stderr, strict=True)), program.output


# What works in a test and is a mistake in use.


@pytest.mark.parametrize(
    ("section", "values", "note"),
    [
        ("delivery", {"settle_seconds": 1}, "delivery.settle_seconds = 1 is less than the 26 s"),
        ("twilio", {"timeout_seconds": 2}, "twilio.timeout_seconds = 2 is less than the 26 s"),
        ("limits", {"paused": True}, "limits.paused = true: every request is answered with NotAllowed"),
        ("connector.parameters", {"TWILIO_ACCOUNT_SID": "AC1"}, "'AC1' is not of Twilio's form"),
        ("quiet_hours", {"windows": ALWAYS}, "quiet_hours.windows leave no time open"),
    ],
)
async def test_what_is_mostly_a_mistake_has_a_note(
    surroundings: Surroundings, section: str, values: dict[str, Any], note: str
) -> None:
    sections: dict[str, Any] = {section: values}
    program = await surroundings.check("--offline", **sections)
    assert 0 == exit_code(program), program.output
    assert 1 == len([line for line in program.stdout if line.startswith("note") and note in line])


async def test_a_default_sender_number_without_a_pace_gets_one_suggested(surroundings: Surroundings) -> None:
    sections: dict[str, Any] = {"connector.parameters": {"DefaultFromPhoneNumber": "+18005550006"}}
    program = await surroundings.check("--offline", **sections)
    wanted = '[[pace]] sender = "+18005550006", segments_per_second = 3, calls_per_second = 1'
    assert 1 == len([line for line in program.stdout if line.startswith("note") and line.endswith(wanted)])


async def test_a_usual_configuration_has_no_note_on_its_times(surroundings: Surroundings) -> None:
    program = await surroundings.check(
        "--offline", delivery={"settle_seconds": 30}, twilio={"timeout_seconds": 30}
    )
    assert [] == [line for line in program.stdout if line.startswith("note") and "seconds" in line]


@pytest.mark.parametrize("section", ["transport", "twilio"])
async def test_certificates_that_are_none_are_found_without_a_network(
    surroundings: Surroundings, section: str
) -> None:
    file = surroundings.folder / "ca.pem"
    file.write_text("no certificate")
    urls = {"transport": {"url": "mqtts://localhost"}, "twilio": {"base_url": "https://localhost"}}
    sections: dict[str, Any] = {section: urls[section] | {"ca_file": str(file)}}
    program = await surroundings.check("--offline", **sections)
    sentence = failure(program, "certificates")
    assert f"{section}.ca_file: {file} cannot be used" in sentence
    assert "It must be in PEM" in sentence


async def test_an_address_for_metrics_that_is_taken_fails_with_advice(surroundings: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        program = await surroundings.check("--offline", metrics={"listen": address})
    assert f"cannot listen on {address}" in failure(program, "metrics")
    assert "end it, or choose another port" in failure(program, "metrics")


async def test_an_address_for_metrics_that_is_not_ours_fails_with_advice(surroundings: Surroundings) -> None:
    program = await surroundings.check("--offline", metrics={"listen": "192.0.2.1:9464"})
    assert "this machine has no such address" in failure(program, "metrics")


async def test_the_metrics_of_a_running_connector_are_no_failure(surroundings: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = surroundings.settings(metrics={"listen": address})
    async with Connector(surroundings.folder, settings) as connector:
        await connector.ready()
        program = await surroundings.check("--offline", metrics={"listen": address})
        assert ("ok", f"{address}: in use, and a connector runs") == lines(program)["metrics"]
        assert 0 == await connector.terminate()
