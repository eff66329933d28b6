"""Version and parameters: from the settings or from a Greengrass V1 definition, and never from both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.config.loading_steps import (
    ACCOUNT,
    ACCOUNT_VARIABLE,
    PREFIX,
    SECRET_ARN,
    environment,
    from_environment,
    from_toml,
    only_problem,
    only_problem_in_toml,
    problems,
    write,
)
from twilio_notifications.config import load
from twilio_notifications.core.parameters import IsolationMode, read_connector_arn

PUBLISHED = Path(__file__).with_name("published_definition.json").read_text(encoding="utf-8")
PLACEHOLDER = "arn:aws:secretsmanager:region:account-id:secret:greengrass-secret-hash"
DEFINITION = '[connector]\ndefinition = "connectors.json"\n'


def arn(version: int) -> str:
    return f"arn:aws:greengrass:us-west-2::/connectors/TwilioNotifications/versions/{version}"


def with_definition(folder: Path, text: str | bytes, *, settings: str = DEFINITION) -> Path:
    """A configuration file that names this definition, both in the folder."""
    content = text.encode() if isinstance(text, str) else text
    folder.joinpath("connectors.json").write_bytes(content)
    return write(folder, settings)


def deployable() -> dict[str, Any]:
    """The document's example with the ARN of a secret that can exist."""
    definition: dict[str, Any] = json.loads(PUBLISHED.replace(PLACEHOLDER, SECRET_ARN))
    return definition


# Version


def test_the_version_is_given_by_number_or_by_arn(tmp_path: Path) -> None:
    assert 5 == from_toml(tmp_path, "").connector.version
    assert 3 == from_toml(tmp_path, "[connector]\nversion = 3\n").connector.version
    connector = from_toml(tmp_path, f'[connector]\narn = "{arn(2)}"\n').connector
    assert (2, read_connector_arn(arn(2))) == (connector.version, connector.arn)


def test_a_number_and_an_arn_that_agree_are_fine(tmp_path: Path) -> None:
    text = f'[connector]\nversion = 4\narn = "{arn(4)}"\n'
    assert 4 == from_toml(tmp_path, text).connector.version


def test_a_number_and_an_arn_that_differ_are_a_problem_that_names_both_places(tmp_path: Path) -> None:
    path = write(tmp_path, f'[connector]\narn = "{arn(5)}"\n')
    found = only_problem(path, environment(CONNECTOR__VERSION="4"))
    assert (
        "the connector can have one version only: connector.version is 4 (in the environment variable "
        f"{PREFIX}CONNECTOR__VERSION), connector.arn is for 5 (in {path})"
    ) == found


def test_a_wrong_arn_is_a_problem() -> None:
    found = only_problem(None, environment(CONNECTOR__ARN=arn(6)))
    assert "connector.arn cannot be used" in found
    assert "names an unknown version, known are 1 to 5" in found


@pytest.mark.parametrize("version", [1, 4])
def test_the_version_decides_which_parameters_there_are(version: int) -> None:
    variables = {"CONNECTOR__PARAMETERS__ISOLATIONMODE": "NoContainer"}
    assert IsolationMode.NO_CONTAINER is from_environment(**variables).parameters.isolation_mode
    for selected in ({"CONNECTOR__VERSION": str(version)}, {"CONNECTOR__ARN": arn(version)}):
        found = only_problem(None, environment(**variables, **selected))
        assert "IsolationMode" in found
        assert f"version {version} is configured" in found


def test_a_wrong_version_is_one_problem_and_says_nothing_about_parameters() -> None:
    variables = {"CONNECTOR__PARAMETERS__ISOLATIONMODE": "NoContainer", "CONNECTOR__VERSION": "6"}
    assert "connector.version must be a whole number" in only_problem(None, environment(**variables))


# Parameters


def test_without_an_account_it_is_said_where_to_set_it() -> None:
    assert (
        "Twilio account SID (TWILIO_ACCOUNT_SID) is required (set it in [connector.parameters], "
        f"or as the environment variable {ACCOUNT_VARIABLE})"
    ) == only_problem(None, {})


def test_a_wrong_parameter_names_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, ACCOUNT + 'DefaultFromPhoneNumber = "ACME"\n')
    assert f"(in {path})" in only_problem(path, {})
    variable = f"{PREFIX}CONNECTOR__PARAMETERS__DEFAULTFROMPHONENUMBER"
    assert f"(in the environment variable {variable})" in only_problem(path, {variable: "ACME"})


def test_a_warning_about_a_parameter_names_its_place_and_no_number(tmp_path: Path) -> None:
    path = write(tmp_path, ACCOUNT + 'DefaultFromPhoneNumber = "4254492999"\n')
    settings = load(path, {})
    assert "4254492999" == settings.parameters.default_sender_number
    (warning,) = settings.warnings
    assert f"(in {path})" in warning
    assert "4254492999" not in warning


@pytest.mark.parametrize(
    ("source", "required"), [("environment", False), ("file", False), ("aws", True), ("greengrass", True)]
)
def test_the_secret_parameters_are_required_where_the_token_comes_from_aws_or_greengrass(
    source: str, *, required: bool
) -> None:
    given = environment(SECRETS__SOURCE=source, SECRETS__PATH="token", SECRETS__KEY_FILE=__file__)
    if required:
        assert ["ARN of Twilio auth token secret", "Twilio auth token resource"] == [
            problem.split(" (")[0] for problem in problems(None, given)
        ]
    else:
        assert None is load(None, given).parameters.secret_arn


def test_a_toml_table_below_a_parameter_is_refused(tmp_path: Path) -> None:
    found = only_problem_in_toml(tmp_path, "[connector.parameters.DefaultFromPhoneNumber]\nx = 1\n")
    assert "must be a string in quotes" in found


