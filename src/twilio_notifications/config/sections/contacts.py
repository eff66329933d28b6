"""[contacts.NAME]: the people whom requests and escalations name. The settings are values of the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.config.keys import Key, Section, names_of
from twilio_notifications.config.kinds import Text, Written
from twilio_notifications.config.sections.quiet_hours import WINDOWS
from twilio_notifications.core.contract import MAXIMUM_NAME_CHARACTERS
from twilio_notifications.core.model import Contact
from twilio_notifications.core.phone_numbers import is_e164
from twilio_notifications.core.twiml import is_language

if TYPE_CHECKING:
    from twilio_notifications.config.keys import Values

CONTACTS = Section(
    name="contacts",
    text="""A person for each [contacts.NAME], none by default. A request names a contact with
    recipient.contact, in place of name and phone_number; an escalation names contacts in its steps. NAME has
    letters, digits, _ and - only.""",
    example="darla",
    keys={
        "name": Key(
            kind=Text(maximum=MAXIMUM_NAME_CHARACTERS),
            text="The name of the person, for statuses. Required.",
            example="Darla",
            is_required=True,
        ),
        "phone_number": Key(
            # Not shown: problems of a reload are logged, and the log shows no telephone number.
            kind=Written(
                is_shown=False,
                description='a telephone number in E.164 form, as in "+14255550123"',
                read=lambda text: text if is_e164(text) else None,
            ),
            text="The telephone of the person, in E.164 form. Required.",
            example="+12345000000",
            is_required=True,
        ),
        "language": Key(
            kind=Written(
                description='a language tag, as in "en-US"',
                read=lambda text: text if is_language(text) else None,
                may_be_empty=True,
            ),
            text="""The language in which Twilio speaks to this person (BCP 47). Left out: en-US. A request
            may name another one.""",
            example="en-US",
        ),
        "quiet_hours": Key(
            kind=WINDOWS,
            text="""When this person is left alone, in addition to [quiet_hours]: a list of windows as there.
            They count for the telephone number, also where a request names the number itself.""",
            default=[],
        ),
    },
)


def contacts(values: Values) -> dict[str, Contact]:
    """The contacts by the names under which requests and steps know them."""
    return {
        name: Contact(
            name=values[f"contacts.{name}.name"],
            phone_number=values[f"contacts.{name}.phone_number"],
            language=values[f"contacts.{name}.language"],
        )
        for name in names_of("contacts", values)
    }
