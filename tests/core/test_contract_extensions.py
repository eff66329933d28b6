"""The properties that the published document does not know: values, conflicts, order of the checks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.contract import Extensions, parse
from twilio_notifications.core.model import (
    Channel,
    Contact,
    Notification,
    Recipient,
    Rejection,
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)

SERVICE = "MG0123456789abcdef0123456789abcdef"
EXTENSIONS = Extensions(
    contacts={
        "darla": Contact(name="Darla", phone_number="+12345000000"),
        "eva": Contact(name="Eva", phone_number="+4915112345678", language="de-DE"),
    },
    escalations=frozenset({"freezer"}),
)
TEXT = {"name": "Darla", "phone_number": "+12345000000", "message": "Hello"}
CALL = {"name": "Darla", "phone_number": "+12345000000", "voice_message_location": "https://example.com/v"}
ABSENT: Any = object()


def parsed(
    recipient: dict[str, Any],
    channel: Channel = Channel.SMS,
    *,
    extensions: Extensions | None = EXTENSIONS,
    default: str | None = "+19999999999",
    **request: Any,
) -> Notification | Rejection:
    recipient = {key: value for key, value in recipient.items() if value is not ABSENT}
    payload = json.dumps({"id": "request123", "request": {"recipient": recipient, **request}})
    return parse(payload.encode(), channel=channel, default_sender_number=default, extensions=extensions)


def accepted(*arguments: Any, **named: Any) -> Notification:
    found = parsed(*arguments, **named)
    assert isinstance(found, Notification), found
    return found


def said(*arguments: Any, **named: Any) -> str:
    found = parsed(*arguments, **named)
    assert isinstance(found, Rejection), found
    assert "request123" == found.request_id
    return found.message


def without(recipient: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**recipient, **dict.fromkeys(names, ABSENT)}


class TestRequest:
    def test_a_messaging_service_takes_the_place_of_the_sender_number(self) -> None:
        found = accepted(TEXT, messaging_service_sid=SERVICE, default=None)
        assert (SERVICE, SERVICE) == (found.messaging_service_sid, found.sender_number)

    def test_the_default_number_is_not_sent_next_to_a_messaging_service(self) -> None:
        """It need not be in the service's pool."""
        assert SERVICE == accepted(TEXT, messaging_service_sid=SERVICE).sender_number

    def test_a_sender_number_may_stand_next_to_a_messaging_service(self) -> None:
        found = accepted(TEXT, messaging_service_sid=SERVICE, from_number="+15005550006")
        assert (SERVICE, "+15005550006") == (found.messaging_service_sid, found.sender_number)

    @pytest.mark.parametrize("value", ["", "MG1", SERVICE + "0", "SM" + SERVICE[2:], 7, [SERVICE]])
    def test_another_sid_is_rejected(self, value: Any) -> None:
        sentence = "Messaging service SID must be MG and 32 hexadecimal digits"
        assert sentence == said(TEXT, messaging_service_sid=value)

    def test_a_call_has_no_messaging_service(self) -> None:
        sentence = "Messaging services are not supported on twilio/call, use from_number"
        assert sentence == said(CALL, Channel.CALL, messaging_service_sid=SERVICE)
        assert "From number cannot be None" == said(
            CALL, Channel.CALL, messaging_service_sid=SERVICE, default=None
        )

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            (7, "About must be a string"),
            ("", "About cannot be empty"),
            ("a" * 257, "About is 257 characters long, the limit is 256"),
        ],
    )
    def test_about_is_a_short_string(self, value: Any, sentence: str) -> None:
        assert "a" * 256 == accepted(TEXT, about="a" * 256).about
        assert sentence == said(TEXT, about=value)

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            (7, "Escalation must be a string"),
            ("", "Escalation cannot be empty"),
            ("oven", "Escalation oven is not configured"),
            ("o" * 200, f"Escalation {'o' * 100}… is not configured"),
        ],
    )
    def test_an_escalation_is_a_configured_one(self, value: Any, sentence: str) -> None:
        assert "freezer" == accepted(TEXT, escalation="freezer").escalation
        assert sentence == said(TEXT, escalation=value)


class TestContact:
    def test_a_contact_takes_the_place_of_name_and_number(self) -> None:
        found = accepted({"contact": "darla", "message": "Hello"})
        assert ("darla", Recipient(name="Darla", phone_number="+12345000000")) == (
            found.contact,
            found.recipient,
        )

    @pytest.mark.parametrize("both", [{"name": "D"}, {"phone_number": "+12345000000"}, {"name": ""}])
    def test_together_with_either_it_is_rejected(self, both: dict[str, str]) -> None:
        sentence = "Only contact, or name and phone_number, can be specified"
        assert sentence == said({"contact": "darla", "message": "Hello", **both})

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            (7, "Contact must be a string"),
            ("", "Contact cannot be empty"),
            ("bob", "Contact bob is not configured"),
        ],
    )
    def test_it_is_a_configured_one(self, value: Any, sentence: str) -> None:
        assert sentence == said({"contact": value, "message": "Hello"})


