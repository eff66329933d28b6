"""Signatures of callbacks, judged by Twilio's own validator where that is right."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from twilio_notifications.adapters.twilio.signature import called_url, is_genuine
from twilio_notifications.core.model import Secret

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
CASES = 10_000
FIELDS = [("MessageSid", "SM1"), ("MessageStatus", "delivered")]


def sign(url: str, fields: list[tuple[str, str]], token: str = TOKEN) -> str:
    """As Twilio's documentation says it."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def genuine(signature: str, url: str, fields: list[tuple[str, str]], *tokens: str) -> bool:
    secrets = [Secret(token) for token in tokens or (TOKEN,)]
    return is_genuine(signature, url=url, fields=fields, tokens=secrets)


class Repeated(dict[str, list[str]]):
    """Form fields in the form in which Twilio's validator sees repeated ones."""

    @classmethod
    def of(cls, fields: list[tuple[str, str]]) -> Repeated:
        repeated = cls()
        for name, value in fields:
            repeated.setdefault(name, []).append(value)
        return repeated

    def getall(self, name: str) -> list[str]:
        return self[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One generated callback: what Twilio called and signed, and what arrived."""

    called: str
    arrived: str
    fields: list[tuple[str, str]]
    signature: str


LETTERS = "abcXYZ019-._~ +&=%/?#ÄéΩ漢😀"
NAMES = ("MessageSid", "MessageStatus", "To", "From", "Body", "a", "aa", "A", "é", "")


class Drawing:
    """Draws callbacks: ports or none, queries, repeated and empty fields; half are changed on the way."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - test values

    def _word(self, longest: int) -> str:
        return "".join(self.random.choices(LETTERS, k=self.random.randint(0, longest)))

    def _url(self) -> tuple[str, str, str]:
        """Scheme and host, port or "", and the rest."""
        choose = self.random.choice
        scheme = choose(["https", "https", "http"])
        host = choose(
            ["example.com", "a.b.example.org", "203.0.113.7", "xn--bcher-kva.example", "Example.COM"]
        )
        port = choose(["", "", ":443", ":80", ":8443", ":65535"])
        path = choose(["", "/", "/twilio", "/twilio/status", "/a%20b/" + quote(self._word(5), safe="")])
        query = choose(["", "?key=" + quote(self._word(9), safe=""), "?a=1&a=2&b=", "?x"])
        return f"{scheme}://{host}", port, path + query

    def callback(self) -> Callback:
        base, port, rest = self._url()
        default = ":443" if base.startswith("https") else ":80"
        signed = self.random.choice([base + rest, base + (port or default) + rest])
        fields = [
            (self.random.choice(NAMES), self._word(6)) for _ in range(self.random.choice([0, 1, 2, 5, 12]))
        ]
        fields += self.random.choices(fields, k=2) if fields and self.random.random() < 0.3 else []
        signature = sign(signed, fields, self.random.choice([TOKEN, TOKEN, TOKEN, OTHER]))
        arrived = base + self.random.choice([port, port, "", default]) + rest
        return self._changed(Callback(called=signed, arrived=arrived, fields=fields, signature=signature))

    def _changed(self, callback: Callback) -> Callback:
        url, fields, signature = callback.arrived, list(callback.fields), callback.signature
        match self.random.choice(["nothing"] * 5 + ["url", "field", "order", "signature", "more"]):
            case "url":
                url += "&x=1" if "?" in url else "/x"
            case "field" if fields:
                fields[0] = (fields[0][0], fields[0][1] + "x")
            case "order":
                self.random.shuffle(fields)
            case "signature":
                signature = self.random.choice(["", signature[:-1], signature.lower(), signature + "=", "ü"])
            case "more":
                fields.append((self.random.choice(NAMES), self._word(3)))
            case _:
                pass  # it arrives as it was sent
        return Callback(called=callback.called, arrived=url, fields=fields, signature=signature)


def test_twilios_own_validator_agrees_in_10000_cases() -> None:
    drawing, validator = Drawing(seed=12), RequestValidator(TOKEN)
    verdicts = dict.fromkeys((True, False), 0)
    for _ in range(CASES):
        callback = drawing.callback()
        expected = validator.validate(callback.arrived, Repeated.of(callback.fields), callback.signature)
        given_ = genuine(callback.signature, callback.arrived, callback.fields)
        assert expected is given_, callback
        verdicts[given_] += 1
    assert min(verdicts.values()) > CASES / 5, "both verdicts must be common, or the cases prove little"


@pytest.mark.parametrize(
    "url",
    [
        "https://user:password@example.com/status",
        "https://user:password@example.com:8443/status",
        "https://[2001:db8::7]:8443/status",
        "https://[2001:db8::7]/status",
        "https://example.com/status?",
    ],
)
def test_urls_that_twilios_validator_takes_apart_wrongly_are_right_here(url: str) -> None:
    """It cuts user names and IPv6 addresses at their first colon, and drops an empty query."""
    assert genuine(sign(url, FIELDS), url, FIELDS)
    without_port = url.replace(":8443", "")
    assert genuine(sign(without_port, FIELDS), url, FIELDS)


def test_a_fragment_is_not_signed() -> None:
    signature = sign("https://example.com/status", FIELDS)
    assert genuine(signature, "https://example.com/status#rc=5&rp=all", FIELDS)


def test_any_of_several_tokens_may_have_signed() -> None:
    signature = sign("https://example.com/", FIELDS, OTHER)
    assert genuine(signature, "https://example.com/", FIELDS, TOKEN, OTHER)
    assert not genuine(signature, "https://example.com/", FIELDS, TOKEN)


def test_without_a_token_nothing_is_genuine() -> None:
    signature = sign("https://example.com/", FIELDS, "")
    assert not is_genuine(signature, url="https://example.com/", fields=FIELDS, tokens=[])


@given(
    st.text(st.characters(exclude_categories=[])),
    st.text(st.characters(exclude_categories=[])),
    st.lists(st.tuples(st.text(st.characters(exclude_categories=[])), st.text())),
)
def test_no_input_raises(signature: str, url: str, fields: list[tuple[str, str]]) -> None:
    assert not genuine(signature, url, fields)
    assert not genuine(signature, f"https://{url}", fields)


@pytest.mark.parametrize(
    ("public_url", "target", "expected"),
    [
        ("https://example.com", "/status?key=1", "https://example.com/status?key=1"),
        ("https://example.com/", "/status", "https://example.com/status"),
        ("https://example.com:8443/twilio", "/twilio/status", "https://example.com:8443/twilio/status"),
        ("https://example.com/twilio", "/status?key=1", "https://example.com/twilio/status?key=1"),
        ("https://example.com/twilio/", "/twilio?key=1", "https://example.com/twilio?key=1"),
        ("https://example.com/twilio", "/twilios", "https://example.com/twilio/twilios"),
    ],
)
def test_behind_a_proxy_the_called_url_is_made_from_the_public_one(
    public_url: str, target: str, expected: str
) -> None:
    assert expected == called_url(public_url, target)


def test_a_callback_through_a_proxy_that_changes_everything_is_genuine() -> None:
    """Twilio calls https and a path; here arrives http, another port, and the path without its prefix."""
    signature = sign("https://alarms.example.com/site7/status?key=k", FIELDS)
    for target in ("/site7/status?key=k", "/status?key=k"):
        assert genuine(signature, called_url("https://alarms.example.com/site7", target), FIELDS)
