"""Twilio's own calculator of segments, from npm, as the oracle of ours."""

from __future__ import annotations

import json
import random
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.npm import installed
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.segments import GSM7, GSM7_ALL, GSM7_ESCAPED, clusters, count_segments

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.npm, pytest.mark.timeout(420)]

PACKAGE, VERSION = "sms-segments-calculator", "1.3.0"
TEXTS = 5_000

CALCULATE = """
const { SegmentedMessage } = require('./sms-segments-calculator')
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const answers = texts.map(text => {
  const found = new SegmentedMessage(text, 'auto', false)
  return [found.encodingName, found.segmentsCount, found.graphemes]
})
process.stdout.write(JSON.stringify(answers))
"""

PIECES: Final[tuple[Sequence[str], ...]] = (
    sorted(GSM7),
    sorted(GSM7_ESCAPED),
    "абвгдежзийклмноп„“\u2013—…\u2019",
    "漢字仮名交じり文",
    "한글각힣ᄀᆞᆨᄒ",
    ("e\u0301", "a\u0308\u0323", "n\u0303"),
    ("नमस्ते", "कि", "ক্ষি", "ก็", "น้ำ", "ສຳ", "بِسْم", "שָׁלוֹם", "က္ကာ", "ကိုး"),
    ("😀", "🔥", "❤", "❤️", "🚨", "𝄞", "𠮷", "☎️", "✈️"),
    ("👍🏽", "👩🏿", "✌🏻", "☝🏼", "💪🏾", "x🏽"),
    ("👨‍👩‍👧‍👦", "👩‍❤️‍💋‍👨", "👩🏽‍🚀", "🏳️‍🌈", "🕵️‍♀️", "🧑‍🤝‍🧑", "👨‍⚕️"),
    ("🇩🇪", "🇺🇸", "🇨🇭🇦🇹", "🇫", "1️⃣", "#️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
    ("\r\n", "\n", "\t", "\u200b", "\u200d", "\u200c", "\ufeff", "\u00a0", "\u2028", "\u0600"),
)
"""What texts are made of: letters, and what several characters make together."""


def texts() -> list[str]:
    """The same ones in each run: of one kind of piece or of several, from nothing to ten parts."""
    chance = random.Random(13)  # noqa: S311 - not for secrets
    found = []
    for _ in range(TEXTS):
        kinds = chance.sample(PIECES, chance.choice((1, 1, 2, 3, len(PIECES))))
        longest = chance.choice((5, 40, 80, 165, 330, 1_600))
        pieces = [chance.choice(chance.choice(kinds)) for _ in range(chance.randrange(longest))]
        found.append("".join(pieces)[:1_600])
    return found


def calculated(given: Sequence[str]) -> Any:
    finished = subprocess.run(
        ["node", "-e", CALCULATE],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        cwd=installed(PACKAGE, VERSION),
        check=True,
    )
    return json.loads(finished.stdout)


def test_five_thousand_texts_have_the_number_of_parts_that_twilio_calculates() -> None:
    given = texts()
    answers = calculated(given)
    assert {"GSM-7", "UCS-2"} == {encoding for encoding, _, _ in answers}
    assert [count for _, count, _ in answers] == [count_segments(text) for text in given]


def test_a_text_is_cut_into_the_clusters_that_twilio_sees() -> None:
    given = [text for text in texts() if "\r\n" not in text]
    assert [graphemes for _, _, graphemes in calculated(given)] == [list(clusters(text)) for text in given]


def test_each_character_of_the_first_plane_is_gsm_where_twilio_says_so() -> None:
    given = [chr(number) for number in range(0xD800)]
    twilios = {
        text for text, (encoding, _, _) in zip(given, calculated(given), strict=True) if encoding == "GSM-7"
    }
    assert twilios == GSM7_ALL
