"""Which treatment every code of the table and every HTTP status gets."""

from __future__ import annotations

import pytest

from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import DeferralScope
from twilio_notifications.core.twilio_codes import (
    ACCOUNT_WAITS,
    ADDRESS_WAITS,
    BY_CODE,
    CREDENTIALS_WAIT,
    REFUSE,
    SENDER_WAITS,
    SETTLE,
    Refuse,
    Settle,
    Treatment,
    Wait,
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
    401: Wait(scope=DeferralScope.CREDENTIALS, reason=Reason.UNAUTHORIZED),
    403: Wait(scope=DeferralScope.CREDENTIALS, reason=Reason.UNAUTHORIZED),
    404: ADDRESS_WAITS,
    408: Settle(),
    425: Settle(),
    429: Wait(scope=DeferralScope.ACCOUNT, reason=Reason.RATE_LIMITED),
}


class TestStatuses:
    @pytest.mark.parametrize(("status", "treatment"), EXPECTED_BY_STATUS.items())
    def test_an_answer_without_a_code_is_judged_by_its_status(
        self, status: int, treatment: Treatment
    ) -> None:
        assert treatment == treatment_of(http_status=status, code=None)

    def test_every_status_of_http_is_there(self) -> None:
        assert set(range(100, 600)) <= EXPECTED_BY_STATUS.keys()
