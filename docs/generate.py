"""Writes what repeats the code: the file of defaults, the reference of settings and more, and the recipes.

    python -m docs.generate

Each page is a function of what the program itself uses, so that a page and the program cannot disagree, and a
test compares the files with it. Nothing here reads a page, and no page is changed by hand.
"""  # noqa: INP001 - a folder of documents is no package

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from twilio_notifications import cli
from twilio_notifications.adapters.metrics.catalogue import METRICS, PREFIX, SECONDS
from twilio_notifications.component import NucleusKind, recipe
from twilio_notifications.config.reference import defaults_file, settings_page
from twilio_notifications.core.lifecycle import TRANSITIONS, UNFINISHED, State
from twilio_notifications.core.model import DeferralScope
from twilio_notifications.core.twilio_codes import CODES, FAMILIES, Refuse, Settle, Treatment, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REFERENCE = Path(__file__).parent / "reference"
DEFAULTS = Path(__file__).parents[1] / "src" / "twilio_notifications" / "config.default.toml"
COMPONENT = Path(__file__).parents[1] / "deploy" / "greengrass"

MEANINGS: Mapping[State, str] = {
    State.WAITING: "Recorded. It is claimed when it is due and its turn has come.",
    State.OPEN: "An attempt is open: the POST may be under way. After a crash this is `IN_DOUBT`.",
    State.IN_DOUBT: "Twilio may or may not have carried the attempt out. Twilio's records are looked up.",
    State.FINISHED: "Its status is written, and the broker has not acknowledged it yet: the outbox.",
    State.REPORTED: "The broker has acknowledged its status. It is kept for `journal.retention_seconds`.",
}

STATES_OPENING = """\
# States

For those who read the journal, and for developers.
Written by `python -m docs.generate` from `core/lifecycle.py`: change it there.

Each request stands in one row of the journal, in one of these states.
The journal repeats the table as CHECK constraints and as the condition of each update.
A step that the table does not have fails there, in its transaction, as a defect of the connector.
"""

STATES_END = """\
A request that breaks the contract is recorded as `FINISHED` at once: it has a status and no attempt.

There are two ways back from `REPORTED`.
A follow-up status (`status.follow_up`) tells what became of a delivery, and is reported like the first one.
The other way only a person can take:
`twilio-notifications journal resolve` gives a request that was answered with `OutcomeUnknown` a new status,
and puts it back into `FINISHED`, so that the new status is reported too.
"""

COMMANDS_OPENING = """\
# Commands

For those who run the connector.
Written by `python -m docs.generate` from the program's own arguments: change them in `cli/`.

Each command explains itself with `--help`.
`python -m twilio_notifications` is the same program as `twilio-notifications`.
The [settings](settings.md) that `--config` names can also be given by the environment alone.
"""

METRICS_OPENING = """\
# Metrics

For those who watch connectors with Prometheus, or with anything that reads its format.
Written by `python -m docs.generate` from `adapters/metrics/catalogue.py`: change it there.

Metrics are off by default, and nothing is counted then.
Install the extra `metrics`, and say where they are served:

```toml
[metrics]
listen = "127.0.0.1:9464"
```

`/metrics` answers GET in the text format 0.0.4, without a password:
let it listen on the loopback, or on a network of your own.
A confined connector listens there and nowhere else.
At most 16 clients are served at once, each within 5 seconds; one more makes the oldest of them leave.

```yaml
scrape_configs:
  - job_name: twilio-notifications
    static_configs:
      - targets: ["127.0.0.1:9464"]
```

Every series stands at 0 from the start, so that an alert on the first failure works.
Labels come from closed lists: no number, name, topic, token or text is ever in one.
Counters begin at 0 with each start; `journal_requests` is read from the journal.

| metric | kind | labels | meaning |
|---|---|---|---|
"""

ALERTS: Mapping[str, str] = {
    "the auth token is refused": '{}pauses{{reason="credentials_refused"}} > 0',
    "requests fail for no fault of their senders": (
        'increase({}statuses_total{{reason=~"Expired\\|QueueFull\\|InternalError"}}[1h]) > 0'
    ),
    "a person has to find out whether a request was sent": (
        'increase({}statuses_total{{reason="OutcomeUnknown"}}[1h]) > 0'
    ),
    "nothing comes in": "{}broker_connected == 0",
    "nothing goes out": "{}twilio_reachable == 0",
    "the disk is full or fails": "{}journal_writable == 0",
}
"""What is worth an alert, as expressions without the prefix of the names."""


CODES_OPENING = """\
# Twilio's codes

For those who read a code of Twilio's in a status, the log or the journal.
Written by `python -m docs.generate` from `core/twilio_codes/`: change it there.

"On creation" is what the connector does when Twilio names the code in a 4xx answer to a new text or call.
Where it says nothing, [the HTTP status decides](contract.md#twilios-answers).
"About" is who or what has to change: a code about the sender or the account affects every request.
"""

FAMILIES_OPENING = """\
## Other codes

Twilio's list of codes grows.
A code that is not in the table above is explained by its family:

| codes | about | meaning |
|---|---|---|
"""


