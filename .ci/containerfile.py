"""Writes the steps of a Containerfile as a script, for a root folder in place of the image it begins with.

    python .ci/containerfile.py CONTAINERFILE CONTEXT [NAME=VALUE …] > steps.sh

NAME=VALUE are the arguments of the build. Both stages share the one folder, so what one stage copies from the
other is there already. The script ends by starting the image's program as the image's user, with `--version`,
and with `check --offline` where the image expects its configuration.
"""  # noqa: INP001 - a program of its own

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONFIGURATION = """\
[connector.parameters]
TWILIO_ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
"""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction with its words, on one line; comments are left out."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def script(text: str, *, context: str, arguments: Mapping[str, str]) -> Iterator[str]:
    """The lines of the script."""
    found: dict[str, str] = {}
    for name, rest in instructions(text):
        found[name] = rest
        yield from _step(name, rest, context=context, arguments=arguments)
    program = shlex.join(json.loads(found["ENTRYPOINT"]))
    *_, configuration = json.loads(found["CMD"])
    user = f"chroot --userspec={found['USER']} / "
    yield f"mkdir -p {Path(configuration).parent}"
    yield f"printf %s {shlex.quote(CONFIGURATION)} > {configuration}"
    yield "export TWILIO_AUTH_TOKEN=0123456789abcdef0123456789abcdef"
    yield f"{user}{program} --version"
    yield f"{user}{program} check --offline --config {configuration}"


def _step(name: str, rest: str, *, context: str, arguments: Mapping[str, str]) -> Iterator[str]:
    match name:
        case "ARG":
            argument, _, default = rest.partition("=")
            yield f"export {argument}={shlex.quote(arguments.get(argument, default.strip(chr(34))))}"
        case "WORKDIR":
            yield f"mkdir -p {rest} && cd {rest}"
        case "COPY" if not rest.startswith("--from"):
            *sources, place = rest.split()
            # `COPY FOLDER PLACE` copies what is in the folder.
            yield f"mkdir -p {place if place.endswith('/') else Path(place).parent}"
            for source in sources:
                yield f"cp -rT {context}/{source} {place}{Path(source).name if place.endswith('/') else ''}"
        case "RUN":
            yield rest
        case "ENV":
            yield f"export {rest}"
        case _:
            yield f"# {name} {rest}"


def main(file: str, context: str, *given: str) -> None:
    arguments = dict(each.split("=", 1) for each in given)
    text = Path(file).read_text(encoding="utf-8")
    sys.stdout.writelines(f"{line}\n" for line in script(text, context=context, arguments=arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
