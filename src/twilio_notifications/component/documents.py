"""The recipe for each nucleus, and the deployment that brings the component and what it depends on.

One form does for both nuclei where nucleus lite is stricter: JSON, because it makes a text of every value in
a YAML recipe, lower-case lifecycle steps, `Uri`, and `runtime` in the platform.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.component.access import access_control
from twilio_notifications.component.configuration import (
    COMPONENT,
    JOURNAL_FOLDER,
    NucleusKind,
    default_configuration,
    needs,
)
from twilio_notifications.config import SecretOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping

ARTIFACT = "twilio-notifications"
"""The archive's name without `.zip`, which is also the folder into which the nucleus unpacks it."""

LEAST_PYTHON = (3, 11)

INSTALL_SECONDS = 900
"""A small device without wheels in its cache needs minutes for what a large one does in seconds."""

DESCRIPTION = (
    "Texts and calls by Twilio, for other components and for AWS IoT Core: the open successor of the Twilio "
    "Notifications connector of AWS IoT Greengrass V1, with its topics, parameters and answers."
)
SECRET_KEEPER = "aws.greengrass.SecretManager"  # noqa: S105 - a component
TOKEN_EXCHANGE = "aws.greengrass.TokenExchangeService"  # noqa: S105 - a component
SECRET_KEEPER_VERSION = "2.1.4"  # noqa: S105 - a version
"""The first that is for every nucleus from 2.5 on (those before it are for one each), and that keeps its
secrets when the nucleus restarts. A deployment names a version exactly; any later one does too."""
CURRENT_LABEL = "AWSCURRENT"

LOCK = "requirements.lock"
"""In the archive: versions and hashes of the dependencies, so that pip takes no other file of any index."""

DIGEST = "digest"
"""In the archive: a name for what is in it, so that an environment is made once for each content."""

EXTRAS = ("aws", "greengrass")
"""Installed with the connector, for wherever the token may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaging:
    """How the archive comes to the device and is installed there.

    `vendored`: the archive holds the wheels of all dependencies, so that no package index is asked.
    """

    bucket: str = "BUCKET"
    python: str = "python3"
    vendored: bool = False


def recipe(
    kind: NucleusKind,
    *,
    version: str,
    configuration: Mapping[str, object] | None = None,
    packaging: Packaging | None = None,
) -> dict[str, object]:
    """The recipe of this version. Without a packaging, `BUCKET` in it is the operator's to replace."""
    packaged = packaging or Packaging()
    configured = dict(default_configuration(kind) if configuration is None else configuration)
    document: dict[str, object] = {
        "RecipeFormatVersion": "2020-01-25",
        "ComponentName": COMPONENT,
        "ComponentVersion": version,
        "ComponentDescription": DESCRIPTION,
        "ComponentPublisher": "twilio-notifications",
        "ComponentConfiguration": {
            "DefaultConfiguration": {**configured, "accessControl": access_control(configured)}
        },
    }
    dependencies = _dependencies(kind, configured)
    if dependencies:
        document["ComponentDependencies"] = dependencies
    document["Manifests"] = [
        {
            "Platform": {"os": "linux", "runtime": "*"},
            "Lifecycle": {
                "install": {"Script": _install(version, packaged), "Timeout": INSTALL_SECONDS},
                "run": {"Script": _RUN},
            },
            "Artifacts": [
                {"Uri": f"s3://{packaged.bucket}/{COMPONENT}/{version}/{ARTIFACT}.zip", "Unarchive": "ZIP"},
            ],
        }
    ]
    return document


def wheel_name(version: str) -> str:
    """The file of this version in the archive. It is installed by its path, so no index is asked for it."""
    return f"twilio_notifications-{version}-py3-none-any.whl"


