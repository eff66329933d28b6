"""Where Twilio refuses a login, the next one is tried at once, and no attempt is condemned for another's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from tests.support.factories import a_notification, accepted, refused, too_many, unauthorized
from tests.support.fakes import RecordingEvents, ScriptedSecret, nothing
from twilio_notifications.core.delivery import CallbackUrls, DeliveryReceipt, NoReceipt, Notices, ReceiptPage
from twilio_notifications.core.model import (
    Answered,
    Channel,
    InboundPage,
    NotSent,
    Records,
    Unanswered,
    Unreadable,
)
from twilio_notifications.pipeline.logins.authorized_sender import AuthorizedSender
from twilio_notifications.pipeline.logins.credentials import Credentials, Identity, Sources

if TYPE_CHECKING:
    from twilio_notifications.core.model import Answer, Login, Notification

NOTIFICATION = a_notification()
RECEIPT = DeliveryReceipt(sid="SM1", state="delivered")
PAGE = ReceiptPage(receipts=(RECEIPT,), next_path=None)
REFUSED = Unreadable(detail="HTTP 401", unauthorized=True)
FOUND = Records(found=(), clock_offset=None)


class Guard:
    """Twilio, which accepts every login with one of its secrets, and gives all of them the same answer."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = set(secrets)
        self.answer: Answer = accepted()
        self.refusal: Answer = unauthorized()
        self.asked: list[str] = []
        self.clock_offset: float | None = None
        self.held: asyncio.Event | None = None
        self.callbacks: CallbackUrls | None = None
        self.seconds_left: float | None = None
        self.looks: list[tuple[Channel, str | None]] = []

    async def send(
        self,
        _notification: Notification,
        login: Login,
        *,
        seconds_left: float | None = None,
        callbacks: CallbackUrls | None = None,
    ) -> Answer:
        self.seconds_left = seconds_left
        self.callbacks = callbacks
        return self.answer if await self._is_in(login) else self.refusal

    async def fetch(
        self, channel: Channel, sid: str, *, login: Login
    ) -> DeliveryReceipt | NoReceipt | Unreadable:
        self.looks.append((channel, sid))
        return RECEIPT if await self._is_in(login) else REFUSED

    async def receipts(self, channel: Channel, path: str | None, *, login: Login) -> ReceiptPage | Unreadable:
        self.looks.append((channel, path))
        return PAGE if await self._is_in(login) else REFUSED

    async def came_back(
        self, channel: Channel, *, to: str | None, path: str | None = None, login: Login
    ) -> InboundPage | Unreadable:
        self.looks.append((channel, to or path))
        page = InboundPage(found=(), oldest_at=None, next_path=None)
        return page if await self._is_in(login) else REFUSED

    async def hang_up(self, sid: str, login: Login) -> Answer:
        self.looks.append((Channel.CALL, sid))
        return self.answer if await self._is_in(login) else self.refusal

    async def notices(self, sid: str, *, login: Login) -> Notices | Unreadable:
        self.looks.append((Channel.CALL, sid))
        return Notices(codes=(11_200,)) if await self._is_in(login) else REFUSED

    async def look_up(
        self,
        _notification: Notification,
        *,
        since: float,  # noqa: ARG002 - the port names it
        login: Login,
    ) -> Records | Unreadable:
        if await self._is_in(login):
            return FOUND
        return Unreadable(detail="HTTP 401", unauthorized=True)

    async def verify(self, login: Login) -> Answer:
        return self.answer if await self._is_in(login) else self.refusal

    async def reachable(self) -> bool:
        return True

    async def _is_in(self, login: Login) -> bool:
        secret = login.secret.reveal()
        self.asked.append(secret)
        is_in = secret in self.secrets  # Twilio decides when it is asked, and answers later
        if self.held is not None:
            await self.held.wait()
        return is_in


class Scene:
    def __init__(self, twilio: Guard, second: str | None) -> None:
        self.twilio = twilio
        self.events = RecordingEvents()
        self.first = ScriptedSecret("first")
        self.second = None if second is None else ScriptedSecret(second)
        self.credentials: Credentials
        self.sender: AuthorizedSender


async def a_scene(*secrets: str, second: str | None = None) -> Scene:
    """Twilio takes `secrets`; the connector has "first" and, it may be, a second."""
    scene = Scene(Guard(*secrets), second)
    scene.credentials = await Credentials.read(
        Sources(first=scene.first, second=scene.second),
        identity=Identity(account_sid="AC1"),
        events=scene.events,
        on_renewed=nothing,
    )
    scene.sender = AuthorizedSender(scene.twilio, scene.credentials)
    return scene


async def send(scene: Scene) -> Answer:
    return await scene.sender.send(NOTIFICATION)


async def test_a_login_that_is_taken_is_asked_once() -> None:
    scene = await a_scene("first", second="second")
    assert scene.twilio.answer == await send(scene)
    assert (["first"], 1) == (scene.twilio.asked, scene.first.reads)


async def test_a_second_token_is_tried_before_anything_is_read() -> None:
    scene = await a_scene("second", second="second")
    assert scene.twilio.answer == await send(scene)
    assert (["first", "second"], 1) == (scene.twilio.asked, scene.first.reads)


