"""Makes Settings of all sources, or raises one error with everything that is wrong with them.

The order is: read, accept value by value, compare values, resolve the connector, build. Nothing is built
while there is a problem, so that half a configuration never runs.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twilio_notifications.config.component import presets, read_component
from twilio_notifications.config.connector import Resolved, Unresolved, resolve
from twilio_notifications.config.files import open_plain
from twilio_notifications.config.journal_place import Placed, placed
from twilio_notifications.config.keys import made
from twilio_notifications.config.kinds import FilePath
from twilio_notifications.config.rules import (
    console_warnings,
    files_not_in_use,
    problems_between,
    proxy_warning,
    warnings_about,
)
from twilio_notifications.config.sections import SETTINGS, TABLES
from twilio_notifications.config.sections.calls import CallSettings
from twilio_notifications.config.sections.connector import PARAMETERS, ConnectorSettings
from twilio_notifications.config.sections.console import ConsoleSettings
from twilio_notifications.config.sections.contacts import contacts
from twilio_notifications.config.sections.delivery import DeliverySettings
from twilio_notifications.config.sections.escalations import escalations
from twilio_notifications.config.sections.health import HealthSettings
from twilio_notifications.config.sections.heartbeat import HeartbeatSettings
from twilio_notifications.config.sections.journal import JournalSettings
from twilio_notifications.config.sections.limits import limits
from twilio_notifications.config.sections.log import LogFormat, LogSettings
from twilio_notifications.config.sections.metrics import MetricsSettings
from twilio_notifications.config.sections.pace import paces
from twilio_notifications.config.sections.quiet_hours import quiet_hours
from twilio_notifications.config.sections.secrets import CredentialFile, SecretOrigin, secrets
from twilio_notifications.config.sections.status import StatusSettings
from twilio_notifications.config.sections.traces import TracesSettings
from twilio_notifications.config.sections.tracking import TrackingSettings
from twilio_notifications.config.sections.transport import TransportKind, transport
from twilio_notifications.config.sections.twilio import TwilioSettings
from twilio_notifications.config.settings import (
    ClientSettings,
    ConsoleFileSettings,
    JournalFileSettings,
    SecretPlace,
    Settings,
)
from twilio_notifications.config.sources import Given, Source, defaults, read_environment, read_file
from twilio_notifications.config.tables import as_spelled, names_of_tables, problems_of_tables, tables_in
from twilio_notifications.config.urls import DatabaseAddress, Wrong
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.core.policy import Limits
from twilio_notifications.core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from twilio_notifications.config.kinds import Kind
    from twilio_notifications.core.parameters import Remark


def load(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    component: Mapping[str, object] | None = None,
    is_running: bool = False,
) -> Settings:
    """The settings from the defaults, the file (if any) and the environment; later ones win.

    As a `component` of Greengrass V2, with its configuration between the file and the environment.
    Raises ConfigurationError, whose `problems` hold one sentence for each thing to correct.
    With `is_running`, a file that cannot be read is a warning: only the next start uses it, and a confined
    connector may not read what a deployment has just added.
    """
    unread: list[str] = []
    settings = load_except_files(path, environ, component=component, unread=unread if is_running else None)
    return replace(settings, warnings=(*settings.warnings, *unread))


def load_except_files(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    component: Mapping[str, object] | None = None,
    unread: list[str] | None,
) -> Settings:
    """As `load`. A sentence about each file that a setting names and that cannot be read goes to `unread`.

    With None, such a file is a problem like any other.
    """
    file = read_file(path)
    environment = read_environment(environ)
    preset, configured = (Source(), Source()) if component is None else (presets(), read_component(component))
    problems = [*file.problems, *configured.problems, *environment.problems]
    if not file.readable:
        # It is not known what the file sets, so a setting that seems to be missing may stand in it.
        raise ConfigurationError(problems)
    folder = folder_of(path)
    written = {**file.given, **configured.given}
    written |= as_spelled(environment.given, in_file=written)
    given = {**defaults(folder=folder, tables=tables_in(written)), **preset.given, **written}
    values, mismatches = accept_all(given, unread=unread)
    resolved = resolve(values, written, component=component is not None)
    problems += [*mismatches, *problems_of_tables(given), *_placed(problems_between(values), given)]
    journal = _journal_place(values, written, folder=folder if component is None else Path.cwd())
    if isinstance(resolved, Unresolved):
        problems += resolved.problems
    if isinstance(resolved, Unresolved) or problems or journal.problem:
        raise ConfigurationError([*problems, *_said(journal.problem)])
    settings = _settings(values, given, resolved, journal=journal)
    warnings = (
        *settings.warnings,
        *configured.warnings,
        *_said(journal.warning, proxy_warning(settings.twilio.base_url, environ)),
    )
    return replace(settings, warnings=warnings)


def log_format(
    path: Path | None, environ: Mapping[str, str], *, component: Mapping[str, object] | None = None
) -> LogFormat:
    """The format of the log, also where the configuration is wrong or cannot be read; by default TEXT."""
    file = read_file(path)
    configured = Source() if component is None else read_component(component)
    written = {**file.given, **configured.given, **read_environment(environ).given}.get("log.format")
    return LogFormat.JSON if written and written.value == LogFormat.JSON else LogFormat.TEXT


def load_client(path: Path | None, environ: Mapping[str, str], *, in_nucleus: bool = False) -> ClientSettings:
    """The settings of `[transport]` and `[log]`, for a program that publishes requests. Checks no others.

    `in_nucleus`: a Greengrass V2 nucleus has started it, and is the transport unless one is configured.
    """
    written = _written(path, environ)
    given = {**defaults(folder=folder_of(path)), **written}
    if in_nucleus and not {"transport.kind", "transport.url"} & written.keys():
        given["transport.kind"] = _preset(TransportKind.GREENGRASS)
    values = _accepted(given, [name for name in SETTINGS if name.startswith(("transport.", "log."))])
    return ClientSettings(transport=transport(values), log=made(LogSettings, "log", values))


def load_journal(
    path: Path | None, environ: Mapping[str, str], *, with_limits: bool = False
) -> JournalFileSettings:
    """The settings of the journal, for its commands. Raises ConfigurationError for these settings only."""
    written = _written(path, environ)
    given = {**defaults(folder=folder_of(path)), **written}
    prefixes = ("journal.", "limits.") if with_limits else ("journal.",)
    values = _accepted(given, [name for name in SETTINGS if name.startswith(prefixes)])
    return JournalFileSettings(
        journal=_journal(values, written, folder=folder_of(path)),
        limits=limits(values) if with_limits else Limits(),
    )


def load_console(path: Path | None, environ: Mapping[str, str]) -> ConsoleFileSettings:
    """The settings of the console. Raises ConfigurationError for these settings only.

    So the console starts where the connector does not, and shows what is wrong.
    """
    written = _written(path, environ)
    given = {**defaults(folder=folder_of(path)), **written}
    wanted = ("console.", "journal.", "transport.", "log.")
    values = _accepted(given, [name for name in SETTINGS if name.startswith(wanted)])
    secrets_in = [
        given[name].value for name in SETTINGS if re.fullmatch(r"secrets\..*variable", name) if name in given
    ]
    return ConsoleFileSettings(
        console=made(ConsoleSettings, "console", values),
        transport=transport(values),
        log=made(LogSettings, "log", values),
        journal=_journal(values, written, folder=folder_of(path)),
        secret_variables=tuple(name for name in secrets_in if isinstance(name, str)),
        warnings=tuple(_placed(console_warnings(values), given)),
    )


def load_secret_place(
    path: Path | None, environ: Mapping[str, str], *, in_nucleus: bool = False
) -> SecretPlace:
    """Where the connector's secret is, and which one it is, for a program that may read it too."""
    written = _written(path, environ)
    given = {**defaults(folder=folder_of(path)), **written}
    if in_nucleus and "secrets.source" not in written:
        given["secrets.source"] = _preset(SecretOrigin.GREENGRASS)
    # Not its key_file: that is for the connector's own copy, and perhaps not for others to read.
    values = _accepted(given, ["secrets.source", "secrets.variable", "secrets.path", "connector.definition"])
    return SecretPlace(
        source=values["secrets.source"],
        variable=values["secrets.variable"],
        file=values["secrets.path"],
        arn=_secret_arn(values, written),
    )


