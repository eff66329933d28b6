"""Phone numbers as Twilio reads them, and the magic ones that stand for an error.

Only the numbers +1500555000X are magic: any other number that looks like one is accepted, as recipient and as
sender, because the simulator does not know which numbers an account owns.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.refusals import Refusal

E164 = re.compile(r"\+[1-9][0-9]{1,14}")
NATIONAL = re.compile(r"1?([2-9][0-9]{9})")  # the United States and Canada, as Twilio assumes without a "+"
SEPARATORS = str.maketrans("", "", " -.()")
SHORT_CODE = re.compile(r"[0-9]{5,6}")
ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +\-_&]{1,11}")
ENDPOINT = re.compile(r"(?:sip:.+@.+|client:.+)")
ADDRESS = re.compile(r"(?:whatsapp|rcs|messenger):.+")

MAGIC = re.compile(r"\+1500555000[0-9]")
MAGIC_GOOD_SENDER = "+15005550006"

_TEXT_TO = MappingProxyType(
    {
        "+15005550001": Refusal(code=21211, message="Invalid 'To' Phone Number: +1500555XXXX"),
        "+15005550002": Refusal(
            code=21612, message="The 'To' phone number is not currently reachable via SMS"
        ),
        "+15005550003": Refusal(
            code=21408,
            message="Permission to send an SMS has not been enabled for the region indicated by the"
            " 'To' number",
        ),
        "+15005550004": Refusal(code=21610, message="Attempt to send to unsubscribed recipient"),
        "+15005550009": Refusal(code=21614, message="'To' number is not a valid mobile number"),
    }
)
_TEXT_FROM = MappingProxyType(
    {
        "+15005550001": Refusal(code=21212, message="Invalid From Number (caller ID): +1500555XXXX"),
        "+15005550008": Refusal(
            code=21611, message="This 'From' number has exceeded the maximum number of queued messages"
        ),
    }
)
_TEXT_FROM_OTHERS = Refusal(
    code=21606,
    message="The 'From' phone number provided is not a valid message-capable Twilio phone number"
    " for this destination.",
)
_CALL_TO = MappingProxyType(
    {
        "+15005550001": Refusal(code=21217, message="Phone number does not appear to be valid"),
        "+15005550002": Refusal(code=21214, message="'To' phone number cannot be reached"),
        "+15005550003": Refusal(code=21215, message="Geo Permission configuration is not permitting call"),
        "+15005550004": Refusal(code=21216, message="Call blocked by Twilio blocklist"),
    }
)
_CALL_FROM = MappingProxyType(
    {"+15005550001": Refusal(code=21212, message="Invalid From Number (caller ID): +1500555XXXX")}
)
_CALL_FROM_OTHERS = Refusal(code=21210, message="'From' phone number not verified")


def normalized(number: str) -> str:
    """The number in E.164 where Twilio can tell, otherwise unchanged: `(425) 449-2999` is `+14254492999`."""
    if E164.fullmatch(number):
        return number
    bare = number.translate(SEPARATORS)
    national = NATIONAL.fullmatch(bare)
    if national:
        return f"+1{national[1]}"
    return bare if E164.fullmatch(bare) else number


def is_recipient(channel: Channel, number: str) -> bool:
    """Whether Twilio could reach it: a number, or an address of that channel."""
    address = ADDRESS if channel is Channel.SMS else ENDPOINT
    return bool(E164.fullmatch(number) or address.fullmatch(number))


def is_sender(channel: Channel, number: str) -> bool:
    """Whether it could be a sender: texts also come from short codes and from names."""
    if is_recipient(channel, number):
        return True
    by_name = SHORT_CODE.fullmatch(number) or ALPHANUMERIC.fullmatch(number)
    return channel is Channel.SMS and bool(by_name)


def magic_refusal(channel: Channel, *, to: str, sender: str | None) -> Refusal | None:
    """What Twilio's test credentials answer to these numbers, if one of them is magic."""
    texts = channel is Channel.SMS
    if sender is not None and sender != MAGIC_GOOD_SENDER and MAGIC.fullmatch(sender):
        others = _TEXT_FROM_OTHERS if texts else _CALL_FROM_OTHERS
        return (_TEXT_FROM if texts else _CALL_FROM).get(sender, others)
    return (_TEXT_TO if texts else _CALL_TO).get(to)
