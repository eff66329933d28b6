"""Signs the requests that the simulator makes to the connector's public URL, by Twilio's published algorithm.

https://www.twilio.com/docs/usage/security: the URL without its fragment, then each form field with its name,
sorted; HMAC-SHA1 with the account's auth token, in base64.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def sign(url: str, fields: Mapping[str, str], *, token: str) -> str:
    """The value of `X-Twilio-Signature` for a POST of these fields; without fields, for a GET."""
    signed = url.partition("#")[0] + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()
