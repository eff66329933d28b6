"""The local copy of a secret: only the device's key opens it, and no power cut leaves half of one."""

from __future__ import annotations

import base64
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.support.aws import device_key
from twilio_notifications.adapters.secret_copy import EncryptedCopy
from twilio_notifications.core.errors import SecretCopyUnusable
from twilio_notifications.core.model import Secret
from twilio_notifications.ports import Copied

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "5ecre7-70k3n ü"
COPIED = Copied(secret=Secret(TOKEN), stored_at=1_700_000_000.123)
NAME = "the secret (AWSCURRENT)"


class Place:
    """A folder with a key and, once it was stored, a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "token.copy"
        self.key_file = device_key(folder / "device.key")

    def copy(self, *, key_file: Path | None = None, name: str = NAME) -> EncryptedCopy:
        return EncryptedCopy(self.path, key_file=key_file or self.key_file, name=name)

    async def refusal(self, copy: EncryptedCopy | None = None) -> str:
        with pytest.raises(SecretCopyUnusable) as caught:
            await (copy or self.copy()).load()
        assert TOKEN not in str(caught.value)
        return str(caught.value)

    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.path.read_bytes())
        return fields


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    """With a copy in it."""
    place = Place(tmp_path)
    await place.copy().store(COPIED)
    return place


# What is kept


async def test_a_copy_comes_back_as_it_was(place: Place) -> None:
    assert COPIED == await place.copy().load()


async def test_without_a_copy_there_is_none(tmp_path: Path) -> None:
    assert await Place(tmp_path).copy().load() is None


async def test_an_rsa_key_will_do(place: Place) -> None:
    """The original encrypted with the RSA key of the Greengrass core."""
    key = rsa.generate_private_key(65537, 2048)
    for form in (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8):
        place.key_file.write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
        await place.copy().store(COPIED)
        assert COPIED == await place.copy().load()


async def test_nothing_in_the_file_can_be_read(place: Place) -> None:
    content = place.path.read_bytes()
    for hidden in (
        TOKEN.encode(),
        base64.b64encode(TOKEN.encode()),
        place.key_file.read_bytes(),
        NAME.encode(),
    ):
        assert hidden not in content
    assert {"format", "stored_at", "salt", "nonce", "ciphertext"} == place.fields().keys()


async def test_the_owner_alone_may_read_the_file(place: Place) -> None:
    assert 0o600 == stat.S_IMODE(place.path.stat().st_mode)


async def test_no_two_copies_are_alike(place: Place) -> None:
    """A nonce that came twice with one key would give both away."""
    before = place.fields()
    await place.copy().store(COPIED)
    after = place.fields()
    assert all(before[name] != after[name] for name in ("salt", "nonce", "ciphertext"))


# What does not open


async def test_another_key_does_not_open_it(place: Place) -> None:
    other = device_key(place.folder / "other.key")
    sentence = await place.refusal(place.copy(key_file=other))
    assert f"does not open with {other}" in sentence
    assert "replaces it" in sentence


async def test_a_copy_of_another_secret_does_not_open(place: Place) -> None:
    """A configuration with another ARN, label or key of a JSON secret must not get the old token."""
    assert "from another secret" in await place.refusal(place.copy(name="another"))


@pytest.mark.parametrize("name", ["salt", "nonce", "ciphertext"])
async def test_one_changed_bit_breaks_the_seal(place: Place, name: str) -> None:
    fields = place.fields()
    changed = bytearray(base64.b64decode(fields[name]))
    changed[-1] ^= 1
    place.path.write_text(json.dumps(fields | {name: base64.b64encode(changed).decode()}))
    assert "or is damaged" in await place.refusal()


async def test_a_copy_cannot_be_made_younger(place: Place) -> None:
    place.path.write_text(json.dumps(place.fields() | {"stored_at": COPIED.stored_at + 1}))
    assert "or is damaged" in await place.refusal()


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"\xff", b"{", b"[]", b"5", b"{}", b'{"format": 1}', b"[" * 100_000],
    ids=range(9),
)
async def test_what_is_no_copy_is_a_damaged_one(place: Place, content: bytes) -> None:
    place.path.write_bytes(content)
    assert f"{place.path} is damaged" in await place.refusal()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("salt", "ä"),
        ("nonce", 5),
        ("ciphertext", None),
        ("stored_at", "x"),
        ("stored_at", 10**400),
        ("stored_at", float("inf")),
        ("stored_at", float("nan")),
        ("nonce", ""),
        ("ciphertext", ""),
    ],
)
async def test_a_copy_with_a_damaged_field_is_refused(place: Place, name: str, value: object) -> None:
    place.path.write_text(json.dumps(place.fields() | {name: value}))
    assert "damaged" in await place.refusal()


async def test_a_cut_copy_is_refused_wherever_it_is_cut(place: Place) -> None:
    whole = place.path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        place.path.write_bytes(whole[:length])
        assert "damaged" in await place.refusal()


async def test_a_copy_of_a_later_version_is_no_damaged_one(place: Place) -> None:
    place.path.write_text(json.dumps(place.fields() | {"format": 2}))
    assert "written by another version of this program" in await place.refusal()


async def test_a_folder_in_its_place_is_named(place: Place) -> None:
    place.path.unlink()
    place.path.mkdir()
    assert f"{place.path} cannot be read: Is a directory" in await place.refusal()
    with pytest.raises(SecretCopyUnusable, match="cannot be written: Is a directory"):
        await place.copy().store(COPIED)


async def test_a_pipe_in_its_place_is_named_and_not_waited_for(place: Place) -> None:
    place.path.unlink()
    os.mkfifo(place.path)
    assert f"{place.path} cannot be read: it is a pipe, and must be a plain file" in await place.refusal()
    await place.copy().store(COPIED)
    assert COPIED == await place.copy().load()


# The key


@pytest.mark.parametrize("stored", [True, False], ids=["with a copy", "without one"])
async def test_a_key_that_everybody_can_read_is_refused_with_the_command_that_mends_it(
    place: Place, *, stored: bool
) -> None:
    """It would be as if the token itself could be read by all users."""
    if not stored:
        place.path.unlink()
    place.key_file.chmod(0o644)
    assert f"chmod o-r {place.key_file}" in await place.refusal()
    with pytest.raises(SecretCopyUnusable, match="every user can read"):
        await place.copy().store(COPIED)


async def test_a_missing_key_is_named(place: Place) -> None:
    place.key_file.unlink()
    assert f"the key file {place.key_file} cannot be read" in await place.refusal()


def not_keys() -> dict[str, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    cut = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())[:200]
    return {"empty": b"", "text": b"hello", "public key": public, "with a pass phrase": locked, "cut": cut}


@pytest.mark.parametrize("kind", ["empty", "text", "public key", "with a pass phrase", "cut"])
async def test_what_is_no_private_key_is_refused(place: Place, kind: str) -> None:
    """Of a certificate, which is no secret, a key could be derived just as well."""
    place.key_file.write_bytes(not_keys()[kind])
    assert "not a private key in PEM without a pass phrase" in await place.refusal()


# Writing


async def test_a_copy_takes_the_place_of_the_last_one_as_a_whole(place: Place) -> None:
    """Who has the old file open goes on reading the old one: it is replaced, not written over."""
    with place.path.open("rb") as before:
        old = place.path.read_bytes()
        await place.copy().store(Copied(secret=Secret("new"), stored_at=1.0))
        assert old == before.read()
    assert Copied(secret=Secret("new"), stored_at=1.0) == await place.copy().load()
    assert {"token.copy", "device.key"} == {path.name for path in place.folder.iterdir()}


async def test_what_a_power_cut_left_is_no_obstacle(place: Place) -> None:
    new = place.path.with_name("token.copy.new")
    new.write_bytes(b"half of a co")
    new.chmod(0o666)
    await place.copy().store(COPIED)
    assert COPIED == await place.copy().load()
    assert 0o600 == stat.S_IMODE(place.path.stat().st_mode)
    assert not new.exists()


async def test_a_link_that_somebody_put_there_is_not_followed(place: Place, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    place.path.with_name("token.copy.new").symlink_to(victim)
    await place.copy().store(COPIED)
    assert "untouched" == victim.read_text()


async def test_a_copy_that_cannot_be_written_leaves_the_last_one(place: Place) -> None:
    gone = EncryptedCopy(place.folder / "missing" / "copy", key_file=place.key_file, name=NAME)
    with pytest.raises(SecretCopyUnusable, match="cannot be written: No such file or directory"):
        await gone.store(COPIED)
    assert COPIED == await place.copy().load()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_we_may_not_write_to_is_named(place: Place) -> None:
    place.folder.chmod(0o500)
    try:
        with pytest.raises(SecretCopyUnusable, match="cannot be written: Permission denied"):
            await place.copy().store(COPIED)
    finally:
        place.folder.chmod(0o700)


async def test_a_copy_shows_no_secret(place: Place) -> None:
    assert TOKEN not in repr([place.copy(), await place.copy().load()])


async def test_a_pipe_in_the_place_of_the_key_is_named_and_not_waited_for(place: Place) -> None:
    place.key_file.unlink()
    os.mkfifo(place.key_file)
    assert f"the key file {place.key_file} cannot be read: it is a pipe" in await place.refusal()
