"""A chain as it is configured, and what has happened to one that runs. Instants and durations are seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from twilio_notifications.core.model import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStep:
    """One configured step: whom to reach, how, and with what.

    `after_seconds` counts from the beginning of the chain. `message` (texts) and `voice_message` (calls) are
    templates in which `{message}` is the text of the request; None: the step repeats the request's content.
    """

    after_seconds: float
    channel: Channel
    contacts: tuple[str, ...]
    message: str | None = None
    voice_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A configured escalation. Step 0 is the request itself and does not stand in `steps`."""

    steps: tuple[ChainStep, ...]
    repeat: int = 0
    wait_seconds: float = 300.0
    acknowledge_words: tuple[str, ...] = ("ok",)
    reply_hint: str = "Reply {code} to acknowledge."
    key_hint: str = "Press any key to acknowledge."
    tell_others: bool = True

    def hint(self, channel: Channel) -> str:
        """How to acknowledge: what ends a text, with `{code}`, or what a call speaks where it takes keys."""
        return self.reply_hint if channel is Channel.SMS else self.key_hint

    @property
    def length(self) -> int:
        """The number of steps of all rounds, without step 0."""
        return len(self.steps) * (self.repeat + 1)


class Door(StrEnum):
    """The way on which an acknowledgement came."""

    TOPIC = "topic"
    CONSOLE = "console"
    COMMAND = "command"
    TEXT = "text"
    CALL = "call"
    KEY = "key"


class EndKind(StrEnum):
    """Why a chain ended."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Who acknowledged, and how; `by` is None where it is not known who."""

    by: str | None
    door: Door


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """The end of a chain; `acknowledged` is set where `kind` is ACKNOWLEDGED."""

    kind: EndKind
    at: float
    acknowledged: Acknowledged | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenStep:
    """A step that was opened at `at`. `failed`: each of its requests has finally failed.

    `pending`: a request of it has neither left nor failed, or it is not known yet whether it has left.
    """

    at: float
    failed: bool = False
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHistory:
    """What has happened to a chain: its beginning with step 0, the steps taken in their order, its end."""

    began: TakenStep
    taken: tuple[TakenStep, ...] = ()
    end: ChainEnd | None = None


def ended(history: ChainHistory, end: ChainEnd) -> ChainHistory:
    """The history with its end. The first end stays: a second acknowledgement changes nothing."""
    return history if history.end is not None else replace(history, end=end)
