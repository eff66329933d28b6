"""Files of any kind become documents that can be walked, or a sentence that names the file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.migration.house import upload
from twilio_notifications.migration.documents import (
    DEEPEST,
    LARGEST_FILE,
    LARGEST_YAML,
    Unusable,
    Upload,
    read_documents,
)


def trees(content: str | bytes) -> list[Any]:
    encoded = content.encode() if isinstance(content, str) else content
    documents = read_documents(Upload(name="file", content=encoded))
    assert not isinstance(documents, Unusable), documents
    return [document.tree for document in documents.documents]


def problem(content: str | bytes) -> str:
    encoded = content.encode() if isinstance(content, str) else content
    unusable = read_documents(Upload(name="file", content=encoded))
    assert isinstance(unusable, Unusable)
    return unusable.problem


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_the_encodings_that_redirected_commands_leave(encoding: str) -> None:
    assert [{"ü": 1}] == trees('{"ü": 1}'.encode(encoding))


def test_several_documents_in_a_row_are_several_documents() -> None:
    """As `aws … >> file` leaves them."""
    assert [{"a": 1}, [2]] == trees('{"a": 1}\n[2]\n')
    documents = read_documents(upload('{"a": 1}{"b": 2}', "both.json"))
    assert not isinstance(documents, Unusable)
    assert ["both.json (document 1)", "both.json (document 2)"] == [each.name for each in documents.documents]


def test_an_empty_file_holds_nothing() -> None:
    assert [] == trees("") == trees("\n \n")


def test_short_tags_of_yaml_take_their_long_form() -> None:
    text = """
a: !Ref X
b: !GetAtt Y.Arn
c: !Sub "${X}-y"
d: !Join [":", [a, !Ref X]]
e: !If [Big, 1, 2]
f: !Condition Big
g: !GetAtt [Y, Arn]
h: !FindInMap [M, N, Number]
"""
    assert [
        {
            "a": {"Ref": "X"},
            "b": {"Fn::GetAtt": ["Y", "Arn"]},
            "c": {"Fn::Sub": "${X}-y"},
            "d": {"Fn::Join": [":", ["a", {"Ref": "X"}]]},
            "e": {"Fn::If": ["Big", "1", "2"]},
            "f": {"Condition": "Big"},
            "g": {"Fn::GetAtt": ["Y", "Arn"]},
            "h": {"Fn::FindInMap": ["M", "N", "Number"]},
        }
    ] == trees(text)


@pytest.mark.parametrize(
    "word",
    ["+15005550006", "012345678901", "2010-09-09", "NoContainer", "No", "yes", "1e3", "12:30", "null5"],
)
def test_a_plain_value_of_yaml_stays_the_text_that_it_is(word: str) -> None:
    """Else a number loses its plus sign, an account its zero, and `No…` becomes null."""
    assert [{"a": word}] == trees(f"a: {word}\n")


@pytest.mark.parametrize("word", ["~", "null", ""])
def test_null_of_yaml_is_null(word: str) -> None:
    assert [{"a": None, "b": "1"}] == trees(f"a: {word}\nb: 1\n")


@pytest.mark.parametrize(
    ("template", "expected"),
    [({"Resources": {}}, {"Resources": {}}), ("Resources: {a: !Ref b}", {"Resources": {"a": {"Ref": "b"}}})],
)
def test_the_template_is_taken_out_of_what_get_template_prints(template: object, expected: object) -> None:
    assert [expected] == trees(json.dumps({"TemplateBody": template, "StagesAvailable": ["Original"]}))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\x00\xff", "file is not a text in utf-8: see byte 0"),
        ('{"a": ', "file is not valid JSON: "),
        ("a: [", "file is neither JSON nor valid YAML: "),
        ("a: !!python/object/apply:os.getcwd []", "file is neither JSON nor valid YAML: "),
        ("a: !!timestamp never", None),
        ("a: \x01", "file is neither JSON nor valid YAML: it holds characters"),
        ("{{1: 2}: 3}", "file is not valid JSON: "),
        ("[" * 100_000, "file is nested too deeply"),
        ("- " * 3000 + "x", "file is neither JSON nor valid YAML: it is nested too deeply"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "file is nested too deeply"),
        (BOMB, "file holds more than 300000 values"),
        ("a: &a [*a]", "file is nested too deeply"),
        ("a: &a {x: 1}\nb: {<<: *a}", "file has a merge key"),
        ("a: &a {x: 1}\nb: {!!merge <<: *a}", "file is neither JSON nor valid YAML: "),
        ('["\\ud800"]', "file holds a text that is no Unicode"),
        ('{"\\udfff": 1}', "file holds a text that is no Unicode"),
        ("1" * 5000, "file is "),
        (b" " * (LARGEST_FILE + 1), "file is 16777217 bytes long"),
        ("a: " + "x" * LARGEST_YAML, "file is YAML of "),
        ('{"TemplateBody": "a: ["}', "TemplateBody of file is neither JSON nor valid YAML"),
    ],
    ids=range(20),
)
def test_what_cannot_be_read_or_would_never_end_is_a_sentence(
    content: str | bytes, sentence: str | None
) -> None:
    if sentence is None:
        assert [{"a": "never"}] == trees(content)
    elif content == "1" * 5000:
        assert [content] == trees(content), "a number of thousands of digits is a text of YAML"
    else:
        assert problem(content).startswith(sentence)


@pytest.mark.parametrize(
    "content",
    [
        '{"Subscriptions": [1], "Subscriptions": [2]}',
        '// by hand\n{"a": {"b": 1, "b": 2}}',
        '$ aws x\n{"b": [1], "b": [2]}\n',
        "Subscriptions: [1]\nSubscriptions: [2]\n",
        "a: {b: 1, b: 2}\n",
    ],
)
def test_a_name_that_stands_twice_is_refused(content: str) -> None:
    """A reader keeps the last one, and what stood under the first would be lost in silence."""
    assert "twice" in problem(content)


def test_the_same_value_under_the_same_name_is_one() -> None:
    assert [{"a": [1]}] == trees('{"a": [1], "a": [1]}')