def _install(version: str, packaging: Packaging) -> str:
    """Makes an environment for the archive's content and the device's Python, unless it is there already.

    A nucleus may run it again at any time, also while the program runs. So an environment is never changed: a
    new one is built next to those that are there, and it is used from the moment when the link `venv` points
    to it. The one before it stays until the next is built, for the way back to an earlier version, and one
    that a program still runs in stays too. A local deployment to nucleus lite does not unpack the archive.

    In braces a nucleus looks for variables, so the shell has to do without them. Python makes the last step,
    because `ln` has no way to replace a link at once.
    """
    python = packaging.python
    pip = '$as "$new/bin/python" -m pip install --disable-pip-version-check --no-input --only-binary :all:'
    index = ""
    if packaging.vendored:  # whatever is configured for pip on the device is for asking an index
        pip = f"PIP_CONFIG_FILE=/dev/null {pip} --isolated"
        index = '--no-index --find-links "$from/wheels" '
    unpack = f'{python} -m zipfile -e "{{artifacts:path}}/{ARTIFACT}.zip" unpacked'
    # A 32-bit system may have a 64-bit kernel, as Raspberry Pi OS often has. Python then names the kernel's
    # processor, and pip asks for packages that have no wheel for the system.
    is_32_bit = f"{python} -c 'import sys; sys.exit(sys.maxsize > 2**32)'"
    number = f"{python} -c 'import sys; print(*sys.version_info[:2], sep=\".\")'"
    lines = (
        "set -e",
        _python_is_recent_enough(python),
        'cd "{work:path}"',
        f"mkdir -p {JOURNAL_FOLDER}",
        f'from="{{artifacts:decompressedPath}}/{ARTIFACT}"',
        f'if [ ! -e "$from/{DIGEST}" ]; then from=unpacked; rm -rf unpacked; {unpack}; fi',
        f'new="venv-$(cat "$from/{DIGEST}")-$({number})"',
        'if [ ! -e "$new/installed" ]; then',
        "  for old in venv-*; do",
        '    if [ "$old" = "$(readlink venv)" ]; then continue; fi',
        # The brackets keep grep from finding itself.
        '    grep -qs "[/]$old/bin/" /proc/[0-9]*/cmdline || rm -rf "$old"',
        "  done",
        f'  as=""; if {is_32_bit}; then as="setarch linux32"; fi',
        f'  {python} -m venv --clear "$new"',
        f'  {pip} {index}--require-hashes --requirement "$from/{LOCK}"',
        f'  {pip} {index}--no-deps "$from/wheels/{wheel_name(version)}"',
        '  $as "$new/bin/python" -m pip check --disable-pip-version-check',
        "  sync",
        '  touch "$new/installed"',
        "fi",
        "rm -rf unpacked",
        "if [ -d venv ] && [ ! -L venv ]; then mv venv venv-before; fi",
        'ln -sfn "$new" venv.next',
        f'{python} -c \'import os; os.replace("venv.next", "venv")\'',
    )
    return "\n".join(lines)


def _python_is_recent_enough(python: str) -> str:
    """Otherwise pip would say of some dependency that there is none."""
    needed = ".".join(str(part) for part in LEAST_PYTHON)
    complaint = f"echo Python {needed} or later is needed, and {python} is $({python} --version) >&2; exit 1"
    return f"{python} -c 'import sys; sys.exit(sys.version_info < {LEAST_PYTHON})' || ({complaint})"


_RUN = 'cd "{work:path}" && exec "$(readlink -f venv)/bin/python" -m twilio_notifications run --greengrass'
"""Python comes from the environment itself and not from the link: an upgrade points the link elsewhere while
this program runs. `exec` has the nucleus's SIGTERM reach the connector, not a shell."""


def _dependencies(kind: NucleusKind, configuration: Mapping[str, object]) -> dict[str, object]:
    """Nucleus lite has no Secret Manager, and does not deploy what depends on it.

    It makes `BindsTo=` of a hard dependency: when the token exchange crashes, systemd stops the connector,
    and nothing starts it again. The connector can wait for the exchange, so a soft dependency does there.
    """
    is_lite = kind is NucleusKind.LITE
    match needs(configuration).secrets:
        case SecretOrigin.GREENGRASS if not is_lite:
            names = [SECRET_KEEPER]
        case SecretOrigin.AWS:
            names = [TOKEN_EXCHANGE]
        case _:
            names = []
    how = "SOFT" if is_lite else "HARD"
    return {name: {"VersionRequirement": "^2.0.0", "DependencyType": how} for name in names}


def deployment(kind: NucleusKind, *, version: str, configuration: Mapping[str, object]) -> dict[str, object]:
    """For `aws greengrassv2 create-deployment --cli-input-json`: the component with this configuration.

    In addition the Secret Manager of the nucleus, whose configuration has to name the secret to keep.
    """
    merged = {**configuration, "accessControl": access_control(configuration)}
    components = {COMPONENT: _deployed(version, merged)}
    wanted = needs(configuration)
    keeps = wanted.secrets is SecretOrigin.GREENGRASS and kind is NucleusKind.CLASSIC
    if keeps and wanted.secret_arn is not None:
        secret = _kept(wanted.secret_arn, wanted.secret_labels)
        components[SECRET_KEEPER] = _deployed(SECRET_KEEPER_VERSION, {"cloudSecrets": [secret]})
    return {
        "targetArn": "arn:aws:iot:REGION:ACCOUNT:thinggroup/GROUP",
        "deploymentName": COMPONENT,
        "components": components,
    }


def _kept(arn: str, labels: tuple[str, ...]) -> dict[str, object]:
    """Without labels the nucleus keeps the current version alone; it has no other to give then."""
    return {"arn": arn} if labels == (CURRENT_LABEL,) else {"arn": arn, "labels": list(labels)}


def _deployed(version: str, configuration: Mapping[str, object]) -> dict[str, object]:
    merge = json.dumps(configuration)
    return {"componentVersion": version, "configurationUpdate": {"merge": merge}}