# Definition


def test_the_documents_example_runs_once_its_secret_is_real(tmp_path: Path) -> None:
    settings = load(with_definition(tmp_path, json.dumps(deployable())), {})
    assert (5, tmp_path / "connectors.json") == (settings.connector.version, settings.connector.definition)
    parameters = settings.parameters
    assert ("abcd12345xyz", SECRET_ARN, "MyTwilioSecret", "+19999999999") == (
        parameters.account_sid,
        parameters.secret_arn,
        parameters.secret_resource_id,
        parameters.default_sender_number,
    )


def test_the_documents_example_as_printed_is_told_what_its_pattern_demands(tmp_path: Path) -> None:
    found = only_problem(with_definition(tmp_path, PUBLISHED), {})
    assert "its account must be 12 digits, not 'account-id'" in found
    assert found.endswith(f"(in {tmp_path}/connectors.json)")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("form", ["bare", "initial", "answer"])
def test_each_form_of_the_aws_cli_is_read_in_each_encoding_that_a_shell_writes(
    tmp_path: Path, form: str, encoding: str
) -> None:
    connectors = deployable()
    forms: dict[str, Any] = {
        "bare": connectors,
        "initial": {"Name": "MyGreengrassConnectors", "InitialVersion": connectors},
        "answer": {
            "Arn": "arn:aws:greengrass:us-west-2:123456789012:/greengrass/definition/connectors/1/versions/2",
            "CreationTimestamp": "2019-06-19T19:30:01.300Z",
            "Definition": connectors,
            "Id": "1",
            "Version": "2",
        },
    }
    path = with_definition(tmp_path, json.dumps(forms[form]).encode(encoding))
    assert "abcd12345xyz" == load(path, {}).parameters.account_sid


def test_the_definition_sets_the_version(tmp_path: Path) -> None:
    definition = deployable()
    definition["Connectors"][0]["ConnectorArn"] = arn(4)
    found = only_problem(with_definition(tmp_path, json.dumps(definition)), {})
    assert "version 4 is configured" in found
    del definition["Connectors"][0]["Parameters"]["IsolationMode"]
    assert 4 == load(with_definition(tmp_path, json.dumps(definition)), {}).connector.version


def test_a_version_beside_the_definition_must_be_the_same(tmp_path: Path) -> None:
    path = with_definition(tmp_path, json.dumps(deployable()), settings=DEFINITION + "version = 5\n")
    assert 5 == load(path, {}).connector.version
    found = only_problem(path, {f"{PREFIX}CONNECTOR__VERSION": "4"})
    assert f"the definition is for 5 (in {tmp_path}/connectors.json)" in found
    assert "connector.version is 4" in found


def test_a_definition_and_parameters_exclude_each_other_wherever_they_are_set(tmp_path: Path) -> None:
    path = with_definition(tmp_path, json.dumps(deployable()))
    found = only_problem(path, {ACCOUNT_VARIABLE: "AC1"})
    assert f"connector.definition (in {path}) already holds the parameters" in found
    assert f"TWILIO_ACCOUNT_SID in the environment variable {ACCOUNT_VARIABLE}" in found
    path = write(tmp_path, ACCOUNT)
    definition = f"{tmp_path}/connectors.json"
    found = only_problem(path, {f"{PREFIX}CONNECTOR__DEFINITION": definition})
    assert f"{PREFIX}CONNECTOR__DEFINITION) already holds the parameters" in found


def test_a_definition_needs_the_secret_parameters_whatever_the_source(tmp_path: Path) -> None:
    definition = deployable()
    del definition["Connectors"][0]["Parameters"]["TwilioAuthTokenSecretArn-ResourceId"]
    found = only_problem(with_definition(tmp_path, json.dumps(definition)), {})
    assert "Twilio auth token resource (TwilioAuthTokenSecretArn-ResourceId) is required" in found
    assert "connectors.json" in found


def test_a_definition_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    """Nothing is said to be missing that it may hold."""
    found = only_problem(write(tmp_path, DEFINITION), {})
    assert f"connector.definition = '{tmp_path}/connectors.json' cannot be read: No such file" in found


@pytest.mark.parametrize("text", ["", "{", "nonsense", b"\xff\xfe\xff", "[" * 200_000])
def test_a_definition_that_is_no_json_is_a_problem(tmp_path: Path, text: str | bytes) -> None:
    found = only_problem(with_definition(tmp_path, text), {})
    assert found.startswith("the definition is not valid JSON: ")
    assert found.endswith(f"(in {tmp_path}/connectors.json)")


def test_a_definition_without_our_connector_names_its_file(tmp_path: Path) -> None:
    found = only_problem(with_definition(tmp_path, '{"Connectors": []}'), {})
    assert "the definition holds no Twilio Notifications connector" in found
    assert f"(in {tmp_path}/connectors.json)" in found


def test_a_definition_with_two_of_ours_is_refused(tmp_path: Path) -> None:
    definition = deployable()
    definition["Connectors"] *= 2
    found = only_problem(with_definition(tmp_path, json.dumps(definition)), {})
    assert "2 Twilio Notifications connectors" in found


def test_all_problems_of_a_definition_come_with_those_of_the_rest(tmp_path: Path) -> None:
    definition = json.loads(PUBLISHED)
    definition["Connectors"][0]["Parameters"] |= {"TWILIO_ACCOUNT_SID": "", "IsolationMode": "None"}
    path = with_definition(tmp_path, json.dumps(definition), settings=DEFINITION + "[log]\nlevel = 5\n")
    assert 4 == len(problems(path, {}))
