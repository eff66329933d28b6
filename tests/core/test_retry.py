"""What each answer means: every row of the tables, every HTTP status, and how long a request waits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twilio_notifications.core import retry
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
from twilio_notifications.core.retry import (
    BY_CODE,
    MAXIMUM_RETRY_AFTER_SECONDS,
    Refuse,
    Settle,
    Treatment,
    Wait,
    backoff_ceiling,
    backoff_seconds,
    classify,
    deferral_seconds,
    refuses_login,
)

NOTIFICATION = Notification(
    request_id="request123",
    channel=Channel.SMS,
    recipient=Recipient(name="Darla", phone_number="+12345000000"),
    content=Text(body="Hello"),
    sender_number="4254492999",
)


def outcome(answer: Answer) -> Outcome:
    return classify(answer, notification=NOTIFICATION)


def treatment_of(outcome: Outcome) -> Treatment | None:
    match outcome:
        case Accepted():
            return None
        case Refused(reason=reason):
            return Refuse(reason=reason)
        case Deferred(scope=scope, reason=reason):
            return Wait(scope=scope, reason=reason)
        case InDoubt():
            return Settle()


CLIENT_ERRORS = [status for status in range(400, 500) if status not in {401, 429}]


class TestCodes:
    @pytest.mark.parametrize(("code", "treatment"), BY_CODE.items())
    def test_a_known_code_decides_over_the_status(self, code: int, treatment: Treatment) -> None:
        outcomes = {outcome(Answered(http_status=status, code=code)) for status in CLIENT_ERRORS}
        assert {treatment} == {treatment_of(each) for each in outcomes}

    @pytest.mark.parametrize("code", BY_CODE)
    def test_no_code_makes_a_server_error_certain(self, code: int) -> None:
        """Creating is not idempotent: after a 5xx the message may be on its way."""
        for status in (500, 502, 503, 504, 599):
            assert isinstance(outcome(Answered(http_status=status, code=code)), InDoubt)

    @pytest.mark.parametrize("code", BY_CODE)
    def test_a_401_is_about_the_credentials_whatever_its_code(self, code: int) -> None:
        assert retry.CREDENTIALS_WAIT == treatment_of(outcome(Answered(http_status=401, code=code)))

    @pytest.mark.parametrize("code", [None, 1, 20429, 21211, 21610, 20003, 20500, 99999])
    def test_a_429_was_never_looked_at_whatever_its_code(self, code: int | None) -> None:
        assert retry.ACCOUNT_WAITS == treatment_of(outcome(Answered(http_status=429, code=code)))

    @pytest.mark.parametrize("code", [21611, 22005, 30001])
    @pytest.mark.parametrize("status", [400, 403, 429])
    def test_one_numbers_full_queue_stops_that_number_only(self, status: int, code: int) -> None:
        assert retry.SENDER_WAITS == treatment_of(outcome(Answered(http_status=status, code=code)))

    @pytest.mark.parametrize("code", [None, 10000, 20007, 20999])
    def test_a_403_about_the_account_waits_for_the_credentials(self, code: int | None) -> None:
        assert retry.CREDENTIALS_WAIT == treatment_of(outcome(Answered(http_status=403, code=code)))

    @pytest.mark.parametrize("code", [21000, 21211, 21999, 30034, 63999, 99999])
    def test_a_403_about_the_request_refuses_that_request_only(self, code: int) -> None:
        """Treated as refused credentials, one bad recipient would stop all others."""
        assert retry.REFUSE == treatment_of(outcome(Answered(http_status=403, code=code)))

    @pytest.mark.parametrize("code", [1, 20001, 21999, 99999])
    def test_an_unknown_code_of_a_400_is_refused(self, code: int) -> None:
        expected = Refused(reason=Reason.INVALID_PARAMETER, message=f"Twilio error {code}", code=code)
        assert expected == outcome(Answered(http_status=400, code=code))

    @pytest.mark.parametrize("code", [0, -1, 1_000_000, 2**70, 10**400])
    def test_a_number_that_is_no_code_is_not_passed_on(self, code: int) -> None:
        """It goes into a column of the journal."""
        expected = Refused(reason=Reason.INVALID_PARAMETER, message="Twilio answered HTTP 400")
        assert expected == outcome(Answered(http_status=400, code=code))


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
            reason=Reason.RATE_LIMITED,
            message="Twilio error 21611: Queue full",
            code=21611,
        )
        assert expected == outcome(Answered(http_status=400, code=21611, message="Queue full"))


EXPECTED_BY_STATUS: dict[int, Treatment] = {
    **dict.fromkeys(range(100, 200), Settle()),
    **dict.fromkeys(range(200, 300), Settle()),
    **dict.fromkeys(range(300, 400), retry.ADDRESS_WAITS),
    **dict.fromkeys(range(400, 500), Refuse(reason=Reason.INVALID_PARAMETER)),
    **dict.fromkeys(range(500, 600), Settle()),
    **dict.fromkeys((-1, 0, 99, 600, 999, 10**30), Settle()),
    401: Wait(scope=DeferralScope.CREDENTIALS, reason=Reason.UNAUTHORIZED),
    403: Wait(scope=DeferralScope.CREDENTIALS, reason=Reason.UNAUTHORIZED),
    404: retry.ADDRESS_WAITS,
    408: Settle(),
    425: Settle(),
    429: Wait(scope=DeferralScope.ACCOUNT, reason=Reason.RATE_LIMITED),
}


class TestStatuses:
    @pytest.mark.parametrize(("status", "treatment"), EXPECTED_BY_STATUS.items())
    def test_an_answer_without_a_code_is_judged_by_its_status(
        self, status: int, treatment: Treatment
    ) -> None:
        assert treatment == treatment_of(outcome(Answered(http_status=status)))

    def test_every_status_of_http_is_there(self) -> None:
        assert set(range(100, 600)) <= EXPECTED_BY_STATUS.keys()

    @pytest.mark.parametrize("seconds", [None, 0.0, 7.5])
    def test_what_twilio_asks_for_is_kept(self, seconds: float | None) -> None:
        deferred = outcome(Answered(http_status=429, code=20429, message="Too many", retry_after=seconds))
        expected = Deferred(
            scope=DeferralScope.ACCOUNT,
            reason=Reason.RATE_LIMITED,
            message="Twilio error 20429: Too many",
            code=20429,
            retry_after=seconds,
        )
        assert expected == deferred


def foreign(status: int, **fields: object) -> Answered:
    return Answered(http_status=status, is_twilios=False, **fields)  # type: ignore[arg-type]  # by the test


class TestAnswersThatAreNotTwilios:
    """A proxy, a log-in page, another server: it knows neither credentials nor the values of requests."""

    @pytest.mark.parametrize("status", [*range(300, 400), 400, 401, 403, 404, 405, 407, 411, 413, 415, 451])
    def test_what_was_turned_away_waits_and_is_not_refused(self, status: int) -> None:
        assert retry.ADDRESS_WAITS == treatment_of(outcome(foreign(status)))

    @pytest.mark.parametrize(
        "status", [*range(200, 300), 408, 409, 425, 444, 460, 499, *range(500, 600), 999]
    )
    def test_what_may_have_been_passed_on_is_in_doubt(self, status: int) -> None:
        assert isinstance(outcome(foreign(status)), InDoubt)

    def test_a_429_was_not_passed_on_whoever_counts(self) -> None:
        assert retry.ACCOUNT_WAITS == treatment_of(outcome(foreign(429)))

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
            reason=Reason.TWILIO_UNAVAILABLE,
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
            reason=Reason.TWILIO_UNAVAILABLE,
            message="Twilio error 20404: Not found (check TWILIO_ACCOUNT_SID, and base_url in [twilio])",
            code=20404,
        )
        assert expected == outcome(Answered(http_status=404, code=20404, message="Not found"))

    def test_a_redirect_says_what_to_look_at(self) -> None:
        expected = Deferred(
            scope=DeferralScope.ADDRESS,
            reason=Reason.TWILIO_UNAVAILABLE,
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


class TestBackoff:
    @pytest.mark.parametrize(
        ("count", "seconds"),
        [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (1025, 60), (10**9, 60)],
    )
    def test_the_ceiling_doubles_up_to_its_maximum(self, count: int, seconds: float) -> None:
        assert seconds == backoff_ceiling(count=count, initial=1, maximum=60)

    def test_a_maximum_below_the_initial_wait_wins(self) -> None:
        assert 0.5 == backoff_ceiling(count=1, initial=1, maximum=0.5)

    @pytest.mark.parametrize("count", [0, -1])
    def test_before_the_first_failure_it_is_the_initial_wait(self, count: int) -> None:
        assert 1 == backoff_ceiling(count=count, initial=1, maximum=60)

    @pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 0), (0.25, 2), (0.5, 4), (0.75, 6)])
    def test_jitter_is_the_share_of_the_ceiling(self, jitter: float, seconds: float) -> None:
        assert seconds == backoff_seconds(count=4, initial=1, maximum=60, jitter=jitter)

    @given(
        count=st.integers(),
        initial=st.floats(0, 1e300),
        maximum=st.floats(0, 1e6),
        jitter=st.floats(0, 1, exclude_max=True),
    )
    def test_it_stays_between_nothing_and_the_maximum(
        self, count: int, initial: float, maximum: float, jitter: float
    ) -> None:
        assert 0 <= backoff_seconds(count=count, initial=initial, maximum=maximum, jitter=jitter) <= maximum


def deferred(scope: DeferralScope, retry_after: float | None = None) -> Deferred:
    return Deferred(scope=scope, reason=Reason.RATE_LIMITED, message="m", retry_after=retry_after)


def wait(deferral: Deferred, *, count: int = 1, jitter: float = 0.5) -> float:
    return deferral_seconds(deferral, count=count, initial=1, maximum=60, jitter=jitter)


NOT_THE_SENDER = [scope for scope in DeferralScope if scope is not DeferralScope.SENDER]


class TestDeferral:
    @pytest.mark.parametrize("scope", DeferralScope)
    @pytest.mark.parametrize("seconds", [0.001, 1, 60, 300, 3600])
    def test_what_twilio_asks_for_is_honoured(self, scope: DeferralScope, seconds: float) -> None:
        """Also beyond our own maximum, and spread a little, so that not everything comes at one instant."""
        assert seconds == wait(deferred(scope, seconds), jitter=0)
        assert seconds < wait(deferred(scope, seconds), jitter=0.9) <= seconds + 1

    @pytest.mark.parametrize("seconds", [3601, 1e9, math.inf])
    def test_more_than_an_hour_counts_as_an_hour(self, seconds: float) -> None:
        assert MAXIMUM_RETRY_AFTER_SECONDS == wait(deferred(DeferralScope.ACCOUNT, seconds), jitter=0)

    @pytest.mark.parametrize("seconds", [None, 0, -1, -math.inf, math.nan])
    @pytest.mark.parametrize("scope", NOT_THE_SENDER)
    def test_otherwise_it_backs_off(self, scope: DeferralScope, seconds: float | None) -> None:
        """A header that says "now" must not become a busy loop."""
        for count in (1, 3, 50):
            expected = backoff_seconds(count=count, initial=1, maximum=60, jitter=0.5)
            assert expected == wait(deferred(scope, seconds), count=count)

    @pytest.mark.parametrize("count", [1, 2, 7, 5000])
    def test_a_full_queue_waits_longer_than_anything_else(self, count: int) -> None:
        longest = wait(deferred(DeferralScope.ACCOUNT), count=count, jitter=0.999)
        assert longest * 10 < wait(deferred(DeferralScope.SENDER), count=count, jitter=0)

    def test_a_full_queue_waits_for_minutes_by_default(self) -> None:
        assert (15, 22.5) == tuple(wait(deferred(DeferralScope.SENDER), jitter=jitter) for jitter in (0, 0.5))
        assert 900 == wait(deferred(DeferralScope.SENDER), count=7, jitter=0)

    @given(
        scope=st.sampled_from(DeferralScope),
        retry_after=st.none() | st.floats(),
        count=st.integers(),
        initial=st.floats(0, 1e4),
        maximum=st.floats(0, 1e4),
        jitter=st.floats(0, 1, exclude_max=True),
    )
    def test_every_wait_is_finite_and_not_in_the_past(
        self,
        scope: DeferralScope,
        retry_after: float | None,
        count: int,
        initial: float,
        maximum: float,
        jitter: float,
    ) -> None:
        deferral = deferred(scope, retry_after)
        seconds = deferral_seconds(deferral, count=count, initial=initial, maximum=maximum, jitter=jitter)
        assert 0 <= seconds <= MAXIMUM_RETRY_AFTER_SECONDS + initial + 30 * maximum
