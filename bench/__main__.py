"""`python -m bench`: the arguments, the machine in a few lines, one table for each setting, and the targets.

Ends with 0 whether or not the targets are reached, with 1 when nothing could be measured.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench import readings, report, targets
from bench.load import WrongStatuses
from bench.race import CONCURRENCY, FOLDER, OUTSTANDING, Case, Setting, race
from bench.stage import NotStarted, mosquitto_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.race import Run

ROUNDS, MESSAGES, PACED_MESSAGES = 5, 6_000, 500
QUICK_ROUNDS, QUICK_MESSAGES, QUICK_PACED_MESSAGES = 1, 2_000, 200
LATENCIES = (0.0, 0.15)


def main() -> int:
    options = _options()
    lack = _lack()
    if lack:
        print(f"bench: {lack}", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as folder:
            _measure(options, Path(folder))
    except (NotStarted, WrongStatuses, OSError) as error:
        print(f"bench: nothing was measured: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell has it; everything that was started has ended by now
    return 0


def _measure(options: argparse.Namespace, folder: Path) -> None:
    print("\n".join(_surroundings(folder)), flush=True)
    all_runs: list[Run] = []
    for setting in _settings(options):
        runs = []
        for run in race(setting, rounds=options.rounds, folder=folder):
            runs.append(run)
            _show_progress(run)
        print(f"\n{report.table(runs)}", flush=True)
        all_runs += runs
    print(f"\n{targets.table(all_runs)}", flush=True)


def _settings(options: argparse.Namespace) -> Iterator[Setting]:
    cases = (Case.LIVE, Case.BACKLOG, Case.LATENCY) if options.only is None else (options.only,)
    paced_messages = QUICK_PACED_MESSAGES if options.quick else PACED_MESSAGES
    for case in cases:
        paced = case is Case.LATENCY
        for latency_seconds in (0.0,) if paced else options.latency:
            yield Setting(
                case=case,
                messages=min(options.messages, paced_messages) if paced else options.messages,
                concurrency=options.concurrency,
                latency_seconds=latency_seconds,
                outstanding=options.outstanding,
            )


def _show_progress(run: Run) -> None:
    """Shows the rate of a run as soon as it has ended, where standard error is a terminal."""
    if sys.stderr.isatty():
        print(f"  {run.kind}: {run.rate:.0f} messages per second", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Runs the connector and a bare loop of the same libraries in turns, against Mosquitto "
        "and the simulator, and prints both next to each other. Takes about six minutes.",
    )
    parser.add_argument("--quick", action="store_true", help="one round of fewer messages: 40 seconds")
    parser.add_argument("--only", type=Case, choices=list(Case), help="one case instead of all three")
    parser.add_argument("--messages", type=_positive, metavar="N", help=f"messages in each run ({MESSAGES})")
    parser.add_argument("--rounds", type=_positive, metavar="N", help=f"runs of each program ({ROUNDS})")
    parser.add_argument(
        "--latency",
        type=float,
        nargs="+",
        default=LATENCIES,
        metavar="SECONDS",
        help="latency of the simulator; one table for each (0 0.15)",
    )
    parser.add_argument(
        "--concurrency",
        type=_positive,
        default=CONCURRENCY,
        metavar="N",
        help=f"the most attempts at once ({CONCURRENCY})",
    )
    parser.add_argument(
        "--outstanding",
        type=_positive,
        default=OUTSTANDING,
        metavar="N",
        help=f"the most unanswered requests, under live load ({OUTSTANDING})",
    )
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help=f"a folder on the disk to measure ({FOLDER})"
    )
    options = parser.parse_args()
    options.messages = options.messages or (QUICK_MESSAGES if options.quick else MESSAGES)
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _lack() -> str:
    if sys.platform != "linux":
        return "CPU time and memory are read from /proc, which only Linux has"
    if mosquitto_program() is None:
        return "the broker mosquitto is not installed; install it: `apt install mosquitto`"
    return ""


def _surroundings(folder: Path) -> list[str]:
    uvloop = importlib.util.find_spec("uvloop") is not None
    loop = "uvloop" if uvloop else "asyncio's event loop"
    kind, fsync = readings.file_system(folder), readings.fsync_seconds(folder)
    load = os.getloadavg()[0]
    return [
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load average {load:.2f}",
        f"Python {platform.python_version()}, {loop}, {_mosquitto_version()}",
        f"journal on {kind}, where an fsync takes {fsync * 1000:.2f} ms",
    ]


def _mosquitto_version() -> str:
    program = mosquitto_program()
    assert program is not None
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=10).stdout
    return said.partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
