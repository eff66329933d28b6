"""Which login is used, when it is read again, and what becomes of one that cannot be read."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.clock import HandClock
from tests.support.fakes import RecordingEvents, ScriptedSecret
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable
from twilio_notifications.core.model import Login, Secret
from twilio_notifications.pipeline.credentials import Credentials, Identity, Sources
from twilio_notifications.pipeline.refresher import Refresher
from twilio_notifications.ports import Level

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
API_KEY = "SK0123456789abcdef0123456789abcdef"
IDENTITY = Identity(account_sid=ACCOUNT)


def login(secret: str, user: str = ACCOUNT) -> Login:
    return Login(user=user, secret=Secret(secret))


class Scene:
    """Credentials with their two sources, and the number of calls about a new login."""

    def __init__(self, second: str | None) -> None:
        self.events = RecordingEvents()
        self.first = ScriptedSecret("first")
        self.second = ScriptedSecret(second)
        self.renewed = 0
        self.credentials: Credentials

    def _renewed(self) -> None:
        self.renewed += 1

    def told(self) -> list[str]:
        return [told.name for told in self.events.lines]


async def a_scene(second: str | None = None, *, identity: Identity = IDENTITY) -> Scene:
    scene = Scene(second)
    scene.second.trouble = SecretAbsent("there is none")
    sources = Sources(first=scene.first, second=scene.second)
    scene.credentials = await Credentials.read(sources, identity=identity, events=scene.events)
    scene.credentials.on_renewed = scene._renewed
    return scene


# Whose secret it is


def test_a_token_is_the_accounts_unless_an_api_key_is_configured() -> None:
    assert login("token") == IDENTITY.login(Secret("token"))
    keyed = Identity(account_sid=ACCOUNT, api_key_sid=API_KEY)
    assert login("secret", API_KEY) == keyed.login(Secret("secret"))


def test_a_second_secret_is_not_of_the_configured_api_key() -> None:
    """In a rotation an API key is replaced by another one, or by the auth token."""
    keyed = Identity(account_sid=ACCOUNT, api_key_sid=API_KEY)
    assert login("token") == keyed.second_login(Secret("token"))


@pytest.mark.parametrize("identity", [IDENTITY, Identity(account_sid=ACCOUNT, api_key_sid="SK" + "f" * 32)])
def test_a_secret_may_name_its_api_key_itself(identity: Identity) -> None:
    """So that both change in one, without a restart."""
    both = Secret(f"{API_KEY}:the:secret")
    assert login("the:secret", API_KEY) == identity.login(both) == identity.second_login(both)


@pytest.mark.parametrize(
    "text", [f"{API_KEY}:", f"{API_KEY[:-1]}:x", f"x{API_KEY}:x", "a:b", f"{API_KEY}: x"]
)
def test_what_is_not_sid_and_secret_is_a_token(text: str) -> None:
    assert login(text) == IDENTITY.login(Secret(text))


# The first reading


async def test_the_first_secret_is_used() -> None:
    scene = await a_scene("second")
    assert login("first") == scene.credentials.current()
    assert [] == scene.told()


async def test_without_the_first_secret_there_are_no_credentials() -> None:
    with pytest.raises(SecretUnavailable, match="gone"):
        await Credentials.read(
            Sources(first=ScriptedSecret(None), second=ScriptedSecret("second")),
            identity=IDENTITY,
            events=RecordingEvents(),
        )


async def test_a_second_secret_need_not_be_there() -> None:
    scene = await a_scene(None)
    assert (login("first"), []) == (scene.credentials.current(), scene.told())


async def test_a_second_secret_that_cannot_be_read_is_told_and_stops_nothing() -> None:
    events, second = RecordingEvents(), ScriptedSecret(None)
    sources = Sources(first=ScriptedSecret("first"), second=second)
    credentials = await Credentials.read(sources, identity=IDENTITY, events=events)
    await credentials.refresh()
    assert login("first") == credentials.current()
    (told,) = events.lines
    assert ("second_secret_unavailable", Level.WARNING) == (told.name, told.level)


async def test_both_are_read_at_the_same_time() -> None:
    """A store that does not answer takes its whole limit, and a start waits for it."""
    first, second = ScriptedSecret("first"), ScriptedSecret("second")
    first.hold()
    second.hold()
    sources = Sources(first=first, second=second)
    reading = asyncio.create_task(Credentials.read(sources, identity=IDENTITY, events=RecordingEvents()))
    await HandClock().settle()
    assert (1, 1) == (first.reads, second.reads)
    first.release()
    second.release()
    assert login("first") == (await reading).current()


async def test_a_stop_waits_for_neither() -> None:
    scene = await a_scene("second")
    scene.first.hold()
    scene.second.hold()
    reading = asyncio.create_task(scene.credentials.refresh())
    await HandClock().settle()
    reading.cancel()
    await asyncio.wait_for(asyncio.wait({reading}), WAIT_SECONDS)
    assert reading.cancelled()


# Another one


async def test_where_the_first_is_refused_the_second_is_next_and_nothing_is_read() -> None:
    scene = await a_scene("second")
    assert login("second") == await scene.credentials.other_than([login("first")])
    assert (1, 1) == (scene.first.reads, scene.second.reads)


async def test_where_both_are_refused_they_are_read_again() -> None:
    scene = await a_scene("second")
    refused = [login("first"), login("second")]
    assert await scene.credentials.other_than(refused) is None
    scene.second.value = "third"
    assert login("third") == await scene.credentials.other_than(refused)
    assert login("third") == await scene.credentials.other_than([login("first")])


async def test_a_first_secret_that_is_new_goes_before_a_second_one_that_works() -> None:
    scene = await a_scene("second")
    scene.credentials.prefer(login("second"))
    scene.first.value = "new"
    await scene.credentials.refresh()
    assert login("new") == scene.credentials.current()


async def test_the_second_stays_in_use_while_the_first_is_what_it_was() -> None:
    """It was refused, and reading it again changes nothing about that."""
    scene = await a_scene("second")
    scene.credentials.prefer(login("second"))
    scene.second.value = "second"
    await scene.credentials.refresh()
    assert login("second") == scene.credentials.current()


@pytest.mark.parametrize("trouble", [SecretUnavailable("the network is gone"), SecretAbsent("it is gone")])
async def test_a_second_secret_that_works_outlives_an_outage_and_not_its_removal(
    trouble: SecretUnavailable,
) -> None:
    scene = await a_scene("second")
    scene.credentials.prefer(login("second"))
    scene.second.value, scene.second.trouble = None, trouble
    await scene.credentials.refresh()
    expected = "first" if isinstance(trouble, SecretAbsent) else "second"
    assert login(expected) == scene.credentials.current()


async def test_two_secrets_that_are_the_same_are_one() -> None:
    scene = await a_scene("first")
    assert await scene.credentials.other_than([login("first")]) is None


async def test_a_change_of_the_login_in_use_is_told_once() -> None:
    scene = await a_scene("second")
    for _ in range(2):
        scene.credentials.prefer(login("second"))
    scene.credentials.prefer(login("first"))
    switches = scene.events.named("login_switched")
    assert ["second", "first"] == [told.fields["login"] for told in switches]


async def test_a_login_that_was_replaced_meanwhile_is_not_preferred() -> None:
    scene = await a_scene("second")
    scene.second.value = "third"
    await scene.credentials.refresh()
    scene.credentials.prefer(login("second"))
    assert login("first") == scene.credentials.current()


# Reading again


async def test_a_new_secret_is_used_and_told() -> None:
    scene = await a_scene()
    scene.first.value = "new"
    await scene.credentials.refresh()
    assert login("new") == scene.credentials.current()
    assert (["secret_renewed"], 1) == (scene.told(), scene.renewed)


async def test_the_same_secret_is_no_news() -> None:
    scene = await a_scene("second")
    await scene.credentials.refresh()
    assert ([], 0) == (scene.told(), scene.renewed)


async def test_a_second_secret_that_comes_is_news_and_one_that_goes_is_none() -> None:
    scene = await a_scene(None)
    scene.second.value = "second"
    await scene.credentials.refresh()
    scene.second.value = None
    await scene.credentials.refresh()
    assert (["secret_renewed"], 1) == (scene.told(), scene.renewed)


async def test_a_secret_that_cannot_be_read_again_stays_in_use_and_is_told_once() -> None:
    scene = await a_scene()
    scene.first.value = None
    for _ in range(3):
        await scene.credentials.refresh()
    assert login("first") == scene.credentials.current()
    scene.first.value = "first"
    await scene.credentials.refresh()
    assert ["secret_unavailable", "secret_available"] == scene.told()
    assert (Level.ERROR, {"error": "the file is gone; put it back"}) == (
        scene.events.lines[0].level,
        scene.events.lines[0].fields,
    )


async def test_many_who_ask_at_once_cost_two_readings() -> None:
    """One may have begun before the last of them asked; the next one is after all of them."""
    scene = await a_scene()
    scene.first.hold()
    asking = [asyncio.create_task(scene.credentials.other_than([login("first")])) for _ in range(50)]
    await HandClock().settle()
    late = [asyncio.create_task(scene.credentials.other_than([login("first")])) for _ in range(50)]
    await HandClock().settle()
    scene.first.value = "new"
    scene.first.release()
    assert [login("new")] * 100 == await asyncio.gather(*asking, *late)
    assert scene.first.reads <= 1 + 2


async def test_a_reading_that_began_before_the_question_does_not_answer_it() -> None:
    """What it read may be older than the rotation that the question is about."""
    scene = await a_scene()
    scene.first.hold()
    early = asyncio.create_task(scene.credentials.refresh())
    await HandClock().settle()
    late = asyncio.create_task(scene.credentials.other_than([login("first")]))
    await HandClock().settle()
    scene.first.release()
    await asyncio.gather(early, late)
    assert 1 + 2 == scene.first.reads


@pytest.mark.parametrize(("period", "readings"), [(3600.0, 3), (0.0, 0)])
async def test_secrets_are_read_again_on_a_period_unless_it_is_zero(period: float, readings: int) -> None:
    scene, clock = await a_scene(), HandClock()
    refreshed: list[float] = []
    refresher = Refresher(
        credentials=scene.credentials,
        clock=clock,
        period_seconds=period,
        on_refreshed=lambda: refreshed.append(clock.now()),
    )
    running = asyncio.create_task(refresher.run())
    await clock.settle()
    await clock.advance(3 * 3600)
    assert 1 + readings == scene.first.reads
    assert readings == len(refreshed)
    running.cancel()
    await asyncio.wait({running})


async def test_credentials_show_no_secret() -> None:
    scene = await a_scene("second")
    shown = [repr(scene.credentials), repr(scene.credentials.current()), repr(scene.credentials._logins)]
    assert not any("first" in text or "second" in text for text in shown), shown


# What was not copied well


@pytest.mark.parametrize(
    ("text", "oddity"),
    [
        ('"token"', "has quotes around it"),
        ("'token'", "has quotes around it"),
        ("token\nsecond line", "has more than one line"),
        ("to ken", "has a space in it"),
        ("to\xa0ken", "has a space in it"),
        ("tokén", "has characters that cannot be typed"),
        ("to\0ken", "has characters that cannot be typed"),
    ],
    ids=ascii,
)
async def test_a_secret_that_was_not_copied_well_has_a_warning_without_the_secret(
    text: str, oddity: str
) -> None:
    scene = await a_scene()
    scene.first.value = text
    await scene.credentials.refresh()
    await scene.credentials.refresh()
    (told,) = scene.events.named("secret_odd")
    assert (Level.WARNING, "first") == (told.level, told.fields["login"])
    assert oddity in str(told.fields["error"])
    assert text not in str(told.fields["error"])


@pytest.mark.parametrize("text", ["0123456789abcdef0123456789abcdef", f"{API_KEY}:secret", "a'b\"c"])
async def test_a_token_or_key_as_twilio_makes_it_has_no_warning(text: str) -> None:
    scene = await a_scene()
    scene.first.value = text
    await scene.credentials.refresh()
    assert not scene.events.named("secret_odd")
