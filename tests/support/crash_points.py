"""The events between which a crash means something different, in the order of the line (ARCHITECTURE.md)."""

from __future__ import annotations

from enum import StrEnum


class CrashPoint(StrEnum):
    """Names of events, as the log would write them."""

    JOURNAL_OPENED = "journal_opened"
    REQUEST_RECEIVED = "request_received"
    REQUEST_RECORDED = "request_recorded"
    REQUEST_ACKNOWLEDGED = "request_acknowledged"
    REQUESTS_CLAIMED = "requests_claimed"
    ATTEMPTS_OPENED = "attempts_opened"
    TWILIO_ANSWERED = "twilio_answered"
    REQUEST_FINISHED = "request_finished"
    REQUEST_POSTPONED = "request_postponed"
    ATTEMPT_IN_DOUBT = "attempt_in_doubt"
    RECORDS_LOOKED_UP = "records_looked_up"
    DOUBT_SETTLED = "doubt_settled"
    STATUS_PUBLISHED = "status_published"
    STATUS_ACKNOWLEDGED = "status_acknowledged"
    STATUSES_REPORTED = "statuses_reported"
    DELIVERY_LOOKED_UP = "delivery_looked_up"
    CALLBACK_RECEIVED = "callback_received"
    DELIVERY_CHANGED = "delivery_changed"
    WISH_CARRIED_OUT = "wish_carried_out"
    STEP_TAKEN = "step_taken"
    REPLY_FROM_OPTED_OUT = "reply_from_opted_out"
    CHAIN_ENDED = "chain_ended"
    WAITING_REQUEST_ENDED = "waiting_request_ended"
    CALL_HUNG_UP = "call_hung_up"
    ORDERS_FOUND = "orders_found"
    ORDER_CARRIED_OUT = "order_carried_out"


OFF_THE_LINE = frozenset(
    {
        CrashPoint.DELIVERY_LOOKED_UP,
        CrashPoint.CALLBACK_RECEIVED,
        CrashPoint.DELIVERY_CHANGED,
        CrashPoint.WISH_CARRIED_OUT,
        CrashPoint.STEP_TAKEN,
        CrashPoint.REPLY_FROM_OPTED_OUT,
        CrashPoint.CHAIN_ENDED,
        CrashPoint.WAITING_REQUEST_ENDED,
        CrashPoint.CALL_HUNG_UP,
        CrashPoint.ORDERS_FOUND,
        CrashPoint.ORDER_CARRIED_OUT,
    }
)
"""Events that a request without an escalation does not pass until its status is reported."""
