"""Accounts for the parts of the files that the migration does not carry over.

Together with the verdicts on connectors and subscriptions, its problems and notes cover every part that
concerns the connector: a certain loss is a problem, and a possible one is a note.
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

    from twilio_notifications.migration.found import Finds, PlaceInFile
    from twilio_notifications.migration.groups import Membership
    from twilio_notifications.migration.parameters import Carried
    from twilio_notifications.migration.subscriptions import Account


def lost(finds: Finds, account: Account, group: Membership) -> Iterator[str]:
    """A problem for each part that certainly holds the connector or a subscription and cannot be read."""
    for unread in finds.unread:
        if unread.is_ours and not unread.absent:
            yield f"{unread.sentence}: {unread.remedy} ({unread.place})"
    left_out = (entry.verdict for entry in account.entries if isinstance(entry.verdict, LeftOut))
    if any(verdict.concerns_us for verdict in left_out) and not account.routes:
        for arn in group.not_given(finds.definitions):
            yield missing_definition(group, arn, "subscription")


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
        text = repr(named.content)
        if "/definition/subscriptions/" in text or "/definition/connectors/" in text:
            yield f"{without_content(named)}. Nothing of it is carried over"
    for remark in finds.remarks:
        yield remark.sentence
    yield from _unaccounted(finds)


def _unaccounted(finds: Finds) -> Iterator[str]:
    """A note for each mention of the connector outside of the objects that this program understands."""
    known = [found.place for found in (*finds.connectors, *finds.subscriptions, *own_bags(finds))]
    noted: set[PlaceInFile] = set()
    for mention in finds.mentions:
        around = mention.place.parent
        if around not in noted and not any(place.is_around(mention.place) for place in known):
            noted.add(around)
            yield (
                f"{shown(mention.text)} stands where this program looks for no connector and no "
                f"subscription, and is not carried over ({mention.place})"
            )
