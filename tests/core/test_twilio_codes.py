"""Which treatment and which words every code of the table, every family and every HTTP status gets."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import DeferralScope
from twilio_notifications.core.twilio_codes import (
    ACCOUNT_WAITS,
    ADDRESS_WAITS,
    BY_CODE,
    CODES,
    CREDENTIALS_WAIT,
    FAMILIES,
    REFUSE,
    SENDER_WAITS,
    SETTLE,
    Concern,
    Refuse,
    Settle,
    Treatment,
    TwilioCode,
    Wait,
    about_a_voice_document,
    accounts,
    calls,
    deliveries,
    explained,
    requests,
    sentence,
    treatment_of,
)

CLIENT_ERRORS = [status for status in range(400, 500) if status not in {401, 429}]


class TestCodes:
    @pytest.mark.parametrize(("code", "treatment"), BY_CODE.items())
    def test_a_known_code_decides_over_the_status(self, code: int, treatment: Treatment) -> None:
        assert {treatment} == {treatment_of(http_status=status, code=code) for status in CLIENT_ERRORS}

    @pytest.mark.parametrize("code", BY_CODE)
    def test_no_code_makes_a_server_error_certain(self, code: int) -> None:
        """Creating is not idempotent: after a 5xx the message may be on its way."""
        for status in (500, 502, 503, 504, 599):
            assert SETTLE == treatment_of(http_status=status, code=code)

    @pytest.mark.parametrize("code", BY_CODE)
    def test_a_401_is_about_the_credentials_whatever_its_code(self, code: int) -> None:
        assert CREDENTIALS_WAIT == treatment_of(http_status=401, code=code)

    @pytest.mark.parametrize("code", [None, 1, 20429, 21211, 21610, 20003, 20500, 99999])
    def test_a_429_was_never_looked_at_whatever_its_code(self, code: int | None) -> None:
        assert ACCOUNT_WAITS == treatment_of(http_status=429, code=code)

    @pytest.mark.parametrize("code", [21611, 22005, 30001])
    @pytest.mark.parametrize("status", [400, 403, 429])
    def test_one_numbers_full_queue_stops_that_number_only(self, status: int, code: int) -> None:
        assert SENDER_WAITS == treatment_of(http_status=status, code=code)

    @pytest.mark.parametrize("code", [None, 10000, 20007, 20999])
    def test_a_403_about_the_account_waits_for_the_credentials(self, code: int | None) -> None:
        assert CREDENTIALS_WAIT == treatment_of(http_status=403, code=code)

    @pytest.mark.parametrize("code", [21000, 21211, 21999, 30034, 63999, 99999])
    def test_a_403_about_the_request_refuses_that_request_only(self, code: int) -> None:
        """Treated as refused credentials, one bad recipient would stop all others."""
        assert REFUSE == treatment_of(http_status=403, code=code)

    @pytest.mark.parametrize("code", [1, 20001, 21999, 99999])
    def test_an_unknown_code_of_a_400_is_refused(self, code: int) -> None:
        assert REFUSE == treatment_of(http_status=400, code=code)


EXPECTED_BY_STATUS: dict[int, Treatment] = {
    **dict.fromkeys(range(100, 200), Settle()),
    **dict.fromkeys(range(200, 300), Settle()),
    **dict.fromkeys(range(300, 400), ADDRESS_WAITS),
    **dict.fromkeys(range(400, 500), Refuse(reason=Reason.INVALID_PARAMETER)),
    **dict.fromkeys(range(500, 600), Settle()),
    **dict.fromkeys((-1, 0, 99, 600, 999, 10**30), Settle()),
    401: Wait(scope=DeferralScope.CREDENTIALS),
    403: Wait(scope=DeferralScope.CREDENTIALS),
    404: ADDRESS_WAITS,
    408: Settle(),
    425: Settle(),
    429: Wait(scope=DeferralScope.ACCOUNT),
}


class TestStatuses:
    @pytest.mark.parametrize(("status", "treatment"), EXPECTED_BY_STATUS.items())
    def test_an_answer_without_a_code_is_judged_by_its_status(
        self, status: int, treatment: Treatment
    ) -> None:
        assert treatment == treatment_of(http_status=status, code=None)

    def test_every_status_of_http_is_there(self) -> None:
        assert set(range(100, 600)) <= EXPECTED_BY_STATUS.keys()


ON_THE_WAY = (
    *(30003, 30004, 30005, 30006, 30007, 30008, 30034, 30036, 21610, 30409, 30410, 30450, 30610, 30640),
    *(10002, 572002, 572005, 572006, 30454, 63038, 11200, 12100, 13520, 63016, 63003, 63018),
)
"""Codes that a user of the connector meets after Twilio has accepted a text or a call."""

ALL_WORDS = [*CODES.items(), *((family.codes[0], family.words) for family in FAMILIES)]


class TestWords:
    @pytest.mark.parametrize("code", ON_THE_WAY)
    def test_a_code_on_the_way_has_words_of_its_own(self, code: int) -> None:
        assert code in CODES

    @pytest.mark.parametrize(("code", "words"), ALL_WORDS)
    def test_a_meaning_is_a_clause_and_an_advice_is_a_sentence(self, code: int, words: TwilioCode) -> None:
        assert re.fullmatch(r"\S.*[^.\s]", words.means), code
        assert re.fullmatch(r"[A-Z].*\.", words.advice), code
        assert len(sentence(code)) <= 300

    def test_no_two_modules_have_the_same_code(self) -> None:
        """Where they had, the last one would win without a word."""
        parts = [accounts.ACCOUNTS, requests.REQUESTS, deliveries.DELIVERIES, calls.CALLS]
        assert len(CODES) == sum(len(part) for part in parts)

    @given(st.integers())
    def test_every_number_has_words(self, code: int) -> None:
        assert sentence(code).startswith(f"Twilio error {code}: ")

    @pytest.mark.parametrize(
        ("code", "concern"),
        [
            (30099, Concern.NETWORK),
            (30899, Concern.SENDER),
            (13999, Concern.CONTENT),
            (10999, Concern.ACCOUNT),
        ],
    )
    def test_an_unknown_code_is_explained_by_its_family(self, code: int, concern: Concern) -> None:
        assert code not in CODES
        assert concern is explained(code).concern

    def test_no_code_is_in_two_families(self) -> None:
        assert [] == [one for one, next_ in pairwise(FAMILIES) if next_.codes.start < one.codes.stop]

    def test_a_sentence_has_code_meaning_and_advice(self) -> None:
        assert (
            "Twilio error 30005: the number does not exist, or the telephone is not known to its network. "
            "Correct the recipient's number."
        ) == sentence(30005)

    @pytest.mark.parametrize(
        ("code", "expected"), [(11199, False), (11200, True), (13999, True), (14000, False), (30003, False)]
    )
    def test_a_voice_document_has_the_codes_from_11200_to_13999(
        self,
        code: int,
        expected: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        assert expected is about_a_voice_document(code)
