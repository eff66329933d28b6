"""Takes one variant out of a union: the settings of a transport, or of a place of secrets."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def as_a(variant: type[T], value: object) -> T:
    """The value, which is of this variant; AssertionError where it is of another one."""
    assert isinstance(value, variant), value
    return value
