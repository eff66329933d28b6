"""What follows deliveries: the plan of the configuration, and the endpoint for Twilio's callbacks."""

from __future__ import annotations

import secrets
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

from twilio_notifications.adapters.twilio import CallbackEndpoint, callback_listeners
from twilio_notifications.bootstrap.secrets import signature_source
from twilio_notifications.core.delivery import Following, Tracking
from twilio_notifications.pipeline.line.assembly import Calling
from twilio_notifications.pipeline.logins.signatures import SignatureTokens

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence

    from twilio_notifications.adapters.greengrass import Nucleus
    from twilio_notifications.config import Settings
    from twilio_notifications.pipeline.logins.credentials import Credentials
    from twilio_notifications.ports import CallbackTaker, Clock, Deliveries, Events

_SECRET_BYTES = 32


def tracking(settings: Settings) -> Tracking:
    """How deliveries are followed, and told."""
    return Tracking(
        following=settings.tracking.mode,
        initial=settings.tracking.poll_initial_seconds,
        give_up_after=settings.tracking.give_up_seconds,
        follow_up=settings.status.follow_up,
    )


async def calling(settings: Settings, journal: Deliveries) -> Calling:
    """How Twilio calls back."""
    url = settings.tracking.public_url
    secret = await journal.callback_secret(secrets.token_bytes(_SECRET_BYTES))
    mode = settings.tracking.mode
    return Calling(
        public_url=None if mode is Following.OFF else url,
        secret=secret,
        reports=mode is Following.CALLBACK,
    )


@contextmanager
def listeners(settings: Settings) -> Iterator[Sequence[socket.socket]]:
    """The sockets for callbacks, opened before the process is confined; none where nothing listens."""
    with ExitStack() as stack:
        address = settings.tracking.listen
        opened = [] if address is None else callback_listeners(*address)
        yield [stack.enter_context(each) for each in opened]


def signature_tokens(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    nucleus: Nucleus | None,
    credentials: Credentials,
    clock: Clock,
    events: Events,
) -> SignatureTokens:
    """By what Twilio signs."""
    source = signature_source(settings, environ, nucleus=nucleus)
    return SignatureTokens(source=source, credentials=credentials, clock=clock, events=events)


def endpoint(
    settings: Settings,
    sockets: Sequence[socket.socket],
    *,
    tokens: SignatureTokens,
    taker: CallbackTaker,
    events: Events,
) -> AbstractAsyncContextManager[object]:
    """Where callbacks arrive, not opened yet; on the sockets, where they are open already."""
    address, public_url = settings.tracking.listen, settings.tracking.public_url
    if address is None or public_url is None:
        return nullcontext()
    opened = sockets or callback_listeners(*address)
    return CallbackEndpoint(opened, public_url=public_url, tokens=tokens.current, taker=taker, events=events)
