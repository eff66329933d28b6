"""[console]: where the web console listens, and who may sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.config.keys import Key, Section, key, keys_of
from twilio_notifications.config.kinds import Seconds, Switch, Tables, Text, Written
from twilio_notifications.config.urls import Wrong, is_loopback_host, read_listen_address, read_web_url
from twilio_notifications.core.password_hash import read_password_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.config.keys import Values
    from twilio_notifications.core.password_hash import PasswordHash


TOKEN_PERSON = "token"  # noqa: S105 - no token, but the name under which orders by one stand


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleUser:
    """A person who may sign in."""

    name: str
    password_hash: PasswordHash = field(repr=False)


_HASH = Written(
    description='a hash as "twilio-notifications console hash-password" prints it, and never the password',
    read=read_password_hash,
    may_be_empty=True,
    is_shown=False,
)

USER_KEYS: Mapping[str, Key] = {
    "name": Key(
        kind=Text(maximum=64),
        text="the name to sign in with; orders and the log have it",
        example="darla",
        is_required=True,
    ),
    "password_hash": Key(
        kind=_HASH,
        text='what "twilio-notifications console hash-password" prints for the password',
        example="scrypt:15:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        is_required=True,
    ),
}


def _read_user(values: Values) -> ConsoleUser | Wrong:
    if values["name"] != values["name"].strip():
        return Wrong(demand="name must not begin or end with a space, with which a person cannot sign in")
    return ConsoleUser(name=values["name"], password_hash=values["password_hash"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """Where the console listens, as host and port, and who may sign in.

    `public_url` has no slash at its end; None where no proxy stands in front. `token_hash` is None where no
    token signs in.
    """

    listen: tuple[str, int] = key(
        Written(description='HOST:PORT, as in "127.0.0.1:8377"', read=read_listen_address),
        """Where the console listens, as HOST:PORT. Beyond the loopback only with users or a token_hash. With
        port 0 the system chooses a free one; the console prints which.""",
        default="127.0.0.1:8377",
    )
    users: tuple[ConsoleUser, ...] = key(
        Tables(noun="user", keys=USER_KEYS, read=_read_user),
        """Who may sign in, as in [{ name = "darla", password_hash = "scrypt:…" }]. Without users and without
        token_hash the console asks for no sign-in, and everyone who has an account on this machine can use
        it. In each user:""",
        default=[],
    )
    token_hash: PasswordHash | None = key(
        _HASH,
        """The hash of a token that signs in without a name, made as for a password. Orders then have the name
        "token".""",
        default="",
    )
    public_url: str | None = key(
        Written(
            description="an https:// URL without a path", read=read_web_url, may_be_empty=True, is_shown=False
        ),
        """How browsers reach the console where a proxy with a certificate stands in front of it, as in
        "https://alarms.example.com". Cookies are then sent by https:// alone.""",
        default="",
    )
    session_seconds: float = key(
        Seconds(),
        "How long a sign-in lasts: 12 hours. A new start of the console ends it too.",
        default=43200,
    )
    isolation: bool = key(
        Switch(),
        """Whether the console confines its process to the files and ports that it needs, where the kernel
        offers Landlock.""",
        default=True,
    )

    @property
    def asks_for_sign_in(self) -> bool:
        """Whether a browser must sign in."""
        return bool(self.users) or self.token_hash is not None

    @property
    def is_local(self) -> bool:
        """Whether it listens on the loopback alone."""
        return is_loopback_host(self.listen[0])


CONSOLE = Section(
    name="console",
    text="""The web console, `twilio-notifications console`, a process of its own. Needs the extra
    "console".""",
    keys=keys_of(ConsoleSettings),
)
