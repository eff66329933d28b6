"""The arguments of `python -m bench`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bench.race import CONCURRENCY, FOLDER, OUTSTANDING


class Scenario(StrEnum):
    """What can be measured; the words are those of `--only`."""

    LIVE = "live"
    BACKLOG = "backlog"
    LATENCY = "latency"
    CONSOLE = "console"
    LARGE = "large"
    PEERS = "peers"
    POSTGRESQL = "postgresql"


USUAL = (Scenario.LIVE, Scenario.BACKLOG, Scenario.LATENCY)
"""Those of a run without `--only`; the others take long, or need programs that are not always there."""

ROUNDS, MESSAGES, PACED_MESSAGES = 5, 6_000, 500
QUICK_ROUNDS, QUICK_MESSAGES, QUICK_PACED_MESSAGES = 1, 2_000, 200
LATENCIES = (0.0, 0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure, and how often."""

    scenarios: tuple[Scenario, ...]
    messages: int
    paced_messages: int
    """The same where they come at fixed instants."""
    rounds: int
    latencies: tuple[float, ...]
    """Seconds that the simulator takes for each answer; one table for each."""
    concurrency: int
    outstanding: int
    size: int | None
    """Requests that a journal holds before a run begins; None: as many as the scenario usually has."""
    folder: Path
    json: Path | None
    """The file for the tables; None: they are only printed."""


def read() -> Options:
    """Reads them from the command line; ends the program where they make no sense."""
    given = _parser().parse_args()
    messages = given.messages or (QUICK_MESSAGES if given.quick else MESSAGES)
    return Options(
        scenarios=tuple(given.only),
        messages=messages,
        paced_messages=min(messages, QUICK_PACED_MESSAGES if given.quick else PACED_MESSAGES),
        rounds=given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS),
        latencies=tuple(given.latency),
        concurrency=given.concurrency,
        outstanding=given.outstanding,
        size=given.size,
        folder=given.folder,
        json=given.json,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Runs the connector and a bare loop of the same libraries in turns, against Mosquitto "
        "and the simulator, and prints both next to each other. Takes about nine minutes.",
    )
    parser.add_argument("--quick", action="store_true", help="one round of fewer messages: 40 seconds")
    parser.add_argument(
        "--only",
        type=Scenario,
        choices=list(Scenario),
        nargs="+",
        default=USUAL,
        metavar="SCENARIO",
        help=f"of {', '.join(Scenario)} ({' '.join(USUAL)})",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes the tables to this file too")
    _add_numbers(parser)
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help=f"a folder on the disk to measure ({FOLDER})"
    )
    return parser


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    numbers = {
        "messages": (None, f"messages in each run ({MESSAGES})"),
        "rounds": (None, f"runs of each program ({ROUNDS})"),
        "size": (
            None,
            "requests that the journal holds before the run (200000 with console, 1000000 with large)",
        ),
        "concurrency": (CONCURRENCY, f"the most attempts at once ({CONCURRENCY})"),
        "outstanding": (OUTSTANDING, f"the most unanswered requests, under live load ({OUTSTANDING})"),
    }
    for name, (default, text) in numbers.items():
        parser.add_argument(f"--{name}", type=_positive, default=default, metavar="N", help=text)
    parser.add_argument(
        "--latency",
        type=float,
        nargs="+",
        default=LATENCIES,
        metavar="SECONDS",
        help="latency of the simulator; one table for each (0 0.15)",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number
