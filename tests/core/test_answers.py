"""What each answer means for an attempt, and which sentence people read about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from twilio_notifications.core.answers import classify, refuses_login
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import (
    Accepted,
    Answer,
    Answered,
    Channel,
    DeferralScope,
    Deferred,
    InDoubt,
    Notification,
    NotSent,
    Outcome,
    Recipient,
    Refused,
    Text,
    Unanswered,
)
from twilio_notifications.core.twilio_codes import (
    ACCOUNT_WAITS,
    ADDRESS_WAITS,
    BY_CODE,
    Refuse,
    Settle,
    Treatment,
    Wait,
    treatment_of,
)

SERVICE = "MG0123456789abcdef0123456789abcdef"

NOTIFICATION = Notification(
    request_id="request123",
    channel=Channel.SMS,
    recipient=Recipient(name="Darla", phone_number="+12345000000"),
    content=Text(body="Hello"),
    sender_number="4254492999",
)


def outcome(answer: Answer) -> Outcome:
    return classify(answer, notification=NOTIFICATION)


def treatment(outcome: Outcome) -> Treatment | None:
    match outcome:
        case Accepted():
            return None
        case Refused(reason=reason):
            return Refuse(reason=reason)
        case Deferred(scope=scope):
            return Wait(scope=scope)
        case InDoubt():
            return Settle()


class TestAnswersOfTwilios:
    @given(
        status=st.integers(100, 599), code=st.none() | st.sampled_from([*BY_CODE]) | st.integers(1, 99_999)
    )
    def test_the_outcome_is_the_treatment_of_code_and_status(self, status: int, code: int | None) -> None:
        assume(status // 100 != 2)
        expected = treatment_of(http_status=status, code=code)
        assert expected == treatment(outcome(Answered(http_status=status, code=code)))

    @pytest.mark.parametrize("code", [1, 20001, 21999, 99999])
    def test_an_unknown_code_of_a_400_is_refused(self, code: int) -> None:
        expected = Refused(reason=Reason.INVALID_PARAMETER, message=f"Twilio error {code}", code=code)
        assert expected == outcome(Answered(http_status=400, code=code))

    @pytest.mark.parametrize("code", [0, -1, 1_000_000, 2**70, 10**400])
    def test_a_number_that_is_no_code_is_not_passed_on(self, code: int) -> None:
        """It goes into a column of the journal."""
        expected = Refused(reason=Reason.INVALID_PARAMETER, message="Twilio answered HTTP 400")
        assert expected == outcome(Answered(http_status=400, code=code))

    @pytest.mark.parametrize("seconds", [None, 0.0, 7.5])
    def test_what_twilio_asks_for_is_kept(self, seconds: float | None) -> None:
        deferred = outcome(Answered(http_status=429, code=20429, message="Too many", retry_after=seconds))
        expected = Deferred(
            scope=DeferralScope.ACCOUNT,
            message="Twilio error 20429: Too many",
            code=20429,
            retry_after=seconds,
        )
        assert expected == deferred


class TestMagicNumbers:
    """Twilio's test credentials promise these codes for these numbers, all with HTTP 400."""

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (21211, Reason.INVALID_PARAMETER),
            (21612, Reason.INVALID_PARAMETER),
            (21408, Reason.INVALID_PARAMETER),
            (21614, Reason.INVALID_PARAMETER),
            (21212, Reason.INVALID_PARAMETER),
            (21606, Reason.INVALID_PARAMETER),
            (21210, Reason.INVALID_PARAMETER),
            (21217, Reason.INVALID_PARAMETER),
            (21214, Reason.INVALID_PARAMETER),
            (21215, Reason.INVALID_PARAMETER),
            (21216, Reason.INVALID_PARAMETER),
            (21610, Reason.RECIPIENT_OPTED_OUT),
        ],
    )
    def test_a_permanent_refusal(self, code: int, reason: Reason) -> None:
        answer = Answered(http_status=400, code=code, message="No")
        assert Refused(reason=reason, message=f"Twilio error {code}: No", code=code) == outcome(answer)

    def test_a_full_queue(self) -> None:
        expected = Deferred(
            scope=DeferralScope.SENDER,
            message="Twilio error 21611: Queue full",
            code=21611,
        )
        assert expected == outcome(Answered(http_status=400, code=21611, message="Queue full"))


def foreign(status: int, **fields: object) -> Answered:
    return Answered(http_status=status, is_twilios=False, **fields)  # type: ignore[arg-type]  # by the test


