"""Says which of several versions of a definition count, by the group versions among the files.

A group version names the versions of the definitions that it is made of. Where the files hold a group
version, only these count, and notes name the others as left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.wording import shown
from twilio_notifications.migration.partly import Partly
from twilio_notifications.migration.questions import question

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twilio_notifications.migration.found import Find, PlaceInFile

CONNECTORS = "ConnectorDefinitionVersionArn"
SUBSCRIPTIONS = "SubscriptionDefinitionVersionArn"
_SYMBOL = "template:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What the group versions among the files name for one kind of definition."""

    key: str
    named: Mapping[str, str]
    """ARNs of the definitions in the form for comparison, each with the form in the file."""
    places: tuple[PlaceInFile, ...]
    open_ones: tuple[tuple[PlaceInFile, Partly], ...] = ()

    def has(self, found: Find) -> bool:
        """Whether the object counts: where no group version names a definition, or the object is in none."""
        own = {_normal(origin) for origin in found.origins}
        return not self.named or not own or bool(self.named.keys() & own)

    @property
    def where(self) -> str:
        return "; ".join(map(str, self.places))

    def not_given(self, definitions: frozenset[str]) -> tuple[str, ...]:
        """The named definitions that no file holds."""
        held = {_normal(arn) for arn in definitions}
        return tuple(
            written
            for arn, written in sorted(self.named.items())
            if arn not in held and not arn.startswith(_SYMBOL)
        )

    def questions(self, candidates: Sequence[Find]) -> Iterator[str]:
        """A question for each open name, where the candidates come from several definitions."""
        definitions = {_normal(found.origins[0]) for found in candidates if found.origins}
        if len(definitions) > 1:
            for place, value in self.open_ones:
                yield question(f"{self.key} of the group", value, place)


def membership(groups: Sequence[Find], key: str) -> Membership:
    """What the group versions name under this key. A group that a condition leaves out names nothing."""
    named: dict[str, str] = {}
    places: list[PlaceInFile] = []
    open_ones: list[tuple[PlaceInFile, Partly]] = []
    for group in groups:
        value = group.content.get(key)
        if group.absent or not value:
            continue
        places.append(group.place)
        values = value.choices if isinstance(value, Partly) and value.choices else (value,)
        if len(values) == 1:
            named |= {_normal(each): each for each in values if isinstance(each, str)}
        if isinstance(value, Partly):
            open_ones.append((group.place, value))
    return Membership(
        key=key,
        named={} if open_ones else named,
        places=tuple(places),
        open_ones=tuple(open_ones),
    )


def several(groups: Sequence[Find]) -> Iterator[str]:
    """A note where more than one group version is there, because each of them counts."""
    present = [group for group in groups if not group.absent]
    if len({repr(sorted(map(str, group.content.items()))) for group in present}) > 1:
        places = "; ".join(str(group.place) for group in present)
        yield (
            f"the files hold {len(present)} group versions ({places}): what any of them is made of is "
            "carried over. Give one of them alone where they are versions of the same group"
        )


def missing_definition(which: Membership, arn: str, kind: str) -> str:
    """A sentence that asks for a definition which a group version names and no file holds."""
    return (
        f"the group version ({which.where}) is made of {shown(arn)}, which no file holds: give the output "
        f"of 'aws greengrass get-{kind}-definition-version' for it, or the input of the command that created "
        "it, or leave the group version out"
    )


def named_elsewhere(groups: Sequence[Find], which: Membership) -> Iterator[str]:
    """A sentence for each group version that names no definition of this kind."""
    for group in groups:
        if not group.absent and not group.content.get(which.key):
            yield f"the group version {group.place} has no {which.key}, so its group had no such definition"


def _normal(arn: str) -> str:
    """An ARN for comparison: some tools write a slash after the account, and others do not."""
    return arn.replace(":/greengrass/", ":greengrass/")
