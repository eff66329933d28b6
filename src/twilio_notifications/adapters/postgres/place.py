"""Where a journal on PostgreSQL is: what may be said of its URL, and what is said where it cannot be used."""

from __future__ import annotations

import ssl
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from twilio_notifications.adapters.journal.engine import DatabaseFault
from twilio_notifications.adapters.postgres.faults import fault_of
from twilio_notifications.core.errors import JournalError, JournalUnreachable


def place_of(url: str) -> str:
    """Server and database, for sentences: without user, password and options."""
    parts = urlsplit(url)
    _, _, hosts = parts.netloc.rpartition("@")
    server = unquote(hosts) or next(iter(parse_qs(parts.query).get("host", ())), "")
    return f"postgresql://{server}/{unquote(parts.path.removeprefix('/'))}"


def refusal(url: str, error: Exception) -> JournalError:
    """What is wrong, and what to do."""
    place, user = place_of(url), unquote(urlsplit(url).username or "")
    match error:
        case JournalError():
            return error
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return JournalError(
                f"the server of the journal {place} refuses the login as {user or 'this user'}: wrong user "
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
                f"the journal {place} cannot be used by {user or 'this user'}: {error}. The role must own "
                "the database, or its tables: ALTER DATABASE … OWNER TO …"
            )
        case ssl.SSLError():
            return JournalError(
                f"the server of the journal {place} cannot be reached by TLS: {error}. Correct sslmode and "
                "sslrootcert in [journal] url."
            )
        case OSError() | TimeoutError():
            return JournalUnreachable(
                f"the server of the journal {place} cannot be reached: {str(error) or 'no answer in time'}. "
                "Start PostgreSQL, or correct [journal] url."
            )
        case _ if fault_of(error) is DatabaseFault.PASSING:
            return JournalUnreachable(f"the journal {place} cannot be used just now: {error}")
        case _:
            return JournalError(f"the journal {place} cannot be used: {error}")
