"""`make fuzz`: payloads made by libFuzzer, which keeps those that reach new lines of the contract.

Its options follow the command, as in `python -m fuzz -max_total_time=60 fuzz/found fuzz/corpus`.
"""

from __future__ import annotations

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: run `make fuzz`, or install the dependency group `fuzz`")

with atheris.instrument_imports(include=["twilio_notifications.core.contract"]):
    from fuzz.claims import check


def main() -> None:
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