class TestPictures:
    URLS = ["https://example.com/1.jpg", "http://example.com/2.jpg"]  # noqa: RUF012 - never changed

    def test_pictures_come_with_a_text(self) -> None:
        content = Text(body="Hello", media_urls=tuple(self.URLS))
        assert content == accepted({**TEXT, "media_urls": self.URLS}).content

    def test_pictures_need_no_text(self) -> None:
        content = Text(body="", media_urls=tuple(self.URLS))
        assert content == accepted({**without(TEXT, "message"), "media_urls": self.URLS}).content

    def test_a_text_next_to_pictures_is_not_empty(self) -> None:
        assert "Message cannot be empty" == said({**TEXT, "message": "", "media_urls": self.URLS})

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ("https://example.com", "Media URLs must be a list of http and https URLs"),
            ([7], "Media URLs must be a list of http and https URLs"),
            (["ftp://example.com"], "Media URLs must be a list of http and https URLs"),
            (["https://example.com/\ud800"], "Media URLs must be a list of http and https URLs"),
            ([], "Media URLs cannot be empty"),
            (["https://example.com"] * 11, "Media URLs are 11, Twilio accepts 10"),
        ],
    )
    def test_they_are_a_list_of_1_to_10_urls(self, value: Any, sentence: str) -> None:
        assert sentence == said({**TEXT, "media_urls": value})

    def test_a_call_has_none(self) -> None:
        sentence = "Media URLs are not supported on twilio/call, use twilio/txt"
        assert sentence == said({**CALL, "media_urls": self.URLS}, Channel.CALL)


SILENT = without(CALL, "voice_message_location")


class TestVoice:
    def test_a_spoken_text_takes_the_place_of_the_location(self) -> None:
        found = accepted({**SILENT, "voice_message": "Thaw!"}, Channel.CALL)
        assert SpokenText(text="Thaw!", language="en-US", voice=None) == found.content

    def test_language_and_voice_are_kept(self) -> None:
        recipient = {**SILENT, "voice_message": "Thaw!", "language": "fr-CA", "voice": "Polly.Gabrielle"}
        content = SpokenText(text="Thaw!", language="fr-CA", voice="Polly.Gabrielle")
        assert content == accepted(recipient, Channel.CALL).content

    def test_a_contact_has_its_language(self) -> None:
        content = accepted({"contact": "eva", "voice_message": "Tau!"}, Channel.CALL).content
        assert SpokenText(text="Tau!", language="de-DE") == content

    @pytest.mark.parametrize(
        ("added", "sentence"),
        [
            ({"voice_message": 7}, "Voice message must be a string"),
            ({"voice_message": ""}, "Voice message cannot be empty"),
            ({"voice_message": "a", "language": "e"}, "Language must be a BCP 47 tag, such as en-US"),
            ({"voice_message": "a", "language": 'en"'}, "Language must be a BCP 47 tag, such as en-US"),
            ({"voice_message": "a", "language": 7}, "Language must be a BCP 47 tag, such as en-US"),
            (
                {"voice_message": "a", "voice": "<"},
                "Voice must be the name of a voice of Twilio, such as Polly.Joanna",
            ),
            (
                {"voice_message": "a" * 3960},
                "Voice message is 4009 characters long as TwiML, Twilio accepts 4000",
            ),
            ({"twiml": 7}, "TwiML must be a string"),
            ({"twiml": ""}, "TwiML cannot be empty"),
            ({"twiml": "a" * 4001}, "TwiML is 4001 characters long, Twilio accepts 4000"),
            ({"twiml": "<Response>"}, "TwiML is not well-formed XML: line 1 column 11"),
            ({"twiml": "<Say>Thaw</Say>"}, "TwiML must have Response as its root"),
            (
                {"twiml": "<Response/>", "voice_message": "a"},
                "Only one of voice_message_location, voice_message and twiml can be specified",
            ),
            (
                {"message": "Hello", "twiml": "<Response/>"},
                "Text messages are not supported on twilio/call, use twilio/txt",
            ),
        ],
    )
    def test_what_cannot_be_spoken_is_rejected(self, added: dict[str, Any], sentence: str) -> None:
        assert sentence == said({**SILENT, **added}, Channel.CALL)

    @pytest.mark.parametrize("added", [{"voice_message": "a"}, {"twiml": "<Response/>"}])
    def test_nothing_stands_next_to_a_location(self, added: dict[str, str]) -> None:
        sentence = "Only one of voice_message_location, voice_message and twiml can be specified"
        assert sentence == said({**CALL, **added}, Channel.CALL)

    @pytest.mark.parametrize("added", [{"voice_message": "a"}, {"twiml": "<Response/>"}])
    @pytest.mark.parametrize("text", [TEXT, without(TEXT, "message")])
    def test_a_text_is_not_spoken(self, text: dict[str, Any], added: dict[str, str]) -> None:
        sentence = "Voice messages are not supported on twilio/txt, use twilio/call"
        assert sentence == said({**text, **added})

    def test_a_document_of_the_clients_own_is_kept(self) -> None:
        document = '<?xml version="1.0"?><Response><Say>Thaw &amp; run</Say></Response>'
        found = accepted({**SILENT, "twiml": document}, Channel.CALL)
        assert Twiml(document=document) == found.content

    def test_language_and_voice_are_checked_where_nothing_is_spoken_too(self) -> None:
        for recipient in (CALL, {**SILENT, "twiml": "<Response/>"}):
            assert "Language must" in said({**recipient, "language": 7}, Channel.CALL)
            assert "Voice must" in said({**recipient, "voice": []}, Channel.CALL)
        assert "Language must" in said({**TEXT, "language": 7})
        found = accepted({**CALL, "language": "de-DE", "voice": "alice"}, Channel.CALL)
        assert VoiceLocation(url="https://example.com/v") == found.content

    @pytest.mark.parametrize("text", [" ", "\t\n", "\x00\x1f", "\u200b\ufeff", "\u2028 \u00a0"])
    def test_a_text_without_a_sound_is_rejected(self, text: str) -> None:
        sentence = "Voice message has only spaces and control characters, so nothing can be heard"
        assert sentence == said({**SILENT, "voice_message": text}, Channel.CALL)


