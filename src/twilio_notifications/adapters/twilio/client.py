"""The HTTP client: how it is made, whom it trusts, and how much of an answer it reads.

An answer is read in pieces and without decoding, up to a bound: a server that sends gigabytes, or a few bytes
that unpack to gigabytes, costs no more memory than the bound.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from twilio_notifications.adapters.twilio.answers import causes_of
from twilio_notifications.config.files import read_plain
from twilio_notifications.config.urls import is_loopback
from twilio_notifications.core.model import NotSent

if TYPE_CHECKING:
    from pathlib import Path

    from pyreqwest.client import Client
    from pyreqwest.request import RequestBuilder
    from pyreqwest.response import Response

CONNECT_SHARE = 0.5
"""The share of the time-out that connecting may take, at most CONNECT_LIMIT_SECONDS. It must end before the
whole does: a time-out while connecting is surely not sent, a time-out of the whole is doubt."""
CONNECT_LIMIT_SECONDS = 10.0

IDLE_SECONDS = 25.0
"""How long an unused connection is kept. Shorter than common idle limits of load balancers (60 s) and NAT
gateways, so that a POST is rarely written to a connection that the other side is just closing."""

NO_AUTHORITY = b"""-----BEGIN CERTIFICATE-----
MIIBMDCB2KADAgECAgEBMAoGCCqGSM49BAMCMBgxFjAUBgNVBAMMDXRydXN0cyBu
byBvbmUwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMTAyMDAwMDAwWjAYMRYwFAYDVQQD
DA10cnVzdHMgbm8gb25lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmvWms+hP
zM2rJGsirOrxJLRJsxtwBP1dRMO/Juf5f8dNINiEsnYJHEcTLtlgEr8y8OE0QETu
sRaweFrrEk+sbKMTMBEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBE
AiBt87Vjf1MQlUkKEeUtzbFE3ine+CQPcukevoYiOiybRgIgCka1d0S7Y61VUEKK
YB6W2EPzVj5KJHljzn5MiQYR+Z8=
-----END CERTIFICATE-----
"""
"""An authority whose key exists nowhere. With it alone the client can be made on a system that has no
authorities, for http://, and trusts no certificate at all."""

_NO_CERTIFICATES = "No CA certificates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    body: bytes = field(repr=False)
    date: str | None = None
    retry_after: str | None = None
    is_encoded: bool = False
    """Its body has a Content-Encoding, and stands here as it came."""


class Clients:
    """The HTTP client for one origin, replaced where the file of authorities is.

    The client before it ends with the last request that it has under way. One that could not be made is tried
    again with the next request.
    """

    def __init__(self, origin: str, *, timeout_seconds: float, ca_file: Path | None) -> None:
        self._origin = origin
        self._timeout_seconds = timeout_seconds
        self._ca_file = ca_file
        self._ca_file_seen: object = None
        self._client: Client | None = None

    def current(self) -> Client | NotSent:
        """The client for the next request; NotSent says why there is none, and what to do."""
        if self._ca_file is None:
            if self._client is None:
                return self._made(None)
            return self._client
        try:
            found = self._ca_file.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._client is not None and seen == self._ca_file_seen:
                return self._client
            certificates = read_plain(self._ca_file)
            _require_certificates(certificates)
        except (ssl.SSLError, ValueError):
            return NotSent(detail=f"{self._ca_file} holds no certificate that can be read ([twilio] ca_file)")
        except OSError as error:
            why = error.strerror
            return NotSent(detail=f"{self._ca_file} cannot be read: {why} ([twilio] ca_file)")
        self._ca_file_seen = seen
        return self._made(certificates)

    async def close(self) -> None:
        """Ends the current client, if there is one."""
        if self._client is not None:
            await self._client.close()

    def _made(self, certificates: bytes | None) -> Client | NotSent:
        try:
            self._client = _client(self._origin, self._timeout_seconds, certificates)
        except (PyreqwestError, RuntimeError) as error:  # its runtime raises the latter
            self._client = None
            cause = causes_of(error)[-1]
            if _NO_CERTIFICATES not in cause:
                return NotSent(detail=f"the HTTP client cannot be made: {cause}")
            return NotSent(
                detail="this system has no certificates of authorities, or they cannot be read: install the "
                "package ca-certificates, or name a file of them in [twilio] ca_file or in SSL_CERT_FILE"
            )
        return self._client


def _client(origin: str, timeout_seconds: float, ca_certificates: bytes | None) -> Client:
    """Raises PyreqwestError or RuntimeError."""
    try:
        return _builder(origin, timeout_seconds, ca_certificates).build()
    except PyreqwestError:
        if ca_certificates is not None or not origin.startswith("http:"):
            raise
        return _builder(origin, timeout_seconds, NO_AUTHORITY).build()


def _builder(origin: str, timeout_seconds: float, ca_certificates: bytes | None) -> ClientBuilder:
    connect_seconds = min(timeout_seconds * CONNECT_SHARE, CONNECT_LIMIT_SECONDS)
    builder = (
        ClientBuilder()
        .user_agent("twilio-notifications")
        .timeout(timedelta(seconds=timeout_seconds))
        .connect_timeout(timedelta(seconds=connect_seconds))
        .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
        .follow_redirects(enable=False)
        .referer(enable=False)
        .gzip(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .deflate(enable=False)
        .default_headers({"Accept-Encoding": "identity"})
    )
    if is_loopback(origin):
        # The environment's proxy is for the way to Twilio; what is on this machine it could not even reach.
        builder = builder.no_proxy()
    if ca_certificates is not None:
        builder = builder.add_root_certificate_pem(ca_certificates)
    return builder


def _require_certificates(pem: bytes) -> None:
    """Raises ValueError or ssl.SSLError; the HTTP client takes a file without any certificate in silence."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii", "ignore"))


async def read_reply(request: RequestBuilder, *, limit: int) -> Reply | None:
    """Makes the request and reads its answer, at most `limit` bytes of its body; None: it has more.

    Raises PyreqwestError. What is not read is never held in memory: leaving ends the connection.
    """
    async with request.build_streamed() as response:
        body = await _read_body(response, limit=limit)
        if body is None:
            return None
        return Reply(
            status=response.status,
            body=body,
            date=_header(response, "Date"),
            retry_after=_header(response, "Retry-After"),
            is_encoded=(_header(response, "Content-Encoding") or "identity").strip().lower() != "identity",
        )


async def _read_body(response: Response, *, limit: int) -> bytes | None:
    length = _header(response, "Content-Length")
    if length is not None and length.isdecimal() and int(length) <= limit:
        # The protocol ends the body there. One look costs a third of reading it in pieces.
        return bytes(await response.bytes())
    body = bytearray()
    while (piece := await response.body_reader.read_chunk()) is not None:
        if len(body) + len(piece) > limit:
            return None
        body += piece
    return bytes(body)


def _header(response: Response, name: str) -> str | None:
    """None as well where it is no text: an answer that was given must not be lost over it."""
    try:
        return response.get_header(name)
    except ValueError:
        return None
