"""TLS to the broker: which certificates are accepted, and that nothing of the session is written down."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.adapters.mqtt_steps import transport_settings
from tests.support.certificates import make_certificates
from twilio_notifications.adapters.mqtt.opening import tls_context

if TYPE_CHECKING:
    from pathlib import Path

HOST = "broker.test"


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new context insists on what RFC 5280 asks for, as from Python 3.13 on with the defaults."""
    new = ssl.SSLContext.__new__

    def strict_new(cls: type[ssl.SSLContext], *arguments: Any) -> ssl.SSLContext:
        context: ssl.SSLContext = new(cls, *arguments)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl.SSLContext, "__new__", strict_new)


def make_old_style(folder: Path) -> tuple[Path, Path]:
    """Files of an authority without a key usage, as mosquitto-tls(7) makes it, and of a server it signed."""
    authority, key = _signed("authority", None, None)
    server, server_key = _signed(HOST, authority, key)
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    pem = serialization.Encoding.PEM
    ca_file.write_bytes(authority.public_bytes(pem))
    private = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    server_file.write_bytes(server.public_bytes(pem) + private)
    return ca_file, server_file


def _signed(
    name: str, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    building = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
    if issuer is None:
        building = building.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    else:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        building = building.add_extension(names, critical=False)
    return building.sign(issuer_key or key, hashes.SHA256()), key


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """A whole handshake in memory; raises what the client has against the server."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for end in ends[:]:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
    assert not ends, "the handshake did not end"


def client_context(ca_file: Path, **settings: object) -> ssl.SSLContext:
    context = tls_context(transport_settings(f"mqtts://{HOST}", ca_file=ca_file, **settings))
    assert context is not None
    return context


def server_context(certificate_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file)
    return context


@pytest.mark.usefixtures("strict")
def test_an_authority_without_a_key_usage_is_accepted_with_every_python(tmp_path: Path) -> None:
    ca_file, server_file = make_old_style(tmp_path)
    shake_hands(client_context(ca_file), server_context(server_file), HOST)


@pytest.mark.usefixtures("strict")
def test_certificate_and_host_name_are_checked_all_the_same(tmp_path: Path) -> None:
    ca_file, server_file = make_old_style(tmp_path)
    other = make_certificates(tmp_path / "other").ca_file
    server = server_context(server_file)
    with pytest.raises(ssl.SSLCertVerificationError, match="ostname mismatch"):
        shake_hands(client_context(ca_file), server, "somewhere.test")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client_context(other), server, HOST)


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    context = client_context(make_old_style(tmp_path)[0])
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_the_keys_of_the_session_are_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    ca_file, server_file = make_old_style(tmp_path)
    shake_hands(client_context(ca_file), server_context(server_file), HOST)
    assert not keys.exists()


def test_the_protocols_of_alpn_are_offered(tmp_path: Path) -> None:
    ca_file, server_file = make_old_style(tmp_path)
    server = server_context(server_file)
    server.set_alpn_protocols(["x-amzn-mqtt-ca"])
    offered: list[str | None] = []
    server.sni_callback = lambda end, *_: offered.append(end.selected_alpn_protocol())
    shake_hands(client_context(ca_file, alpn='["x-amzn-mqtt-ca"]'), server, HOST)
    assert offered


def test_the_authorities_of_the_system_are_used_where_none_is_named() -> None:
    context = tls_context(transport_settings(f"mqtts://{HOST}"))
    assert context is not None
    expected = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    expected.load_default_certs()
    assert expected.cert_store_stats() == context.cert_store_stats()
