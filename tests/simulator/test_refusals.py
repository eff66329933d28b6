"""The simulator refuses what Twilio refuses, with Twilio's codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.desk import (
    A_CALL,
    A_TEXT,
    ACCOUNT,
    CALLS,
    DARLA,
    MESSAGES,
    SENDER,
    SERVICE,
    Desk,
    authorization,
    call_path,
    message_path,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "https://example.com/voice.xml"
API_KEY = "SK" + "0" * 32


def without(form: Mapping[str, Any], *names: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**form, **changes}.items() if name not in names}


@pytest.mark.parametrize(
    ("code", "form"),
    [
        (21604, without(A_TEXT, "To")),
        (21604, without(A_TEXT, To="")),
        (21211, without(A_TEXT, To="+0123")),
        (21211, without(A_TEXT, To="Darla")),
        (21211, without(A_TEXT, To="+1234567890123456")),
        (21603, without(A_TEXT, "From")),
        (21212, without(A_TEXT, From="a name that is too long")),
        (21212, without(A_TEXT, From="+0123")),
        (21705, without(A_TEXT, "From", MessagingServiceSid="MG123")),
        (21602, without(A_TEXT, "Body")),
        (21602, without(A_TEXT, Body="")),
        (21617, without(A_TEXT, Body="x" * 1_601)),
        (21620, without(A_TEXT, MediaUrl="ftp://example.com/1.png")),
        (21623, without(A_TEXT, MediaUrl=[f"https://example.com/{n}.png" for n in range(11)])),
        (21609, without(A_TEXT, StatusCallback="example.com")),
        (21609, without(A_TEXT, StatusCallback="https://under_score.example.com/")),
        (21654, without(A_TEXT, ContentVariables="{}")),
        (35118, without(A_TEXT, ScheduleType="fixed", SendAt="2023-11-15T13:00:00Z")),
        (35126, without(A_TEXT, MessagingServiceSid=SERVICE, ScheduleType="later")),
        (35111, without(A_TEXT, MessagingServiceSid=SERVICE, ScheduleType="fixed")),
        (
            35114,
            without(A_TEXT, MessagingServiceSid=SERVICE, ScheduleType="fixed", SendAt="2023-11-15T12:14:59Z"),
        ),
        (35114, without(A_TEXT, MessagingServiceSid=SERVICE, ScheduleType="fixed", SendAt="tomorrow")),
    ],
)
def test_a_text_with_a_wrong_parameter_is_refused(desk: Desk, code: int, form: dict[str, Any]) -> None:
    assert (400, code) == desk.post(MESSAGES, form).error
    assert [] == desk.engine.store.ledger


@pytest.mark.parametrize(
    ("code", "form"),
    [
        (21201, without(A_CALL, "To")),
        (21211, without(A_CALL, To="123")),
        (21213, without(A_CALL, "From")),
        (21212, without(A_CALL, From="Acme")),
        (21205, without(A_CALL, "Url")),
        (21205, without(A_CALL, Url="some-public-TwiML")),
        (21205, without(A_CALL, Url="https://")),
        (21205, without(A_CALL, Url="https://[::1/")),
        (20001, without(A_CALL, "Url", Twiml="x" * 4_001)),
        (21208, without(A_CALL, Timeout="0")),
        (21208, without(A_CALL, Timeout="601")),
        (21609, without(A_CALL, StatusCallback="nowhere")),
    ],
)
def test_a_call_with_a_wrong_parameter_is_refused(desk: Desk, code: int, form: dict[str, Any]) -> None:
    assert (400, code) == desk.post(CALLS, form).error
    assert [] == desk.engine.store.ledger


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", 21211),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550004", 21610),
        ("+15005550009", 21614),
    ],
)
def test_a_magic_recipient_of_a_text_gives_its_error(desk: Desk, number: str, code: int) -> None:
    assert (400, code) == desk.post(MESSAGES, {**A_TEXT, "To": number}).error


@pytest.mark.parametrize(
    ("number", "code"),
    [("+15005550001", 21212), ("+15005550007", 21606), ("+15005550008", 21611), ("+15005550000", 21606)],
)
def test_a_magic_sender_of_a_text_gives_its_error(desk: Desk, number: str, code: int) -> None:
    assert (400, code) == desk.post(MESSAGES, {**A_TEXT, "From": number}).error


@pytest.mark.parametrize(
    ("number", "code"),
    [("+15005550001", 21217), ("+15005550002", 21214), ("+15005550003", 21215), ("+15005550004", 21216)],
)
def test_a_magic_recipient_of_a_call_gives_its_error(desk: Desk, number: str, code: int) -> None:
    assert (400, code) == desk.post(CALLS, {**A_CALL, "To": number}).error


@pytest.mark.parametrize(("number", "code"), [("+15005550001", 21212), ("+15005550007", 21210)])
def test_a_magic_sender_of_a_call_gives_its_error(desk: Desk, number: str, code: int) -> None:
    assert (400, code) == desk.post(CALLS, {**A_CALL, "From": number}).error


@pytest.mark.parametrize(
    "changes",
    [
        {},  # the document's own example
        {"From": "+15005550006"},
        {"To": "+15005550005"},  # none of the magic recipients
        {"To": "+4915112345678"},
        {"From": "12345"},
        {"From": "Acme Alarm"},
        {"From": "whatsapp:+14155238886", "To": "whatsapp:+12345000000"},
        {"Body": "x" * 1_600},
        {"Body": "Grüße ☎ 😀"},
        {"StatusCallback": "https://example.com/callback?id=1"},
        {"Body": "", "MediaUrl": "https://example.com/1.png"},
        {"Body": "", "ContentSid": "HX" + "0" * 32},
    ],
)
def test_a_good_text_is_accepted(desk: Desk, changes: dict[str, str]) -> None:
    assert 201 == desk.post(MESSAGES, {**A_TEXT, **changes}).status


@pytest.mark.parametrize(
    "changes",
    [
        {},  # the document's own example
        {"From": "+15005550006"},
        {"To": "sip:darla@example.com"},
        {"To": "client:darla"},
        {"Url": "http://192.0.2.1:8080/voice.xml?name=Darla"},
        {"Url": "", "Twiml": "<Response><Say>Hello</Say></Response>"},
        {"Url": URL, "Twiml": "x" * 5_000},  # Twilio ignores it next to a URL
        {"Url": "", "ApplicationSid": "AP" + "0" * 32},
        {"Timeout": "600"},
    ],
)
def test_a_good_call_is_accepted(desk: Desk, changes: dict[str, str]) -> None:
    assert 201 == desk.post(CALLS, {**A_CALL, **changes}).status


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("4254492999", "+14254492999"),  # as the command line examples of the connector pass it
        ("(425) 449-2999", "+14254492999"),
        ("1-425-449-2999", "+14254492999"),
        ("+1 (425) 449 2999", "+14254492999"),
        (SENDER, SENDER),
    ],
)
def test_a_number_written_by_people_is_read_as_e164(desk: Desk, written: str, read: str) -> None:
    assert read == desk.post(MESSAGES, {**A_TEXT, "From": written}).json["from"]


def test_a_refusal_has_twilios_form_and_hides_the_number(desk: Desk) -> None:
    answer = desk.post(MESSAGES, {**A_TEXT, "To": "+0123456"})
    expected = {
        "code": 21211,
        "message": "Invalid 'To' Phone Number: +012XXXX",
        "more_info": "https://www.twilio.com/docs/errors/21211",
        "status": 400,
    }
    assert expected == answer.json


@pytest.mark.parametrize(
    "authorized",
    [
        "",
        "Bearer token",
        "Basic",
        "Basic not-base64!",
        "Basic " + "/w==",
        authorization(token=""),
        authorization(user=""),
        authorization(user="AC" + "f" * 32),
    ],
)
def test_wrong_credentials_are_refused(desk: Desk, authorized: str) -> None:
    answer = desk.ask("POST", MESSAGES, A_TEXT, authorized=authorized)
    assert (401, 20003) == answer.error
    assert "Authenticate" == answer.json["message"]
    assert 'Basic realm="Twilio API"' == answer.headers["WWW-Authenticate"]
    assert [] == desk.engine.store.ledger


def test_any_account_and_any_token_are_let_in_by_default(desk: Desk) -> None:
    """The document's own account SID, abcd12345xyz, is not even one of Twilio's form."""
    path = MESSAGES.replace(ACCOUNT, "abcd12345xyz")
    answer = desk.ask("POST", path, A_TEXT, authorized=authorization("abcd12345xyz", "whatever"))
    assert (201, "abcd12345xyz") == (answer.status, answer.json["account_sid"])


def test_a_fixed_account_and_its_tokens_are_the_only_ones_let_in() -> None:
    desk = Desk(account_sid=ACCOUNT, auth_tokens=frozenset({"primary", "secondary"}))
    for token, expected in (("primary", 200), ("secondary", 200), ("token", 401), ("", 401)):
        assert expected == desk.ask("GET", MESSAGES, authorized=authorization(token=token)).status
    other = "AC" + "f" * 32
    path = MESSAGES.replace(ACCOUNT, other)
    assert 401 == desk.ask("GET", path, authorized=authorization(other, "primary")).status
    assert 401 == desk.ask("GET", path, authorized=authorization(token="primary")).status


def test_tokens_can_be_changed_at_run_time() -> None:
    desk = Desk(auth_tokens=frozenset({"old"}))
    desk.engine.set_auth_tokens(["new"])
    assert 401 == desk.ask("GET", MESSAGES, authorized=authorization(token="old")).status
    assert 200 == desk.ask("GET", MESSAGES, authorized=authorization(token="new")).status


def test_any_api_key_is_let_in_where_any_token_is(desk: Desk) -> None:
    for secret, expected in (("secret", 200), ("", 401)):
        assert expected == desk.ask("GET", MESSAGES, authorized=authorization(API_KEY, secret)).status


def test_with_fixed_credentials_an_api_key_must_be_known() -> None:
    desk = Desk(account_sid=ACCOUNT, auth_tokens=frozenset({"primary"}))
    assert 401 == desk.ask("GET", MESSAGES, authorized=authorization(API_KEY, "primary")).status
    desk.engine.set_api_keys({API_KEY: "secret"})
    for user, secret, expected in (
        (API_KEY, "secret", 200),
        (API_KEY, "primary", 401),
        (API_KEY, "", 401),
        ("SK0", "secret", 401),
        (ACCOUNT, "secret", 401),
        (ACCOUNT, "primary", 200),
    ):
        assert expected == desk.ask("GET", MESSAGES, authorized=authorization(user, secret)).status
    other = MESSAGES.replace(ACCOUNT, "AC" + "f" * 32)
    assert 401 == desk.ask("GET", other, authorized=authorization(API_KEY, "secret")).status


def test_no_token_is_printed() -> None:
    desk = Desk(auth_tokens=frozenset({"very-secret"}), api_keys={API_KEY: "very-secret"})
    assert "very-secret" not in repr(desk.engine.credentials)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", message_path("SM" + "0" * 32), (404, 20404)),
        ("GET", call_path("CA" + "0" * 32), (404, 20404)),
        ("POST", message_path("SM" + "0" * 32), (404, 20404)),
        ("DELETE", MESSAGES, (405, 20004)),
        ("PUT", MESSAGES, (405, 20004)),
        ("HEAD", CALLS, (405, 20004)),
    ],
)
def test_what_is_not_there_is_not_found(
    desk: Desk, method: str, path: str, expected: tuple[int, int]
) -> None:
    assert expected == desk.ask(method, path).error


@pytest.mark.parametrize("path", ["/", "/2010-04-01/Accounts", f"/2008-08-01/Accounts/{ACCOUNT}/SMS.json"])
def test_outside_of_an_account_nobody_is_let_in(desk: Desk, path: str) -> None:
    assert (401, 20003) == desk.ask("GET", path).error


def test_the_account_itself_can_be_fetched_without_its_token(desk: Desk) -> None:
    """`check` asks for it to see whether the credentials are good."""
    answer = desk.get(f"/2010-04-01/Accounts/{ACCOUNT}.json")
    assert (200, ACCOUNT, "active", None) == (
        answer.status,
        answer.json["sid"],
        answer.json["status"],
        answer.json["auth_token"],
    )


def test_the_recipient_of_a_refused_text_is_nowhere_in_the_ledger(desk: Desk) -> None:
    desk.post(MESSAGES, {**A_TEXT, "To": "+15005550001"})
    desk.post(MESSAGES, A_TEXT)
    assert [DARLA] == [entry.to for entry in desk.engine.store.ledger]
    counters = desk.engine.counters
    assert (2, 1, 1) == (counters.requests, counters.creates, counters.refusals)
