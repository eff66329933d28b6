"""The properties of a request that the published document does not know, in the order of their checks.

They are optional, so that an old request means what it meant. Whether one is there decides which published
property may be absent; its value is checked after all published ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from twilio_notifications.core.contract.sentences import Flaw, Sentence
from twilio_notifications.core.contract.values import filled, is_url, quoted, short
from twilio_notifications.core.model import Channel, Recipient, SpokenText, Text, Twiml
from twilio_notifications.core.twiml import (
    MAXIMUM_TWIML_CHARACTERS,
    flaw_of,
    is_language,
    is_speakable,
    spoken,
    spoken_once,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.model import Contact, Content, Notification

MAXIMUM_ABOUT_CHARACTERS: Final = 256

MAXIMUM_MEDIA_URLS: Final = 10
"""Twilio's limit: error 21623."""

_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")

_ANY_SERVICE: Final = "MG"
"""Stands for an empty SID until the check of its own rejects it."""

# ASCII alone: it stands in an attribute of TwiML.
_VOICE: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")

_DEFAULT_LANGUAGE: Final = "en-US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The names of the configuration that a request may use."""

    contacts: Mapping[str, Contact]
    escalations: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """The added properties of one request, as they came; null counts as absent."""

    request: Mapping[str, Any]
    recipient: Mapping[str, Any]
    channel: Channel
    extensions: Extensions | None

    @classmethod
    def of(
        cls,
        request: Mapping[str, Any],
        recipient: Mapping[str, Any],
        *,
        channel: Channel,
        extensions: Extensions | None,
    ) -> Added:
        """The added properties of the request; none without `extensions`."""
        if extensions is None:
            return cls(request={}, recipient={}, channel=channel, extensions=None)
        return cls(request=request, recipient=recipient, channel=channel, extensions=extensions)

    @property
    def is_empty(self) -> bool:
        return self.extensions is None

    @property
    def has_contact(self) -> bool:
        return self.recipient.get("contact") is not None

    @property
    def service(self) -> str | None:
        """What stands in the place of a sender number, not checked yet; None: no Messaging Service."""
        value = self.request.get("messaging_service_sid") if self.channel is Channel.SMS else None
        return None if value is None else str(value) or _ANY_SERVICE

    @property
    def has_media(self) -> bool:
        return self.recipient.get("media_urls") is not None

    @property
    def has_voice(self) -> bool:
        """Whether there is something to hear that is not the published property."""
        return any(self.recipient.get(name) is not None for name in ("voice_message", "twiml"))

    def put_into(self, notification: Notification) -> Notification:
        """The notification with the added properties; raises Flaw for the first wrong one."""
        service = self._service()
        about = self.request.get("about")
        about = None if about is None else subject(about)
        escalation = self._escalation()
        contact, recipient = self._contact(notification.recipient)
        return replace(
            notification,
            messaging_service_sid=service,
            about=about,
            escalation=escalation,
            contact=contact,
            recipient=recipient,
            content=self._content(notification.content, contact),
        )

    def _service(self) -> str | None:
        value = self.request.get("messaging_service_sid")
        if value is None:
            return None
        if self.channel is Channel.CALL:
            raise Flaw(Sentence.SERVICE_ON_CALL)
        if not isinstance(value, str) or not _SERVICE.fullmatch(value):
            raise Flaw(Sentence.WRONG_SERVICE)
        return value

    def _escalation(self) -> str | None:
        value = self.request.get("escalation")
        if value is None:
            return None
        name = filled(value, "Escalation")
        if self.extensions is None or name not in self.extensions.escalations:
            raise Flaw(Sentence.NOT_CONFIGURED, label="Escalation", value=quoted(name))
        return name

    def _contact(self, written: Recipient) -> tuple[str | None, Recipient]:
        value = self.recipient.get("contact")
        if value is None:
            return None, written
        name = filled(value, "Contact")
        if any(self.recipient.get(key) is not None for key in ("name", "phone_number")):
            raise Flaw(Sentence.ONE_PERSON)
        contact = self.extensions and self.extensions.contacts.get(name)
        if not contact:
            raise Flaw(Sentence.NOT_CONFIGURED, label="Contact", value=quoted(name))
        return name, Recipient(name=contact.name, phone_number=contact.phone_number)

    def _content(self, written: Content, contact: str | None) -> Content:
        """The content with its pictures, or what is spoken in its place."""
        media = self._media_urls()
        if media and isinstance(written, Text):
            written = replace(written, media_urls=media)
        if self.has_voice and self.channel is Channel.SMS:
            raise Flaw(Sentence.VOICE_ON_TEXT)
        names = ("voice_message_location", "voice_message", "twiml")
        if self.has_voice and sum(self.recipient.get(name) is not None for name in names) > 1:
            raise Flaw(Sentence.ONE_VOICE)
        if self.recipient.get("voice_message") is not None:
            return self._spoken_text(contact)
        self._language_and_voice()  # a wrong value is wrong where nothing is spoken too
        if self.recipient.get("twiml") is not None:
            return _twiml(self.recipient["twiml"])
        return written

    def _media_urls(self) -> tuple[str, ...]:
        value = self.recipient.get("media_urls")
        if value is None:
            return ()
        if self.channel is Channel.CALL:
            raise Flaw(Sentence.MEDIA_ON_CALL)
        if not isinstance(value, list) or not all(isinstance(url, str) and is_url(url) for url in value):
            raise Flaw(Sentence.WRONG_MEDIA)
        if not value:
            raise Flaw(Sentence.IS_EMPTY, label="Media URLs")
        if len(value) > MAXIMUM_MEDIA_URLS:
            raise Flaw(Sentence.TOO_MANY_MEDIA, count=len(value), limit=MAXIMUM_MEDIA_URLS)
        return tuple(value)

    def _spoken_text(self, contact: str | None) -> SpokenText:
        text = filled(self.recipient["voice_message"], "Voice message")
        if not is_speakable(text):
            raise Flaw(Sentence.NOTHING_TO_SPEAK)
        known = self.extensions.contacts[contact].language if self.extensions and contact else None
        language, voice = self._language_and_voice()
        content = SpokenText(text=text, language=language or known or _DEFAULT_LANGUAGE, voice=voice)
        if spoken(content) is None:
            length = len(spoken_once(content))
            raise Flaw(Sentence.TOO_LONG_TO_SPEAK, length=length, limit=MAXIMUM_TWIML_CHARACTERS)
        return content

    def _language_and_voice(self) -> tuple[str | None, str | None]:
        language, voice = self.recipient.get("language"), self.recipient.get("voice")
        if language is not None and (not isinstance(language, str) or not is_language(language)):
            raise Flaw(Sentence.WRONG_LANGUAGE)
        if voice is not None and (not isinstance(voice, str) or not _VOICE.fullmatch(voice)):
            raise Flaw(Sentence.WRONG_VOICE)
        return language, voice


def subject(value: Any) -> str:
    """What a request is about, as it stands in requests and in cancellations."""
    return short(filled(value, "About"), "About", limit=MAXIMUM_ABOUT_CHARACTERS)


def _twiml(value: Any) -> Twiml:
    document = filled(value, "TwiML")
    if len(document) > MAXIMUM_TWIML_CHARACTERS:
        raise Flaw(Sentence.TWIML_TOO_LONG, length=len(document), limit=MAXIMUM_TWIML_CHARACTERS)
    where = flaw_of(document)
    if where == "":
        raise Flaw(Sentence.TWIML_ROOT)
    if where is not None:
        raise Flaw(Sentence.TWIML_NOT_XML, where=where)
    return Twiml(document=document)
