"""Turns Greengrass V1 definitions into this program's configuration and the files for Greengrass V2. Pure.

`migrate` takes the contents of files and returns the contents of files; it reads and writes none itself.
It guesses nothing: where the files leave a value open, it asks for the value by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.migration.connectors import Obstacles, aliases_of, choose
from twilio_notifications.migration.documents import Upload, read_all
from twilio_notifications.migration.groups import SUBSCRIPTIONS, membership
from twilio_notifications.migration.parameters import carry, unused_names
from twilio_notifications.migration.remainder import lost, remainder
from twilio_notifications.migration.report import report
from twilio_notifications.migration.routes import remarks
from twilio_notifications.migration.search import search
from twilio_notifications.migration.subscriptions import account_for
from twilio_notifications.migration.texts import (
    CONFIGURATION,
    DEFINITIONS,
    REPORT,
    definitions,
    greengrass,
    toml,
)
from twilio_notifications.migration.wording import code, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.migration.parameters import Carried
    from twilio_notifications.migration.routes import Route

__all__ = ["MigrationFiles", "Upload", "migrate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFiles:
    """The result of a migration: sentences on the finds, notes on losses, and the files by name."""

    found: tuple[str, ...]
    notes: tuple[str, ...]
    files: Mapping[str, str]


def migrate(
    uploads: Sequence[Upload], *, given: Mapping[str, str], to_version: int | None, release: str
) -> MigrationFiles:
    """The migration of these files.

    `given` maps the names that the files leave open to values; `to_version` is the connector's version in the
    new files, and None keeps the version that was found; `release` is the version of the component.
    Raises ConfigurationError with every obstacle.
    """
    try:
        return _migrate(uploads, given, to_version=to_version, release=release)
    except ConfigurationError as error:
        raise ConfigurationError([plain(problem) for problem in error.problems]) from error


def _migrate(
    uploads: Sequence[Upload], given: Mapping[str, str], *, to_version: int | None, release: str
) -> MigrationFiles:
    finds = search(read_all(uploads), given, uploads)
    chosen = choose(finds, to_version=to_version)
    carried = chosen if isinstance(chosen, Obstacles) else carry(chosen, finds, given, to_version=to_version)
    group = membership(finds.groups, SUBSCRIPTIONS)
    # The subscriptions are judged without a connector too, so that the operator sees all questions at once.
    aliases = frozenset() if isinstance(chosen, Obstacles) else aliases_of(chosen, finds)
    account = account_for(finds.subscriptions, aliases=aliases, membership=group)
    problems = [
        *(carried.problems if isinstance(carried, Obstacles) else ()),
        *account.questions,
        *group.questions(finds.subscriptions),
        *lost(finds, account, group),
        *unused_names(finds),
    ]
    if problems or isinstance(carried, Obstacles):
        raise ConfigurationError(list(dict.fromkeys(problems)))
    routes = account.routes
    notes = (
        *carried.notes,
        *remarks(routes, found_version=carried.found_version),
        *remainder(finds, account, group, carried),
    )
    return MigrationFiles(
        found=tuple(map(plain, _sentences(carried, routes))),
        notes=tuple(map(plain, notes)),
        files=_files(carried, routes, notes=notes, release=release),
    )


def _sentences(carried: Carried, routes: Sequence[Route]) -> list[str]:
    connector = f"connector {code(carried.identifier)}, version {carried.found_version} ({carried.place})"
    if carried.version.number != carried.found_version:
        connector += f", made version {carried.version.number}"
    return [
        connector,
        *(
            f"subscription {code(route.identifier)}: {code(route.subject)} "
            f"{'from' if route.inward else 'to'} {route.end} {code(route.short_name)}"
            for route in routes
        ),
    ]


def _files(
    carried: Carried, routes: Sequence[Route], *, notes: Sequence[str], release: str
) -> dict[str, str]:
    files = {
        CONFIGURATION: toml(carried),
        DEFINITIONS: definitions(carried, routes),
        **greengrass(carried, routes, release=release),
    }
    names = [*files, REPORT]
    return {**files, REPORT: report(carried, routes, notes=notes, names=names, release=release)}
