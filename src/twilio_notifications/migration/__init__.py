"""Greengrass V1 definitions → this program's configuration, and the files for Greengrass V2. Pure.

Takes the contents of files and returns the contents of files; reads and writes none itself.
What cannot be resolved is asked for by name, and nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.parameters import VERSIONS
from twilio_notifications.migration.definition import Refused, carry_connector, of_group, unused_names
from twilio_notifications.migration.documents import Upload, read_all
from twilio_notifications.migration.report import report
from twilio_notifications.migration.routes import left_out, read_routes, remarks
from twilio_notifications.migration.search import search
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

    from twilio_notifications.migration.definition import Carried
    from twilio_notifications.migration.routes import Route, Routes
    from twilio_notifications.migration.search import Finds

__all__ = ["Migration", "Upload", "migrate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What was found, what could not be carried over, and the files to write, by name."""

    found: tuple[str, ...]
    notes: tuple[str, ...]
    files: Mapping[str, str]


def migrate(
    uploads: Sequence[Upload], *, given: Mapping[str, str], to_version: int | None, release: str
) -> Migration:
    """The migration of these files. `given` are values for names; `release` is the component's version.

    Raises ConfigurationError with everything that is in the way.
    """
    try:
        return _migrated(uploads, given, to_version=to_version, release=release)
    except ConfigurationError as error:
        raise ConfigurationError([plain(problem) for problem in error.problems]) from error


def _migrated(
    uploads: Sequence[Upload], given: Mapping[str, str], *, to_version: int | None, release: str
) -> Migration:
    documents = read_all(tuple(uploads))
    finds = search(documents, given)
    carried = carry_connector(finds, given, to_version=to_version)
    read = _routes(finds, carried)
    problems = [
        *(carried.problems if isinstance(carried, Refused) else ()),
        *read.questions,
        *unused_names(finds),
    ]
    if problems or isinstance(carried, Refused):
        raise ConfigurationError(problems)
    notes = (
        *carried.notes,
        *remarks(read.routes, found_version=carried.found_version),
        *left_out(finds, read.routes),
    )
    return Migration(
        found=tuple(map(plain, _sentences(carried, read.routes))),
        notes=tuple(map(plain, notes)),
        files=_files(carried, read.routes, notes=notes, release=release),
    )


def _routes(finds: Finds, carried: Carried | Refused) -> Routes:
    """Read even where there is no connector, so that all questions come at once."""
    found = of_group(finds.subscriptions, finds.groups, "SubscriptionDefinitionVersionArn")
    if isinstance(carried, Refused):
        return read_routes(found, version=VERSIONS[-1])
    return read_routes(found, version=carried.found_version, function=carried.function)


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
        **greengrass(carried, routes, release=release, target_arn=None),
    }
    names = [*files, REPORT]
    return {**files, REPORT: report(carried, routes, notes=notes, names=names)}
