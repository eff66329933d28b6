"""What the Twilio adapter makes of no answer: surely not sent, or not known. Each on real sockets.

Taking doubt for certainty would send a text twice; the other mistake only costs a look at the records.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.adapters.twilio_steps import LOGIN, a_sender
from tests.support.certificates import make_certificates
from tests.support.factories import a_notification
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_http import HOST, Exchange, RawHttp
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.model import Answered, NotSent, Unanswered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from twilio_notifications.core.model import Answer

    Script = Callable[[Exchange], Awaitable[None]]

SHORT = 0.3


async def send_to(url: str, *, timeout_seconds: float = WAIT_SECONDS, ca: Path | None = None) -> Answer:
    async with a_sender(url, timeout_seconds=timeout_seconds, ca_file=ca) as sender:
        return await sender.send(a_notification(), LOGIN)


async def created(exchange: Exchange) -> None:
    exchange.answer(201, b'{"sid": "SM1", "status": "queued"}')


async def hang_up(exchange: Exchange) -> None:
    exchange.hang_up()


async def never(exchange: Exchange) -> None:
    await exchange.wait_for_the_end()


# Surely not sent


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken and on which no program listens: connections to it are refused."""
    with socket.socket() as seat:
        seat.bind((HOST, 0))
        yield seat.getsockname()[1]


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: the next one gets no answer, as behind a firewall."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


async def test_a_refused_connection_is_surely_not_sent(closed_port: int) -> None:
    assert isinstance(await send_to(f"http://{HOST}:{closed_port}"), NotSent)


async def test_a_name_that_cannot_be_resolved_is_surely_not_sent() -> None:
    assert isinstance(await send_to("http://twilio.invalid"), NotSent)


async def test_a_connection_that_does_not_come_about_in_time_is_surely_not_sent(full_port: int) -> None:
    assert isinstance(await send_to(f"http://{HOST}:{full_port}", timeout_seconds=SHORT), NotSent)


