"""Judges the published parameters by the rules of one version of the connector.

A judgement is a value and names every problem at once, so that an operator can correct all in one go.
The rules are those of the published document, "Connector Parameters"; where a rule here is wider or
narrower than its pattern, the reason stands next to it. No value that could be a token is ever shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core.parameters.published import (
    PARTITIONS,
    VERSIONS,
    InvalidParameters,
    IsolationMode,
    Parameters,
    PublishedParameter,
    Remark,
    ValidParameters,
    published_in,
)
from twilio_notifications.core.wording import shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The document's pattern for a secret's ARN, cut at its colons so that a problem can name the wrong part.
_SECRET_ARN_PARTS = (
    ("beginning", r"arn", "arn"),
    ("partition", "|".join(PARTITIONS), "aws, aws-cn or aws-us-gov"),
    ("service", r"secretsmanager", "secretsmanager"),
    ("region", r"[a-z0-9\-]+", "lower-case letters, digits and hyphens"),
    ("account", r"[0-9]{12}", "12 digits"),
    ("resource type", r"secret", "secret"),
    (
        "secret name",
        r"([a-zA-Z0-9\\]+/)*[a-zA-Z0-9/_+=,.@\-]+-[a-zA-Z0-9]+",
        "a name, a hyphen, and the letters and digits that Secrets Manager appends",
    ),
)
_ARN_FORM_OF_SECRETS = "arn:aws:secretsmanager:<region>:<12-digit account>:secret:<name>-<suffix>"


def check_parameters(
    given: Mapping[str, object], *, version: int, secret_parameters_required: bool
) -> ValidParameters | InvalidParameters:
    """Parameters under their published names, judged by the rules of one version; all problems at once.

    The document requires the two secret parameters; where the token does not come from AWS or Greengrass
    they mean nothing, so the caller says which it is. `None` counts as absent, as it does in requests.
    """
    present = {name: value for name, value in given.items() if value is not None}
    problems = (
        *_unknown(present),
        *_missing(present, secret_parameters_required=secret_parameters_required),
        *_mismatches(present, version=version),
    )
    if problems:
        return InvalidParameters(problems=problems)
    return ValidParameters(parameters=_parameters(present), warnings=tuple(_warnings(present)))


def _unknown(present: Mapping[str, object]) -> Iterator[Remark]:
    # The value is not shown: it may be the token itself, under a name that the user made up.
    for name in present:
        if name not in set(PublishedParameter):
            sentence = f"unknown parameter {shown(name)}: {suggestion(name, PublishedParameter)}"
            yield Remark(name=name, sentence=sentence)


def _missing(present: Mapping[str, object], *, secret_parameters_required: bool) -> Iterator[Remark]:
    required = [PublishedParameter.ACCOUNT_SID]
    if secret_parameters_required:
        required += [PublishedParameter.SECRET_ARN, PublishedParameter.SECRET_RESOURCE_ID]
    for parameter in required:
        if parameter not in present:
            yield Remark(name=parameter, sentence=f"{parameter.label} is required")
        elif present[parameter] == "":
            yield Remark(name=parameter, sentence=f"{parameter.label} is required and must not be empty")


def _mismatches(present: Mapping[str, object], *, version: int) -> Iterator[Remark]:
    for parameter in PublishedParameter:
        if parameter in present:
            demand = _demand(parameter, present[parameter], version=version)
            if demand is not None:
                yield Remark(name=parameter, sentence=f"{parameter.label} {demand}")


def _demand(parameter: PublishedParameter, value: object, *, version: int) -> str | None:
    """What the value would have to be, or `None` where it is that already."""
    if parameter not in published_in(version):
        return (
            f"came with version {VERSIONS[-1]} of the connector, and version {version} is configured: "
            f"leave {shown(value)} out, or configure version {VERSIONS[-1]}"
        )
    if parameter is PublishedParameter.SECRET_ARN:
        return secret_arn_demand(value)
    if not isinstance(value, str):
        return f"must be a string in quotes, not {shown(value)}"
    match parameter:
        case PublishedParameter.ACCOUNT_SID | PublishedParameter.SECRET_RESOURCE_ID:
            # The document's `.+`; "" is absence, and _missing knows whether that is a problem.
            fits, demand = re.fullmatch(r".*", value), "must be a single line"
        case PublishedParameter.DEFAULT_SENDER_NUMBER:
            # Wider than `^$|\+[0-9]+`: the AWS CLI examples for this connector pass 4254492999.
            fits, demand = (
                re.fullmatch(r"\+?[0-9]+|", value),
                "must be empty, or a plus sign and digits as in +14255550123",
            )
        case PublishedParameter.ISOLATION_MODE:
            fits, demand = (
                re.fullmatch("|".join(IsolationMode), value),
                f"must be {' or '.join(IsolationMode)}",
            )
        case _:
            assert_never(parameter)
    return None if fits else f"{demand}, not {shown(value)}"


def secret_arn_demand(value: object) -> str | None:
    """What a sentence says after the name of a wrong ARN of a secret; None for a right one, and for ""."""
    if value == "":
        return None
    if not isinstance(value, str) or not value.startswith("arn:"):
        return (
            f"must be the ARN of the secret, {_ARN_FORM_OF_SECRETS}; the value given is not shown here, "
            "in case it is the token itself"
        )
    parts = value.split(":", len(_SECRET_ARN_PARTS) - 1)
    if len(parts) < len(_SECRET_ARN_PARTS):
        return f"must have the form {_ARN_FORM_OF_SECRETS}, not {shown(value)}"
    wrong = [
        f"its {name} must be {demand}, not {shown(part)}"
        for (name, pattern, demand), part in zip(_SECRET_ARN_PARTS, parts, strict=True)
        if re.fullmatch(pattern, part) is None
    ]
    return f"{shown(value)} is not the ARN of a secret: {'; '.join(wrong)}" if wrong else None


def _warnings(present: Mapping[str, object]) -> Iterator[Remark]:
    # The number itself is left out: warnings are logged, and the log shows no phone number.
    name = PublishedParameter.DEFAULT_SENDER_NUMBER
    if re.fullmatch(r"[0-9]+", str(present.get(name, ""))):
        sentence = (
            f"{name.label} has no plus sign in front and is sent to Twilio as it is: "
            "write it in E.164 form, as in +14255550123"
        )
        yield Remark(name=name, sentence=sentence)


def _parameters(valid: Mapping[str, object]) -> Parameters:
    texts = {name: str(value) for name, value in valid.items()}
    default_mode = IsolationMode.GREENGRASS_CONTAINER  # the document's default
    return Parameters(
        account_sid=texts[PublishedParameter.ACCOUNT_SID],
        secret_arn=texts.get(PublishedParameter.SECRET_ARN) or None,
        secret_resource_id=texts.get(PublishedParameter.SECRET_RESOURCE_ID) or None,
        default_sender_number=texts.get(PublishedParameter.DEFAULT_SENDER_NUMBER) or None,
        isolation_mode=IsolationMode(texts.get(PublishedParameter.ISOLATION_MODE, default_mode)),
    )
