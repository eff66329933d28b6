"""`python -m bench.profile`: where the connector's time goes while it works, by part of the program.

py-spy looks at the connector 200 times a second during one live run. A sample belongs to the part whose
function runs: the package's own modules by room, then json and the event loop. Time inside a C function, as
SQLite's or uvloop's, belongs to the Python function that called it. py-spy is no dependency: this program
says how to install it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench import readings
from bench.flame import flame_graph
from bench.load import WrongStatuses, requests
from bench.race import CONCURRENCY, FOLDER, OUTSTANDING, Case, Setting, scene, send_load
from bench.stacks import FRAME, part, read
from bench.stage import Kind, NotStarted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.stacks import Stack

SAMPLES_PER_SECOND = 200
MESSAGES = 20_000
START_SECONDS = 30.0
TOP_FUNCTIONS = 40
WITHOUT_PYTHON = "no function of Python"
"""A part: threads of the HTTP library, and turns of the interpreter itself."""


def main() -> int:
    options = _options()
    program = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if program is None:
        print("bench.profile: py-spy is not installed; install it: `pip install py-spy`", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="profile-", dir=options.folder) as folder:
            text = _record(program, options, Path(folder))
    except (NotStarted, WrongStatuses, OSError) as error:
        print(f"bench.profile: nothing was measured: {error}", file=sys.stderr)
        return 1
    stacks = read(text.splitlines())
    print("\n".join(report(stacks)))
    if options.flame is not None:
        title = f"{options.messages} messages live: samples in which a thread worked"
        options.flame.write_text(flame_graph(stacks, title=title))
    return 0


def report(stacks: Sequence[Stack]) -> Iterator[str]:
    """The lines to print: each thread with its parts, then the functions that take most time."""
    total = sum(stack.count for stack in stacks)
    yield f"{total} samples in which a thread worked"
    for thread, threads_own in _by_thread(stacks):
        count = sum(stack.count for stack in threads_own)
        yield ""
        yield f"{thread}: {count / total:.1%} of all samples"
        yield f"  {'part':<34}{'itself':>9}{'with all that it calls':>25}"
        yield from _shares(threads_own, total)
    yield ""
    yield "functions, by the time in themselves"
    functions: Counter[str] = Counter()
    for stack in stacks:
        functions[_function(stack.frames[-1]) if stack.frames else WITHOUT_PYTHON] += stack.count
    for function, count in functions.most_common(TOP_FUNCTIONS):
        yield f"  {count / total:>6.1%}  {function}"


def _function(frame: str) -> str:
    """The function with the last folders of its path, where a reader of the table looks for it."""
    match = FRAME.match(frame)
    return f"{match['function']} ({'/'.join(Path(match['path']).parts[-3:])})" if match else frame


def _by_thread(stacks: Sequence[Stack]) -> Iterator[tuple[str, list[Stack]]]:
    """The busiest thread first."""
    counts: Counter[str] = Counter()
    for stack in stacks:
        counts[stack.thread] += stack.count
    for thread, _ in counts.most_common():
        yield thread, [stack for stack in stacks if stack.thread == thread]


def _shares(stacks: Sequence[Stack], total: int) -> Iterator[str]:
    itself: Counter[str] = Counter()
    with_callees: Counter[str] = Counter()
    for stack in stacks:
        parts = [name for name in map(part, stack.frames) if name is not None]
        itself[parts[-1] if parts else WITHOUT_PYTHON] += stack.count
        with_callees.update(dict.fromkeys(parts or [WITHOUT_PYTHON], stack.count))
    for name, count in itself.most_common():
        yield f"  {name:<34}{count / total:>9.1%}{with_callees[name] / total:>25.1%}"


def _record(program: str, options: argparse.Namespace, folder: Path) -> str:
    setting = Setting(
        case=Case.LIVE,
        messages=options.messages,
        concurrency=CONCURRENCY,
        latency_seconds=options.latency,
        outstanding=OUTSTANDING,
    )
    with scene(Kind.CONNECTOR, setting, folder) as on:
        readings.wait_for_rest(on.subject.pid)
        with _sampled(program, on.subject.pid, folder / "stacks") as stacks:
            send_load(on, setting, requests(setting.messages))
        return stacks.read_text()


@contextmanager
def _sampled(program: str, pid: int, stacks: Path) -> Iterator[Path]:
    """py-spy samples the process until the block ends; then its stacks are in the file."""
    command = [program, "record", "--pid", str(pid), "--rate", str(SAMPLES_PER_SECOND), "--threads"]
    command += [
        "--format",
        "raw",
        "--full-filenames",
        "--function",
        "--output",
        str(stacks),
        "--duration",
        "unlimited",
    ]
    log = stacks.with_suffix(".log")
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as spy:
        try:
            yield stacks
        finally:
            spy.send_signal(signal.SIGINT)  # it writes what it has seen, and ends
            spy.wait(START_SECONDS)
    if not stacks.exists():
        raise NotStarted(f"py-spy has written nothing; it said:\n{log.read_text(errors='replace')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.profile",
        description="Samples the connector with py-spy during one live run and prints the share of each part "
        "of the program. Without root, Linux may forbid py-spy to look at another process.",
    )
    parser.add_argument(
        "--messages", type=int, default=MESSAGES, metavar="N", help=f"messages of the run ({MESSAGES})"
    )
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="SECONDS", help="latency of the simulator (0)"
    )
    parser.add_argument("--flame", type=Path, metavar="FILE", help="writes a flame graph as SVG to this file")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help=f"a folder on the disk to measure ({FOLDER})"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