def _written(path: Path | None, environ: Mapping[str, str]) -> dict[str, Given]:
    file = read_file(path)
    environment = read_environment(environ)
    if file.problems or environment.problems:
        raise ConfigurationError([*file.problems, *environment.problems])
    return {**file.given, **environment.given}


def folder_of(path: Path | None) -> Path:
    """The folder from which relative paths start."""
    return Path.cwd() if path is None else path.absolute().parent


def _preset(word: str) -> Given:
    return Given(value=str(word), place="preset inside a Greengrass V2 nucleus", folder=Path.cwd())


def _accepted(given: Mapping[str, Given], names: Iterable[str]) -> dict[str, Any]:
    """The values of these settings alone; raises ConfigurationError for what is wrong with them."""
    values, problems = accept_all(given, names)
    problems += _placed(problems_between(values), given)
    if problems:
        raise ConfigurationError(problems)
    return values


def _secret_arn(values: Mapping[str, Any], written: Mapping[str, Given]) -> str | None:
    if values["connector.definition"] is None:
        arn = written.get(PARAMETERS + PublishedParameter.SECRET_ARN)
        return None if arn is None else str(arn.value)
    resolved = resolve(values, written)
    if isinstance(resolved, Unresolved):
        raise ConfigurationError(resolved.problems)
    return resolved.parameters.secret_arn


