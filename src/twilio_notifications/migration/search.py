"""Searches all documents for objects that concern the connector, and sorts them by kind.

It judges none of them; a value that a template leaves open is still `Partly`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.migration.documents import ReadingRemark, is_given
from twilio_notifications.migration.found import Find, Finds
from twilio_notifications.migration.shapes import (
    is_bag,
    is_connector,
    is_group,
    is_subscription,
    secret_arn,
)
from twilio_notifications.migration.templates import names_of
from twilio_notifications.migration.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from twilio_notifications.migration.documents import Reading, Upload


def search(reading: Reading, given: Mapping[str, str], uploads: Sequence[Upload]) -> Finds:
    """The finds of all documents, in their order.

    A part that a document takes from another file counts as read where that file is among the uploads.
    Raises ConfigurationError where the functions of a template make it too large.
    """
    walks = [Walk(document=document, given=given) for document in reading.documents]
    for walk in walks:
        walk.go()
    objects = [found for walk in walks for found in walk.objects]
    used = {name for walk in walks for name in walk.scope.used}

    def all_that(are: Callable[[Mapping[str, object]], bool]) -> tuple[Find, ...]:
        return tuple(found for found in objects if are(found.content))

    return Finds(
        connectors=all_that(is_connector),
        bags=all_that(is_bag),
        resources=all_that(lambda content: secret_arn(content) is not None),
        subscriptions=all_that(is_subscription),
        groups=all_that(is_group),
        functions=all_that(lambda content: "FunctionArn" in content),
        definitions_without_content=all_that(lambda content: "LatestVersion" in content),
        definitions=frozenset(arn for walk in walks for arn in walk.definitions),
        unread=tuple(
            unread for walk in walks for unread in walk.unread if not is_given(unread.file, uploads)
        ),
        mentions=tuple(mention for walk in walks for mention in walk.mentions),
        remarks=(
            *reading.remarks,
            *(ReadingRemark(sentence=note) for walk in walks for note in walk.notes),
        ),
        texts=tuple(text for walk in walks if not walk.scope.template for text in _texts(walk.document.tree)),
        unused=tuple(name for name in given if name not in used),
        known_names=tuple(name for walk in walks for name in names_of(walk.scope.template)),
    )


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from _texts(member)
        case list():
            for member in value:
                yield from _texts(member)
        case _:
            return
