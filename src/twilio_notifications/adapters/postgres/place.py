"""Where a journal on PostgreSQL is: what may be said of its URL, and what is said where it cannot be used."""

from __future__ import annotations

import os
import ssl
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from twilio_notifications.adapters.journal.engine import DatabaseFault
from twilio_notifications.adapters.postgres.faults import fault_of
from twilio_notifications.core.errors import JournalError, JournalUnreachable

FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
"""Options of a URL that name files."""

_NAMELESS: Final = "the user of this process (the URL names none)"


def place_of(url: str) -> str:
    """Server and database, for sentences: without user, password and options."""
    parts = urlsplit(url)
    _, _, hosts = parts.netloc.rpartition("@")
    server = unquote(hosts) or next(iter(parse_qs(parts.query).get("host", ())), "")
    return f"postgresql://{server}/{unquote(parts.path.removeprefix('/'))}"


def refusal(url: str, error: Exception) -> JournalError:
    """What is wrong, and what to do."""
    match error:
        case JournalError():
            return error
        case asyncpg.PostgresError():
            return _by_the_server(url, error, said=_first_sentence(error))
        case _:
            return _on_the_way(url, error, said=_first_sentence(error))


def _by_the_server(url: str, error: asyncpg.PostgresError, *, said: str) -> JournalError:
    place, user = place_of(url), unquote(urlsplit(url).username or "")
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return JournalError(
                f"the server of the journal {place} refuses the login as {user or _NAMELESS}: wrong user "
                "or password, or pg_hba.conf does not allow it. Correct [journal] url, or the role: ALTER "
                "ROLE … PASSWORD …"
            )
        case asyncpg.InvalidCatalogNameError():
            return JournalError(
                f"the server of the journal {place} has no such database. Create it: createdb --owner=ROLE "
                "NAME"
            )
        case asyncpg.InsufficientPrivilegeError():
            return JournalError(
                f"the journal {place} cannot be used by {user or _NAMELESS}: {said}. The role must own "
                "the database, or its tables: ALTER DATABASE … OWNER TO …"
            )
        case asyncpg.TooManyConnectionsError():
            return JournalUnreachable(
                f"the server of the journal {place} takes no more connections: {said}. Each connector needs "
                "three, and a command up to two: raise max_connections of the server, or the CONNECTION "
                "LIMIT of the role or of the database."
            )
        case _:
            return _unknown(place, error, said=said)


def _on_the_way(url: str, error: Exception, *, said: str) -> JournalError:
    place = place_of(url)
    match error:
        case asyncpg.ClientConfigurationError():
            return JournalError(f"the journal {place} cannot be used. Correct [journal] url: {said}")
        case ConnectionError() if "rejected SSL upgrade" in said:  # the driver has no type of its own for it
            return JournalError(
                f"the server of the journal {place} takes no connections by TLS, which sslmode in [journal] "
                "url requires. Set ssl = on in postgresql.conf, with a certificate, or correct sslmode."
            )
        case OSError() if unreadable := _unreadable_file(url):
            return JournalError(f"the journal {place} cannot be used: in [journal] url, {unreadable}.")
        case ssl.SSLError():
            return JournalError(
                f"the server of the journal {place} cannot be reached by TLS: {said}. Correct sslmode and "
                "sslrootcert in [journal] url."
            )
        case OSError() | TimeoutError():
            return JournalUnreachable(
                f"the server of the journal {place} cannot be reached: {said or 'no answer in time'}. "
                "Start PostgreSQL, or correct [journal] url."
            )
        case _:
            return _unknown(place, error, said=said)


def _unknown(place: str, error: Exception, *, said: str) -> JournalError:
    if fault_of(error) is DatabaseFault.PASSING:
        return JournalUnreachable(f"the journal {place} cannot be used just now: {said}")
    return JournalError(f"the journal {place} cannot be used: {said}")


def _first_sentence(error: Exception) -> str:
    """Without the lines that the driver appends: they may quote rows, which hold numbers and texts."""
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError) and error.args:
        return str(error.args[0])
    return str(error)


def _unreadable_file(url: str) -> str | None:
    """Which option of the URL names a file that cannot be read, in a clause."""
    options = parse_qs(urlsplit(url).query)
    for option in FILES:
        path = next(iter(options.get(option, ())), None)
        if path is not None and not os.access(path, os.R_OK):
            return f"{option} names {path}, which cannot be read"
    return None
