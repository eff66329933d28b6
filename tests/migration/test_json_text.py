"""JSON is taken out of comments, commands and a terminal's history: whole, or not at all."""

from __future__ import annotations

import json

import pytest

from tests.migration.house import (
    arn,
    connector,
    connectors,
    definitions,
    migrated,
    problems,
    resources,
    upload,
)
from tests.migration.templates import STATUSES, TEXTS
from twilio_notifications.migration.documents import Unusable, read_documents

OURS = json.dumps(connectors(connector(5)))
SUBSCRIPTIONS = json.dumps({"Subscriptions": [TEXTS, STATUSES]})
INDENTED = json.dumps(connectors(connector(5)), indent=4)


def escaped(text: str) -> str:
    return text.replace('"', '\\"')


TEXTS_WITH_JSON = {
    "comments": "// by hand\n" + OURS.replace("{", "{ /* ours */", 1).replace(", ", ", // next\n", 1),
    "a comma too many": OURS[:-2] + ",],}",
    "a shell's comment": "# site 7\n" + OURS,
    "history": f"$ aws greengrass get-connector-definition-version\n{INDENTED}\n$ exit\n",
    "history with brackets": f"[ada@core ~]$ aws greengrass get-connector-definition-version\n{INDENTED}\n",
    "single quotes": f"aws greengrass create-connector-definition --initial-version '{OURS}'\n",
    "double quotes": f'aws greengrass create-connector-definition \\\n --initial-version "{escaped(OURS)}"\n',
    "lines that go on": 'aws x "' + escaped(OURS).replace(", ", ", \\\n") + '"\n',
    "cmd": 'aws x "' + OURS.replace('"', '""') + '"\n',
    "PowerShell": "aws x '" + escaped(OURS) + "'\n",
    "here-document": f'if [[ "$a" == "b" ]]; then\ncat <<EOF\n{OURS}\nEOF\nfi\necho ${{x}} [1]\n',
    "Markdown": f"# The group\n\n```json\n{INDENTED}\n```\n",
    "Python": repr(connectors(connector(5))),
    "colours": f"\x1b]0;core\x07$ jq -C\n{INDENTED}\n".replace('"', '\x1b[34;1m"').replace(": ", "\x1b[0m: "),
    "Windows lines": INDENTED.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", TEXTS_WITH_JSON)
def test_the_connector_is_found_in_what_people_keep(form: str) -> None:
    migration = migrated(TEXTS_WITH_JSON[form], resources())
    assert arn(5) == definitions(migration)["Connectors"][0]["ConnectorArn"]


def test_each_value_has_the_line_in_which_it_begins() -> None:
    reading = read_documents(upload(f"$ one\n{OURS}\n$ two\n{SUBSCRIPTIONS}\n", "history.txt"))
    assert not isinstance(reading, Unusable)
    names = [document.name for document in reading.documents]
    assert ["history.txt (JSON in line 2)", "history.txt (JSON in line 4)"] == names


def test_a_comment_mark_inside_a_text_is_part_of_it() -> None:
    text = '// x\n{"a": "http://b//c # d /* e */", "b": ",}"}'
    reading = read_documents(upload(text))
    assert not isinstance(reading, Unusable)
    assert {"a": "http://b//c # d /* e */", "b": ",}"} == reading.documents[0].tree


BROKEN = {
    "a comma missing": OURS[:-1] + ' "Subscriptions": []}',
    "cut off": f"aws x '{OURS}'\naws y '{SUBSCRIPTIONS[:-40]}",
    "a word without quotes": f"aws x '{OURS}'\naws y '" + '{"Subscriptions": [{"Id": x}, {"Id": "b"}]}' + "'",
    "one of a list": f"$ x\n{OURS}\n$ y\n[" + json.dumps(TEXTS) + ', {"Id": }]',
}


@pytest.mark.parametrize("form", BROKEN)
def test_a_broken_value_is_refused_and_never_read_in_parts(form: str) -> None:
    (problem,) = problems(BROKEN[form])
    assert problem.startswith("file1 is ")
    assert "line" in problem


def test_what_names_the_connector_outside_of_any_json_is_named() -> None:
    shorthand = f"aws y --initial-version Subscriptions=[{{Id=a,Subject=twilio/txt,Target={arn(5)}}}]"
    notes = migrated(f"aws x '{OURS}'\n{shorthand}\n").notes
    assert any(note.startswith("line 2 of file1 names the connector outside of any JSON") for note in notes)


def test_a_file_that_a_command_takes_is_asked_for() -> None:
    notes = migrated(f"aws x '{OURS}'\naws y --initial-version file://subscriptions.json\n").notes
    assert any("line 2 of file1 takes the file 'subscriptions.json': give that file, too" in n for n in notes)


COMMANDS_ALONE = {
    "one": "aws greengrass create-connector-definition --initial-version file://connectors.json\n",
    "no YAML": "# It's the group.\naws greengrass create-connector-definition --name 'x: y' \\\n"
    "\t--initial-version file://connectors.json\n",
}


@pytest.mark.parametrize("form", COMMANDS_ALONE)
def test_commands_without_json_name_the_files_that_they_take(form: str) -> None:
    assert any(
        "takes the file 'connectors.json': give that file, too" in p for p in problems(COMMANDS_ALONE[form])
    )


@pytest.mark.parametrize("form", COMMANDS_ALONE)
def test_commands_without_json_stand_next_to_the_files_that_they_take(form: str) -> None:
    assert migrated(COMMANDS_ALONE[form], OURS).found[0].startswith("connector `")


@pytest.mark.parametrize("around", ["{}", "aws x '{}'", '{{"Connectors": {}}}', "{} // more"])
def test_a_number_of_thousands_of_digits_ends_in_a_sentence(around: str) -> None:
    (problem,) = problems(around.format(f'[{{"Id": {"1" * 5000}}}]'))
    assert "a number of 5000 digits" in problem or "no Twilio Notifications connector" in problem


ENDLESS = {
    "openings": 'x ["' * 100_000,
    "escaped openings": 'x [\\"' * 100_000,
    "values": "x {}" * 100_000,
    "comments": "{/*" * 100_000,
    "strings": '{"a":1 ' + '"\\"' * 100_000,
    "lists": "x " + '["a",' * 100_000,
    "documents": "{}" * 100_000,
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_text_that_only_looks_like_json_ends(kind: str) -> None:
    """Each of these was read again from each of its places once, and so took hours."""
    assert isinstance(read_documents(upload(ENDLESS[kind])), Unusable)


def test_a_placeholder_without_an_end_is_read_once() -> None:
    without_end = "${" + "a" * 5_000 + "{" + "a" * 5_000 + "{" + "a" * 5_000
    assert problems(connectors(connector(Id=without_end, ConnectorArn=without_end)))
