"""Where the auth token comes from; and when it does not: what is wrong, where, and what to do."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.secret_sources import EnvironmentSecret, FileSecret
from twilio_notifications.core.errors import SecretUnavailable
from twilio_notifications.core.model import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.ports import SecretSource

VARIABLE = "TWILIO_AUTH_TOKEN"
TOKEN = "0123456789abcdef"


def a_file(folder: Path, content: bytes, *, mode: int = 0o600, name: str = "token") -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


async def refusal(source: SecretSource) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        await source.read()
    return str(caught.value)


@pytest.mark.parametrize("text", [TOKEN, f" {TOKEN}\n"])
async def test_a_variable_is_read_without_the_white_space_around_it(text: str) -> None:
    assert Secret(TOKEN) == await EnvironmentSecret(VARIABLE, environ={VARIABLE: text}).read()


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}, {VARIABLE: " \n"}], ids=["absent", "empty", "blank"])
async def test_a_variable_that_is_not_set_is_named(environ: dict[str, str]) -> None:
    sentence = await refusal(EnvironmentSecret(VARIABLE, environ=environ))
    assert VARIABLE in sentence
    assert "[secrets] source" in sentence


async def test_a_variable_that_is_no_text_is_refused_before_an_attempt_is_made_with_it() -> None:
    environ = {VARIABLE: os.fsdecode(b"token\xff")}
    assert VARIABLE in await refusal(EnvironmentSecret(VARIABLE, environ=environ))


async def test_a_variable_is_read_anew_each_time() -> None:
    environ = {VARIABLE: "old"}
    source = EnvironmentSecret(VARIABLE, environ=environ)
    assert Secret("old") == await source.read()
    environ[VARIABLE] = "new"
    assert Secret("new") == await source.read()


@pytest.mark.parametrize(
    "content",
    [TOKEN.encode(), f"{TOKEN}\n".encode(), f" {TOKEN}\r\n".encode(), b"\xef\xbb\xbf" + TOKEN.encode()],
    ids=["plain", "line", "Windows line", "byte order mark"],
)
async def test_a_file_is_read_without_what_editors_add(tmp_path: Path, content: bytes) -> None:
    assert Secret(TOKEN) == await FileSecret(a_file(tmp_path, content)).read()


async def test_the_first_file_that_exists_is_read(tmp_path: Path) -> None:
    """The folder of systemd's credentials comes before the one of the configuration."""
    second = a_file(tmp_path, b"second", name="second")
    source = FileSecret(tmp_path / "first", second)
    assert Secret("second") == await source.read()
    a_file(tmp_path, b"first", name="first")
    assert Secret("first") == await source.read()


async def test_files_that_do_not_exist_are_all_named(tmp_path: Path) -> None:
    sentence = await refusal(FileSecret(tmp_path / "one", tmp_path / "two"))
    assert str(tmp_path / "one") in sentence
    assert str(tmp_path / "two") in sentence
    assert "[secrets]" in sentence


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666])
async def test_a_file_that_everybody_can_read_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    path = a_file(tmp_path, TOKEN.encode(), mode=mode)
    assert f"chmod o-r {path}" in await refusal(FileSecret(path))


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o440])
async def test_owner_and_group_may_read_it(tmp_path: Path, mode: int) -> None:
    assert Secret(TOKEN) == await FileSecret(a_file(tmp_path, TOKEN.encode(), mode=mode)).read()


@pytest.mark.parametrize("content", [b"", b" \n"])
async def test_an_empty_file_is_no_token(tmp_path: Path, content: bytes) -> None:
    path = a_file(tmp_path, content)
    assert f"{path} is empty" in await refusal(FileSecret(path))


async def test_a_file_that_is_no_text_is_named_and_not_shown(tmp_path: Path) -> None:
    path = a_file(tmp_path, b"s3cr3t\xff")
    sentence = await refusal(FileSecret(path))
    assert str(path) in sentence
    assert "s3cr3t" not in sentence


async def test_a_name_that_no_file_can_have_is_a_sentence_too(tmp_path: Path) -> None:
    sentence = await refusal(FileSecret(tmp_path / ("x" * 300)))
    assert "cannot be read" in sentence


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("locked", ["file", "folder"])
async def test_a_file_that_we_may_not_read_is_named(tmp_path: Path, locked: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = a_file(folder, TOKEN.encode())
    (path if locked == "file" else folder).chmod(0o000)
    try:
        assert f"{path} cannot be read" in await refusal(FileSecret(path))
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
async def test_what_is_no_plain_file_is_named_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    path.mkdir() if kind == "folder" else os.mkfifo(path, 0o600)
    async with asyncio.timeout(WAIT_SECONDS):
        assert str(path) in await refusal(FileSecret(path))


async def test_a_credential_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    """Where the first place is there and wrong, a file left over in the second one must not be used."""
    first, second = a_file(tmp_path, b"one", mode=0o644, name="one"), a_file(tmp_path, b"two", name="two")
    assert str(first) in await refusal(FileSecret(first, second))


async def test_a_secret_shows_itself_nowhere(tmp_path: Path) -> None:
    source = EnvironmentSecret(VARIABLE, environ={VARIABLE: TOKEN})
    secret = await source.read()
    shown = [repr(secret), str(secret), f"{secret}", repr([secret]), repr(source), repr(FileSecret(tmp_path))]
    assert not any(TOKEN in text for text in shown)