IN_ORDER: tuple[tuple[str, str, Any], ...] = (
    ("request", "retries", -1),
    ("request", "priority", "high"),
    ("request", "valid_for_seconds", 0),
    ("request", "messaging_service_sid", "MG"),
    ("request", "about", ""),
    ("request", "escalation", "oven"),
    ("recipient", "contact", "bob"),
    ("recipient", "media_urls", []),
    ("recipient", "voice_message", "a"),
)
SENTENCES = (
    "Retries must be a non-negative integer",
    "Priority must be urgent, normal or low",
    "Valid for seconds must be a number from 1 to 86400",
    "Messaging service SID must be MG and 32 hexadecimal digits",
    "About cannot be empty",
    "Escalation oven is not configured",
    "Only contact, or name and phone_number, can be specified",
    "Media URLs cannot be empty",
    "Voice messages are not supported on twilio/txt, use twilio/call",
)


class TestTogether:
    @pytest.mark.parametrize("first", range(len(IN_ORDER)))
    def test_the_first_wrong_property_in_the_published_order_is_reported(self, first: int) -> None:
        wrong = IN_ORDER[first:]
        recipient = {name: value for place, name, value in wrong if place == "recipient"}
        request = {name: value for place, name, value in wrong if place == "request"}
        assert SENTENCES[first] == said({**TEXT, **recipient}, **request)

    def test_a_published_property_is_checked_first(self) -> None:
        assert "Message must be a string" == said({**TEXT, "message": 7, "contact": 7}, about=7)

    @pytest.mark.parametrize(
        ("place", "name"), [(place, name) for place, name, _ in IN_ORDER] + [("recipient", "twiml")]
    )
    def test_null_counts_as_absent(self, place: str, name: str) -> None:
        plain = accepted(TEXT)
        added = {name: None}
        found = accepted({**TEXT, **added}) if place == "recipient" else accepted(TEXT, **added)
        assert plain == found

    def test_without_extensions_an_old_request_means_what_it_meant(self) -> None:
        recipient = {**TEXT, "contact": 7, "media_urls": 7, "voice_message": 7, "twiml": 7}
        found = accepted(recipient, extensions=None, about=7, escalation=7, messaging_service_sid=7)
        assert accepted(TEXT) == found

    @given(
        st.dictionaries(
            st.sampled_from(["contact", "media_urls", "voice_message", "twiml", "language", "voice"]),
            st.none() | st.text(max_size=5) | st.integers() | st.lists(st.text(max_size=3), max_size=3),
        ),
        st.sampled_from(Channel),
    )
    def test_no_value_raises(self, added: dict[str, Any], channel: Channel) -> None:
        assert isinstance(
            parsed({**(TEXT if channel is Channel.SMS else CALL), **added}, channel), Notification | Rejection
        )
