"""The account's own numbers, as Twilio lists them.

The simulator does not know which numbers an account owns: it lists the one that is asked for, unless it is a
magic number that cannot be a sender.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.numbers import E164, magic_refusal, normalized
from twilio_notifications.simulator.resources import API_VERSION

if TYPE_CHECKING:
    from twilio_notifications.simulator.lists import Query

_SINCE = "Thu, 30 Jul 2015 20:00:00 +0000"


def numbers_page(query: Query, asked_for: str) -> dict[str, Any]:
    """The page with the number that is asked for; an empty one where none is, or a part of one."""
    number = normalized(asked_for)
    refusal = magic_refusal(Channel.SMS, to="", sender=number)
    shown = [_rendered(number, query.account_sid)] if E164.fullmatch(number) and refusal is None else []
    uri = f"{query.path}?PageSize={query.size}&Page=0"
    return {
        "end": max(len(shown) - 1, 0),
        "first_page_uri": uri,
        "incoming_phone_numbers": shown,
        "next_page_uri": None,
        "page": 0,
        "page_size": query.size,
        "previous_page_uri": None,
        "start": 0,
        "uri": uri,
    }


def _rendered(number: str, account_sid: str) -> dict[str, Any]:
    sid = "PN" + hashlib.blake2b(number.encode(), digest_size=16).hexdigest()
    return {
        "account_sid": account_sid,
        "address_requirements": "none",
        "address_sid": None,
        "api_version": API_VERSION,
        "beta": False,
        "bundle_sid": None,
        "capabilities": {"fax": False, "mms": True, "sms": True, "voice": True},
        "date_created": _SINCE,
        "date_updated": _SINCE,
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "friendly_name": number,
        "identity_sid": None,
        "origin": "twilio",
        "phone_number": number,
        "sid": sid,
        "sms_application_sid": "",
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status": "in-use",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": None,
        "uri": f"/{API_VERSION}/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}.json",
        "voice_application_sid": "",
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": "",
        "voice_method": "POST",
        "voice_receive_mode": "voice",
        "voice_url": "",
    }
