"""The recipe for each nucleus, and the deployment of the component with its dependencies.

Both nuclei accept the form that the stricter nucleus lite needs: JSON, because nucleus lite reads every value
of a YAML recipe as a text; lower-case lifecycle steps; `Uri`; and `runtime` in the platform.
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
"""The archive's name without `.zip`; the nucleus unpacks the archive into a folder of this name."""

LEAST_PYTHON = (3, 11)

INSTALL_SECONDS = 900
"""The limit of the installation. A small device without wheels in its cache needs minutes."""

DESCRIPTION = (
    "Texts and calls by Twilio, for other components and for AWS IoT Core: the open successor of the Twilio "
    "Notifications connector of AWS IoT Greengrass V1, with its topics, parameters and answers."
)
SECRET_KEEPER = "aws.greengrass.SecretManager"  # noqa: S105 - a component
TOKEN_EXCHANGE = "aws.greengrass.TokenExchangeService"  # noqa: S105 - a component
SECRET_KEEPER_VERSION = "2.1.4"  # noqa: S105 - a version
"""The first version that fits every nucleus from 2.5 on and keeps its secrets when the nucleus restarts. A
deployment names an exact version; later ones work as well."""
CURRENT_LABEL = "AWSCURRENT"

LOCK = "requirements.lock"
"""A file of the archive: the versions and hashes of the dependencies, so that pip accepts no other files."""

DIGEST = "digest"
"""A file of the archive: a digest of its content. The device makes one environment for each digest."""

EXTRAS = ("aws", "greengrass")
"""Extras that are installed with the connector, because the token may be at AWS or at the nucleus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaging:
    """The bucket with the archive, and how the device installs it.

    `vendored` means that the archive holds the wheels of all dependencies, so that pip asks no package index.
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
    """The recipe of this version. Without a packaging, the operator replaces `BUCKET` in it."""
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
    """The wheel of this version in the archive. pip installs it by its path, so it asks no index for it."""
    return f"twilio_notifications-{version}-py3-none-any.whl"


def _install(version: str, packaging: Packaging) -> str:
    """A script that makes the environment for the archive and the device's Python, if there is none yet.

    A nucleus may run the script again at any time, also while the program runs. So the script never changes
    an environment: it builds a new one next to the others and then points the link `venv` to it. It keeps the
    previous environment, for the way back to an earlier version, and each one in which a program still runs.
    A local deployment to nucleus lite does not unpack the archive, so the script does it.

    The script has no braces, because a nucleus looks for variables in them. Its last step is in Python,
    because `ln` cannot replace a link atomically.
    """
    python = packaging.python
    pip = '$as "$new/bin/python" -m pip install --disable-pip-version-check --no-input --only-binary :all:'
    index = ""
    if packaging.vendored:  # pip's configuration on the device may name an index
        pip = f"PIP_CONFIG_FILE=/dev/null {pip} --isolated"
        index = '--no-index --find-links "$from/wheels" '
    unpack = f'{python} -m zipfile -e "{{artifacts:path}}/{ARTIFACT}.zip" unpacked'
    # A 32-bit system may have a 64-bit kernel, as Raspberry Pi OS often has. Python then names the kernel's
    # processor, and pip asks for packages that have no wheel for the system.
    is_32_bit = f"{python} -c 'import sys; sys.exit(sys.maxsize > 2**32)'"
    needed = ".".join(map(str, LEAST_PYTHON))
    complaint = f"echo Python {needed} or later is needed, and {python} is $({python} --version) >&2; exit 1"
    number = f"{python} -c 'import sys; print(*sys.version_info[:2], sep=\".\")'"
    lines = (
        "set -e",
        # Without this check, pip would only say that it finds no version of some dependency.
        f"{python} -c 'import sys; sys.exit(sys.version_info < {LEAST_PYTHON})' || ({complaint})",
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


_RUN = 'cd "{work:path}" && exec "$(readlink -f venv)/bin/python" -m twilio_notifications run --greengrass'
"""Python comes from the environment itself and not from the link: an upgrade points the link elsewhere while
this program runs. `exec` has the nucleus's SIGTERM reach the connector, not a shell."""


def _dependencies(kind: NucleusKind, configuration: Mapping[str, object]) -> dict[str, object]:
    """The components on which this one depends, for the place of its secret.

    Nucleus lite has no Secret Manager, and does not deploy a component that depends on it. It turns a hard
    dependency into `BindsTo=`: when the token exchange crashes, systemd stops the connector and does not
    start it again. The connector can wait for the token exchange, so a soft dependency is enough there.
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
    """The component with this configuration, as `aws greengrassv2 create-deployment` takes it.

    Where the token comes from the nucleus, the deployment also has its Secret Manager, with the secret to
    keep.
    """
    merged = {**configuration, "accessControl": access_control(configuration)}
    components = {COMPONENT: _deployed(version, merged)}
    wanted = needs(configuration)
    keeps = wanted.secrets is SecretOrigin.GREENGRASS and kind is NucleusKind.CLASSIC
    if keeps and wanted.secret_arns:
        kept: list[dict[str, object]] = [{"arn": arn} for arn in wanted.secret_arns]
        if wanted.secret_labels != (CURRENT_LABEL,):  # without labels the nucleus keeps the current version
            kept = [{**secret, "labels": list(wanted.secret_labels)} for secret in kept]
        components[SECRET_KEEPER] = _deployed(SECRET_KEEPER_VERSION, {"cloudSecrets": kept})
    return {
        "targetArn": "arn:aws:iot:REGION:ACCOUNT:thinggroup/GROUP",
        "deploymentName": COMPONENT,
        "components": components,
    }


def _deployed(version: str, configuration: Mapping[str, object]) -> dict[str, object]:
    merge = json.dumps(configuration)
    return {"componentVersion": version, "configurationUpdate": {"merge": merge}}
