"""`python -m bench`: the machine in a few lines, and the tables of the scenarios, printed and as JSON.

Ends with 0 whether or not the targets are reached, with 1 when nothing could be measured.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import options as arguments
from bench.load import WrongStatuses
from bench.machine import this_machine
from bench.scenarios import tables
from bench.stage import NotStarted, mosquitto_program

if TYPE_CHECKING:
    from bench.options import Options


def main() -> int:
    options = arguments.read()
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


def _measure(options: Options, folder: Path) -> None:
    """Prints each table when it is there, and writes all of them to the file in the end."""
    machine, date = this_machine(folder), datetime.fromtimestamp(time.time(), UTC)
    print("\n".join([f"{date:%Y-%m-%d}", *machine.lines()]), flush=True)
    measured = []
    for table in tables(options, folder):
        print(f"\n{table}", flush=True)
        measured.append(table.document())
    if options.json is not None:
        document = {"date": date.isoformat(), "machine": machine.document(), "tables": measured}
        options.json.write_text(json.dumps(document, indent=2) + "\n")


def _lack() -> str:
    if sys.platform != "linux":
        return "CPU time and memory are read from /proc, which only Linux has"
    if mosquitto_program() is None:
        return "the broker mosquitto is not installed; install it: `apt install mosquitto`"
    return ""


if __name__ == "__main__":
    sys.exit(main())