def accept_all(
    given: Mapping[str, Given], names: Iterable[str] | None = None, *, unread: list[str] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Every setting that is valid by itself, `None` where it is not set; and a problem for each other one.

    Without `names`, all settings, and those in tables. With a list for what is `unread`, the sentences about
    files that cannot be read come there instead.
    """
    values: dict[str, Any] = {} if names is not None else names_of_tables(given)
    problems: list[str] = []
    unused = files_not_in_use({name: one.value for name, one in given.items()})
    for name, kind in _kinds(given, names):
        value = _accept(kind, given[name], is_used=name not in unused) if name in given else None
        if isinstance(value, _UnreadableFile) and unread is not None:
            unread.append(f"{name} {value.demand}: the next start needs it ({given[name].place})")
            values[name] = value.path
        elif isinstance(value, Wrong):
            problems.append(f"{name} {value.demand} ({given[name].place})")
        else:
            values[name] = value
    return values, problems


def _kinds(given: Mapping[str, Given], names: Iterable[str] | None) -> Iterator[tuple[str, Kind[object]]]:
    """The settings of these names with their kinds; a key that a table lacks and needs is left out."""
    yield from ((name, SETTINGS[name].kind) for name in (SETTINGS if names is None else names))
    for table in tables_in(given) if names is None else ():
        for key, declared in TABLES[table.partition(".")[0]].keys.items():
            if f"{table}.{key}" in given or not declared.is_required:
                yield f"{table}.{key}", declared.kind


def _accept(kind: Kind[object], given: Given, *, is_used: bool) -> object:
    value = kind.accept(given.value)
    if isinstance(value, CredentialFile):
        return replace(value, path=given.folder / value.path)
    if not isinstance(value, Path):
        return value
    path = given.folder / value
    must_exist = is_used and isinstance(kind, FilePath) and kind.must_exist
    return _readable(path) if must_exist else path


def _readable(path: Path) -> Path | Wrong:
    try:
        # One call finds out whether the file exists, is plain, and may be read by this user.
        os.close(open_plain(path))
    except OSError as error:
        return _UnreadableFile(path=path, demand=f"= {shown(str(path))} cannot be read: {error.strerror}")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnreadableFile(Wrong):
    path: Path


def _placed(remarks: Iterable[Remark], given: Mapping[str, Given]) -> list[str]:
    return [f"{remark.sentence} ({given[remark.name].place})" for remark in remarks]


def _journal_place(values: Mapping[str, Any], written: Mapping[str, Given], *, folder: Path) -> Placed:
    """Where the journal is. A wrong URL that was already reported gets no second message."""
    url: Path | DatabaseAddress = values.get("journal.url", Path())
    return placed(url, folder=folder, is_written="journal.url" in written)


def _journal(values: Mapping[str, Any], written: Mapping[str, Given], *, folder: Path) -> JournalSettings:
    """The settings of a journal that is not the connector's own to place; raises ConfigurationError."""
    journal = _journal_place(values, written, folder=folder)
    if journal.problem:
        raise ConfigurationError([journal.problem])
    return _journal_settings(values, journal)


def _journal_settings(values: Mapping[str, Any], journal: Placed) -> JournalSettings:
    place = {"path": journal.path, "place": journal.place, "database": journal.database}
    return made(JournalSettings, "journal", values, **place)


def _said(*sentences: str) -> list[str]:
    return [sentence for sentence in sentences if sentence]


def _settings(
    values: Mapping[str, Any], given: Mapping[str, Given], resolved: Resolved, *, journal: Placed
) -> Settings:
    return Settings(
        connector=made(ConnectorSettings, "connector", values, version=resolved.version),
        parameters=resolved.parameters,
        transport=transport(values),
        secrets=secrets(values, journal=journal.path),
        journal=_journal_settings(values, journal),
        twilio=made(TwilioSettings, "twilio", values),
        delivery=made(DeliverySettings, "delivery", values),
        calls=made(CallSettings, "calls", values),
        tracking=made(TrackingSettings, "tracking", values),
        limits=limits(values),
        pace=paces(values),
        quiet_hours=quiet_hours(values),
        status=made(StatusSettings, "status", values),
        contacts=contacts(values),
        escalations=escalations(values),
        metrics=made(MetricsSettings, "metrics", values),
        health=made(HealthSettings, "health", values),
        heartbeat=made(HeartbeatSettings, "heartbeat", values),
        traces=made(TracesSettings, "traces", values),
        console=made(ConsoleSettings, "console", values),
        log=made(LogSettings, "log", values),
        warnings=(*resolved.warnings, *_placed(warnings_about(values), given)),
    )
