"""Makes the HTTP client, chooses the certificate authorities that it trusts, and reads answers up to a bound.

It reads an answer in pieces and without decoding. So a server that sends gigabytes, or a few bytes that
unpack to gigabytes, takes no more memory than the bound.
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
"""The share of the time-out that connecting may take, at most CONNECT_LIMIT_SECONDS. Connecting must time out
before the whole request does: then the request was certainly not sent, and is not in doubt."""
CONNECT_LIMIT_SECONDS = 10.0

IDLE_SECONDS = 25.0
"""The seconds for which an unused connection is kept. They are fewer than the common idle limits of load
balancers (60 s) and NAT gateways, so that a POST is rarely written to a connection that the other side is
closing."""

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
"""A certificate authority whose key does not exist. On a system without authorities, the client for
http:// can be made with it, and trusts no certificate at all."""

_NO_CERTIFICATES = "No CA certificates"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """An HTTP answer with its whole body."""

    status: int
    body: bytes = field(repr=False)
    date: str | None = None
    retry_after: str | None = None
    is_encoded: bool = False
    """Whether the body has a Content-Encoding. `body` then holds the encoded bytes."""


class Clients:
    """The HTTP client for one origin, and its replacement when the file of authorities is replaced.

    A replaced client ends with its last request under way. If a client cannot be made, the next request tries
    again.
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
                return self._make(None)
            return self._client
        try:
            found = self._ca_file.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._client is not None and seen == self._ca_file_seen:
                return self._client
            certificates = read_plain(self._ca_file)
            # The HTTP client would accept a file without a certificate.
            trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusted.load_verify_locations(cadata=certificates.decode("ascii", "ignore"))
        except (ssl.SSLError, ValueError):
            return NotSent(detail=f"{self._ca_file} holds no readable certificate ([twilio] ca_file)")
        except OSError as error:
            why = error.strerror
            return NotSent(detail=f"{self._ca_file} cannot be read: {why} ([twilio] ca_file)")
        self._ca_file_seen = seen
        return self._make(certificates)

    async def close(self) -> None:
        """Ends the current client, if there is one."""
        if self._client is not None:
            await self._client.close()

    def _make(self, certificates: bytes | None) -> Client | NotSent:
        try:
            self._client = _client(self._origin, self._timeout_seconds, certificates)
        except (PyreqwestError, RuntimeError) as error:  # pyreqwest's runtime raises RuntimeError
            self._client = None
            cause = causes_of(error)[-1]
            if _NO_CERTIFICATES not in cause:
                return NotSent(detail=f"the HTTP client cannot be made: {cause}")
            return NotSent(
                detail="this system has no readable certificates of authorities: install the package "
                "ca-certificates, or name a file with certificates in [twilio] ca_file or in SSL_CERT_FILE"
            )
        return self._client


def _client(origin: str, timeout_seconds: float, ca_certificates: bytes | None) -> Client:
    """A new client for the origin.

    `ca_certificates` None: the system's. Raises PyreqwestError or RuntimeError.
    """
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
        # The environment's proxy is for Twilio; it cannot reach a server on this machine.
        builder = builder.no_proxy()
    if ca_certificates is not None:
        builder = builder.add_root_certificate_pem(ca_certificates)
    return builder


async def read_reply(request: RequestBuilder, *, limit: int) -> HttpReply | None:
    """Makes the request and reads its answer; None where the body has more than `limit` bytes.

    Raises PyreqwestError. The rest of a body that is too long is never held: the connection is closed.
    """
    async with request.build_streamed() as response:
        body = await _read_body(response, limit=limit)
        if body is None:
            return None
        return HttpReply(
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
    """The header.

    None where it is missing or no text, because the answer must not be lost over one header.
    """
    try:
        return response.get_header(name)
    except ValueError:
        return None
