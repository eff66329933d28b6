"""A Greengrass V2 nucleus as transport and as source of secrets, through awsiotsdk (the extra `greengrass`).

Local messages of a nucleus have no acknowledgement. The connector accepts a request when the journal has
committed it; a request that is lost before that leaves no trace.
"""

from __future__ import annotations

from twilio_notifications.adapters.greengrass.configuration import ConfigurationWatch
from twilio_notifications.adapters.greengrass.endurance import Endurance, remembered_start
from twilio_notifications.adapters.greengrass.nucleus import Nucleus
from twilio_notifications.adapters.greengrass.secret import GreengrassSecret
from twilio_notifications.adapters.greengrass.state import NucleusSupervisor
from twilio_notifications.adapters.greengrass.transport import GreengrassTransport

__all__ = [
    "ConfigurationWatch",
    "Endurance",
    "GreengrassSecret",
    "GreengrassTransport",
    "Nucleus",
    "NucleusSupervisor",
    "remembered_start",
]
