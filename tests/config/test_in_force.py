"""The configuration as people read it: values with places, problems next to their settings, no secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.config.loading_steps import ACCOUNT, PREFIX, SECRET_ARN, write
from twilio_notifications.config.in_force import HIDDEN, InForce, in_force
from twilio_notifications.config.sections import SETTINGS
from twilio_notifications.core.parameters import PublishedParameter

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.config.in_force import ParameterInForce, SettingInForce

SECRET = "5ecre7-70k3n"


def setting(found: InForce, name: str) -> SettingInForce:
    (one,) = (each for each in found.settings if each.name == name)
    return one


def parameter(found: InForce, name: PublishedParameter) -> ParameterInForce:
    (one,) = (each for each in found.parameters if each.parameter is name)
    return one


def test_every_setting_is_there_with_its_default() -> None:
    found = in_force(None, {f"{PREFIX}CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID": "AC1"})
    assert set(SETTINGS) == {each.name for each in found.settings}
    assert all(each.is_default for each in found.settings)
    assert '"INFO"' == setting(found, "log.level").value
    assert "the default" == setting(found, "log.level").place
    assert () == found.problems


def test_a_value_has_the_place_from_which_it_came(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f'{ACCOUNT}[log]\nlevel = "DEBUG"\nformat = "json"\n'
        '[contacts.darla]\nname = "Darla"\nphone_number = "+12345000000"\n',
    )
    found = in_force(path, {f"{PREFIX}LOG__FORMAT": "text"})
    assert ('"DEBUG"', f"in {path}") == (setting(found, "log.level").value, setting(found, "log.level").place)
    assert f"in the environment variable {PREFIX}LOG__FORMAT" == setting(found, "log.format").place
    assert '"Darla"' == setting(found, "contacts.darla.name").value
    assert not setting(found, "log.level").is_default


def test_a_problem_stands_next_to_what_it_is_about(tmp_path: Path) -> None:
    found = in_force(write(tmp_path, '[tracking]\nmode = "sometimes"\n[lgo]\nlevel = "INFO"\n'), {})
    (problem,) = setting(found, "tracking.mode").problems
    assert problem.startswith("tracking.mode must be one of")
    (missing,) = parameter(found, PublishedParameter.ACCOUNT_SID).problems
    assert missing.startswith("Twilio account SID (TWILIO_ACCOUNT_SID) is required")
    assert ["unknown section [lgo]"] == [each.partition(":")[0] for each in found.problems]


def test_a_file_that_cannot_be_read_is_the_only_problem(tmp_path: Path) -> None:
    found = in_force(tmp_path / "absent.toml", {})
    assert [f"the configuration file {tmp_path / 'absent.toml'} does not exist"] == list(found.problems)


def test_a_secret_that_only_the_connector_may_read_is_no_problem(tmp_path: Path) -> None:
    text = ACCOUNT + '[secrets]\nsource = "file"\npath = "of-the-connector-alone"\n'
    found = in_force(write(tmp_path, text), {})
    assert () == found.problems
    assert () == setting(found, "secrets.path").problems


def test_a_definition_gives_version_and_parameters(tmp_path: Path) -> None:
    arn = "arn:aws:greengrass:us-west-2::/connectors/TwilioNotifications/versions/4"
    given = {
        "TWILIO_ACCOUNT_SID": "AC1",
        "TwilioAuthTokenSecretArn": SECRET_ARN,
        "TwilioAuthTokenSecretArn-ResourceId": "T",
    }
    definition = tmp_path / "connectors.json"
    definition.write_text(json.dumps({"Connectors": [{"Id": "t", "ConnectorArn": arn, "Parameters": given}]}))
    found = in_force(write(tmp_path, '[connector]\ndefinition = "connectors.json"\n'), {})
    assert 4 == found.version
    one = parameter(found, PublishedParameter.SECRET_ARN)
    assert (SECRET_ARN, f"in {definition}") == (one.value, one.place)
    assert PublishedParameter.ISOLATION_MODE not in {each.parameter for each in found.parameters}


@pytest.mark.parametrize(
    "text",
    [
        f'[connector.parameters]\nTwilioAuthTokenSecretArn = "{SECRET}"\n',
        f'[transport]\nurl = "mqtt://user:{SECRET}@broker"\n',
        f'[transport]\nurl = "{SECRET}"\n',
        f'[console]\nusers = [{{ name = "darla", password_hash = "{SECRET}" }}]\n',
        f'[console]\nusers = ["{SECRET}"]\n',
        f'[console]\ntoken_hash = "{SECRET}"\n',
        f'[twilio]\nbase_url = "https://user:{SECRET}@proxy"\n',
        f'[tracking]\npublic_url = "https://host?key={SECRET}"\n',
        f'[console]\npublic_url = "https://user:{SECRET}@host"\n',
        f'[console]\nusers = [{{ name = "darla", password = "{SECRET}" }}]\n',
        f'[journal]\nurl = "postgresql://user:{SECRET}@host/journal"\n',
        f'[traces]\nurl = "https://user:{SECRET}@host"\n',
        f'[secrets]\ntoken = "{SECRET}"\n',
        f'[connector.parameters]\nTWILIO_AUTH_TOKEN = "{SECRET}"\n',
    ],
)
def test_no_secret_is_shown_wherever_it_was_written(tmp_path: Path, text: str) -> None:
    assert SECRET not in repr(in_force(write(tmp_path, text), {}))


@pytest.mark.parametrize("place", ["connector.parameters]\nTWILIO_ACCOUNT_SID", "secrets]\nvariable"])
def test_a_value_of_the_form_of_a_token_is_hidden_wherever_it_was_written(tmp_path: Path, place: str) -> None:
    token = 4 * "5ecde703"
    found = in_force(write(tmp_path, f'[{place} = "{token}"\n'), {})
    assert token not in repr((found.settings, [(one.value, one.place) for one in found.parameters]))


def test_an_address_is_shown_without_its_login(tmp_path: Path) -> None:
    text = f'{ACCOUNT}[transport]\nurl = "mqtts://user:{SECRET}@broker"\n[twilio]\nbase_url = "https://twilio.test"\n'
    found = in_force(write(tmp_path, text), {})
    assert '"mqtts://…@broker:8883"' == setting(found, "transport.url").value
    assert '"https://twilio.test"' == setting(found, "twilio.base_url").value


def test_what_may_be_a_secret_is_hidden_and_not_left_out(tmp_path: Path) -> None:
    found = in_force(write(tmp_path, f'[console]\ntoken_hash = "{SECRET}"\n'), {})
    assert HIDDEN == setting(found, "console.token_hash").value
