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

_VENV = "{work:path}/venv"
_ARCHIVE = f"{{artifacts:path}}/{ARTIFACT}.zip"
_UNPACKED = "{work:path}/unpacked"


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


def _install(version: str, packaging: Packaging) -> str:
    """A virtual environment in the work folder, made anew by each version; nothing is compiled.

    A local deployment to nucleus lite brings the archive and does not unpack it, so that is done here then.
    """
    index = "--no-index " if packaging.vendored else ""
    pip = f"{_VENV}/bin/python -m pip install --disable-pip-version-check --no-input --only-binary :all:"
    unpack = f"rm -rf {_UNPACKED} && {_VENV}/bin/python -m zipfile -e {_ARCHIVE} {_UNPACKED}"
    steps = (
        _python_is_recent_enough(packaging.python),
        f"mkdir -p {{work:path}}/{JOURNAL_FOLDER}",
        f"{packaging.python} -m venv --clear {_VENV}",
        f"wheels={{artifacts:decompressedPath}}/{ARTIFACT}/wheels",
        f"if [ ! -d $wheels ]; then wheels={_UNPACKED}/wheels && {unpack}; fi",
        f"{pip} {index}--find-links $wheels '{requirement(version)}'",
        f"rm -rf {_UNPACKED}",
    )
    return " && ".join(steps)


def _python_is_recent_enough(python: str) -> str:
    """Otherwise pip would say of some dependency that there is none.

    In braces a nucleus looks for variables, so the shell groups by parentheses here.
    """
    needed = ".".join(str(part) for part in LEAST_PYTHON)
    complaint = f"echo Python {needed} or later is needed, and {python} is $({python} --version) >&2; exit 1"
    return f"{python} -c 'import sys; sys.exit(sys.version_info < {LEAST_PYTHON})' || ({complaint})"


def requirement(version: str) -> str:
    """What is installed: this version and no other, with the extras for wherever the token may be."""
    return f"twilio-notifications[aws,greengrass]=={version}"


# exec: the nucleus's SIGTERM is for the connector, which then ends what is under way, not for a shell.
_RUN = f"exec {_VENV}/bin/python -m twilio_notifications run --greengrass"


def _dependencies(kind: NucleusKind, configuration: Mapping[str, object]) -> dict[str, object]:
    """Nucleus lite has no Secret Manager, and does not deploy what depends on it."""
    match needs(configuration).secrets:
        case SecretOrigin.GREENGRASS if kind is NucleusKind.CLASSIC:
            names = [SECRET_KEEPER]
        case SecretOrigin.AWS:
            names = [TOKEN_EXCHANGE]
        case _:
            names = []
    return {name: {"VersionRequirement": "^2.0.0", "DependencyType": "HARD"} for name in names}


def deployment(
    kind: NucleusKind,
    *,
    version: str,
    configuration: Mapping[str, object],
    target_arn: str | None = None,
) -> dict[str, object]:
    """For `aws greengrassv2 create-deployment --cli-input-json`: the component with this configuration.

    Beside it the Secret Manager of the nucleus, which has to be told which secret to keep.
    """
    merged = {**configuration, "accessControl": access_control(configuration)}
    components = {COMPONENT: _deployed(version, merged)}
    wanted = needs(configuration)
    keeps = wanted.secrets is SecretOrigin.GREENGRASS and kind is NucleusKind.CLASSIC
    if keeps and wanted.secret_arn is not None:
        secret = _kept(wanted.secret_arn, wanted.secret_labels)
        components[SECRET_KEEPER] = _deployed(SECRET_KEEPER_VERSION, {"cloudSecrets": [secret]})
    return {
        "targetArn": target_arn or "arn:aws:iot:REGION:ACCOUNT:thinggroup/GROUP",
        "deploymentName": COMPONENT,
        "components": components,
    }


def _kept(arn: str, labels: tuple[str, ...]) -> dict[str, object]:
    """Without labels the nucleus keeps the current version alone; it has no other to give then."""
    return {"arn": arn} if labels == (CURRENT_LABEL,) else {"arn": arn, "labels": list(labels)}


def _deployed(version: str, configuration: Mapping[str, object]) -> dict[str, object]:
    merge = json.dumps(configuration)
    return {"componentVersion": version, "configurationUpdate": {"merge": merge}}