async def test_a_tls_handshake_that_does_not_end_is_surely_not_sent() -> None:
    """The server accepts, and says nothing to our greeting."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        url = f"https://{HOST}:{listener.getsockname()[1]}"
        assert isinstance(await send_to(url, timeout_seconds=SHORT), NotSent)


async def test_tls_to_a_port_without_it_is_surely_not_sent() -> None:
    async with RawHttp(created) as server:
        url = server.url.replace("http://", "https://")
        assert isinstance(await send_to(url, timeout_seconds=SHORT), NotSent)
        assert [] == server.asked


@pytest.mark.parametrize("trusts", ["nobody else", "a stranger"])
async def test_a_certificate_of_a_stranger_is_surely_not_sent(tmp_path: Path, trusts: str) -> None:
    certificates = make_certificates(tmp_path / "server")
    stranger = make_certificates(tmp_path / "stranger").ca_file if trusts == "a stranger" else None
    async with RawHttp(created, tls=certificates.server_context()) as server:
        assert isinstance(await send_to(server.url, ca=stranger), NotSent)
        assert [] == server.asked


async def test_a_certificate_for_another_name_is_surely_not_sent(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.client_certificate_file, certificates.client_key_file)
    async with RawHttp(created, tls=context) as server:
        assert isinstance(await send_to(server.url, ca=certificates.ca_file), NotSent)
        assert [] == server.asked


async def test_a_certificate_that_has_expired_is_surely_not_sent_and_said(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, expired=True)
    async with RawHttp(created, tls=certificates.server_context()) as server:
        answer = await send_to(server.url, ca=certificates.ca_file)
        assert isinstance(answer, NotSent)
        assert "certificate expired" in answer.detail
        assert [] == server.asked


async def test_a_file_of_authorities_that_is_replaced_is_used_at_the_next_connection(tmp_path: Path) -> None:
    """The server has a certificate of a new authority, whose file takes the place of the old one."""
    old, new = make_certificates(tmp_path / "old"), make_certificates(tmp_path / "new")
    async with (
        RawHttp(created, tls=new.server_context()) as server,
        a_sender(server.url, ca_file=old.ca_file) as sender,
    ):
        assert isinstance(await sender.send(a_notification(), LOGIN), NotSent)
        new.ca_file.replace(old.ca_file)
        assert isinstance(await sender.send(a_notification(), LOGIN), Answered)
        assert isinstance(await sender.send(a_notification(), LOGIN), Answered)
        assert 2 == len(server.asked)


async def test_what_is_under_way_when_the_file_is_replaced_comes_to_its_end(tmp_path: Path) -> None:
    old, new = make_certificates(tmp_path / "old"), make_certificates(tmp_path / "new")
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(exchange: Exchange) -> None:
        asked.set()
        await go_on.wait()
        await created(exchange)

    async with (
        RawHttp(slowly, tls=old.server_context()) as server,
        a_sender(server.url, ca_file=old.ca_file) as sender,
    ):
        first = asyncio.create_task(sender.send(a_notification(), LOGIN))
        await asyncio.wait_for(asked.wait(), WAIT_SECONDS)
        new.ca_file.replace(old.ca_file)
        assert isinstance(await sender.send(a_notification(), LOGIN), NotSent)
        go_on.set()
        assert isinstance(await first, Answered)


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
async def test_a_file_of_authorities_that_is_spoilt_is_named_and_waited_for(
    tmp_path: Path, content: bytes | None
) -> None:
    """Surely not sent: the request waits until the file is in order again, as for the network."""
    certificates = make_certificates(tmp_path)
    good = certificates.ca_file.read_bytes()
    async with (
        RawHttp(created, tls=certificates.server_context()) as server,
        a_sender(server.url, ca_file=certificates.ca_file) as sender,
    ):
        spoil(certificates.ca_file, content)
        answer = await sender.send(a_notification(), LOGIN)
        assert isinstance(answer, NotSent)
        assert f"{certificates.ca_file} " in answer.detail
        assert "[twilio] ca_file" in answer.detail
        assert not await sender.reachable()
        certificates.ca_file.write_bytes(good)
        assert await sender.reachable()
        assert isinstance(await sender.send(a_notification(), LOGIN), Answered)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
async def test_a_start_with_a_spoilt_file_of_authorities_is_a_configuration_error(
    tmp_path: Path, content: bytes | None
) -> None:
    spoil(tmp_path / "ca.pem", content)
    with pytest.raises(ConfigurationError, match=r"\[twilio\] ca_file"):
        await a_sender("https://127.0.0.1:1", ca_file=tmp_path / "ca.pem").__aenter__()


def spoil(path: Path, content: bytes | None) -> None:
    """None: it is removed."""
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(content)


async def test_a_certificate_of_an_authority_that_is_trusted_is_accepted(tmp_path: Path) -> None:
    """So that the refusals above are refusals of what they say."""
    certificates = make_certificates(tmp_path)
    async with RawHttp(created, tls=certificates.server_context()) as server:
        assert isinstance(await send_to(server.url, ca=certificates.ca_file), Answered)


# Not known


async def half_a_head(exchange: Exchange) -> None:
    exchange.say(b"HTTP/1.1 201 Created\r\nContent-Le")
    exchange.hang_up()


async def half_a_body(exchange: Exchange) -> None:
    exchange.say(b'HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"sid": "SM1"')
    exchange.hang_up()


async def half_a_chunk(exchange: Exchange) -> None:
    exchange.say(b'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n{"sid": "SM1"')
    exchange.hang_up()


async def another_protocol(exchange: Exchange) -> None:
    exchange.say(b"SSH-2.0-OpenSSH_9.6\r\n")
    exchange.hang_up()


@pytest.mark.parametrize("script", [hang_up, half_a_head, half_a_body, half_a_chunk, another_protocol])
async def test_a_connection_that_ends_before_the_answer_does_is_doubt(script: Script) -> None:
    async with RawHttp(script) as server:
        assert isinstance(await send_to(server.url), Unanswered)
        assert 1 == len(server.asked), "it must not be sent again by itself"


async def test_a_connection_that_is_reset_after_the_request_is_doubt() -> None:
    async def reset(exchange: Exchange) -> None:
        exchange._writer.transport.abort()

    async with RawHttp(reset) as server:
        assert isinstance(await send_to(server.url), Unanswered)
        assert 1 == len(server.asked)


async def head_and_silence(exchange: Exchange) -> None:
    exchange.say(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n")
    await exchange.wait_for_the_end()


@pytest.mark.parametrize("script", [never, head_and_silence])
async def test_an_answer_that_does_not_come_in_time_is_doubt(script: Script) -> None:
    async with RawHttp(script) as server:
        async with asyncio.timeout(WAIT_SECONDS):
            assert isinstance(await send_to(server.url, timeout_seconds=SHORT), Unanswered)
        assert 1 == len(server.asked)


async def test_a_kept_connection_that_ends_under_the_next_request_is_doubt_and_no_second_request() -> None:
    """HTTP clients like to repeat what they wrote to a connection that was just closing."""
    async with RawHttp(created, hang_up, created) as server, a_sender(server.url) as sender:
        assert isinstance(await sender.send(a_notification(), LOGIN), Answered)
        assert isinstance(await sender.send(a_notification(), LOGIN), Unanswered)
        assert (1, 2) == (server.connections, len(server.asked))


async def test_a_kept_connection_that_has_ended_is_replaced() -> None:
    async def answer_and_hang_up(exchange: Exchange) -> None:
        exchange.answer(201, b'{"sid": "SM1", "status": "queued"}', Connection="close")
        exchange.hang_up()

    async with RawHttp(answer_and_hang_up) as server, a_sender(server.url) as sender:
        for _ in range(3):
            assert isinstance(await sender.send(a_notification(), LOGIN), Answered)
        assert (3, 3) == (server.connections, len(server.asked))


# Whether there is a network


async def test_a_server_is_reachable_whatever_it_answers() -> None:
    async def refuse(exchange: Exchange) -> None:
        exchange.answer(404, b"")

    for script in (refuse, hang_up):
        async with RawHttp(script) as server, a_sender(server.url) as sender:
            assert await sender.reachable()


async def test_nobody_is_not_reachable(closed_port: int) -> None:
    async with a_sender(f"http://{HOST}:{closed_port}") as sender:
        assert not await sender.reachable()


async def test_what_could_not_be_reached_is_said_with_its_cause(closed_port: int) -> None:
    answer = await send_to(f"http://{HOST}:{closed_port}")
    assert isinstance(answer, NotSent)
    assert "refused" in answer.detail
