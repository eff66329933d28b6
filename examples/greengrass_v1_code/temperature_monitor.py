"""Sends a text when a temperature is above 30 degrees, as a function of Greengrass V1 does.

But for its first import it is what ran on a V1 core, where a subscription led `temperature/input` to it.
A reading says how warm it is and whom to tell:
`{"temperature": 31, "to_name": "Darla", "to_number": "+12345000000"}`.
Run it, in this folder, with
`python -m twilio_notifications.greengrasssdk temperature_monitor.function_handler --topic temperature/input`.
"""

import json
import random

from twilio_notifications import greengrasssdk as greengrasssdk  # in V1: import greengrasssdk

iot_data = greengrasssdk.client("iot-data")

LIMIT = 30


def function_handler(event, context):
    """The request has no from_number: the connector has a default."""
    print(f"{event['temperature']} degrees on {context.client_context.custom['subject']}", flush=True)
    if event["temperature"] > LIMIT:
        recipient = {
            "name": event["to_name"],
            "phone_number": event["to_number"],
            "message": f"temperature:{event['temperature']}",
        }
        text = {"request": {"recipient": recipient}, "id": f"request_{random.randint(1, 101)}"}
        iot_data.publish(topic="twilio/txt", payload=json.dumps(text))
