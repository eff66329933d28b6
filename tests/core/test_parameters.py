"""The published parameters: the document's own examples, and each rule from both sides."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.parameters import (
    InvalidParameters,
    IsolationMode,
    Parameters,
    PublishedParameter,
    ValidParameters,
    check_parameters,
    published_in,
)
from twilio_notifications.core.wording import shown

SECRET_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
PLACEHOLDER_ARN = "arn:aws:secretsmanager:region:account-id:secret:greengrass-secret-hash"
# The pattern of TwilioAuthTokenSecretArn as the document prints it, without the Markdown escapes.
PUBLISHED_SECRET_ARN = re.compile(
    r"arn:aws:secretsmanager:[a-z0-9\-]+:[0-9]{12}:secret:([a-zA-Z0-9\\]+/)*[a-zA-Z0-9/_+=,.@\-]+-[a-zA-Z0-9]+"
)


def complete(**changes: Any) -> dict[str, Any]:
    """All parameters of version 5; a change of `None` stands for null in JSON."""
    named = {
        "TWILIO_ACCOUNT_SID": "abcd12345xyz",
        "TwilioAuthTokenSecretArn": SECRET_ARN,
        "TwilioAuthTokenSecretArn-ResourceId": "MyTwilioSecret",
        "DefaultFromPhoneNumber": "+19999999999",
        "IsolationMode": "NoContainer",
    }
    return named | changes


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in complete().items() if name not in names}


def problems(given: dict[str, Any], *, version: int = 5, required: bool = True) -> list[str]:
    checked = check_parameters(given, version=version, secret_parameters_required=required)
    return (
        [problem.sentence for problem in checked.problems] if isinstance(checked, InvalidParameters) else []
    )


def only_problem(given: dict[str, Any], *, version: int = 5, required: bool = True) -> str:
    found = problems(given, version=version, required=required)
    assert 1 == len(found), found
    return found[0]


def valid(given: dict[str, Any], *, version: int = 5, required: bool = True) -> ValidParameters:
    checked = check_parameters(given, version=version, secret_parameters_required=required)
    assert isinstance(checked, ValidParameters), checked
    return checked


# Parameters


def test_complete_parameters_are_valid_without_a_warning() -> None:
    expected = Parameters(
        account_sid="abcd12345xyz",
        secret_arn=SECRET_ARN,
        secret_resource_id="MyTwilioSecret",
        default_sender_number="+19999999999",
        isolation_mode=IsolationMode.NO_CONTAINER,
    )
    assert ValidParameters(parameters=expected, warnings=()) == valid(complete())


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("TWILIO_ACCOUNT_SID", "Twilio account SID (TWILIO_ACCOUNT_SID)"),
        ("TwilioAuthTokenSecretArn", "ARN of Twilio auth token secret (TwilioAuthTokenSecretArn)"),
        (
            "TwilioAuthTokenSecretArn-ResourceId",
            "Twilio auth token resource (TwilioAuthTokenSecretArn-ResourceId)",
        ),
    ],
)
def test_a_required_parameter_is_required_in_every_way_of_not_being_there(name: str, label: str) -> None:
    given = {name: value for name, value in complete().items() if name != "IsolationMode"}
    for version in (1, 4, 5):
        absent = {key: value for key, value in given.items() if key != name}
        assert f"{label} is required" == only_problem(absent, version=version)
        assert f"{label} is required" == only_problem(given | {name: None}, version=version)
        assert f"{label} is required and must not be empty" == only_problem(
            given | {name: ""}, version=version
        )


def test_the_secret_parameters_may_be_left_out_where_the_token_comes_from_elsewhere() -> None:
    alone = valid({"TWILIO_ACCOUNT_SID": "AC1"}, required=False).parameters
    assert Parameters(account_sid="AC1") == alone
    empty = complete() | {"TwilioAuthTokenSecretArn": "", "TwilioAuthTokenSecretArn-ResourceId": ""}
    assert None is valid(empty, required=False).parameters.secret_arn
    assert None is valid(empty, required=False).parameters.secret_resource_id


def test_a_secret_parameter_is_judged_even_where_it_is_not_required() -> None:
    assert "account must be 12 digits" in only_problem(
        complete(TwilioAuthTokenSecretArn=PLACEHOLDER_ARN), required=False
    )


def test_the_documents_placeholder_for_a_secret_is_refused_by_what_its_pattern_demands() -> None:
    """The example cannot be deployed as it is printed: `account-id` is not `[0-9]{12}`."""
    assert (
        f"ARN of Twilio auth token secret (TwilioAuthTokenSecretArn) '{PLACEHOLDER_ARN}' is not the ARN of a "
        "secret: its account must be 12 digits, not 'account-id'"
    ) == only_problem(complete(TwilioAuthTokenSecretArn=PLACEHOLDER_ARN))


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("name", ["greengrass-x-a1b2c3", "team/site/token-a1b2c3", r"a\b/c-d", "a=,.@+_/-b"])
def test_a_secret_of_any_partition_and_name_is_accepted(partition: str, name: str) -> None:
    arn = f"arn:{partition}:secretsmanager:us-west-2:123456789012:secret:{name}"
    assert arn == valid(complete(TwilioAuthTokenSecretArn=arn)).parameters.secret_arn


@pytest.mark.parametrize(
    ("arn", "demand"),
    [
        (
            "arn:aws-iso:secretsmanager:r:123456789012:secret:a-b",
            "partition must be aws, aws-cn or aws-us-gov",
        ),
        ("arn:aws:ssm:r:123456789012:secret:a-b", "service must be secretsmanager, not 'ssm'"),
        ("arn:aws:secretsmanager:US:123456789012:secret:a-b", "region must be lower-case letters"),
        ("arn:aws:secretsmanager:r:12345678901:secret:a-b", "account must be 12 digits, not '12345678901'"),
        ("arn:aws:secretsmanager:r:1234567890123:secret:a-b", "account must be 12 digits"),
        ("arn:aws:secretsmanager:r:12345678901\u0662:secret:a-b", "account must be 12 digits"),
        ("arn:aws:secretsmanager:r:123456789012:key:a-b", "resource type must be secret, not 'key'"),
        ("arn:aws:secretsmanager:r:123456789012:secret:nosuffix", "secret name must be a name, a hyphen"),
        ("arn:aws:secretsmanager:r:123456789012:secret:a-b:c", "secret name must be"),
        ("arn:aws:secretsmanager:r:123456789012:secret:a-b\n", "secret name must be"),
        ("arn:aws:secretsmanager:r:123456789012", "must have the form arn:aws:secretsmanager:"),
    ],
)
def test_a_wrong_secret_arn_is_told_which_part_is_wrong(arn: str, demand: str) -> None:
    problem = only_problem(complete(TwilioAuthTokenSecretArn=arn))
    assert demand in problem
    assert shown(arn) in problem


def test_all_wrong_parts_of_a_secret_arn_are_named_at_once() -> None:
    problem = only_problem(complete(TwilioAuthTokenSecretArn="arn:x:y:r:z:secret:a-b"))
    assert ["partition", "service", "account"] == re.findall(r"its ([a-z ]+) must", problem)


_ARN_PIECES = [
    "arn",
    "aws",
    "secretsmanager",
    "r",
    "123456789012",
    "secret",
    "a-b",
    "a/b-c",
    "",
    "-",
    "X",
    "\\",
]


@given(st.one_of(st.lists(st.sampled_from(_ARN_PIECES), min_size=6, max_size=9).map(":".join), st.text()))
def test_a_secret_arn_of_the_partition_aws_is_accepted_exactly_where_the_published_pattern_does(
    tail: str,
) -> None:
    """The pattern is judged part by part here; that must not change what it accepts."""
    for arn in (tail, f"arn:aws:secretsmanager:us-west-2:123456789012:secret:{tail}"):
        accepted = [] == problems(complete(TwilioAuthTokenSecretArn=arn))
        assert (PUBLISHED_SECRET_ARN.fullmatch(arn) is not None) == accepted


@pytest.mark.parametrize("token", ["0123456789abcdef0123456789abcdef", ["0123456789abcdef"], 42])
def test_what_may_be_the_token_itself_is_never_shown(token: object) -> None:
    """An operator who misreads the parameter's name writes the token there, and problems end up in logs."""
    problem = only_problem(complete(TwilioAuthTokenSecretArn=token))
    assert "must be the ARN of the secret" in problem
    assert str(token) not in problem
    assert "0123456789abcdef" not in problem


