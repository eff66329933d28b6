"""What Twilio speaks, and which documents of clients are TwiML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.model import SpokenText
from twilio_notifications.core.twiml import (
    MAXIMUM_TWIML_CHARACTERS,
    flaw_of,
    spoken,
    spoken_once,
    spoken_with,
)

SILENCE = "\x00\x01\x1f\ufffe\ud800"


def says(document: str) -> list[str | None]:
    """The texts that the document speaks, as an XML reader that is not ours finds them."""
    return [say.text for say in ET.fromstring(document).iter("Say")]  # noqa: S314 - our own


def test_a_text_is_spoken_twice_with_a_pause_between() -> None:
    assert (
        '<Response><Say language="en-US">Thaw!</Say><Pause length="1"/>'
        '<Say language="en-US">Thaw!</Say></Response>'
    ) == spoken(SpokenText(text="Thaw!"))


def test_language_and_voice_are_attributes() -> None:
    document = spoken(SpokenText(text="Tau!", language="de-DE", voice="Polly.Vicki"))
    assert document is not None
    say = ET.fromstring(document)[0]  # noqa: S314 - our own
    assert {"language": "de-DE", "voice": "Polly.Vicki"} == say.attrib


def test_a_text_that_fits_once_alone_is_spoken_once() -> None:
    document = spoken(SpokenText(text="a" * 2500))
    assert document is not None
    assert ["a" * 2500] == says(document)


def test_a_text_that_does_not_fit_once_is_not_spoken() -> None:
    room = MAXIMUM_TWIML_CHARACTERS - len(spoken_once(SpokenText(text="")))
    assert spoken(SpokenText(text="a" * room)) is not None
    assert spoken(SpokenText(text="a" * (room + 1))) is None
    assert spoken(SpokenText(text="&" * (room // 5 + 1))) is None, "what counts is the escaped text"


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=200))
def test_whatever_the_text_the_document_is_xml_and_says_it(text: str) -> None:
    document = spoken(SpokenText(text=text))
    assert document is not None
    assert flaw_of(document) is None
    for said in says(document):
        assert len(text.replace("\r\n", "\n")) == len(said or "")


def test_characters_that_xml_cannot_hold_become_spaces() -> None:
    assert [" " * len(SILENCE)] * 2 == says(spoken(SpokenText(text=SILENCE)) or "")


@pytest.mark.parametrize(
    ("document", "flaw"),
    [
        ("<Response/>", None),
        ("<Response><Say>a &amp; b</Say></Response>", None),
        ("<response/>", ""),
        ("<Say/>", ""),
        ("", "line 1 column 1"),
        ("Thaw", "line 1 column 1"),
        ("<Response>", "line 1 column 11"),
        ("<Response/><Response/>", "line 1 column 12"),
        ("<Response>\n&nbsp;</Response>", "line 2 column 1"),
        ("<!DOCTYPE Response><Response/>", "a document type is not allowed"),
        (
            '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Response>&b;</Response>',
            "a document type is not allowed",
        ),
        ("<!-- <!DOCTYPE html> --><Response/>", None),
        ("<Response><Say><![CDATA[<!DOCTYPE html>]]></Say></Response>", None),
        ('<?xml version="1.0" encoding="utf-8"?><Response><Say>Täglich</Say></Response>', None),
        ('<?xml version="1.0" encoding="US-ASCII"?><Response/>', None),
        *(
            (
                f'<?xml version="1.0" encoding="{encoding}"?><Response/>',
                "its encoding must be UTF-8: declare that, or none",
            )
            for encoding in ("ISO-8859-1", "UTF-16", "x-unknown")
        ),
    ],
)
def test_a_document_is_well_formed_and_has_response_as_its_root(document: str, flaw: str | None) -> None:
    assert flaw == flaw_of(document)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_document_raises(document: str) -> None:
    flaw_of(document)
    flaw_of(f"<Response>{document}</Response>")


def test_a_call_that_takes_keys_says_so_after_its_message_each_time() -> None:
    content = SpokenText(text="It thaws", language="de-DE", key_hint="Eine Taste & fertig")
    document = spoken_with(content, key_url="https://example.com/?a=1&b=2")
    root = ET.fromstring(document)  # noqa: S314 - our own document
    says = [f"{each.get('language')}: {each.text}" for each in root.iter("Say")]
    assert ["de-DE: It thaws", "de-DE: Eine Taste & fertig"] * 2 == says
    assert "Taste" not in (spoken(content) or "")


@pytest.mark.parametrize(
    ("length", "times", "hinted", "keyed"),
    [(1700, 2, True, True), (1850, 2, False, True), (1930, 2, False, False), (2500, 1, True, True)],
)
def test_a_text_that_fits_twice_is_spoken_twice_and_loses_the_hint_and_then_the_key(
    *, length: int, times: int, hinted: bool, keyed: bool
) -> None:
    content = SpokenText(text="a" * length, key_hint="Press any key to acknowledge." + " Now!" * 10)
    document = spoken_with(content, key_url="https://example.com/twilio")
    assert len(document) <= MAXIMUM_TWIML_CHARACTERS
    assert [content.text] * times == [one for one in says(document) if one == content.text]
    assert hinted is (content.key_hint in says(document))
    assert keyed is ("<Gather" in document)


@pytest.mark.parametrize("length", [100, 1930, 2500, 3950])
def test_a_call_without_a_key_speaks_as_often_as_it_can(length: int) -> None:
    content = SpokenText(text="a" * length, key_hint="Press any key")
    assert spoken(content) == spoken_with(content, key_url=None)