async def test_the_login_that_was_taken_goes_first_from_then_on() -> None:
    scene = await a_scene("second", second="second")
    for _ in range(3):
        await send(scene)
    assert ["first", "second", "second", "second"] == scene.twilio.asked


async def test_a_new_token_is_read_and_tried() -> None:
    scene = await a_scene("new")
    scene.first.value = "new"
    assert scene.twilio.answer == await send(scene)
    assert ["first", "new"] == scene.twilio.asked


async def test_every_login_is_tried_once_and_then_the_refusal_stands() -> None:
    scene = await a_scene(second="second")
    assert scene.twilio.refusal == await send(scene)
    assert ["first", "second"] == scene.twilio.asked
    assert (2, 2) == (scene.first.reads, scene.second.reads if scene.second else 0)


async def test_a_look_into_the_lists_renews_the_token_as_well() -> None:
    """Else an attempt in doubt could not be settled after a rotation, until something else is sent."""
    scene = await a_scene("new")
    scene.first.value = "new"
    assert FOUND == await scene.sender.look_up(NOTIFICATION, since=0.0)
    assert ["first", "new"] == scene.twilio.asked


async def test_lists_that_no_login_may_read_are_unreadable() -> None:
    scene = await a_scene()
    assert isinstance(await scene.sender.look_up(NOTIFICATION, since=0.0), Unreadable)


async def test_an_answer_to_an_old_token_does_not_condemn_the_new_one() -> None:
    """50 attempts are under way with the old token; the first refusal brings the new one, for all of them."""
    scene = await a_scene()
    scene.twilio.held = asyncio.Event()
    attempts = [asyncio.create_task(send(scene)) for _ in range(50)]
    await HandClock().settle()
    scene.twilio.secrets, scene.first.value = {"new"}, "new"
    scene.twilio.held.set()
    assert [scene.twilio.answer] * 50 == await asyncio.gather(*attempts)
    assert ["first"] * 50 + ["new"] * 50 == scene.twilio.asked
    assert scene.first.reads <= 1 + 2


@pytest.mark.parametrize(
    "answer",
    [
        refused(),
        too_many(),
        refused(code=20_500, http_status=500),
        NotSent(detail="no network"),
        Unanswered(detail="time-out"),
    ],
    ids=lambda answer: type(answer).__name__,
)
async def test_nothing_but_a_refused_login_is_tried_again(answer: Answer) -> None:
    """Least of all what may have been carried out."""
    scene = await a_scene("first", second="second")
    scene.twilio.answer = answer
    assert answer == await send(scene)
    assert ["first"] == scene.twilio.asked


@pytest.mark.parametrize("answer", [NotSent(detail="no network"), Unanswered(detail="time-out")])
async def test_silence_is_no_proof_that_the_second_login_works(answer: Answer) -> None:
    scene = await a_scene("second", second="second")
    scene.twilio.answer = answer
    await send(scene)
    assert 0 == scene.events.count("login_switched")


@pytest.mark.parametrize(("code", "http_status"), [(20_003, 401), (20_403, 403), (None, 401)])
async def test_whatever_refuses_the_login_has_the_next_one_tried(code: int | None, http_status: int) -> None:
    scene = await a_scene("second", second="second")
    scene.twilio.refusal = Answered(http_status=http_status, code=code)
    assert scene.twilio.answer == await send(scene)


async def test_a_store_that_cannot_be_reached_leaves_the_refusal_standing() -> None:
    scene = await a_scene()
    scene.first.value = None
    assert scene.twilio.refusal == await send(scene)
    assert 1 == scene.events.count("secret_unavailable")


async def test_the_clock_and_the_network_are_those_of_twilio() -> None:
    scene = await a_scene()
    scene.twilio.clock_offset = 3.0
    assert (3.0, True) == (scene.sender.clock_offset, await scene.sender.reachable())


async def test_a_login_is_verified_with_the_other_one_where_the_first_is_refused() -> None:
    scene = await a_scene("second", second="second")
    assert scene.twilio.answer == await scene.sender.verify()
    assert ["first", "second"] == scene.twilio.asked


async def test_deliveries_are_asked_about_with_a_login_that_twilio_takes() -> None:
    """One that works goes first from then on, for sending too."""
    scene = await a_scene("second", second="second")
    assert RECEIPT == await scene.sender.fetch(Channel.SMS, "SM1")
    assert PAGE == await scene.sender.receipts(Channel.CALL)
    assert Notices(codes=(11_200,)) == await scene.sender.notices("CA1")
    assert isinstance(await scene.sender.came_back(Channel.SMS, to=None), InboundPage)
    assert accepted() == await scene.sender.hang_up("CA1")
    assert ["first", *["second"] * 5] == scene.twilio.asked
    assert (Channel.CALL, "CA1") == scene.twilio.looks[-1]


async def test_an_attempt_says_with_each_login_where_twilio_calls_back_and_what_is_left() -> None:
    scene = await a_scene("second", second="second")
    await scene.sender.send(
        NOTIFICATION, seconds_left=7.0, callbacks=CallbackUrls(key="https://example.com/")
    )
    assert 7.0 == scene.twilio.seconds_left
    assert CallbackUrls(key="https://example.com/") == scene.twilio.callbacks
