"""What is said when a package is missing that only some users need, and how to install it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_SIMULATOR_PACKAGES = frozenset({"h11", "msgspec"})
_CONSOLE_PACKAGES = frozenset({"h11", "jinja2", "markupsafe", "starlette", "uvicorn"})
_DEMO_PACKAGES = _SIMULATOR_PACKAGES | _CONSOLE_PACKAGES | {"amqtt"}


def not_installed(package: str, *, needed_by: str, extra: str) -> str:
    """The sentence for a package that is missing: what needs it, and which extra brings it."""
    return (
        f"{needed_by} needs the package {package}, which is not installed. "
        f"In a clone of the project, run: pip install '.[{extra}]'"
    )


def console_extra() -> AbstractContextManager[None]:
    """Turns the absence of the extra `console` into a ConfigurationError that names it."""
    return _extra("console", _CONSOLE_PACKAGES)


def demo_extra() -> AbstractContextManager[None]:
    """Turns the absence of the extra `demo` into a ConfigurationError that names it."""
    return _extra("demo", _DEMO_PACKAGES)


def simulator_extra() -> AbstractContextManager[None]:
    """Turns the absence of the extra `simulator` into a ConfigurationError that names it."""
    return _extra("simulator", _SIMULATOR_PACKAGES)


@contextmanager
def _extra(name: str, packages: frozenset[str]) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in packages:
            raise
        sentence = not_installed(error.name, needed_by="this command", extra=name)
        raise ConfigurationError([sentence]) from error
