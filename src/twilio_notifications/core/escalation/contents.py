"""What the steps of a chain say, and the requests that they become."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core.contract import MAXIMUM_TEXT_CHARACTERS
from twilio_notifications.core.model import (
    Channel,
    Recipient,
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)
from twilio_notifications.core.twiml import is_speakable, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.escalation.chains import ChainStep
    from twilio_notifications.core.model import Contact, Content, Notification

_MESSAGE: Final = "{message}"
_CODE: Final = "{code}"
_DEFAULT_LANGUAGE: Final = "en-US"


def requests_of(
    step: ChainStep,
    request: Notification,
    *,
    contacts: Mapping[str, Contact],
    default_sender_number: str | None,
) -> tuple[Notification, ...]:
    """The requests of a step, one for each contact; none for a contact for whom there is nothing to say.

    They have the id, the priority and the retries of `request`. They have neither its lifetime nor what it is
    about: a newer request ends the chain, not one step of it.
    """
    service, number = request.messaging_service_sid, request.sender_number
    if step.channel is Channel.CALL:
        # A Messaging Service cannot call, so a call in its place comes from the default number.
        number = default_sender_number or "" if number == service else number
        service = None
    return tuple(
        replace(
            request,
            channel=step.channel,
            recipient=Recipient(name=contacts[name].name, phone_number=contacts[name].phone_number),
            content=content,
            sender_number=number,
            messaging_service_sid=service,
            valid_for_seconds=None,
            about=None,
            escalation=None,
            contact=name,
        )
        for name in step.contacts
        if (content := _content(step, request.content, contacts[name])) is not None
    )


def message_of(content: Content) -> str | None:
    """The text of a request, or what it speaks; None where only Twilio knows what is heard."""
    match content:
        case Text(body=body):
            return body
        case SpokenText(text=text):
            return text
        case VoiceLocation() | Twiml():
            return None
        case _:
            assert_never(content)


def _content(step: ChainStep, content: Content, contact: Contact) -> Content | None:
    message = message_of(content)
    match step.channel:
        case Channel.SMS:
            if step.message is None and isinstance(content, Text):
                return content
            body = _filled(step.message, message)
            return Text(body=_cut(body, MAXIMUM_TEXT_CHARACTERS)) if body else None
        case Channel.CALL:
            if step.voice_message is None and not isinstance(content, Text):
                return content
            text = _filled(step.voice_message, message)
            return _speakable(text, contact.language or _DEFAULT_LANGUAGE) if is_speakable(text) else None
        case _:
            assert_never(step.channel)


def _filled(template: str | None, message: str | None) -> str:
    # Nothing but `{message}` is replaced, so braces in a message or a template are only braces.
    return (_MESSAGE if template is None else template).replace(_MESSAGE, message or "").strip()


def _speakable(text: str, language: str) -> SpokenText:
    content = SpokenText(text=text, language=language)
    while spoken(content) is None:
        content = replace(content, text=_cut(content.text, len(content.text) * 3 // 4))
    return content


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def with_hint(body: str, *, hint: str, code: int) -> str:
    """The text with the hint how to acknowledge on a line of its own.

    Where both together are longer than Twilio takes, the hint is left out: a code or a word acknowledges
    without it too, and the end of an alarm must not be lost.
    """
    line = hint.replace(_CODE, str(code))
    hinted = f"{body}\n{line}" if body else line
    return hinted if line and len(hinted) <= MAXIMUM_TEXT_CHARACTERS else body


def telling(
    texts: Mapping[str, str],
    request: Notification,
    *,
    names: Mapping[str, str],
    default_sender_number: str | None,
) -> tuple[Notification, ...]:
    """The requests that carry `texts`, which stand by the number of their recipient."""
    return tuple(
        replace(
            request,
            channel=Channel.SMS,
            recipient=Recipient(name=names[number], phone_number=number),
            content=Text(body=text),
            sender_number=request.sender_number or default_sender_number or "",
            valid_for_seconds=None,
            about=None,
            escalation=None,
            contact=None,
        )
        for number, text in texts.items()
    )


def told(by: str | None, *, notified: Mapping[str, str], number: str | None) -> dict[str, str]:
    """The texts for the others that the chain notified by text or call, by their numbers.

    `notified` has names by numbers; `number` is the telephone of the person who acknowledged, if it is known.
    """
    text = f"{by or 'A person'} has it"
    return {other: text for other in notified if other != number}
