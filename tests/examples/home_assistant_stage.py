"""Home Assistant without its web server, to be run by its own Python with the folder of its configuration.

It writes a line for each state of a sensor and for each notification, and runs until it is ended.
"""

from __future__ import annotations

import asyncio
import sys

from homeassistant import bootstrap, config, core, loader
from homeassistant.config_entries import ConfigEntries
from homeassistant.setup import async_setup_component

WEB_SERVER = ("http", "file_upload")
PARTS = ("homeassistant", "persistent_notification", "mqtt", "script", "automation")


async def main(folder: str) -> None:
    hass = core.HomeAssistant(folder)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    settings = await config.async_hass_config_yaml(hass)
    await config.async_process_ha_core_config(hass, settings["homeassistant"])
    hass.config.components.update(WEB_SERVER)  # the connection to the broker does without them
    for part in PARTS:
        if not await async_setup_component(hass, part, settings):
            sys.exit(f"{part} did not start")
    hass.bus.async_listen("call_service", show_notification)
    hass.bus.async_listen("state_changed", show_state)
    await hass.async_start()
    await asyncio.Event().wait()


def show_notification(event: core.Event) -> None:
    if event.data["domain"] == "persistent_notification":
        say(event.data["service_data"]["message"])


def show_state(event: core.Event) -> None:
    if event.data["entity_id"].startswith("binary_sensor."):
        say(f"{event.data['entity_id']} is {event.data['new_state'].state}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


asyncio.run(main(sys.argv[1]))
