"""Sends the text of the published example, as a component of Greengrass V2.

Its recipe must allow `aws.greengrass#PublishToTopic` on `twilio/txt`.
"""

from __future__ import annotations

import json

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import BinaryMessage, PublishMessage

TEXT = {
    "request": {
        "recipient": {"name": "Darla", "phone_number": "+12345000000", "message": "Hello from the edge"},
        "from_number": "+19999999999",
    },
    "id": "request123",
}


def main() -> None:
    nucleus = GreengrassCoreIPCClientV2()
    payload = json.dumps(TEXT).encode()
    nucleus.publish_to_topic(
        topic="twilio/txt", publish_message=PublishMessage(binary_message=BinaryMessage(message=payload))
    )
    nucleus.close()


if __name__ == "__main__":
    main()