@pytest.mark.parametrize("name", ["TWILIO_ACCOUNT_SID", "TwilioAuthTokenSecretArn-ResourceId"])
def test_a_free_text_parameter_is_one_line_of_anything(name: str) -> None:
    """`.+` of the document, whose dot matches no line end."""
    assert [] == problems(complete() | {name: " ü/'\" "})
    assert "must be a single line, not 'a\\nb'" in only_problem(complete() | {name: "a\nb"})


@pytest.mark.parametrize("number", ["+19999999999", "+0", "+15005550006"])
def test_a_default_number_with_a_plus_sign_is_accepted_without_a_warning(number: str) -> None:
    checked = valid(complete(DefaultFromPhoneNumber=number))
    assert (number, ()) == (checked.parameters.default_sender_number, checked.warnings)


@pytest.mark.parametrize("given", [without("DefaultFromPhoneNumber"), complete(DefaultFromPhoneNumber="")])
def test_an_empty_default_number_is_no_default_number(given: dict[str, Any]) -> None:
    checked = valid(given)
    assert (None, ()) == (checked.parameters.default_sender_number, checked.warnings)


def test_a_default_number_without_a_plus_sign_is_used_as_it_is_with_a_warning() -> None:
    """The AWS CLI examples for this connector pass 4254492999, which the pattern forbids."""
    checked = valid(complete(DefaultFromPhoneNumber="4254492999"))
    assert "4254492999" == checked.parameters.default_sender_number
    assert ["DefaultFromPhoneNumber"] == [warning.name for warning in checked.warnings]
    assert (
        "Default from phone number (DefaultFromPhoneNumber) has no plus sign" in checked.warnings[0].sentence
    )
    assert "4254492999" not in checked.warnings[0].sentence  # warnings are logged


