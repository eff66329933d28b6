"""The reference page says what the code says: every sentence, every reason, every limit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from twilio_notifications.core import contract
from twilio_notifications.core.contract import Sentence, Topics
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.twilio_codes import BY_CODE, OPTED_OUT, SENDER_WAITS

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "reference" / "contract.md").read_text(encoding="utf-8")
STRINGS = (
    "Id",
    "Recipient name",
    "Recipient phone number",
    "Message",
    "Voice message location",
    "From number",
)
ADDED = ("About", "Escalation", "Contact", "Voice message", "TwiML", "By")
OBJECTS = ("Request", "Recipient")
LABELS: dict[Sentence, tuple[str, ...]] = {
    Sentence.NOT_AN_OBJECT: ("Input message", *OBJECTS),
    Sentence.IS_NONE: (*STRINGS, *OBJECTS),
    Sentence.NOT_A_STRING: (*STRINGS, *ADDED),
    Sentence.NOT_UNICODE: (*STRINGS, *ADDED),
    Sentence.IS_EMPTY: ("Id", "Recipient name", "Message", "Voice message location", "Media URLs", *ADDED),
    Sentence.TOO_LONG: ("Id", "Recipient name", "About", "By"),
    Sentence.NOT_A_URL: ("Voice message location",),
    Sentence.NOT_CONFIGURED: ("Escalation", "Contact"),
    Sentence.NOT_E164: ("Recipient phone number", "From number"),
}
"""The labels with which each of these sentences is used."""

SAID = [
    re.sub(r"\{(\w+)\}", r"<\1>", sentence.value.replace("{label}", label))
    for sentence in Sentence
    for label in LABELS.get(sentence, ("",))
]


@pytest.mark.parametrize("sentence", SAID)
def test_every_sentence_stands_in_the_reference(sentence: str) -> None:
    assert f"`{sentence}`" in PAGE


@pytest.mark.parametrize("sentence", Sentence)
def test_a_sentence_about_a_property_says_which(sentence: Sentence) -> None:
    assert ("{label}" in sentence) == (sentence in LABELS)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_row(reason: Reason) -> None:
    assert f"\n| `{reason.value}` | " in PAGE


def test_the_reference_knows_no_other_reason() -> None:
    table = PAGE.split("\n## Reasons\n")[1].split("\n## ")[0]
    assert [reason.value for reason in Reason] == re.findall(r"^\| `(\w+)` \| ", table, re.MULTILINE)[1:]


def test_its_limits_are_the_codes() -> None:
    limits = (
        contract.MAXIMUM_PAYLOAD_BYTES,
        contract.MAXIMUM_TEXT_CHARACTERS,
        contract.MAXIMUM_ID_CHARACTERS,
        contract.MAXIMUM_NAME_CHARACTERS,
        contract.MAXIMUM_DEPTH,
        contract.MAXIMUM_RETRIES,
        contract.MAXIMUM_ABOUT_CHARACTERS,
        contract.MAXIMUM_MEDIA_URLS,
        contract.MAXIMUM_BY_CHARACTERS,
    )
    assert [] == [limit for limit in limits if f"{limit:,}" not in PAGE]


def test_its_topics_are_the_codes() -> None:
    topics = Topics.with_prefix("")
    assert [] == [
        topic for topic in (topics.text, topics.call, topics.status) if f"\n| `{topic}` |" not in PAGE
    ]


def test_it_names_every_code_that_is_treated_by_itself() -> None:
    codes = [code for code, treatment in BY_CODE.items() if treatment in (SENDER_WAITS, OPTED_OUT)]
    assert [] == [code for code in codes if str(code) not in PAGE]


def test_its_examples_are_the_vectors() -> None:
    """An example that cannot be copied and sent is worse than none."""
    vectors = ROOT / "tests" / "vectors"
    request = json.loads((vectors / "text-messages-on-twilio-txt.json").read_text(encoding="utf-8"))["input"]
    statuses = [
        json.loads((vectors / f"{name}.json").read_text(encoding="utf-8"))["status"]
        for name in ("output-success", "recipient-name-cannot-be-none")
    ]
    first, second = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert request == json.loads(first)
    assert [json.dumps(status, separators=(",", ":")) for status in statuses] == second.splitlines()
