"""What py-spy saw becomes shares of the parts of the program."""

from __future__ import annotations

import pytest

from bench.profile import report
from bench.stacks import part, read

SITE = "/venv/lib/python3.11/site-packages/twilio_notifications"
LIBRARY = "/usr/lib/python3.11"
RUN = f"run ({SITE}/commands/run.py)"
LOOP = f"_run_once ({LIBRARY}/asyncio/base_events.py)"
INTAKE = f"Intake.receive ({SITE}/pipeline/line/intake.py)"
LOADS = f"loads ({LIBRARY}/json/__init__.py)"
MATCH = f"match ({LIBRARY}/re/__init__.py)"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (INTAKE, "pipeline.line"),
        (f"parse ({SITE}/core/contract/requests.py)", "core.contract"),
        (f"<module> ({SITE}/__main__.py:5)", "__main__"),
        (LOADS, "json"),
        (f"{LOOP[:-1]}:1907)", "event loop"),
        ("__init__ (<string>)", None),
        (MATCH, None),
        ("strange", None),
    ],
)
def test_a_frame_belongs_to_a_part(frame: str, expected: str | None) -> None:
    assert expected == part(frame)


def test_a_function_of_another_library_counts_for_its_caller() -> None:
    lines = list(report(read([f"thread (1): Main;{RUN};{LOOP};{INTAKE};{MATCH} 4"])))
    assert ["pipeline.line", "100.0%", "100.0%"] in [line.split() for line in lines]
    assert ["commands.run", "0.0%", "100.0%"] not in [line.split() for line in lines]


def test_shares_are_of_all_threads_and_the_busiest_comes_first() -> None:
    writer = f"Writer._commit ({SITE}/adapters/sqlite/writer.py)"
    lines = list(report(read([f"writer;{writer} 1", f"main;{LOOP};{INTAKE} 2", f"main;{LOOP};{LOADS} 1"])))
    assert "4 samples in which a thread worked" == lines[0]
    heads = [line for line in lines if line.endswith("of all samples")]
    assert ["main: 75.0% of all samples", "writer: 25.0% of all samples"] == heads
    assert ["event", "loop", "0.0%", "75.0%"] not in [line.split() for line in lines], "it did nothing itself"
    assert "   50.0%  Intake.receive (pipeline/line/intake.py)" in lines


def test_a_waiting_thread_counts_for_nothing() -> None:
    waits = f"main;{LOOP};wait ({LIBRARY}/threading.py) 9"
    assert [] == read([waits])


def test_a_thread_without_functions_of_python_is_shown() -> None:
    (line,) = [line for line in report(read(["thread (2) 3"])) if line.startswith("  no function")]
    assert ["100.0%", "100.0%"] == line.split()[-2:]
