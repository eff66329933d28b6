"""The demo's configuration, and the input examples of the published document."""

from __future__ import annotations

from typing import Any

from twilio_notifications.core.model import Channel

CONFIGURATION = """\
# Written by `twilio-notifications demo`, for as long as it runs.
[connector.parameters]
TWILIO_ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
DefaultFromPhoneNumber = "+15005550006"
IsolationMode = "NoContainer"

[transport]
url = "{broker}"
protocol = "3.1.1"   # the embedded broker speaks nothing newer

[twilio]
base_url = "{twilio}"

[console]
listen = "127.0.0.1:0"

[log]
level = "WARNING"

# A request with `"escalation": "freezer"` calls Darla after a minute, and texts the deputy after two.
[contacts.darla]
name = "Darla"
phone_number = "+12345000000"

[contacts.deputy]
name = "Deputy"
phone_number = "+12345000001"

[escalations.freezer]
steps = [
  {{ after_seconds = 60, channel = "call", contacts = ["darla"] }},
  {{ after_seconds = 120, channel = "text", contacts = ["deputy"] }},
]
"""

# The input examples of the published document.
EXAMPLES: tuple[tuple[Channel, dict[str, Any]], ...] = (
    (
        Channel.SMS,
        {
            "request": {
                "recipient": {
                    "name": "Darla",
                    "phone_number": "+12345000000",
                    "message": "Hello from the edge",
                },
                "from_number": "+19999999999",
                "retries": 3,
            },
            "id": "request123",
        },
    ),
    (
        Channel.CALL,
        {
            "request": {
                "recipient": {
                    "name": "Darla",
                    "phone_number": "+12345000000",
                    "voice_message_location": "https://some-public-TwiML",
                },
                "from_number": "+19999999999",
                "retries": 3,
            },
            "id": "request123",
        },
    ),
)
