"""Says whether the steps of each escalation can reach their contacts, and what its people cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.checks.finding import Finding
from twilio_notifications.core.delivery import Following
from twilio_notifications.core.model import Channel
from twilio_notifications.core.policy import forbidden_number
from twilio_notifications.core.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.config import Settings
    from twilio_notifications.core.escalation import Chain, ChainStep

_MESSAGE = "{message}"
_CODE = "{code}"

_NO_ANSWERS = ("+84", "+86", "+91", "+502", "+506", "+507")
"""Countries whose people cannot answer a text that Twilio sends: Vietnam, China, India and three in Central
America."""


def findings(settings: Settings) -> Iterator[Finding]:
    """A finding for each escalation."""
    for name, chain in settings.escalations.items():
        flaws = [
            f"step {number}: {flaw}"
            for number, step in enumerate(chain.steps, 1)
            for flaw in _unreachable(step, settings)
        ]
        sentence = "; ".join(flaws) or f"{counted(len(chain.steps), 'step')} that can be reached"
        yield Finding(subject="escalations", works=not flaws, sentence=f"{name}: {sentence}")


def _unreachable(step: ChainStep, settings: Settings) -> Iterator[str]:
    for name in step.contacts:
        number = settings.contacts[name].phone_number
        forbidden = forbidden_number(number, step.channel, settings.limits)
        if forbidden is not None:
            yield f"{name} cannot be reached. {forbidden}"
        elif number == settings.parameters.default_sender_number:
            yield f"{name} has the number of DefaultFromPhoneNumber, and no number can reach itself (21266)"


def notes(settings: Settings) -> Iterator[str]:
    """Remarks on escalations that work, and may not do what their operator wants."""
    if settings.escalations and settings.tracking.mode is Following.OFF:
        yield (
            'tracking.mode = "off": the steps of escalations go by time alone, and only acknowledge_topic, '
            "the console and the command acknowledge. A text back, a call back and a key do not"
        )
    for name, chain in settings.escalations.items():
        for remark in (*_silent_steps(chain), *_unanswerable(chain, settings), *_hint(chain)):
            yield f"escalations.{name}: {remark}"


def _silent_steps(chain: Chain) -> Iterator[str]:
    """A call by a document has no text, so a step that repeats the text of the request has nothing to say."""
    silent = [str(number) for number, step in enumerate(chain.steps, 1) if _is_silent(step)]
    if silent:
        yield (
            f"the steps {' and '.join(silent)} say what the request says. A call by voice_message_location "
            "or twiml has no text, so for such a request they are left out: give them words of their own "
            "where such requests use this escalation"
        )


def _is_silent(step: ChainStep) -> bool:
    if step.channel is Channel.SMS:
        return not (step.message or "").replace(_MESSAGE, "").strip()
    # A call without words of its own repeats the document.
    return step.voice_message is not None and not step.voice_message.replace(_MESSAGE, "").strip()


def _unanswerable(chain: Chain, settings: Settings) -> Iterator[str]:
    named = {name for step in chain.steps if step.channel is Channel.SMS for name in step.contacts}
    deaf = sorted(name for name in named if settings.contacts[name].phone_number.startswith(_NO_ANSWERS))
    if deaf:
        yield (
            f"{' and '.join(deaf)} cannot answer a text: Twilio gets no texts from that country. Let them "
            "acknowledge by a call, or by your own program on acknowledge_topic"
        )
    calls = any(step.channel is Channel.CALL for step in chain.steps)
    if calls and settings.parameters.default_sender_number is None:
        yield (
            "a Messaging Service cannot call: set DefaultFromPhoneNumber, from which the calls come where a "
            "request has messaging_service_sid alone"
        )


def _hint(chain: Chain) -> Iterator[str]:
    if chain.reply_hint and _CODE not in chain.reply_hint:
        yield (
            f"reply_hint does not name the code: write {_CODE} into it, or only the newest of several "
            "waiting escalations can be acknowledged by a text"
        )
