"""Says how to install what only some users need, when it is missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEMO_PACKAGES = frozenset({"amqtt", "h11", "msgspec"})


@contextmanager
def demo_extra() -> Iterator[None]:
    """Turns the absence of the extra `demo` into an error that names it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _DEMO_PACKAGES:
            raise
        missing = f"this command needs the package {error.name}, which is not installed"
        raise ConfigurationError(
            [f"{missing}. In a clone of the project, run: pip install '.[demo]'"]
        ) from error
