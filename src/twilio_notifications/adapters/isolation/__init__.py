"""Confines this process to the files, ports and sockets that the connector needs.

A value (`Confinement`), computed from the settings, says what the process may still reach; the rest of the
package puts it in force by the kernel. A confinement is final: neither this package nor the process can
widen it.
"""

from __future__ import annotations

from twilio_notifications.adapters.isolation.allowances import (
    broker,
    broker_files,
    certificates,
    collector,
    configuration,
    devices,
    file_read_again,
    heartbeat,
    journal,
    listener,
    local_names,
    name_resolution,
    nucleus,
    python,
    remarks,
    twilio,
)
from twilio_notifications.adapters.isolation.aws import aws_files, aws_secrets
from twilio_notifications.adapters.isolation.confinement import Confinement
from twilio_notifications.adapters.isolation.confining import confine, refusal
from twilio_notifications.adapters.isolation.kernel import discover
from twilio_notifications.adapters.isolation.landlock import Offer
from twilio_notifications.adapters.isolation.surroundings import Surroundings
from twilio_notifications.adapters.isolation.undoing import Guarded, program, undoings
from twilio_notifications.adapters.isolation.watch import FileWatch, is_forbidden

__all__ = [
    "Confinement",
    "FileWatch",
    "Guarded",
    "Offer",
    "Surroundings",
    "aws_files",
    "aws_secrets",
    "broker",
    "broker_files",
    "certificates",
    "collector",
    "configuration",
    "confine",
    "devices",
    "discover",
    "file_read_again",
    "heartbeat",
    "is_forbidden",
    "journal",
    "listener",
    "local_names",
    "name_resolution",
    "nucleus",
    "program",
    "python",
    "refusal",
    "remarks",
    "twilio",
    "undoings",
]