def pages() -> dict[Path, str]:
    """Each generated page by its file."""
    return {
        DEFAULTS: defaults_file(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "commands.md": commands_page(cli.parser()),
        REFERENCE / "states.md": states_page(),
        REFERENCE / "metrics.md": metrics_page(),
        REFERENCE / "twilio-codes.md": codes_page(),
        COMPONENT / "recipe.json": recipe_page(NucleusKind.CLASSIC),
        COMPONENT / "recipe-lite.json": recipe_page(NucleusKind.LITE),
    }


# The states.


def states_page() -> str:
    """The table of the life of a request, and the same as a diagram."""
    return "\n".join([STATES_OPENING, *_states(), "", *_steps(), "", *_diagram(), "", STATES_END])


def _states() -> Iterator[str]:
    yield "| state | holds its recipient's place | what it means |"
    yield "|---|---|---|"
    for state in State:
        yield f"| `{state}` | {'yes' if state in UNFINISHED else 'no'} | {MEANINGS[state]} |"


def _steps() -> Iterator[str]:
    yield "| from | event | to |"
    yield "|---|---|---|"
    for state, row in TRANSITIONS.items():
        for event, target in row.items():
            yield f"| `{state}` | {event} | `{target}` |"


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.WAITING}: record a request"
    yield f"    [*] --> {State.FINISHED}: record a rejection"
    for state, row in TRANSITIONS.items():
        for event, target in row.items():
            yield f"    {state} --> {target}: {event}"
    yield f"    {State.REPORTED} --> [*]: purge"
    yield "```"


# The metrics.


def metrics_page() -> str:
    """Every metric with every value of its labels."""
    seconds = ", ".join(f"{each:g}" for each in SECONDS)
    buckets = f"The buckets of `status_seconds` end at {seconds} seconds.\n\n"
    return METRICS_OPENING + "".join(_metrics()) + "\n" + buckets + "".join(_alerts())


def _metrics() -> Iterator[str]:
    for metric in METRICS:
        labels = "; ".join(
            f"`{label}`: {', '.join(f'`{value}`' for value in values)}"
            for label, values in metric.labels.items()
        )
        yield f"| `{metric.full_name}` | {metric.kind} | {labels} | {metric.meaning} |\n"


def _alerts() -> Iterator[str]:
    yield "## Alerts worth having\n\n| alert | expression |\n|---|---|\n"
    for meaning, expression in ALERTS.items():
        yield f"| {meaning} | `{expression.format(PREFIX)}` |\n"


# Twilio's codes.


def codes_page() -> str:
    """Every code with its words, and the families of the others."""
    families = "".join(
        f"| {family.codes[0]} to {family.codes[-1]} | {family.concern} | {family.means} |\n"
        for family in FAMILIES
    )
    return "\n".join([CODES_OPENING, *_codes(), "", FAMILIES_OPENING + families])


def _codes() -> Iterator[str]:
    yield "| code | about | meaning | what to do | on creation |"
    yield "|---|---|---|---|---|"
    for code, row in CODES.items():
        treatment = "" if row.creation is None else _treatment(row.creation)
        yield f"| {code} | {row.concern} | {row.means} | {row.advice} | {treatment} |"


def _treatment(treatment: Treatment) -> str:
    match treatment:
        case Refuse():
            return f"fails with `{treatment.reason}`"
        case Wait(scope=DeferralScope.SENDER):
            return "this sender waits"
        case Wait():
            return "all requests wait"
        case Settle():
            return "Twilio's records are looked up"
        case _:
            assert_never(treatment)


# The recipes.


def recipe_page(kind: NucleusKind) -> str:
    """The recipe as it is before it is built for a bucket."""
    document = recipe(kind, version=version("twilio-notifications"))
    return json.dumps(document, indent=2) + "\n"


# The commands.


def commands_page(parser: argparse.ArgumentParser) -> str:
    """Every command of `parser` with every argument, in the order of its help."""
    parts = [COMMANDS_OPENING, *_command(parser), *_below(parser)]
    return "\n".join([*parts, str(parser.epilog), ""])


def _below(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 - argparse shows its arguments nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for child in action.choices.values():
                yield f"{'#' * len(child.prog.split())} {child.prog}\n"
                yield f"{child.description}\n"
                yield from _command(child)
                yield from _below(child)


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"```\n{usage(parser)}\n```\n"
    arguments = _arguments(parser)
    if arguments:
        yield "| argument | meaning |"
        yield "|---|---|"
        for action in arguments:
            yield f"| `{_cell(_spelling(action))}` | {_cell(_meaning(action))} |"
        yield ""


def _cell(text: str) -> str:
    """A bar would end the cell, even in code."""
    return text.replace("|", "\\|")


def usage(parser: argparse.ArgumentParser) -> str:
    """One line that shows how the command is written; what is in brackets may be left out."""
    words = [parser.prog]
    exclusive = {id(action): group for group in _exclusive(parser) for action in group}
    for action in _arguments(parser):
        group = exclusive.get(id(action))
        if group is None:
            words.append(_spelling(action) if _is_required(action) else f"[{_spelling(action)}]")
        elif action is group[0]:
            words.append(f"({' | '.join(_spelling(member) for member in group)})")
    return " ".join([*words, *_children(parser)])


def _arguments(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    return [
        action
        for action in parser._actions  # noqa: SLF001
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001
    ]


def _children(parser: argparse.ArgumentParser) -> list[str]:
    return [
        f"{action.metavar} …"
        for action in parser._actions  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]


def _exclusive(parser: argparse.ArgumentParser) -> Sequence[Sequence[argparse.Action]]:
    return [group._group_actions for group in parser._mutually_exclusive_groups]  # noqa: SLF001


def _is_required(action: argparse.Action) -> bool:
    return action.required or not action.option_strings


def _spelling(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings)
    if action.nargs == 0:
        return name
    value = action.metavar or "|".join(action.choices or ()) or action.dest.upper()
    return f"{name} {value}".strip()


def _meaning(action: argparse.Action) -> str:
    if isinstance(action, argparse._VersionAction):  # noqa: SLF001
        return "prints the version and ends"
    return action.help or ""


def main() -> None:
    """Writes every page."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
