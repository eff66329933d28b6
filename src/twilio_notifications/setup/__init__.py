"""What `init` asks a person, and the configuration that follows from the answers. Touches nothing."""

from __future__ import annotations

from twilio_notifications.setup.broker import has_password, has_user, with_password
from twilio_notifications.setup.first_configuration import (
    CONFIG_NAME,
    TOKEN_NAME,
    Machine,
    first_configuration,
)
from twilio_notifications.setup.questions import BROKER, QUESTIONS, Question

__all__ = [
    "BROKER",
    "CONFIG_NAME",
    "QUESTIONS",
    "TOKEN_NAME",
    "Machine",
    "Question",
    "first_configuration",
    "has_password",
    "has_user",
    "with_password",
]
