"""What the component of Greengrass V2 is made of: recipe, configuration, access control, deployment. Pure.

Nothing here speaks to a nucleus. `make component` and `migrate` write what these functions return.
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
