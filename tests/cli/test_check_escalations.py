"""`check` on tracking and escalations: who cannot be reached or answer, and who signs callbacks."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.process import (
    DEFAULT_FROM,
    TOKEN,
    TOKEN_VARIABLE,
    Program,
    configuration,
    environment,
    exit_code,
    run_program,
    write_configuration,
)
from twilio_notifications.exit_codes import FAILED, WRONG_USAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.process import Section

CONTACTS: dict[str, Section] = {
    "contacts.darla": {"name": "Darla", "phone_number": "+12345000000"},
    "contacts.deputy": {"name": "Deputy", "phone_number": "+4917012345678"},
}
CALL = {"after_seconds": 1, "channel": "call", "contacts": ["darla"], "voice_message": "Alarm: {message}"}
TEXT = {"after_seconds": 2, "channel": "text", "contacts": ["darla", "deputy"], "message": "Alarm: {message}"}
CALLBACKS: Section = {"listen": "127.0.0.1:0", "public_url": "https://alarms.example.com"}


async def check(folder: Path, sections: dict[str, Section], *, token: str = TOKEN) -> Program:
    settings = configuration(broker_url="mqtt://127.0.0.1:1", twilio_url="http://127.0.0.1:1", **sections)
    config = write_configuration(folder / "connector.toml", settings)
    environ = environment(**{TOKEN_VARIABLE: token, "PRIMARY": TOKEN})
    return await run_program("check", "--config", str(config), "--offline", environ=environ)


async def check_steps(folder: Path, *steps: Section, **sections: Section) -> Program:
    return await check(folder, CONTACTS | {"escalations.freezer": {"steps": list(steps)}} | sections)


def of(program: Program, subject: str) -> list[str]:
    return [line.split(maxsplit=2)[2] for line in program.stdout if line.split()[1] == subject]


def notes(program: Program) -> str:
    return "\n".join(line for line in program.stdout if line.startswith("note") and "escalation" in line)


async def test_an_escalation_that_can_be_carried_out_is_a_line(tmp_path: Path) -> None:
    program = await check_steps(tmp_path, CALL, TEXT)
    assert 0 == exit_code(program), program.output
    assert ["freezer: 2 steps that can be reached"] == of(program, "escalations")
    assert "" == notes(program)


async def test_without_escalations_there_is_no_line(tmp_path: Path) -> None:
    program = await check(tmp_path, {})
    assert [] == of(program, "escalations") + of(program, "tracking") + of(program, "signatures")


@pytest.mark.parametrize(
    ("limits", "failure"),
    [
        ({"denied_calls": ["+1*"]}, "step 1: darla cannot be reached. The operator denies calls to +12345"),
        (
            {"allowed_texts": ["+1"]},
            "step 2: deputy cannot be reached. The operator does not allow texts to +49",
        ),
    ],
)
async def test_a_contact_that_the_limits_keep_away_is_a_failure(
    tmp_path: Path, limits: Section, failure: str
) -> None:
    program = await check_steps(tmp_path, CALL, TEXT, limits=limits)
    assert FAILED == exit_code(program)
    (sentence,) = of(program, "escalations")
    assert sentence.startswith(f"freezer: {failure}")


async def test_a_contact_with_the_number_of_the_sender_is_a_failure(tmp_path: Path) -> None:
    own: Section = {"phone_number": DEFAULT_FROM}
    darla = CONTACTS["contacts.darla"] | own
    program = await check_steps(tmp_path, CALL, **{"contacts.darla": darla})
    assert FAILED == exit_code(program)
    assert "no number can reach itself" in program.output


async def test_a_contact_that_does_not_exist_is_wrong_configuration(tmp_path: Path) -> None:
    program = await check_steps(tmp_path, CALL | {"contacts": ["dara"]})
    assert WRONG_USAGE == exit_code(program)
    assert "there is no [contacts.dara]: did you mean darla?" in program.output


async def test_steps_without_words_of_their_own_are_noted(tmp_path: Path) -> None:
    bare = {key: value for key, value in TEXT.items() if key != "message"}
    program = await check_steps(tmp_path, CALL | {"voice_message": "{message}"}, bare, TEXT)
    assert 0 == exit_code(program), program.output
    assert "escalations.freezer: the steps 1 and 2 say what the request says." in notes(program)


async def test_a_call_that_repeats_a_document_needs_no_words(tmp_path: Path) -> None:
    bare = {key: value for key, value in CALL.items() if key != "voice_message"}
    assert "" == notes(await check_steps(tmp_path, bare))


async def test_what_people_cannot_do_is_noted(tmp_path: Path) -> None:
    far: Section = {"name": "Fay", "phone_number": "+919999999999"}
    steps: Section = {"steps": [TEXT | {"contacts": ["fay"]}], "reply_hint": "Answer!"}
    program = await check(tmp_path, {"contacts.fay": far, "escalations.freezer": steps})
    assert 0 == exit_code(program), program.output
    assert "escalations.freezer: fay cannot answer a text" in notes(program)
    assert "escalations.freezer: reply_hint does not name the code" in notes(program)


async def test_calls_in_place_of_a_messaging_service_need_a_number(tmp_path: Path) -> None:
    nothing: Section = {"DefaultFromPhoneNumber": ""}
    program = await check_steps(tmp_path, CALL, **{"connector.parameters": nothing})
    assert "a Messaging Service cannot call: set DefaultFromPhoneNumber" in notes(program)


async def test_without_following_the_doors_that_stay_open_are_noted(tmp_path: Path) -> None:
    program = await check_steps(tmp_path, CALL, tracking={"mode": "off"})
    assert 0 == exit_code(program), program.output
    assert "the steps of escalations go by time alone, and only acknowledge_topic" in notes(program)


# Callbacks


async def test_callbacks_are_checked_with_the_token_that_logs_in(tmp_path: Path) -> None:
    program = await check(tmp_path, {"tracking": CALLBACKS})
    assert 0 == exit_code(program), program.output
    assert ["callbacks are checked with the secret that logs in"] == of(program, "signatures")
    assert ["127.0.0.1:0 is free"] == of(program, "tracking")


async def test_an_address_for_callbacks_that_is_taken_fails_with_advice(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        program = await check(tmp_path, {"tracking": CALLBACKS | {"listen": address}})
    assert FAILED == exit_code(program)
    assert f"[tracking] listen: cannot listen on {address}" in of(program, "tracking")[0]


async def test_an_api_key_signs_no_callback(tmp_path: Path) -> None:
    """Where SID and secret are one text, only the secret says that it is an API key's."""
    key = f"SK{'0' * 32}:{'1' * 32}"
    program = await check(tmp_path, {"tracking": CALLBACKS}, token=key)
    assert FAILED == exit_code(program)
    assert "an API key logs in, and Twilio signs callbacks" in of(program, "signatures")[0]
    named: Section = {"signature_variable": "PRIMARY"}
    program = await check(tmp_path, {"tracking": CALLBACKS, "secrets": named}, token=key)
    assert ["primary auth token read from environment"] == of(program, "signatures")


@pytest.mark.parametrize(
    "secrets",
    [
        {"signature_variable": "ELSEWHERE"},
        {"source": "file", "path": "token", "signature_path": "ELSEWHERE"},
    ],
)
async def test_a_primary_auth_token_that_is_not_there_is_a_failure(tmp_path: Path, secrets: Section) -> None:
    tmp_path.joinpath("token").write_text(TOKEN)
    tmp_path.joinpath("token").chmod(0o600)
    program = await check(tmp_path, {"tracking": CALLBACKS, "secrets": secrets})
    assert FAILED == exit_code(program)
    assert "ELSEWHERE" in of(program, "signatures")[0]


async def test_a_file_with_the_primary_auth_token_is_read(tmp_path: Path) -> None:
    for name in ("token", "primary"):
        tmp_path.joinpath(name).write_text(TOKEN)
        tmp_path.joinpath(name).chmod(0o600)
    secrets: Section = {"source": "file", "path": "token", "signature_path": "primary"}
    program = await check(tmp_path, {"tracking": CALLBACKS, "secrets": secrets})
    assert ["primary auth token read from file"] == of(program, "signatures"), program.output
