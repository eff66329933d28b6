"""The parts of the component of Greengrass V2: recipe, configuration, access control, deployment. Pure.

No module here speaks to a nucleus. `make component` and `migrate` write the results of these functions to
files.
"""

from __future__ import annotations

from twilio_notifications.component.access import access_control, cloud_policy
from twilio_notifications.component.configuration import (
    COMPONENT,
    NucleusKind,
    configured,
    default_configuration,
)
from twilio_notifications.component.documents import (
    ARTIFACT,
    DIGEST,
    EXTRAS,
    LOCK,
    Packaging,
    deployment,
    recipe,
    wheel_name,
)

__all__ = [
    "ARTIFACT",
    "COMPONENT",
    "DIGEST",
    "EXTRAS",
    "LOCK",
    "NucleusKind",
    "Packaging",
    "access_control",
    "cloud_policy",
    "configured",
    "default_configuration",
    "deployment",
    "recipe",
    "wheel_name",
]
