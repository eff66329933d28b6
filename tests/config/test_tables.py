"""Tables that users name, from each source: [contacts.NAME] and [escalations.NAME]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.config.loading_steps import (
    ACCOUNT,
    environment,
    from_environment,
    from_toml,
    only_problem,
    only_problem_in_toml,
    problems,
    write,
)
from twilio_notifications.config import load
from twilio_notifications.core.contract import Extensions
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.escalation import Chain, ChainStep
from twilio_notifications.core.model import Channel, Contact

if TYPE_CHECKING:
    from pathlib import Path

DARLA = '[contacts.darla]\nname = "Darla"\nphone_number = "+12345000000"\n'
OTHERS = """\
[contacts.deputy]
name = "Deputy"
phone_number = "+12345000001"
language = "de-DE"
[contacts.neighbour]
name = "Neighbour"
phone_number = "+12345000002"
"""
FREEZER = """\
[escalations.freezer]
steps = [
  { after_seconds = 300, channel = "call", contacts = ["darla"], voice_message = "{message}" },
  { after_seconds = 600, channel = "text", contacts = ["deputy", "neighbour"] },
]
repeat = 2
"""
CHAIN = Chain(
    steps=(
        ChainStep(after_seconds=300, channel=Channel.CALL, contacts=("darla",), voice_message="{message}"),
        ChainStep(after_seconds=600, channel=Channel.SMS, contacts=("deputy", "neighbour")),
    ),
    repeat=2,
)
STEPS = '[{"after_seconds": 300, "channel": "call", "contacts": ["darla"]}]'


def component(**configuration: Any) -> Any:
    secret = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
    parameters = {
        "TWILIO_ACCOUNT_SID": "AC1",
        "TwilioAuthTokenSecretArn": secret,
        "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
    }
    return load(None, {}, component=parameters | configuration)


def test_there_are_none_by_default() -> None:
    settings = from_environment()
    assert ({}, {}) == (settings.contacts, settings.escalations)
    assert Extensions(contacts={}, escalations=frozenset()) == settings.extensions


def test_the_published_example_becomes_values_of_the_core(tmp_path: Path) -> None:
    settings = from_toml(tmp_path, DARLA + OTHERS + FREEZER)
    contacts = {
        "darla": Contact(name="Darla", phone_number="+12345000000"),
        "deputy": Contact(name="Deputy", phone_number="+12345000001", language="de-DE"),
        "neighbour": Contact(name="Neighbour", phone_number="+12345000002"),
    }
    assert contacts == settings.contacts
    assert {"freezer": CHAIN} == settings.escalations
    assert Extensions(contacts=contacts, escalations=frozenset({"freezer"})) == settings.extensions
    assert () == settings.warnings


def test_a_chain_without_steps_waits_for_an_acknowledgement_of_the_request(tmp_path: Path) -> None:
    text = (
        '[escalations.door]\nsteps = []\nwait_seconds = 0.2\nacknowledge_words = ["got it", "yo"]\n'
        'reply_hint = ""\ntell_others = false\n'
    )
    expected = Chain(
        steps=(),
        wait_seconds=0.2,
        acknowledge_words=("got it", "yo"),
        reply_hint="",
        tell_others=False,
    )
    assert {"door": expected} == from_toml(tmp_path, text).escalations


# The environment


def test_the_environment_alone_can_name_tables() -> None:
    settings = from_environment(
        CONTACTS__DARLA__NAME="Darla",
        CONTACTS__DARLA__PHONE_NUMBER="+12345000000",
        ESCALATIONS__COLD_ROOM__STEPS=STEPS,
        ESCALATIONS__COLD_ROOM__REPEAT="2",
        ESCALATIONS__COLD_ROOM__ACKNOWLEDGE_WORDS="ok,yo",
    )
    assert {"darla": Contact(name="Darla", phone_number="+12345000000")} == settings.contacts
    chain = settings.escalations["cold_room"]
    assert (2, ("ok", "yo"), ("darla",)) == (
        chain.repeat,
        chain.acknowledge_words,
        chain.steps[0].contacts,
    )


def test_the_environment_wins_over_a_table_of_the_file_in_whatever_spelling(tmp_path: Path) -> None:
    path = write(tmp_path, ACCOUNT + DARLA.replace("darla", "Darla-Home"))
    variables = environment(CONTACTS__DARLA_HOME__PHONE_NUMBER="+12345000009")
    expected = {"Darla-Home": Contact(name="Darla", phone_number="+12345000009")}
    assert expected == load(path, variables).contacts


@pytest.mark.parametrize(
    "variable", ["CONTACTS__DARLA__PHONE_NUMBR", "CONTACTS__NAME", "CONTACTS", "CONTACTS____NAME"]
)
def test_an_unknown_variable_of_a_table_is_refused_with_the_nearest_known_one(variable: str) -> None:
    found = only_problem(None, environment(**{variable: "hunter2"}))
    assert found.startswith(f"unknown environment variable TWILIO_NOTIFICATIONS__{variable}: ")
    assert "hunter2" not in found
    if variable == "CONTACTS__DARLA__PHONE_NUMBR":
        assert "CONTACTS__DARLA__PHONE_NUMBER" in found


# The component


@pytest.mark.parametrize("number", [300, 300.0, "300", "300.0"])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_component_has_tables_typed_or_as_text(number: object, *, as_text: bool) -> None:
    """As the two nuclei give them: the classic one makes a double of a number, nucleus lite a text."""
    step = {"after_seconds": number, "channel": "call", "contacts": ["darla"]}
    steps = (
        f'[{{"after_seconds": {number}, "channel": "call", "contacts": ["darla"]}}]' if as_text else [step]
    )
    settings = component(
        contacts={"darla": {"name": "Darla", "phone_number": "+12345000000", "language": None}},
        escalations={"freezer": {"steps": steps, "repeat": "2.0", "tell_others": "False", "reply_hint": ""}},
    )
    assert {"darla": Contact(name="Darla", phone_number="+12345000000")} == settings.contacts
    chain = settings.escalations["freezer"]
    assert (300, 2, False, "") == (
        chain.steps[0].after_seconds,
        chain.repeat,
        chain.tell_others,
        chain.reply_hint,
    )


@pytest.mark.parametrize("nothing", ["", None, "null"])
def test_a_table_that_a_deployment_emptied_is_none(nothing: object) -> None:
    assert {} == component(contacts={"darla": nothing}).contacts


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"contacts": 5}, "contacts must be a map of tables (contacts in the component configuration)"),
        ({"contacts": {"darla": 5}}, "contacts.darla must be a section"),
        ({"contacts": {"da rla": {}}}, "the name in [contacts.da rla] must have 1 to 64 letters"),
        ({"contacts": {"darla": {"nam": "Darla"}}}, "unknown key contacts.darla.nam: did you mean name?"),
    ],
)
def test_a_wrong_table_of_a_component_is_a_problem(configuration: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        component(**configuration)
    assert caught.value.problems[0].startswith(expected)


# What is wrong with tables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{DARLA}nam = 1\n", "unknown key contacts.darla.nam: did you mean name?"),
        ('[contacts]\nname = "Darla"\n', "contacts.name stands outside of any table: write [contacts.NAME]"),
        ("[contacts]\ndarla = 5\n", "contacts.darla must be a section: write [contacts.darla]"),
        ("contacts = 5\n", "contacts must be a section"),
        (
            f"{DARLA.replace('darla', chr(34) + 'Da rla' + chr(34))}",
            "the name in [contacts.Da rla] must have",
        ),
        (
            f"{DARLA.replace('darla', chr(34) + 'da.rla' + chr(34))}",
            "the name in [contacts.da.rla] must have",
        ),
        (DARLA.replace("darla", "d" * 65), "the name in [contacts.dddd"),
        (
            "[escalations.x]\nrepeat = 1\n",
            "escalations.x.steps is missing: write steps = … below [escalations.x]",
        ),
        (f"{DARLA}[log]\nlanguage = 1\n", "unknown key log.language: it belongs in [contacts.NAME]"),
    ],
)
def test_a_wrong_table_is_one_problem_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path, text)
    found = only_problem(path, environment())
    assert found.startswith(expected)
    assert found.endswith(f"(in {path})")


def test_an_empty_table_lacks_what_it_needs(tmp_path: Path) -> None:
    found = problems(write(tmp_path, f"{ACCOUNT}[contacts.darla]\n"), {})
    assert ["contacts.darla.name is missing", "contacts.darla.phone_number is missing"] == [
        problem.partition(":")[0] for problem in found
    ]


def test_two_names_that_the_environment_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    found = only_problem_in_toml(tmp_path, DARLA + DARLA.replace("darla", "Darla"))
    assert found.startswith("[contacts.Darla] and [contacts.darla] are one name in the environment")


def test_everything_that_is_wrong_with_tables_is_said_at_once(tmp_path: Path) -> None:
    contact = '[contacts.a]\nname = ""\nphone_number = "5"\nlanguage = "?"\n'
    text = f"{contact}[escalations.x]\nsteps = 5\nrepeat = -1\n"
    found = problems(write(tmp_path, ACCOUNT + text), {})
    assert [
        "contacts.a.name must be a string that is not empty, of at most 1024 characters, not ''",
        'contacts.a.phone_number must be a telephone number in E.164 form, as in "+14255550123"',
        "contacts.a.language must be a language tag, as in \"en-US\", not '?'",
        "escalations.x.steps must be a list of steps, each a table, not 5",
        "escalations.x.repeat must be a whole number from 0 to 1000, not -1",
    ] == [problem.rpartition(" (in ")[0] for problem in found]


def test_a_wrong_number_is_not_shown(tmp_path: Path) -> None:
    """The problems of a reload are logged."""
    found = only_problem_in_toml(tmp_path, DARLA.replace("+12345000000", "012345000000"))
    assert "012345000000" not in found


# Contacts


@pytest.mark.parametrize("number", ["012345", "+0123", "+1", "+1234567890123456", "+1 234", "", "+١٢٣"])
def test_a_number_is_e164(tmp_path: Path, number: str) -> None:
    found = only_problem_in_toml(tmp_path, DARLA.replace("+12345000000", number))
    assert "contacts.darla.phone_number must be a telephone number in E.164 form" in found


def test_an_empty_language_is_none(tmp_path: Path) -> None:
    assert from_toml(tmp_path, f'{DARLA}language = ""\n').contacts["darla"].language is None


def test_a_name_has_a_limit(tmp_path: Path) -> None:
    found = only_problem_in_toml(tmp_path, DARLA.replace('"Darla"', f'"{"x" * 1025}"'))
    assert "contacts.darla.name is 1025 characters long, the limit is 1024: shorten it" in found


# Steps


def step(**keys: object) -> str:
    """An escalation with one step; a key of None is left out."""
    whole = {"after_seconds": 1, "channel": "text", "contacts": ["darla"]} | keys
    lines = [
        f"{key} = {str(value).replace(chr(39), chr(34))}" for key, value in whole.items() if value is not None
    ]
    quoted = ", ".join(
        f'{line.partition(" = ")[0]} = "{line.partition(" = ")[2]}"'
        if isinstance(whole[line.partition(" = ")[0]], str)
        else line
        for line in lines
    )
    return f"{DARLA}[escalations.x]\nsteps = [{{ {quoted} }}]\n"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"channel": None}, "step 1: channel is missing"),
        ({"channel": "sms"}, 'step 1: channel must be one of "text", "call", not \'sms\''),
        ({"after_seconds": -1}, "step 1: after_seconds must be a number of seconds from 0"),
        ({"chanel": "text"}, "step 1: unknown key chanel: did you mean channel?"),
        ({"contacts": []}, "step 1: contacts must name at least one contact"),
        ({"contacts": ["darla", "darla"]}, "step 1: contacts names a contact twice: name each once"),
        ({"voice_message": "x"}, 'step 1: voice_message is for channel "call": use message for a text'),
        (
            {"channel": "call", "message": "x"},
            'step 1: message is for channel "text": use voice_message for a call',
        ),
        ({"message": ""}, "step 1: message must be a string that is not empty"),
        ({"message": "x" * 1601}, "step 1: message is 1601 characters long, the limit is 1600: shorten it"),
        (
            {"channel": "call", "voice_message": "x" * 4000},
            "step 1: voice_message does not fit into the 4000 characters of TwiML that Twilio takes",
        ),
    ],
)
def test_a_wrong_step_says_which_one_and_what(tmp_path: Path, keys: dict[str, object], expected: str) -> None:
    found = only_problem_in_toml(tmp_path, step(**keys))
    assert f"escalations.x.steps cannot be used: {expected}" in found


def test_a_step_may_follow_at_once(tmp_path: Path) -> None:
    assert 0 == from_toml(tmp_path, step(after_seconds=0)).escalations["x"].steps[0].after_seconds
