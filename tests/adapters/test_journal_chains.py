"""The conformance suite of the port Chains, and the properties of section 7 in the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.factories import (
    START,
    a_failure,
    a_mark,
    a_notification,
    a_postponement,
    a_request,
    a_success,
)
from tests.support.fakes import RecordingEvents
from tests.support.journals import (
    EVERY,
    LASTING,
    A,
    B,
    C,
    OpenJournal,
    accept,
    begin,
    due,
    end,
    outbox,
    record,
    report,
    statuses,
    store_of,
    waiting,
)
from tests.support.reading import entry, of_kind
from twilio_notifications.adapters.journal.wishing import (
    CHAINS_AT_ONCE,
    ENDED_AT_ONCE,
    LOOKED_THROUGH_AT_ONCE,
)
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.conclusions import ChainWriter, StatusWriter
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.escalation import Acknowledged, Chain, ChainEnd, Door, EndKind
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import (
    Acknowledgement,
    Cancellation,
    Channel,
    Content,
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports import KnownReply, NewRequest, NewStep, NewWish, Recording
from twilio_notifications.ports.journal.timeline import PersonNotified

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.ports import Journal, Recorded

HINT = "Reply {code} to acknowledge."
WRITER = ChainWriter(
    statuses=StatusWriter(),
    chains={"freezer": Chain(steps=(), tell_others=False), "told": Chain(steps=())},
    contacts={},
    default_sender_number=None,
)
DARLA_HAS_IT = ChainEnd(
    kind=EndKind.ACKNOWLEDGED, at=START + 9, acknowledged=Acknowledged(by="Darla", door=Door.TOPIC)
)
NO_ONE = ChainEnd(kind=EndKind.UNACKNOWLEDGED, at=START + 9)
REPLY = KnownReply(sid="SM9", phone_number=A, at=START + 8, meaning="text")


@pytest.fixture(params=EVERY)
def a_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store_of(request, tmp_path)


@pytest.fixture(params=LASTING)
def a_lasting_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store_of(request, tmp_path)


async def begin_chain(journal: Journal, *numbers: str, escalation: str = "freezer", **named: Any) -> None:
    for number in numbers:
        request = a_request(number, escalation=escalation, **named)
        assert Recording.NEW == await record(journal, replace(request, hint=HINT, writer=WRITER))


def a_step(chain: int, position: int, *numbers: str, at: float = START + 5, **named: Any) -> NewStep:
    requests = tuple(replace(a_request(number, accepted_at=at, **named), hint=HINT) for number in numbers)
    return NewStep(chain=chain, position=position, at=at, requests=requests)


async def carry_out(journal: Journal, wish: Cancellation | Acknowledgement, **named: Any) -> Recorded:
    new = NewWish(wish=wish, at=START + 9, writer=WRITER, **named)
    (recorded,) = (await journal.record([new])).recorded
    return recorded


# Section 7: what a request has comes back as it was.


@pytest.mark.parametrize(
    "content",
    [
        Text(body="Look", media_urls=("https://example.com/1.png", "https://example.com/2.png")),
        Text(body="", media_urls=("https://example.com/1.png",)),
        VoiceLocation(url="https://example.com/voice.xml"),
        SpokenText(text="Tau!", language="de-DE", voice="Polly.Vicki"),
        SpokenText(text="Thaw!"),
        Twiml(document="<Response/>"),
    ],
)
async def test_every_property_of_a_request_comes_back_from_the_journal(
    a_store: OpenJournal, content: Content
) -> None:
    channel = Channel.SMS if isinstance(content, Text) else Channel.CALL
    notification = a_notification(
        channel=channel,
        content=content,
        messaging_service_sid="MG" + 32 * "a",
        about="freezer",
        contact="darla",
        valid_for_seconds=60.5,
    )
    async with a_store() as journal:
        await record(journal, NewRequest(notification=notification, accepted_at=START, expires_at=START + 60))
        (claimed,) = await journal.claim(due_before=START, limit=9)
    assert notification == claimed.notification


# Chains.


async def test_a_chain_waits_from_its_request_on(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        (running,) = await journal.due_chains(now=START, limit=9)
        assert (1, "freezer", START, ()) == (
            running.request.id,
            running.name,
            running.began_at,
            running.taken,
        )
        assert Text(body="Hello from the edge") == running.request.notification.content
        await journal.put_off(running, look_at=START + 300)
        assert [] == await journal.due_chains(now=START + 299, limit=9)
        assert START + 300 == await journal.next_chain_look()


async def test_a_chain_that_something_has_happened_to_is_not_put_off(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        (running,) = await journal.due_chains(now=START, limit=9)
        await end(journal, a_failure(1, at=START + 1))
        await journal.put_off(running, look_at=START + 300)
        (again,) = await journal.due_chains(now=START + 1, limit=9)
        assert again.history.began.failed


async def test_a_step_is_taken_once(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        assert await journal.take_step(a_step(1, 0, B, C, name="Deputy"))
        assert not await journal.take_step(a_step(1, 0, B, C, name="Deputy"))
        assert not await journal.take_step(a_step(1, 2, B))
        assert [1, 2, 3] == await due(journal, at=START + 5)
        (running,) = await journal.due_chains(now=START + 5, limit=9)
        assert [2, 3] == [member.request for step in running.taken for member in step.members]


async def test_a_step_never_follows_an_acknowledgement(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)
        assert not await journal.take_step(a_step(1, 0, B))


async def test_a_step_that_was_claimed_before_an_acknowledgement_gets_no_attempt(
    a_store: OpenJournal,
) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        await begin(journal, 1)
        await end(journal, a_success(1))
        await journal.take_step(a_step(1, 0, B))
        assert [2] == await due(journal, at=START + 5)
        await accept(journal, C)
        ended = await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)
        assert (1,) == ended.chains
        assert (2,) == ended.requests
        assert [3] == await begin(journal, 2, 3, at=START + 10)
        taken = await journal.take([a_failure(2, at=START + 10)])
        assert frozenset({2}) == taken.stale | taken.lapsed


async def test_a_step_publishes_no_status_and_keeps_why_it_ended(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        await journal.take_step(a_step(1, 0, B))
        (taken,) = await end(journal, a_failure(2, reason=Reason.NOT_ALLOWED))
        assert () == taken.written
        assert [] == await outbox(journal)
        (running,) = await journal.due_chains(now=START + 9, limit=9)
        assert running.taken[0].failed


async def test_a_chain_ends_once_with_a_status(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        await begin(journal, 1)
        await end(journal, a_success(1))
        await report(journal, [1])
        ended = await journal.end_chain(1, NO_ONE, writer=WRITER)
        assert [b"NotAcknowledged" in one.status for one in ended.written] == [True]
        assert () == (await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)).chains
        assert [1] == await outbox(journal)
        assert await journal.next_chain_look() is None


async def test_the_end_of_a_chain_is_published_after_the_answer_to_its_request(
    a_lasting_store: OpenJournal,
) -> None:
    """Also over a restart, at which the attempt is in doubt."""
    async with a_lasting_store() as journal:
        await begin_chain(journal, A)
        await begin(journal, 1)
        ended = await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)
        assert ((1,), ()) == (ended.chains, ended.written)
        assert [] == await outbox(journal)
    async with a_lasting_store() as journal:
        assert [] == await outbox(journal)
        (taken,) = await end(journal, a_success(1))
        assert [False, True] == [b"acknowledged" in one.status for one in taken.written]
        assert list(taken.written) == await statuses(journal)


async def test_what_waited_when_its_chain_ended_is_answered_before_the_end(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        ended = await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)
        assert [False, True] == [b"acknowledged" in one.status for one in ended.written]


async def test_a_reply_is_carried_out_once_whatever_chains_wait(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A, A)
        assert (1,) == (await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER, reply=REPLY)).chains
        assert () == (await journal.end_chain(2, DARLA_HAS_IT, writer=WRITER, reply=REPLY)).chains


async def test_codes_at_a_telephone_are_the_smallest_free_ones(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A, A)
        bodies = [one.notification.content for one in await waiting(journal)]
        assert [f"Hello from the edge\nReply {n} to acknowledge." for n in (1, 2)] == [
            getattr(body, "body", None) for body in bodies
        ]
        await journal.end_chain(1, NO_ONE, writer=WRITER)
        await begin_chain(journal, A)
        assert "Reply 1 " in getattr((await waiting(journal))[-1].notification.content, "body", "")


async def test_a_telephone_is_notified_when_its_attempt_is_opened(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        assert [] == await journal.notified()
        await begin(journal, 1, at=START + 3)
        (notified,) = await journal.notified()
        assert (A, 1, START + 3) == (
            notified.phone_number,
            notified.waiting.code,
            notified.waiting.notified_at,
        )


async def test_the_others_are_told_by_texts_that_publish_no_status(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A, escalation="told", name="Owner")
        await begin(journal, 1)
        await end(journal, a_success(1))
        await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)
        (told,) = await waiting(journal)
        assert Text(body="Darla has it") == told.notification.content
        assert (True, True) == (told.chain_ended, told.tells_end)
        await begin(journal, told.id)
        (taken,) = await end(journal, a_success(told.id))
        assert () == taken.written


@pytest.mark.parametrize(
    ("outcome", "numbers"),
    [
        (AttemptOutcome.REFUSED, [A]),
        (AttemptOutcome.FAILED, [A]),
        (AttemptOutcome.IN_DOUBT, [A, B]),
    ],
)
async def test_only_those_who_may_have_the_alarm_are_told_of_its_end(
    a_store: OpenJournal, outcome: AttemptOutcome, numbers: list[str]
) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A, escalation="told", name="Owner")
        await begin(journal, 1)
        await end(journal, a_success(1))
        await journal.take_step(a_step(1, 0, B, C, name="Deputy"))
        await begin(journal, 2)
        await end(journal, a_failure(2, outcome=outcome))
        await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)
        told = [one.notification.recipient.phone_number for one in await waiting(journal)]
        assert numbers == told


async def test_calls_that_may_ring_are_to_be_hung_up_until_they_were(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        await journal.take_step(
            a_step(1, 0, B, channel=Channel.CALL, content=VoiceLocation(url="https://example.com"))
        )
        await begin(journal, 2, at=START + 5)
        await end(journal, a_success(2, at=START + 6, sid="CA2"))
        await journal.end_chain(1, DARLA_HAS_IT, writer=WRITER)
        (hangup,) = await journal.due_hangups(now=START + 9, limit=9)
        assert ("CA2", 2, 0) == (hangup.sid, hangup.request, hangup.tries)
        await journal.hung_up("CA2", again_at=START + 20)
        assert [] == await journal.due_hangups(now=START + 19, limit=9)
        await journal.hung_up("CA2", again_at=None)
        assert [] == await journal.due_hangups(now=START + 99, limit=9)


# Cancellations, acknowledgements, and requests about the same.


async def test_an_acknowledgement_ends_every_chain_with_its_id(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A, B)
        await begin_chain(journal, C, request_id="other")
        recorded = await carry_out(journal, Acknowledgement(request_id="request123", by="Darla"))
        assert recorded.ended is not None
        assert (1, 2) == recorded.ended.chains


async def test_a_cancellation_ends_what_waits_and_nothing_else(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await accept(journal, A, B)
        await accept(journal, C, request_id="other")
        recorded = await carry_out(journal, Cancellation(request_id="request123"))
        assert recorded.ended is not None
        assert (2, 3) == recorded.ended.requests
        assert [4] == [one.id for one in await waiting(journal)]


async def test_a_cancellation_ends_everything_that_waits_however_much_it_is(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await journal.record([a_request(A, request_id="thaw") for _ in range(1_001)])
        await carry_out(journal, Cancellation(request_id="thaw"))
        await goes_on(journal)
        assert [] == await waiting(journal)


async def test_what_comes_with_a_cancellation_has_the_turn_that_it_has_made_free(
    a_store: OpenJournal,
) -> None:
    """All in one transaction."""
    cancellation = NewWish(wish=Cancellation(request_id="old"), at=START, writer=WRITER)
    old, new = a_request(A, request_id="old"), a_request(A, request_id="new")
    async with a_store() as journal:
        await journal.record([old, a_request(B), cancellation, new, a_request(B)])
        assert [2, 3] == await due(journal)


async def test_what_comes_with_a_newer_request_about_the_same_has_no_turn_of_another(
    a_store: OpenJournal,
) -> None:
    about = replace(a_request(A, about="door"), writer=WRITER)
    async with a_store() as journal:
        await journal.record([about, about, a_request(A), a_request(B), a_request(B)])
        assert [2, 4] == await due(journal)


async def test_a_repeated_cancellation_cancels_nothing_newer(a_lasting_store: OpenJournal) -> None:
    wish, mark = Cancellation(request_id="request123"), a_mark()
    async with a_lasting_store() as journal:
        await accept(journal, A)
        await carry_out(journal, wish, mark=mark)
        await accept(journal, A)
    async with a_lasting_store() as journal:
        await journal.recover(now=START)
        recorded = await carry_out(journal, wish, mark=mark, redelivered=True)
        assert Recording.REPEATED == recorded.recording
        assert [2] == [one.id for one in await waiting(journal)]


async def test_a_newer_request_about_the_same_supersedes_what_waits_to_that_recipient(
    a_store: OpenJournal,
) -> None:
    async with a_store() as journal:
        await accept(journal, A, B, about="door")
        await accept(journal, A, about="window")
        await record(journal, replace(a_request(A, about="door"), writer=WRITER))
        assert [2, 3, 4] == [one.id for one in await waiting(journal)]
        assert [1] == await outbox(journal)


async def goes_on(journal: Journal) -> list[int]:
    """Carries out all further parts of the wishes that go on; what each of them has ended."""
    parts = []
    while (progress := await journal.go_on_with_wish(at=START + 10, writer=WRITER)) is not None:
        parts.append(len(progress.ended.requests) + len(progress.ended.chains))
    return parts


@pytest.mark.parametrize("wish", [Cancellation(request_id="request123"), Cancellation(about="door")])
async def test_a_cancellation_goes_on_until_nothing_older_is_left(
    a_lasting_store: OpenJournal, wish: Cancellation
) -> None:
    """Also over a restart in its middle."""
    older, newer = 2 * ENDED_AT_ONCE + 50, 3
    async with a_lasting_store() as journal:
        await accept(journal, *older * [A], about="door")
        recorded = await carry_out(journal, wish)
        assert recorded.progress is not None
        assert (ENDED_AT_ONCE, True) == (recorded.progress.requests, recorded.progress.unfinished)
        await accept(journal, *newer * [A], about="door")
    async with a_lasting_store() as journal:
        assert [ENDED_AT_ONCE, 50] == await goes_on(journal)
        assert [older + n + 1 for n in range(newer)] == [one.id for one in await waiting(journal)]
        assert await journal.go_on_with_wish(at=START + 10, writer=WRITER) is None


async def test_a_cancellation_by_id_looks_through_a_bounded_part_of_what_waits_at_once(
    a_store: OpenJournal,
) -> None:
    """Also where all of it expires at the same instant; what came last is looked at first."""
    async with a_store() as journal:
        await accept(journal, A)
        others = [a_request(B, request_id="other") for _ in range(LOOKED_THROUGH_AT_ONCE)]
        await journal.record(others)
        await accept(journal, A)
        recorded = await carry_out(journal, Cancellation(request_id="request123"))
        assert recorded.progress is not None
        assert (1, True) == (recorded.progress.requests, recorded.progress.unfinished)
        assert [1] == await goes_on(journal)
        assert LOOKED_THROUGH_AT_ONCE == journal.by_state()[State.WAITING]


async def test_what_a_cancellation_has_yet_to_end_gets_no_attempt(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await journal.record([a_request(B, request_id="other") for _ in range(LOOKED_THROUGH_AT_ONCE)])
        (before, *_) = await journal.claim(due_before=START, limit=1)
        assert before.recalled is None
        await carry_out(journal, Cancellation(request_id="request123"))
        assert [] == await begin(journal, 1, at=START + 10)
        (claimed, *_) = await journal.claim(due_before=START, limit=1)
        assert (1, Reason.CANCELLED) == (claimed.id, claimed.recalled)


async def test_steps_of_chains_take_no_place_of_what_a_cancellation_ends(a_store: OpenJournal) -> None:
    """They end with their chain, and their ids are those of its request."""
    async with a_store() as journal:
        await begin_chain(journal, A)
        await journal.take_step(a_step(1, 0, *ENDED_AT_ONCE * [B]))
        await accept(journal, C)
        recorded = await carry_out(journal, Cancellation(request_id="request123"))
        assert recorded.progress is not None
        assert (1, False) == (recorded.progress.chains, recorded.progress.unfinished)
        assert [] == await waiting(journal)


async def test_many_chains_end_one_part_after_the_other_and_take_no_step_meanwhile(
    a_store: OpenJournal,
) -> None:
    count = CHAINS_AT_ONCE + 5
    async with a_store() as journal:
        await begin_chain(journal, *count * [A])
        recorded = await carry_out(journal, Acknowledgement(request_id="request123", by="Darla"))
        assert recorded.progress is not None
        assert (CHAINS_AT_ONCE, True) == (recorded.progress.chains, recorded.progress.unfinished)
        assert not await journal.take_step(a_step(count, 0, B))
        await goes_on(journal)
        assert await journal.next_chain_look() is None


@pytest.mark.parametrize("wish", [Cancellation(request_id="request123"), Cancellation(about="door")])
async def test_what_was_cancelled_during_an_attempt_is_due_at_once_to_be_ended_if_it_waits_again(
    a_lasting_store: OpenJournal, wish: Cancellation
) -> None:
    async with a_lasting_store() as journal:
        await accept(journal, A, about="door")
        await begin(journal, 1)
        await carry_out(journal, wish)
    async with a_lasting_store() as journal:
        outcome = AttemptOutcome.FAILED
        await end(journal, a_postponement(1, at=START + 20, due_at=START + 900, outcome=outcome))
        (claimed,) = await journal.claim(due_before=START + 20, limit=9)
        assert Reason.CANCELLED == claimed.recalled


async def test_what_was_superseded_during_an_attempt_is_ended_if_it_waits_again(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, about="door")
        await begin(journal, 1)
        await record(journal, replace(a_request(A, about="door"), writer=WRITER))
        await end(journal, a_postponement(1, at=START + 20, due_at=START + 900))
        claimed = await journal.claim(due_before=START + 20, limit=9)
        assert [(1, Reason.SUPERSEDED)] == [(one.id, one.recalled) for one in claimed]


@pytest.mark.parametrize("wish", [Cancellation(request_id="request123"), Cancellation(about="door")])
@pytest.mark.parametrize("answered", ["before", "after"])
async def test_a_call_is_to_be_hung_up_also_where_no_delivery_is_followed(
    a_store: OpenJournal, wish: Cancellation, answered: str
) -> None:
    """`after`: Twilio takes the call when it has been cancelled already."""
    call: Any = {
        "channel": Channel.CALL,
        "content": VoiceLocation(url="https://example.com"),
        "about": "door",
    }
    async with a_store() as journal:
        await accept(journal, A, **call)
        await begin(journal, 1)
        if answered == "before":
            await end(journal, a_success(1, at=START + 6, sid="CA1"))
        await carry_out(journal, wish)
        if answered == "after":
            await end(journal, a_success(1, at=START + 12, sid="CA1"))
        assert ["CA1"] == [one.sid for one in await journal.due_hangups(now=START + 99, limit=9)]


async def test_a_call_that_ended_long_ago_is_not_hung_up(a_store: OpenJournal) -> None:
    call: Any = {"channel": Channel.CALL, "content": VoiceLocation(url="https://example.com")}
    async with a_store() as journal:
        await accept(journal, A, **call)
        await begin(journal, 1)
        await end(journal, a_success(1, at=START - 14_400, sid="CA1"))
        await carry_out(journal, Cancellation(request_id="request123"))
        assert [] == await journal.due_hangups(now=START + 99, limit=9)


async def test_a_step_is_recorded_in_a_full_journal_and_keeps_new_requests_out(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=2) as journal:
        await begin_chain(journal, A)
        assert await journal.take_step(a_step(1, 0, B, C))
        assert Recording.FULL == await record(journal, a_request(A))
        assert 3 == journal.by_state()[State.WAITING]


async def test_all_of_it_is_there_after_a_start(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await begin_chain(journal, A)
        await begin(journal, 1, at=START + 1)
        await end(journal, a_success(1))
        await journal.take_step(a_step(1, 0, B))
    async with a_lasting_store() as journal:
        await journal.recover(now=START + 9)
        (running,) = await journal.due_chains(now=START + 9, limit=9)
        assert 1 == len(running.taken)
        assert [A] == [one.phone_number for one in await journal.notified()]
        assert [2] == await due(journal, at=START + 9)


async def test_a_person_sees_whom_a_chain_notified_and_what_became_of_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0) as journal:
        await begin_chain(journal, A)
        await begin(journal, 1, at=START + 1)
        await end(journal, a_success(1))
        await journal.take_step(a_step(1, 0, B, C))
        await begin(journal, 2, at=START + 6)
        await end(journal, a_failure(2))
        notified, of_step = of_kind(path, 1, PersonNotified), entry(path, 2)
    assert "not published: it belongs to the escalation of request 1" == of_step.remark
    assert [(2, B), (3, C)] == [(one.request, one.phone_number) for one in notified]
    assert [a_failure(2).reason, "WAITING"] == [one.became for one in notified]


async def test_a_chain_that_waits_is_not_purged(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await begin_chain(journal, A)
        await begin(journal, 1)
        await end(journal, a_success(1))
        await report(journal, [1])
        assert 0 == await journal.purge(finished_before=START + 1e6, limit=9)
        await journal.end_chain(1, NO_ONE, writer=WRITER)
        await report(journal, [1])
        assert 1 == await journal.purge(finished_before=START + 1e6, limit=9)
