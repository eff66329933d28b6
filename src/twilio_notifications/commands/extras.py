"""Says how to install what only some users need, when it is missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_SIMULATOR_PACKAGES = frozenset({"h11", "msgspec"})
_DEMO_PACKAGES = _SIMULATOR_PACKAGES | {"amqtt"}


def demo_extra() -> AbstractContextManager[None]:
    """Turns the absence of the extra `demo` into an error that names it."""
    return _extra("demo", _DEMO_PACKAGES)


def simulator_extra() -> AbstractContextManager[None]:
    """Turns the absence of the extra `simulator` into an error that names it."""
    return _extra("simulator", _SIMULATOR_PACKAGES)


@contextmanager
def _extra(name: str, packages: frozenset[str]) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in packages:
            raise
        missing = f"this command needs the package {error.name}, which is not installed"
        raise ConfigurationError(
            [f"{missing}. In a clone of the project, run: pip install '.[{name}]'"]
        ) from error
