"""Which addresses of documents an operator's prefixes allow: no spelling leads to another host or folder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import START, a_claimed
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Channel, VoiceLocation
from twilio_notifications.core.policy import (
    NOTHING_USED,
    Admit,
    Decline,
    Limits,
    Pace,
    Situation,
    admit,
    is_prefix,
)
from twilio_notifications.core.policy.voice_locations import is_below

HOST = "https://good.example"
FOLDER = f"{HOST}/voice/"


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        (f"{HOST}/voice/alarm.xml", FOLDER),
        (f"{HOST}/voice/alarm.xml?text=a&b=../c", FOLDER),
        (f"{HOST}/voice/deep/er/", FOLDER),
        (FOLDER, FOLDER),
        (f"{HOST}/voice", f"{HOST}/voice"),
        (f"{HOST}/voice?x=1", f"{HOST}/voice"),
        (f"{HOST}/voice/alarm", f"{HOST}/voice"),
        (f"{HOST}/anything", HOST),
        (HOST, HOST),
        (HOST, f"{HOST}/"),
        (f"{HOST}/", HOST),
        ("HTTPS://GOOD.example:443/voice/a", FOLDER),
        (f"{HOST}/voice/a", "https://good.example:443/voice"),
        ("http://good.example:8080/a", "http://good.example:8080"),
        (f"{HOST}/%76oice/a", FOLDER),
        (f"{HOST}/voice/%C3%A9", FOLDER),
        (f"{HOST}/voice/é", FOLDER),
        (f"{HOST}/caf%c3%a9/a", f"{HOST}/caf%C3%A9/"),
        (f"{HOST}/voice/a#rt=1000", FOLDER),
        ("https://[::1]:8443/a", "https://[::1]:8443/"),
    ],
)
def test_the_same_host_and_folder_are_allowed(url: str, prefix: str) -> None:
    assert is_below(url, prefix)


@pytest.mark.parametrize(
    "url",
    [
        "http://good.example/voice/a",
        "https://good.example:8443/voice/a",
        "https://evil.example/voice/a",
        "https://good.example.evil.example/voice/a",
        "https://sub.good.example/voice/a",
        "https://good.examplee/voice/a",
        "https://good.example@evil.example/voice/a",
        "https://user:password@good.example/voice/a",
        "https://evil.example#@good.example/voice/a",
        "https://good.example?@evil.example/voice/",
        "https://good.example#@evil.example/voice/",
        "https://good.example\\@evil.example/voice/a",
        "https://evil.example\\.good.example/voice/a",
        "https://good.example%2f@evil.example/voice/a",
        "https://good.example%00.evil.example/voice/a",
        f"{HOST}/voicemail",
        f"{HOST}/voice",
        f"{HOST}/Voice/a",
        f"{HOST}/other/voice/a",
        f"{HOST}/voice/../other",
        f"{HOST}/voice/..",
        f"{HOST}/voice/./a",
        f"{HOST}/voice/%2e%2e/other",
        f"{HOST}/voice/%2E./other",
        f"{HOST}/voice/%252e%252e/other",
        f"{HOST}/voice/..%2fother",
        f"{HOST}/voice/..%5cother",
        f"{HOST}/voice/..\\other",
        f"{HOST}/voice/..;/other",
        f"{HOST}/voice/..;a=b/other",
        f"{HOST}/voice/\uff0e\uff0e/other",
        f"{HOST}/voice/%EF%BC%8E%EF%BC%8E/other",
        f"{HOST}/voice/%c0%ae%c0%ae/other",
        "https://good.example:0/voice/a",
        f"{HOST}/voice/a%00b",
        f"{HOST}/voice%2Fa",
        f"{HOST}//voice/a",
        f"{HOST}/voice/ a",
        f"{HOST}/voice/\ta",
        f"{HOST}\t/voice/a",
        f" {HOST}/voice/a",
        "https:/good.example/voice/a",
        "https:good.example/voice/a",
        "//good.example/voice/a",
        "ftp://good.example/voice/a",
        "https://good.example:x/voice/a",
        "https://good.example:99999/voice/a",
        "https://[good.example/voice/a",
        "https://g\u00f6od.example/voice/a",
        "https://\uff47ood.example/voice/a",
        f"{HOST}/voice/%" + "25" * 6 + "2e",
        "",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not is_below(url, FOLDER)


@given(st.text(max_size=60))
def test_no_text_is_an_error_and_none_is_below_by_chance(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}@evil.example/voice/", f"{HOST}.{text}/voice/"):
        assert is_below(url, FOLDER) in {True, False}
    assert not is_below(f"https://evil.example/{text}", FOLDER)


@pytest.mark.parametrize(
    "prefix", [HOST, FOLDER, "http://127.0.0.1:8080/a", f"{HOST}/twiml/EH01", f"{HOST}/?"]
)
def test_a_prefix_is_a_url_up_to_its_path(prefix: str) -> None:
    assert is_prefix(prefix)


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "good.example",
        f"{HOST}/a?b",
        f"{HOST}/a#b",
        "https://a@b/",
        f"{HOST}/a/../b",
        "https://*",
        "https://*.example/",
    ],
)
def test_nothing_else_is_a_prefix(prefix: str) -> None:
    assert not is_prefix(prefix)


def test_a_call_with_another_document_is_declined_and_texts_are_not_touched() -> None:
    limits = Limits(voice_locations=(FOLDER, "https://other.example"))

    situation = Situation(
        now=START, pace=Pace.fresh(1), limits=limits, tally=NOTHING_USED, credential_wait_seconds=300.0
    )

    def verdict(url: str) -> object:
        return admit(a_claimed(channel=Channel.CALL, content=VoiceLocation(url=url)), situation)

    assert Admit() == verdict(f"{FOLDER}alarm.xml") == verdict("https://other.example/x")
    assert Admit() == admit(a_claimed(), situation)
    assert verdict("https://evil.example/") == Decline(
        reason=Reason.NOT_ALLOWED,
        message="The operator does not allow this voice message location ([limits] allowed_voice_locations)",
    )
