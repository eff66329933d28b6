"""A secret that is kept on this machine: the store goes first, the copy when it is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from tests.support.factories import START
from tests.support.fakes import RecordingEvents, ScriptedSecret
from twilio_notifications.core.errors import SecretAbsent, SecretCopyUnusable, SecretUnavailable
from twilio_notifications.core.model import Secret
from twilio_notifications.pipeline.logins.kept_secret import KeptSecret
from twilio_notifications.ports import Copied, Level

if TYPE_CHECKING:
    from typing import Self


class HandCopy:
    """A copy in memory that a test breaks."""

    def __init__(self, copied: Copied | None = None) -> None:
        self.copied = copied
        self.trouble: SecretCopyUnusable | None = None

    async def load(self) -> Copied | None:
        if self.trouble:
            raise self.trouble
        return self.copied

    async def store(self, copied: Copied) -> None:
        if self.trouble:
            raise self.trouble
        self.copied = copied


class Scene:
    """A store, a copy that is an hour old, and what is made of them."""

    def __init__(self) -> None:
        self.clock = HandClock(START)
        self.events = RecordingEvents()
        self.store = ScriptedSecret("of the store")
        self.copy = HandCopy(Copied(secret=Secret("of the copy"), stored_at=START - 3600))
        self.secret = KeptSecret(self.store, self.copy, clock=self.clock, events=self.events)

    def without_store(self, trouble: SecretUnavailable | None = None) -> Self:
        self.store.value = None
        self.store.trouble = trouble or SecretUnavailable("AWS cannot be reached.")
        return self

    def told(self) -> list[str]:
        return [told.name for told in self.events.lines]


async def test_the_store_goes_first_and_is_copied() -> None:
    scene = Scene()
    assert Secret("of the store") == await scene.secret.read()
    assert Copied(secret=Secret("of the store"), stored_at=START) == scene.copy.copied
    assert [] == scene.told()


async def test_each_reading_makes_the_copy_young_again() -> None:
    scene = Scene()
    await scene.secret.read()
    scene.clock.set(START + 60)
    await scene.secret.read()
    assert scene.copy.copied is not None
    assert START + 60 == scene.copy.copied.stored_at


@pytest.mark.parametrize("trouble", [SecretUnavailable("no network"), SecretAbsent("it was deleted")])
async def test_without_the_store_the_copy_serves_and_its_age_is_told(trouble: SecretUnavailable) -> None:
    """Also where the store says that there is no such secret: Twilio decides what is valid, not AWS."""
    scene = Scene().without_store(trouble)
    assert Secret("of the copy") == await scene.secret.read()
    (told,) = scene.events.lines
    assert ("secret_from_copy", Level.WARNING) == (told.name, told.level)
    assert {"age_seconds": 3600, "error": str(trouble)} == told.fields


async def test_a_copy_from_the_future_is_no_age_below_zero() -> None:
    """The clock of a device without a battery begins anywhere."""
    scene = Scene().without_store()
    scene.clock.set(START - 7200)
    await scene.secret.read()
    assert 0 == scene.events.lines[0].fields["age_seconds"]


async def test_an_outage_is_told_when_it_begins_changes_and_ends() -> None:
    scene = Scene().without_store()
    for _ in range(3):
        await scene.secret.read()
    scene.store.trouble = SecretUnavailable("it may not be read")
    await scene.secret.read()
    scene.store.value = "of the store"
    for _ in range(2):
        await scene.secret.read()
    assert ["secret_from_copy", "secret_from_copy", "secret_from_source"] == scene.told()


async def test_a_copy_that_cannot_be_written_stops_nothing_and_is_told_once() -> None:
    scene = Scene()
    scene.copy.trouble = SecretCopyUnusable("the disk is full")
    for _ in range(3):
        assert Secret("of the store") == await scene.secret.read()
    (told,) = scene.events.lines
    assert ("secret_not_copied", Level.WARNING, {"error": "the disk is full"}) == (
        told.name,
        told.level,
        told.fields,
    )
    scene.copy.trouble = None
    await scene.secret.read()
    scene.copy.trouble = SecretCopyUnusable("the disk is full")
    await scene.secret.read()
    assert 2 == scene.events.count("secret_not_copied")


async def test_without_store_and_copy_both_are_named() -> None:
    scene = Scene().without_store()
    scene.copy.copied = None
    with pytest.raises(SecretUnavailable, match=r"AWS cannot be reached\. There is no local copy yet\."):
        await scene.secret.read()
    scene.copy.trouble = SecretCopyUnusable("the local copy is damaged")
    with pytest.raises(SecretUnavailable, match=r"AWS cannot be reached\. And the local copy is damaged"):
        await scene.secret.read()
