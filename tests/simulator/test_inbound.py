"""Texts and calls from outside: in the lists, not in the ledger; and Twilio's own words for opting out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator.desk import A_TEXT, CALLS, DARLA, MESSAGES, NOON, SENDER, call_path
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.errors import OrderRefused
from twilio_notifications.simulator.inbound import InboundOrder

if TYPE_CHECKING:
    from tests.simulator.desk import Desk


def receive(desk: Desk, body: str = "1", *, channel: Channel = Channel.SMS, **changes: Any) -> str:
    order = InboundOrder(**{"channel": channel, "sender": DARLA, "to": SENDER, "body": body, **changes})
    return desk.engine.world.receive(order, now=desk.now).sid


def test_an_inbound_text_is_in_the_list_by_sender_and_recipient(desk: Desk) -> None:
    desk.text()
    sid = receive(desk, "1")
    (shown,) = desk.get(MESSAGES, {"From": DARLA, "To": SENDER}).json["messages"]
    expected = (sid, "inbound", "received", "1", "Wed, 15 Nov 2023 12:00:00 +0000")
    assert expected == tuple(shown[name] for name in ("sid", "direction", "status", "body", "date_created"))


def test_an_inbound_call_rings_and_ends(desk: Desk) -> None:
    desk.text()
    sid = receive(desk, channel=Channel.CALL)
    (shown,) = desk.get(CALLS, {"From": DARLA}).json["calls"]
    assert (sid, "inbound", "ringing") == (shown["sid"], shown["direction"], shown["status"])
    desk.now = NOON + 60
    assert "completed" == desk.get(call_path(sid)).json["status"]


def test_the_ledger_of_creates_leaves_out_what_comes_from_outside(desk: Desk) -> None:
    sid = desk.text()
    receive(desk)
    receive(desk, channel=Channel.CALL)
    assert [sid] == [entry.sid for entry in desk.engine.store.ledger]


def test_an_inbound_text_needs_an_account(desk: Desk) -> None:
    with pytest.raises(OrderRefused, match="Name the account_sid"):
        receive(desk)


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe", "ARRET"])
def test_a_word_of_twilios_stops_texts_between_the_two_numbers(desk: Desk, word: str) -> None:
    desk.text()
    receive(desk, word)
    assert (400, 21610) == desk.post(MESSAGES, A_TEXT).error
    assert 201 == desk.post(MESSAGES, {**A_TEXT, "From": "+19999999998"}).status
    desk.call()
    receive(desk, "start")
    assert 201 == desk.post(MESSAGES, A_TEXT).status


def test_other_words_stop_nothing(desk: Desk) -> None:
    desk.text()
    receive(desk, "please stop")
    assert 201 == desk.post(MESSAGES, A_TEXT).status