class TestAnswersThatAreNotTwilios:
    """A proxy, a log-in page, another server: it knows neither credentials nor the values of requests."""

    @pytest.mark.parametrize("status", [*range(300, 400), 400, 401, 403, 404, 405, 407, 411, 413, 415, 451])
    def test_what_was_turned_away_waits_and_is_not_refused(self, status: int) -> None:
        assert ADDRESS_WAITS == treatment(outcome(foreign(status)))

    @pytest.mark.parametrize(
        "status", [*range(200, 300), 408, 409, 425, 444, 460, 499, *range(500, 600), 999]
    )
    def test_what_may_have_been_passed_on_is_in_doubt(self, status: int) -> None:
        assert isinstance(outcome(foreign(status)), InDoubt)

    def test_a_429_was_not_passed_on_whoever_counts(self) -> None:
        assert ACCOUNT_WAITS == treatment(outcome(foreign(429)))

    @pytest.mark.parametrize("status", range(200, 600))
    def test_none_refuses_the_login_or_a_value_or_is_a_success(self, status: int) -> None:
        answer = foreign(status, code=20003, message="<html>", sid="SM1", message_status="queued")
        result = outcome(answer)
        assert isinstance(result, InDoubt | Deferred)
        assert not refuses_login(answer)
        assert "<html>" not in result.message

    @pytest.mark.parametrize("status", [200, 302, 403, 499, 502])
    def test_the_sentence_says_where_to_look(self, status: int) -> None:
        result = outcome(foreign(status))
        assert isinstance(result, InDoubt | Deferred)
        assert result.message == (
            f"HTTP {status} was answered, and not in Twilio's form "
            "(check base_url in [twilio], and any proxy on the way)"
        )


class TestAccepted:
    @pytest.mark.parametrize("status", range(200, 300))
    def test_a_sid_and_a_status_are_acceptance(self, status: int) -> None:
        answer = Answered(
            http_status=status,
            sid="SM1",
            message_status="queued",
            sender_number="+14254492999",
            phone_number="+12345000001",
        )
        expected = Accepted(
            sid="SM1", message_status="queued", sender_number="+14254492999", phone_number="+12345000001"
        )
        assert expected == outcome(answer)

    @pytest.mark.parametrize("missing", [None, ""])
    def test_missing_numbers_are_the_requested_ones(self, missing: str | None) -> None:
        answer = Answered(
            http_status=201,
            sid="SM1",
            message_status="accepted",
            sender_number=missing,
            phone_number=missing,
        )
        expected = Accepted(
            sid="SM1", message_status="accepted", sender_number="4254492999", phone_number="+12345000000"
        )
        assert expected == outcome(answer)

    def test_a_messaging_service_is_the_sender_until_twilio_names_a_number(self) -> None:
        """Also where a number was requested next to it: the service may take another of its pool."""
        notification = replace(NOTIFICATION, messaging_service_sid=SERVICE)
        answer = Answered(http_status=201, sid="SM1", message_status="accepted")
        accepted = classify(answer, notification=notification)
        assert isinstance(accepted, Accepted)
        assert SERVICE == accepted.sender_number

    @pytest.mark.parametrize(
        ("sid", "message_status"),
        [(None, None), ("SM1", None), (None, "queued"), ("", "queued"), ("SM1", "")],
    )
    @pytest.mark.parametrize("code", [None, 21211])
    def test_without_both_nobody_knows(
        self, sid: str | None, message_status: str | None, code: int | None
    ) -> None:
        """Most likely it was sent: it must neither fail nor be sent again."""
        answer = Answered(http_status=201, sid=sid, message_status=message_status, code=code)
        assert InDoubt(message="Twilio answered HTTP 201 without a SID and a status") == outcome(answer)

    @pytest.mark.parametrize("status", [300, 400, 404, 429, 500])
    def test_no_other_status_is_acceptance(self, status: int) -> None:
        answer = Answered(http_status=status, sid="SM1", message_status="queued")
        assert not isinstance(outcome(answer), Accepted)


class TestWithoutAnswer:
    def test_what_was_not_sent_waits_for_the_network(self) -> None:
        expected = Deferred(
            scope=DeferralScope.NETWORK,
            message="Twilio could not be reached: connection refused",
        )
        assert expected == outcome(NotSent(detail="connection refused"))

    def test_what_was_not_answered_is_in_doubt(self) -> None:
        expected = InDoubt(message="Twilio did not answer: connection reset")
        assert expected == outcome(Unanswered(detail="connection reset"))