@pytest.mark.parametrize("number", ["+", "+1 425", "1-425", "ACME", " ", "+1425\n", "++1", "+\u0661"])
def test_any_other_default_number_is_refused(number: str) -> None:
    problem = only_problem(complete(DefaultFromPhoneNumber=number))
    assert problem.startswith(
        "Default from phone number (DefaultFromPhoneNumber) must be empty, or a plus sign"
    )
    assert problem.endswith(f"not {number!r}")


@pytest.mark.parametrize("mode", list(IsolationMode))
def test_both_isolation_modes_are_known_to_version_5(mode: IsolationMode) -> None:
    assert mode is valid(complete(IsolationMode=mode.value)).parameters.isolation_mode


def test_the_isolation_mode_is_the_container_where_nothing_is_said() -> None:
    assert IsolationMode.GREENGRASS_CONTAINER is valid(without("IsolationMode")).parameters.isolation_mode


@pytest.mark.parametrize("mode", ["", "nocontainer", "Container", "NoContainer "])
def test_any_other_isolation_mode_is_refused(mode: str) -> None:
    assert (
        f"Container isolation mode (IsolationMode) must be GreengrassContainer or NoContainer, not {mode!r}"
        == only_problem(complete(IsolationMode=mode))
    )


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_versions_before_5_do_not_know_the_isolation_mode_and_say_so(version: int) -> None:
    problem = only_problem(complete(), version=version)
    assert "Container isolation mode (IsolationMode) came with version 5 of the connector" in problem
    assert f"version {version} is configured" in problem
    checked = valid(without("IsolationMode"), version=version)
    assert IsolationMode.GREENGRASS_CONTAINER is checked.parameters.isolation_mode


def test_each_version_publishes_its_parameters() -> None:
    assert tuple(PublishedParameter) == published_in(5)
    assert tuple(PublishedParameter)[:4] == published_in(4) == published_in(1)


@pytest.mark.parametrize("name", [name for name in complete() if name != "TwilioAuthTokenSecretArn"])
def test_a_value_that_is_no_string_is_refused(name: str) -> None:
    assert "must be a string in quotes, not 4254492999" in only_problem(complete() | {name: 4254492999})


def test_an_unknown_parameter_is_refused_with_the_closest_known_name_but_not_its_value() -> None:
    problem = only_problem(complete() | {"TwilioAuthToken": "0123456789abcdef"})
    assert "unknown parameter 'TwilioAuthToken': a configuration never holds secrets" in problem
    assert "TWILIO_AUTH_TOKEN" in problem
    assert "did you mean TWILIO_ACCOUNT_SID?" in only_problem(complete() | {"twilio_account_sid": "AC1"})
    assert "known are TWILIO_ACCOUNT_SID, Twilio" in only_problem(complete() | {"Colour": "red"})


def test_all_problems_are_reported_at_once() -> None:
    given = {
        "TwilioAuthTokenSecretArn": "arn:nonsense",
        "DefaultFromPhoneNumber": "ACME",
        "IsolationMode": "None",
        "Colour": "red",
    }
    checked = check_parameters(given, version=5, secret_parameters_required=True)
    assert isinstance(checked, InvalidParameters)
    assert [
        "Colour",
        "TWILIO_ACCOUNT_SID",
        "TwilioAuthTokenSecretArn-ResourceId",
        "TwilioAuthTokenSecretArn",
        "DefaultFromPhoneNumber",
        "IsolationMode",
    ] == [problem.name for problem in checked.problems]
