"""[escalations.NAME]: what goes on until a person acknowledges. The settings are values of the core."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from twilio_notifications.config.keys import Key, Section, Values, names_of
from twilio_notifications.config.kinds import Choice, Seconds, Switch, Tables, Text, TextList, WholeNumber
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.contract import MAXIMUM_TEXT_CHARACTERS
from twilio_notifications.core.escalation import Chain, ChainStep
from twilio_notifications.core.model import Channel, SpokenText
from twilio_notifications.core.twiml import MAXIMUM_TWIML_CHARACTERS, is_speakable, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping


class StepChannel(StrEnum):
    """How a step reaches its contacts, in the words of the configuration."""

    TEXT = "text"
    CALL = "call"


STEP_KEYS: Mapping[str, Key] = {
    "after_seconds": Key(
        kind=Seconds(minimum=0),
        text="""when the step is due, counted from the beginning; earlier where all steps before it have
        finally failed""",
        example=300,
        is_required=True,
    ),
    "channel": Key(kind=Choice(words=StepChannel), text="how", example="call", is_required=True),
    "contacts": Key(
        kind=TextList(),
        text="whom, by the names of contacts; each of them gets a request of its own",
        example=["darla"],
        is_required=True,
    ),
    "message": Key(
        kind=Text(maximum=MAXIMUM_TEXT_CHARACTERS),
        text="""for channel "text", what it says. {message} in it is the text of the request, or what it
        speaks. Left out: the same as the request""",
        example="{message}",
    ),
    "voice_message": Key(
        kind=Text(), text='for channel "call", what Twilio speaks, in the same way', example="{message}"
    ),
}


def _read_step(values: Values) -> ChainStep | Wrong:
    is_call = values["channel"] is StepChannel.CALL
    message, voice_message, contacts = values["message"], values["voice_message"], values["contacts"]
    if not contacts:
        return Wrong(demand="contacts must name at least one contact")
    if len(set(contacts)) < len(contacts):
        return Wrong(demand="contacts names a contact twice: name each once")
    if is_call and message is not None:
        return Wrong(demand='message is for channel "text": use voice_message for a call')
    if not is_call and voice_message is not None:
        return Wrong(demand='voice_message is for channel "call": use message for a text')
    if voice_message is not None and not is_speakable(voice_message):
        return Wrong(
            demand="voice_message has only spaces and control characters: write what is to be heard, or "
            "leave it out"
        )
    if voice_message is not None and spoken(SpokenText(text=voice_message)) is None:
        return Wrong(
            demand=f"voice_message does not fit into the {MAXIMUM_TWIML_CHARACTERS} characters of TwiML that "
            "Twilio takes: shorten it"
        )
    return ChainStep(
        after_seconds=values["after_seconds"],
        channel=Channel.CALL if is_call else Channel.SMS,
        contacts=contacts,
        message=message,
        voice_message=voice_message,
    )


ESCALATIONS = Section(
    name="escalations",
    text="""An escalation for each [escalations.NAME], none by default. It goes on to other people and
    channels after a request that names it with escalation, until a person acknowledges. NAME has letters,
    digits, _ and - only. People acknowledge on acknowledge_topic, with "journal acknowledge", with a text
    back, with a call back, or with a key during the call where tracking.public_url is set.""",
    example="freezer",
    keys={
        "steps": Key(
            kind=Tables(noun="step", keys=STEP_KEYS, read=_read_step),
            text="""What follows the request, in this order. The request itself is step 0, and the steps are
            counted from 1. An empty list only waits for an acknowledgement of the request. Required. In
            each step:""",
            example=[
                {
                    "after_seconds": 300,
                    "channel": "call",
                    "contacts": ["darla"],
                    "voice_message": "{message}",
                }
            ],
            is_required=True,
        ),
        "repeat": Key(
            kind=WholeNumber(minimum=0, maximum=1_000),
            text="How many more times the steps are taken after the first time, without the request.",
            default=0,
        ),
        "wait_seconds": Key(
            kind=Seconds(),
            text="""How long after its last step a new round begins, and how long after the last step of all
            the escalation ends with NotAcknowledged: later only where a text or call of it is still to be
            sent.""",
            default=300,
        ),
        "acknowledge_words": Key(
            kind=TextList(),
            text="""Words that acknowledge, sent back as a text, in upper or lower case. None of them can be a
            word that Twilio itself acts on (STOP, CANCEL, END, QUIT, START, YES, …), or a number, which is a
            code.""",
            default=["ok"],
        ),
        "reply_hint": Key(
            kind=Text(may_be_empty=True),
            text="""The last line of the texts of an escalation; {code} is the number that acknowledges it
            from this telephone. "" leaves the line out.""",
            default="Reply {code} to acknowledge.",
        ),
        "key_hint": Key(
            kind=Text(may_be_empty=True, maximum=200),
            text="""What a call of an escalation speaks after its message where tracking.public_url is set,
            because a key then acknowledges. Twilio speaks it in the language of the contact, so write it in
            that language. "" leaves it out.""",
            default="Press any key to acknowledge.",
        ),
        "tell_others": Key(
            kind=Switch(),
            text="""true tells the others whom the escalation has notified who has acknowledged: "Darla has
            it".""",
            default=True,
        ),
    },
)


def escalations(values: Values) -> dict[str, Chain]:
    """The escalations by the names under which requests know them."""
    return {
        name: Chain(**{key: values[f"escalations.{name}.{key}"] for key in ESCALATIONS.keys})
        for name in names_of("escalations", values)
    }
