"""`check`: what is wrong with the configuration, then with isolation, journal, secret, broker and Twilio.

It sends nothing, changes nothing, and disturbs no connector that is running.
"""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import TYPE_CHECKING

from twilio_notifications import bootstrap, terminal
from twilio_notifications.adapters import log
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.mqtt.opening import describe, open_visitor
from twilio_notifications.adapters.mqtt.promises import shortfalls
from twilio_notifications.commands import isolation, secrets
from twilio_notifications.commands.notes import notes
from twilio_notifications.commands.offline import Finding, certificates, journal, metrics
from twilio_notifications.config import TransportKind, load
from twilio_notifications.core.errors import TransportError
from twilio_notifications.core.model import Answered, NotSent, Unanswered, Unreadable
from twilio_notifications.core.secret_text import oddity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.config import Settings
    from twilio_notifications.core.model import Answer, Login

_OK = 200
_UNAUTHORIZED = frozenset({401, 403})
_NOT_FOUND = 404
_TEST_CREDENTIALS = 20_008


def check(config: Path | None, *, offline: bool, environ: Mapping[str, str]) -> int:
    """Prints the findings; 0 when all is well, 1 otherwise. Raises ConfigurationError."""
    settings = load(config, environ)
    bootstrap.require_available(settings, environ)
    log.configure(level="ERROR", form=settings.log.format)
    findings = [
        _configuration(settings, config),
        *certificates(settings),
        _isolation(settings, config, environ),
        journal(settings),
        *metrics(settings),
    ]
    tried, remarks = asyncio.run(_tried(settings, offline=offline, environ=environ))
    findings += tried
    standing = (*settings.warnings, *notes(settings), *isolation.notes(settings, config, environ))
    for warning in (*standing, *remarks):
        terminal.say(f"note  {warning}")
    for finding in findings:
        terminal.say(f"{finding}")
    return 0 if all(finding.works for finding in findings) else 1


def _configuration(settings: Settings, config: Path | None) -> Finding:
    source = "environment alone" if config is None else str(config)
    sentence = f"{source}: connector version {settings.connector.version}"
    return Finding(subject="configuration", works=True, sentence=sentence)


def _isolation(settings: Settings, config: Path | None, environ: Mapping[str, str]) -> Finding:
    works, sentence = isolation.outlook(settings, config, environ)
    return Finding(subject="isolation", works=works, sentence=sentence)


async def _tried(
    settings: Settings, *, offline: bool, environ: Mapping[str, str]
) -> tuple[list[Finding], list[str]]:
    seen = await secrets.look(settings, environ=environ, offline=offline, now=SystemClock().now())
    findings = [Finding(subject=each.subject, works=each.works, sentence=each.sentence) for each in seen]
    remarks = [
        f"{each.subject}: it {odd}, which no token of Twilio has: look whether it was copied well"
        for each in seen
        if each.login is not None and (odd := oddity(each.login.secret))
    ]
    if offline:
        return findings, remarks
    findings.append(await _transport(settings, environ))
    for each in seen:
        if each.login is not None:
            whose = "credentials" if each.subject == "secret" else each.subject
            finding, about_the_number = await _twilio(settings, each.login, whose=whose)
            findings.append(finding)
            remarks += [remark for remark in about_the_number if remark not in remarks]
    return findings, remarks


async def _transport(settings: Settings, environ: Mapping[str, str]) -> Finding:
    if settings.transport.kind is TransportKind.MQTT:
        return await _broker(settings)
    try:
        async with bootstrap.greengrass.nucleus(settings, environ):
            return Finding(subject="nucleus", works=True, sentence="takes the connection of this component")
    except TransportError as error:
        return Finding(subject="nucleus", works=False, sentence=str(error))


async def _broker(settings: Settings) -> Finding:
    """With a client identifier of its own: the connector's would throw a running one out of its session."""
    transport = settings.transport
    client_id = f"{transport.client_id}-check-{token_hex(4)}"
    try:
        session = await open_visitor(transport, client_id, topics=[transport.topics.status])
    except (OSError, TransportError) as error:
        sentence = f"{transport.address}: {describe(error, transport)}"
        return Finding(subject="broker", works=False, sentence=sentence)
    await session.close()
    missing = shortfalls(session)
    if missing:
        sentence = f"{transport.address}: {'; '.join(missing)}"
        return Finding(subject="broker", works=False, sentence=sentence)
    sentence = f"{transport.address} answers, protocol level {session.version.value}"
    return Finding(subject="broker", works=True, sentence=sentence)


async def _twilio(settings: Settings, login: Login, *, whose: str) -> tuple[Finding, list[str]]:
    """What Twilio says to the login, and a remark where the default sender number may not be usable."""
    async with bootstrap.twilio_sender(settings, clock=SystemClock()) as sender:
        answer = await sender.verify(login)
        works, sentence = _said(answer, settings, whose=whose)
        number = settings.parameters.default_sender_number
        if not (works and number and isinstance(answer, Answered) and answer.http_status == _OK):
            return Finding(subject="twilio", works=works, sentence=sentence), []
        owned = await sender.owns(number, login)
    if owned is True:
        sentence += f", and {number} is one of the account's numbers"
        return Finding(subject="twilio", works=works, sentence=sentence), []
    remark = (
        f"whether the account owns DefaultFromPhoneNumber {number} cannot be seen: {owned.detail}"
        if isinstance(owned, Unreadable)
        else f"DefaultFromPhoneNumber {number} is none of the account's numbers: Twilio refuses it (21606, "
        "21210) unless it is a number that is hosted, verified as a caller ID, or a short code"
    )
    return Finding(subject="twilio", works=works, sentence=sentence), [remark]


def _said(answer: Answer, settings: Settings, *, whose: str) -> tuple[bool, str]:
    where = settings.twilio.base_url
    match answer:
        case Answered(http_status=status) if status == _OK:
            return True, f"{where} accepts the {whose}"
        case Answered(code=code) if code == _TEST_CREDENTIALS:
            return True, f"{where} knows the {whose} as test credentials: nothing that they send arrives"
        case Answered(http_status=status) if status in _UNAUTHORIZED:
            return False, f"{where} refuses the {whose}: check TWILIO_ACCOUNT_SID and the auth token"
        case Answered(http_status=status, message=message):
            remedy = ". Check base_url in [twilio], and TWILIO_ACCOUNT_SID" if status == _NOT_FOUND else ""
            return False, f"{where} answered HTTP {status}: {message or 'is this Twilio?'}{remedy}"
        case NotSent(detail=detail) | Unanswered(detail=detail):
            return False, f"{where} cannot be reached: {detail}"
