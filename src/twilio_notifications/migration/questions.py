"""What could not be resolved, asked for by name, and how it is to be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.migration.intrinsics import Partly, names_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.migration.search import Place


def question(what: str, value: object, place: Place, *, without: frozenset[str] = frozenset()) -> str:
    """For a value that a template leaves open; `without` are names that need not be known."""
    names = [name for name in names_in(value) if name not in without]
    wanted = ", ".join(names)
    if any(_has_no_name(name) for name in names):
        return (
            f"{what} depends on {wanted}, which this program cannot work out: "
            f"write the value itself into a copy of the template ({place})"
        )
    ways = " ".join(f"--set '{name}=VALUE'" for name in names)
    return f"{what} depends on {wanted}, which the template does not hold: give it with {ways} ({place})"


def _has_no_name(name: str) -> bool:
    """A function that was given what it does not take, or that is none of those that are carried out."""
    return name.startswith("Fn::") or " " in name


PLACES = frozenset({"AWS::Region", "AWS::Partition"})
"""What stands in a connector's ARN, and means nothing for us."""


def arn_text(value: object) -> str | None:
    """A connector's ARN, in which the region and the partition mean nothing for us."""
    if isinstance(value, Partly):
        return value.text.replace("${AWS::Region}", "region").replace("${AWS::Partition}", "aws")
    return value if isinstance(value, str) else None


def text_of(content: Mapping[str, object], key: str) -> str:
    """A text of an object, or nothing."""
    value = content.get(key)
    return value if isinstance(value, str) else ""
