"""A journal that the version before wrote is taken over whole, at whatever point the process ends."""

from __future__ import annotations

from .journals import an_opening  # noqa: F401