class TestMessages:
    @staticmethod
    def message(**answer: object) -> str:
        result = outcome(Answered(http_status=400, **answer))  # type: ignore[arg-type]  # named by each test
        assert isinstance(result, Refused)
        return result.message

    def test_twilios_code_and_text_are_kept(self) -> None:
        """The form that the contract shows."""
        assert "Twilio error 21211: Invalid 'To' Phone Number" == self.message(
            code=21211, message="Invalid 'To' Phone Number"
        )

    def test_what_is_missing_is_left_out(self) -> None:
        assert "Twilio error 21211" == self.message(code=21211)
        assert "Twilio error 21211" == self.message(code=21211, message=" \n")
        assert "Twilio answered HTTP 400: Bad Request" == self.message(message="Bad Request")
        assert "Twilio answered HTTP 400" == self.message()

    @pytest.mark.parametrize(
        "text",
        [
            "a\nb",
            "a\r\n\tb",
            " a b ",
            "a\x00b",
            "a\x1b b",
            "a\x7fb",
            "a\x9fb",
            "a\u2028b",
            "a\u202eb",
            "a\ud800b",
        ],
    )
    def test_the_text_is_one_line_without_control_characters(self, text: str) -> None:
        """It goes into logs and terminals as it is."""
        assert "Twilio error 21211: a b" == self.message(code=21211, message=text)

    def test_a_long_text_is_cut(self) -> None:
        assert "x" * 500 == self.message(message="x" * 500).removeprefix("Twilio answered HTTP 400: ")
        expected = "x" * 500 + "…"
        assert expected == self.message(message="x" * 501).removeprefix("Twilio answered HTTP 400: ")
        assert expected == self.message(message="x" * 10**6).removeprefix("Twilio answered HTTP 400: ")

    def test_an_unknown_resource_says_what_to_look_at(self) -> None:
        """It is the operator's account or address that Twilio does not know, never the sender's request."""
        expected = Deferred(
            scope=DeferralScope.ADDRESS,
            message="Twilio error 20404: Not found (check TWILIO_ACCOUNT_SID, and base_url in [twilio])",
            code=20404,
        )
        assert expected == outcome(Answered(http_status=404, code=20404, message="Not found"))

    def test_a_redirect_says_what_to_look_at(self) -> None:
        expected = Deferred(
            scope=DeferralScope.ADDRESS,
            message="Twilio answered HTTP 302 (redirects are not followed; check base_url in [twilio])",
        )
        assert expected == outcome(Answered(http_status=302))

    def test_a_404_about_the_request_refuses_that_request_only(self) -> None:
        expected = Refused(
            reason=Reason.INVALID_PARAMETER,
            message="Twilio error 21999: No",
            code=21999,
        )
        assert expected == outcome(Answered(http_status=404, code=21999, message="No"))

    def test_a_server_error_says_itself(self) -> None:
        expected = InDoubt(message="Twilio error 20500: Internal server error")
        assert expected == outcome(Answered(http_status=500, code=20500, message="Internal server error"))
        assert InDoubt(message="Twilio answered HTTP 503") == outcome(Answered(http_status=503))


ANY_TEXT = st.text(st.characters(exclude_categories=()))
ANSWERS: st.SearchStrategy[Answer] = (
    st.builds(NotSent, detail=ANY_TEXT)
    | st.builds(Unanswered, detail=ANY_TEXT)
    | st.builds(
        Answered,
        http_status=st.integers(100, 599) | st.integers(),
        code=st.none() | st.sampled_from([*BY_CODE]) | st.integers(),
        message=st.none() | ANY_TEXT,
        sid=st.none() | ANY_TEXT,
        message_status=st.none() | ANY_TEXT,
        sender_number=st.none() | ANY_TEXT,
        phone_number=st.none() | ANY_TEXT,
        retry_after=st.none() | st.floats(),
        clock_offset=st.none() | st.floats(),
    )
)


@settings(deadline=None, max_examples=300)
@given(answer=ANSWERS)
def test_a_login_is_refused_where_the_request_would_wait_for_credentials(answer: Answer) -> None:
    """Another login may be tried exactly where nothing was carried out and it is what is missing."""
    found = outcome(answer)
    expected = isinstance(found, Deferred) and found.scope is DeferralScope.CREDENTIALS
    assert expected == refuses_login(answer)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answered(http_status=401), True),
        (Answered(http_status=403, code=20403), True),
        (Answered(http_status=403, code=21408), False),
        (Answered(http_status=403, code=10**9), True),
        (Answered(http_status=429), False),
        (Answered(http_status=500, code=20003), False),
        (Answered(http_status=201, code=20003), False),
        (Unanswered(detail="401"), False),
    ],
)
def test_which_answers_refuse_a_login(answer: Answer, *, expected: bool) -> None:
    assert expected == refuses_login(answer)


@settings(deadline=None, max_examples=300)
@given(answer=ANSWERS)
def test_any_answer_has_an_outcome_that_people_can_read(answer: Answer) -> None:
    result = outcome(answer)
    if isinstance(result, Accepted):
        assert isinstance(answer, Answered)
        assert 200 <= answer.http_status <= 299
    else:
        assert result.message
        assert result.message.isprintable()
        assert len(result.message) < 700
