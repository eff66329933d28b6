"""What is left when the connector and its subscriptions are carried over: named, or in the way.

With the verdicts on connectors and subscriptions, this accounts for everything in the files that concerns the
connector. What is lost for certain is a problem; what may be lost is a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.core.wording import shown
from twilio_notifications.migration.connectors import own_bags, without_content
from twilio_notifications.migration.groups import missing_definition, named_elsewhere, several
from twilio_notifications.migration.parameters import other_secrets
from twilio_notifications.migration.subscriptions import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.migration.found import Finds, Mention, Place
    from twilio_notifications.migration.groups import Membership
    from twilio_notifications.migration.parameters import Carried
    from twilio_notifications.migration.subscriptions import Account


def lost(finds: Finds, account: Account, group: Membership) -> Iterator[str]:
    """A problem for each part of which the connector, or one of its subscriptions, is lost for certain."""
    for unread in finds.unread:
        if unread.is_ours and not unread.absent:
            yield f"{unread.sentence}: {unread.remedy} ({unread.place})"
    if any(_is_of_another_version(entry.verdict) for entry in account.entries) and not account.routes:
        for arn in group.not_given(finds.definitions):
            yield missing_definition(group, arn, "subscription")


def _is_of_another_version(verdict: object) -> bool:
    return isinstance(verdict, LeftOut) and verdict.concerns_us


def remainder(finds: Finds, account: Account, group: Membership, carried: Carried) -> Iterator[str]:
    """A note for everything else that is not carried over."""
    yield from account.left_out
    yield from other_secrets(finds, carried)
    yield from several(finds.groups)
    if account.routes:
        for sentence in named_elsewhere(finds.groups, group):
            yield f"{sentence}: the subscriptions that were found are carried over all the same"
        for arn in group.not_given(finds.definitions):
            yield missing_definition(group, arn, "subscription")
    for unread in finds.unread:
        if unread.absent:
            yield f"{unread.sentence}, and is left out: {unread.absent} ({unread.place})"
        elif not unread.is_ours:
            advice = f"if it concerns the group, {unread.remedy}"
            yield f"{unread.sentence}, which was not read: {advice} ({unread.place})"
    for named in finds.definitions_without_content:
        if _concerns_a_group(named.content):
            yield f"{without_content(named)}. Nothing of it is carried over"
    for remark in finds.remarks:
        yield remark.sentence
    yield from _unaccounted(finds)


def _concerns_a_group(content: object) -> bool:
    text = repr(content)
    return "/definition/subscriptions/" in text or "/definition/connectors/" in text


def _unaccounted(finds: Finds) -> Iterator[str]:
    """What names the connector in a way that nothing above has read."""
    known = [found.place for found in (*finds.connectors, *finds.subscriptions, *own_bags(finds))]
    noted: set[Place] = set()
    for mention in finds.mentions:
        around = mention.place.parent
        if around not in noted and not _is_known(mention, known):
            noted.add(around)
            yield (
                f"{shown(mention.text)} stands where this program looks for no connector and no "
                f"subscription, and is not carried over ({mention.place})"
            )


def _is_known(mention: Mention, known: list[Place]) -> bool:
    return any(place.is_around(mention.place) for place in known)
