"""Certificates for one test: an authority, a server on the loopback and a client, made for each test.

They are never stored in the repository, so nothing expires but what is to, and no key can leak.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """PEM files, for programs that want paths, and contexts, for those that want objects."""

    ca_file: Path
    server_certificate_file: Path
    server_key_file: Path
    client_certificate_file: Path
    client_key_file: Path

    def client_context(self, *, with_certificate: bool = False) -> ssl.SSLContext:
        """What a client needs that trusts the authority, and shows its own certificate if asked to."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if with_certificate:
            context.load_cert_chain(self.client_certificate_file, self.client_key_file)
        return context

    def server_context(self) -> ssl.SSLContext:
        """What a server on the loopback needs; it does not ask clients for a certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server_certificate_file, self.server_key_file)
        return context


def make_certificates(folder: Path, *, expired: bool = False) -> Certificates:
    """Issue them for `localhost` and 127.0.0.1 and write them into the folder; `expired`: since yesterday."""
    not_after = datetime.now(UTC) - timedelta(days=1) if expired else None
    server, client = folder / "server", folder / "client"
    for each in (server, client):
        each.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(client / "ca.pem")
    for role, names in {"server": ("localhost", "127.0.0.1"), "client": ("client.test",)}.items():
        issued = authority.issue_cert(*names, not_after=not_after)
        issued.cert_chain_pems[0].write_to_path(folder / role / f"{role}.pem")
        issued.private_key_pem.write_to_path(folder / role / f"{role}.key")
    return Certificates(
        ca_file=client / "ca.pem",
        server_certificate_file=server / "server.pem",
        server_key_file=server / "server.key",
        client_certificate_file=client / "client.pem",
        client_key_file=client / "client.key",
    )
