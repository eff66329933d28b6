"""`check`: reports mistakes in the configuration, then tries isolation, journal, secret, broker and Twilio.

It sends nothing, changes nothing, and does not disturb a running connector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications import bootstrap, event_loop, terminal
from twilio_notifications.adapters import log
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.checks import escalations, isolation, secrets
from twilio_notifications.checks.finding import Finding
from twilio_notifications.checks.machine import certificates, journal, listeners
from twilio_notifications.checks.notes import notes
from twilio_notifications.checks.transport import transport
from twilio_notifications.checks.twilio import twilio
from twilio_notifications.config import load
from twilio_notifications.core.secret_text import oddity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.config import Settings


def check(config: Path | None, *, offline: bool, environ: Mapping[str, str]) -> int:
    """Prints the findings; returns 0 where all of them work, else 1. Raises ConfigurationError."""
    settings = load(config, environ)
    bootstrap.require_available(settings, environ)
    log.configure(level="ERROR", form=settings.log.format)
    findings = [
        Finding(
            subject="configuration",
            works=True,
            sentence=f"{config or 'environment alone'}: connector version {settings.connector.version}",
        ),
        *certificates(settings),
        isolation.outlook(settings, config, environ),
        journal(settings, offline=offline),
        *listeners(settings),
        *escalations.findings(settings),
    ]
    tried, remarks = event_loop.run(_try(settings, offline=offline, environ=environ))
    findings += tried
    standing = (
        *settings.warnings,
        *notes(settings),
        *escalations.notes(settings),
        *isolation.notes(settings, config, environ),
    )
    for warning in (*standing, *remarks):
        terminal.say(f"note  {warning}")
    for finding in findings:
        terminal.say(f"{finding}")
    return 0 if all(finding.works for finding in findings) else 1


async def _try(
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
    findings.append(await transport(settings, environ))
    for each in seen:
        if each.login is not None:
            whose = "credentials" if each.subject == "secret" else each.subject
            finding, about_the_number = await twilio(settings, each.login, whose=whose)
            findings.append(finding)
            remarks += [remark for remark in about_the_number if remark not in remarks]
    return findings, remarks
