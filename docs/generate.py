"""Writes what repeats the code: the file of defaults, the reference, the manual page and the recipes.

    python -m docs.generate

Each page is a function of what the program itself uses, so that a page and the program cannot disagree, and a
test compares the files with it. Nothing here reads a page, and no page is changed by hand.
"""  # noqa: INP001 - a folder of documents is no package

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import yaml

from docs.manual import manual_page
from twilio_notifications import cli
from twilio_notifications.adapters.metrics.catalogue import METRICS, SECONDS, STEP_SECONDS
from twilio_notifications.component import NucleusKind, recipe
from twilio_notifications.config.reference import defaults_file, settings_page
from twilio_notifications.core.lifecycle import TRANSITIONS, UNFINISHED, State
from twilio_notifications.core.model import DeferralScope
from twilio_notifications.core.twilio_codes import CODES, FAMILIES, Refuse, Settle, Treatment, Wait
from twilio_notifications.outline import outline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.outline import Outline

REFERENCE = Path(__file__).parent / "reference"
DEFAULTS = Path(__file__).parents[1] / "src" / "twilio_notifications" / "config.default.toml"
MANUAL = Path(__file__).parents[1] / "deploy" / "man" / "twilio-notifications.1"
ALERT_RULES = Path(__file__).parents[1] / "deploy" / "monitoring" / "alerts.yml"
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

`/metrics` answers GET in the text format 0.0.4, without a password; next to it are `/health/live` and
`/health/ready`. So let it listen on the loopback, or on a network of your own.
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
Counters begin at 0 with each start; `journal_requests`, `waiting_requests`, `oldest_waiting_seconds` and the
quotas are read from the journal. What waits is counted at most every two seconds, in at most a fiftieth of
the time of one processor: with a million requests that wait, the numbers are up to a minute old.

| metric | kind | labels | meaning |
|---|---|---|---|
"""

ALERTS_OPENING = """\
## Alerts

`deploy/monitoring/` has these as rules for Prometheus, each with a test for `promtool`, and a dashboard for
Grafana. [Watch it with Prometheus and Grafana](../how-to/watch-with-prometheus.md) sets them up.
Each alert fires once for each connector. Where several share a journal, those about what stands in it
(`TwilioNotificationsWaitsTooLong`, `TwilioNotificationsStatusesWait`,
`TwilioNotificationsQuotaNearlyUsed`) fire for all of them at once: have Alertmanager group them by
`alertname`.

| alert | severity | when |
|---|---|---|
"""


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
        REFERENCE / "commands.md": commands_page(outline(cli.parser())),
        REFERENCE / "states.md": states_page(),
        REFERENCE / "metrics.md": metrics_page(),
        REFERENCE / "twilio-codes.md": codes_page(),
        MANUAL: manual_page(outline(cli.parser())),
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
    buckets = (
        f"The buckets of the histograms end at {seconds} seconds; `step_seconds` has "
        f"{', '.join(f'{each:g}' for each in STEP_SECONDS if each not in SECONDS)} before them.\n\n"
    )
    return METRICS_OPENING + "".join(_metrics()) + "\n" + buckets + "".join(_alerts())


def _metrics() -> Iterator[str]:
    for metric in METRICS:
        labels = "; ".join(
            f"`{label}`: {', '.join(f'`{value}`' for value in values)}"
            for label, values in metric.labels.items()
        )
        yield f"| `{metric.full_name}` | {metric.kind} | {labels} | {metric.meaning} |\n"


def _alerts() -> Iterator[str]:
    yield ALERTS_OPENING
    (group,) = yaml.safe_load(ALERT_RULES.read_text("utf-8"))["groups"]
    for rule in group["rules"]:
        # What Prometheus puts in stands in braces: which connector, and how much.
        said = rule["annotations"]["summary"].partition(" }}: ")[2]
        said = re.sub(r"{{ \$labels\.(\w+) }}", r"\1", re.sub(r"{{ \$value.*?}}", "…", said))
        yield f"| `{rule['alert']}` | {rule['labels']['severity']} | {said} |\n"


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


def commands_page(whole: Outline) -> str:
    """Every command with every argument, in the order of its help."""
    return "\n".join(
        [COMMANDS_OPENING, *(line for each in whole.walk() for line in _command(each)), whole.epilog, ""]
    )


def _command(command: Outline) -> Iterator[str]:
    depth = len(command.name.split())
    if depth > 1:
        yield f"{'#' * depth} {command.name}\n"
        yield f"{command.description}\n"
    yield f"```\n{command.usage}\n```\n"
    if command.arguments:
        yield "| argument | meaning |"
        yield "|---|---|"
        for argument in command.arguments:
            yield f"| `{_cell(argument.spelling)}` | {_cell(argument.meaning)} |"
        yield ""


def _cell(text: str) -> str:
    """A bar would end the cell, even in code."""
    return text.replace("|", "\\|")


def main() -> None:
    """Writes every page."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
