"""`make fuzz`: bytes made by libFuzzer, which keeps those that reach new lines of the code under test.

The first argument is the target: `contract` reads requests, `mqtt` what a broker sends. libFuzzer's options
follow it, as in `python -m fuzz contract -max_total_time=60 fuzz/found/contract fuzz/corpus`.
"""

from __future__ import annotations

import sys

TARGETS = ("contract", "mqtt")

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: run `make fuzz`, or install the dependency group `fuzz`")

if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:  # noqa: PLR2004 - the program and the target
    sys.exit(f"what is to be fuzzed? One of {', '.join(TARGETS)}: run `make fuzz TARGET=mqtt`")
target = sys.argv.pop(1)

if target == "contract":
    with atheris.instrument_imports(include=["twilio_notifications.core.contract"]):
        from fuzz.claims import check
else:
    with atheris.instrument_imports(include=["twilio_notifications.adapters.mqtt.protocol"]):
        from fuzz.mqtt_claims import check


def main() -> None:
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
