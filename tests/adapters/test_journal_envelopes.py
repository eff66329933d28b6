"""What a client wrote around its request stays with it: for its statuses, over a restart, of duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import START, a_rejection, a_request, a_success
from tests.support.journals import A, B, begin, end, record, statuses, store, waiting
from twilio_notifications.adapters.journal.envelopes import decoded_envelope, encoded_envelope
from twilio_notifications.ports import Envelope, Opening

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.journals import OpenJournal

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ENVELOPE = Envelope(response_topic="answers/7", correlation=b"\x00\xff7", traceparent=TRACEPARENT)

TOPICS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(topic=TOPICS, correlation=st.none() | st.binary(), traceparent=st.none() | st.just(TRACEPARENT))
def test_an_envelope_is_kept_as_it_is(
    topic: str | None, correlation: bytes | None, traceparent: str | None
) -> None:
    envelope = Envelope(response_topic=topic, correlation=correlation, traceparent=traceparent)
    assert envelope == decoded_envelope(encoded_envelope(envelope))


def test_no_envelope_takes_no_room() -> None:
    assert encoded_envelope(None) is None
    assert decoded_envelope(None) is None


async def test_a_status_has_the_envelope_of_its_request(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_request(A, envelope=ENVELOPE))
        await record(journal, a_request(B))
        await begin(journal, 1, 2)
        taken = await end(journal, a_success(1), a_success(2))
        written = [status.envelope for one in taken for status in one.written]
        assert [ENVELOPE, None] == written == [status.envelope for status in await statuses(journal)]


async def test_a_status_of_a_request_that_left_at_once_has_its_envelope(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        opening = Opening(at=START, clock_offset=None, places=1)
        await journal.record([a_request(A, envelope=ENVELOPE, may_leave=True)], opening=opening)
        (taken,) = await end(journal, a_success(1))
        assert [ENVELOPE] == [status.envelope for status in taken.written]


async def test_a_rejection_goes_to_the_response_topic_too(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        recordings = await journal.record([a_rejection(envelope=ENVELOPE)])
        assert [ENVELOPE] == [status.envelope for status in recordings.written]


async def test_a_request_that_waits_over_a_restart_keeps_its_envelope_and_its_trace(tmp_path: Path) -> None:
    opened = store("sqlite file", tmp_path)
    async with opened() as journal:
        await record(journal, a_request(A, envelope=ENVELOPE))
    async with opened() as journal:
        (request,) = await waiting(journal)
        assert TRACEPARENT == request.traceparent
        await begin(journal, 1)
        (taken,) = await end(journal, a_success(1))
        assert [ENVELOPE] == [status.envelope for status in taken.written]
    async with opened() as journal:
        assert [ENVELOPE] == [status.envelope for status in await statuses(journal)]


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_duplicate_has_an_envelope_of_its_own(a_store: OpenJournal, *, is_answered: bool) -> None:
    own = Envelope(response_topic="answers/8", correlation=b"second")
    async with a_store(deduplicate_seconds=60.0) as journal:
        await record(journal, a_request(A, envelope=ENVELOPE))
        await begin(journal, 1)
        if not is_answered:
            await record(journal, a_request(A, envelope=own))
        await end(journal, a_success(1))
        if is_answered:
            await record(journal, a_request(A, envelope=own))
        assert [ENVELOPE, own] == [status.envelope for status in await statuses(journal)]
