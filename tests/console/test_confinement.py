"""What the console may still reach once it is confined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.isolation import Surroundings
from twilio_notifications.bootstrap.console import allowed
from twilio_notifications.config import load_console

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
[connector.parameters]
TWILIO_ACCOUNT_SID = "AC1"
[transport]
url = "mqtts://broker:8884"
ca_file = "broker-ca.pem"
[secrets]
source = "file"
path = "twilio-auth-token"
[journal]
url = "sqlite:///journal/journal.db"
[metrics]
listen = "127.0.0.1:9464"
"""


def test_it_reaches_the_journal_the_configuration_and_the_broker_and_no_secret(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "twilio-notifications.toml"
    (config.parent / "journal").mkdir(parents=True)
    config.write_text(CONFIGURATION, "utf-8")
    for name in ("broker-ca.pem", "twilio-auth-token"):
        (config.parent / name).touch()
    surroundings = Surroundings.here({"HTTPS_PROXY": "http://proxy:3128"})
    found = allowed(load_console(config, {}), config, surroundings)
    assert {config.parent / "journal"} == found.writable
    assert {53, 8884} == found.connect_ports
    assert {8377} == found.listen_ports
    assert set() == found.sockets
    ours = {path for path in found.readable if path.is_relative_to(tmp_path)}
    assert {config, config.parent / "broker-ca.pem"} == ours


def test_a_folder_of_its_own_name_may_be_read_again_but_a_token_does_not_belong_there(tmp_path: Path) -> None:
    """Then a new configuration is read without a new start, and so is what else lies there."""
    folder = tmp_path / "twilio-notifications"
    (folder / "journal").mkdir(parents=True)
    config = folder / "c.toml"
    config.write_text('[journal]\nurl = "sqlite:///journal/journal.db"\n', "utf-8")
    found = allowed(load_console(config, {}), config, Surroundings.here({}))
    assert folder in found.readable
