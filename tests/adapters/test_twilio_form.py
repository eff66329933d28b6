"""Which parameters of Twilio's API a notification becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.factories import DARLA, SENDER_NUMBER, a_notification
from twilio_notifications.adapters.twilio.form import CallForm, form
from twilio_notifications.core.delivery import CallbackUrls
from twilio_notifications.core.model import Channel, Content, SpokenText, Text, Twiml, VoiceLocation

SERVICE = "MG0123456789abcdef0123456789abcdef"
TO_AND_FROM = [("To", DARLA), ("From", SENDER_NUMBER)]


def test_a_service_alone_has_no_from() -> None:
    notification = replace(a_notification(sender_number=SERVICE), messaging_service_sid=SERVICE)
    fields = form(notification, calls=CallForm())
    assert [("To", DARLA), ("MessagingServiceSid", SERVICE), ("Body", "Hello from the edge")] == fields


def test_a_service_may_have_a_number_next_to_it() -> None:
    fields = form(replace(a_notification(), messaging_service_sid=SERVICE), calls=CallForm())
    assert [*TO_AND_FROM, ("MessagingServiceSid", SERVICE)] == fields[:3]


@pytest.mark.parametrize("body", ["", "Look"])
def test_each_picture_is_a_parameter(body: str) -> None:
    content = Text(body=body, media_urls=("https://a.example", "https://b.example"))
    pictures = [("MediaUrl", "https://a.example"), ("MediaUrl", "https://b.example")]
    expected = [*TO_AND_FROM, *([("Body", body)] if body else []), *pictures]
    assert expected == form(a_notification(content=content), calls=CallForm())


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (VoiceLocation(url="https://example.com/v"), ("Url", "https://example.com/v")),
        (Twiml(document="<Response/>"), ("Twiml", "<Response/>")),
        (
            SpokenText(text="a" * 3000),
            ("Twiml", f'<Response><Say language="en-US">{"a" * 3000}</Say></Response>'),
        ),
    ],
)
def test_a_call_has_a_url_or_twiml_and_its_longest_time(content: Content, field: tuple[str, str]) -> None:
    notification = a_notification(channel=Channel.CALL, content=content)
    assert [*TO_AND_FROM, field, ("TimeLimit", "61")] == form(
        notification, calls=CallForm(time_limit_seconds=60.5)
    )


@pytest.mark.parametrize(("seconds", "written"), [(60.0, "60"), (14.2, "15")])
def test_a_call_says_how_long_it_rings_and_a_text_does_not(seconds: float, written: str) -> None:
    calls = CallForm(ring_seconds=seconds)
    a_call = a_notification(channel=Channel.CALL, content=Twiml(document="<Response/>"))
    assert [written] == [value for name, value in form(a_call, calls=calls) if name == "Timeout"]
    assert "Timeout" not in dict(form(a_notification(), calls=calls))


@pytest.mark.parametrize(
    ("left", "written"), [(59.2, "60"), (0.1, "5"), (5.0, "5"), (36_000.0, "36000"), (86_400.0, "36000")]
)
def test_a_text_with_a_lifetime_of_its_own_says_what_is_left_of_it(left: float, written: str) -> None:
    fields = form(a_notification(valid_for_seconds=86_400), calls=CallForm(), seconds_left=left)
    assert written == dict(fields)["ValidityPeriod"]


def test_a_text_without_a_lifetime_of_its_own_and_a_call_say_nothing_of_it() -> None:
    a_call = a_notification(channel=Channel.CALL, content=Twiml(document="<Response/>"), valid_for_seconds=60)
    for notification in (a_notification(), a_call):
        assert "ValidityPeriod" not in dict(form(notification, calls=CallForm(), seconds_left=60.0))


CALLED_BACK = "https://alarms.example.com/twilio?request=1&attempt=1&key=0"


def test_a_text_says_where_twilio_calls_back() -> None:
    fields = form(a_notification(), calls=CallForm(), callbacks=CallbackUrls(report=CALLED_BACK))
    assert ("StatusCallback", CALLED_BACK) == fields[-1]


def test_a_call_is_called_back_about_at_each_state() -> None:
    call = a_notification(channel=Channel.CALL, content=Twiml(document="<Response/>"))
    fields = form(call, calls=CallForm(), callbacks=CallbackUrls(report=CALLED_BACK))
    events = [value for name, value in fields if name == "StatusCallbackEvent"]
    assert ["initiated", "ringing", "answered", "completed"] == events


def test_a_call_takes_a_key_where_changes_are_not_reported() -> None:
    call = a_notification(channel=Channel.CALL, content=SpokenText(text="It thaws", key_hint="Press a key"))
    fields = dict(form(call, calls=CallForm(detects_machines=True), callbacks=CallbackUrls(key=CALLED_BACK)))
    assert "<Gather" in fields["Twiml"]
    assert not [name for name in fields if "Callback" in name]


def test_a_call_that_no_chain_made_takes_no_key() -> None:
    call = a_notification(channel=Channel.CALL, content=SpokenText(text="It thaws"))
    fields = dict(form(call, calls=CallForm(), callbacks=CallbackUrls(report=CALLED_BACK)))
    assert "<Gather" not in fields["Twiml"]


@pytest.mark.parametrize("callback_url", [None, CALLED_BACK])
def test_machine_detection_does_not_keep_the_person_waiting(callback_url: str | None) -> None:
    call = a_notification(channel=Channel.CALL, content=Twiml(document="<Response/>"))
    fields = form(call, calls=CallForm(detects_machines=True), callbacks=CallbackUrls(report=callback_url))
    assert {("MachineDetection", "Enable"), ("AsyncAmd", "true")} <= set(fields)
    assert callback_url == dict(fields).get("AsyncAmdStatusCallback")
    assert "MachineDetection" not in dict(form(a_notification(), calls=CallForm(detects_machines=True)))
