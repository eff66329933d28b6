"""Sends the text of the published example, as a function of Greengrass V1 does.

But for its first import it is what ran on a V1 core: a long-lived function that publishes when it is loaded.
Run it with `python hello.py`.
"""

import json

from twilio_notifications import greengrasssdk as greengrasssdk  # in V1: import greengrasssdk

iot_data = greengrasssdk.client("iot-data")

TEXT = {
    "request": {
        "recipient": {"name": "Darla", "phone_number": "+12345000000", "message": "Hello from the edge"},
        "from_number": "+19999999999",
    },
    "id": "request123",
}


def say_hello():
    iot_data.publish(topic="twilio/txt", payload=json.dumps(TEXT))


say_hello()


def function_handler(event, context):
    """Nothing is asked of it: it speaks first."""
