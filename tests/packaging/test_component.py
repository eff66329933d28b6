"""What `make component` leaves is what a nucleus unpacks, installs into an empty environment, and starts.

The nucleus's part is done here by hand: unpack the archive, put paths into the variables of the recipe, and
run its scripts. The dependencies come as wheels with the archive, made from those that are installed
here, so that no package index is asked; pip refuses what would need one.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import STATUS_TOPIC, TEXT_SUCCESS, TEXT_TOPIC, text
from tests.support.device import ARCHIVE, BUILDER, RECIPES, Device, run
from tests.support.needs import ROOT
from tests.support.nucleus import FakeNucleus, Style
from tests.support.patience import WAIT_SECONDS
from tests.support.process import ACCOUNT_SID, TOKEN, LoggingProgram, environment
from tests.support.wheels import needed_by, wheel_of
from twilio_notifications.component import NucleusKind
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
ALLOWED = {"operations": ["aws.greengrass#GetSecretValue"], "resources": [ARN]}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wheels = tmp_path_factory.mktemp("wheels")
    for found in needed_by("twilio-notifications[aws,greengrass]"):
        wheel_of(found, wheels)
    output = tmp_path_factory.mktemp("component")
    run(*BUILDER, "--wheels", str(wheels), "--output", str(output), cwd=ROOT)
    return output


@pytest.fixture(scope="module")
def device(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Device:
    device = Device(built=built, root=tmp_path_factory.mktemp("device"))
    device.unpack(NucleusKind.CLASSIC)
    device.install(NucleusKind.CLASSIC)
    return device


def component(device: Device, kind: NucleusKind, nucleus: FakeNucleus) -> LoggingProgram:
    """The recipe's script, as the nucleus starts it: with nothing of this environment."""
    command = ("sh", "-c", device.script(kind, "run"))
    environ = {name: environment()[name] for name in ("PATH",)} | nucleus.environ
    return LoggingProgram(command=command, environ=environ, folder=device.work)


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    numbers = random.Random(1)  # noqa: S311 - SIDs
    async with Simulator(clock=time.time, random=numbers, auth_tokens=[TOKEN]) as twilio:
        twilio.set_age(0)  # a status read late on a busy machine is the one that was answered at once
        yield twilio


def deployed(device: Device, kind: NucleusKind, twilio: Simulator) -> dict[str, Any]:
    """The recipe's configuration with what a deployment merges into it."""
    configuration = device.recipe(kind)["ComponentConfiguration"]["DefaultConfiguration"]
    secret = {"aws.greengrass.SecretManager": {"TwilioNotifications:secrets:1": ALLOWED}}
    return {
        **configuration,
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TwilioAuthTokenSecretArn": ARN,
        "twilio": {"base_url": twilio.base_url},
        "log": {"format": "json"},
        "accessControl": configuration["accessControl"] | (secret if kind is NucleusKind.CLASSIC else {}),
    }


@pytest.mark.parametrize("kind", NucleusKind)
async def test_a_built_component_is_installed_and_carries_a_request_out(
    device: Device, twilio: Simulator, kind: NucleusKind
) -> None:
    """With the access control of the recipe, on either nucleus; the journal lies in its folder of its own."""
    configuration = deployed(device, kind, twilio)
    (device.work / "twilio-auth-token").write_text(TOKEN)
    (device.work / "twilio-auth-token").chmod(0o600)
    with FakeNucleus(
        style=Style.CLASSIC if kind is NucleusKind.CLASSIC else Style.LITE,
        configuration=configuration,
        secrets={ARN: TOKEN},
        access_control=configuration["accessControl"],
    ) as nucleus:
        async with component(device, kind, nucleus) as connector:
            await connector.wait_for_event("connector_ready")
            await nucleus.until_subscribed(TEXT_TOPIC)
            nucleus.publish(TEXT_TOPIC, text())
            (status,) = await nucleus.until_published(STATUS_TOPIC)
            assert TEXT_SUCCESS == status.payload
            assert 0 == await connector.terminate()
        assert [] == [event for event in connector.log if event["level"] in {"WARNING", "ERROR"}]
    assert (device.work / "journal" / "journal.db").exists()


async def test_what_is_installed_is_the_version_of_the_recipe(device: Device) -> None:
    version = device.recipe(NucleusKind.CLASSIC)["ComponentVersion"]
    program = device.work / "venv" / "bin" / "twilio-notifications"
    assert f"twilio-notifications {version}\n" == run(str(program), "--version")


def test_an_archive_that_the_nucleus_leaves_packed_is_installed_too(built: Path, tmp_path: Path) -> None:
    """As nucleus lite does with a local deployment. Nothing stays of it, nor of an earlier one cut off."""
    device = Device(built=built, root=tmp_path)
    (tmp_path / "work" / "unpacked" / "wheels").mkdir(parents=True)
    (tmp_path / "work" / "unpacked" / "wheels" / "old-1-py3-none-any.whl").touch()
    device.install(NucleusKind.LITE)
    assert run(str(device.work / "venv" / "bin" / "twilio-notifications"), "--version")
    assert not (device.work / "unpacked").exists()


def test_a_device_with_an_older_python_is_told_so(tmp_path: Path) -> None:
    """pip would only say that there is no version of some dependency."""
    old = tmp_path / "python3.10"
    pretend = "import sys; sys.version_info = (3, 10, 13); exec(sys.argv[1])"
    version = 'if [ "$1" = --version ]; then echo Python 3.10.13; exit; fi'
    old.write_text(f'#!/bin/sh\n{version}\nexec {sys.executable} -c "{pretend}" "$2"\n', encoding="utf-8")
    old.chmod(0o755)
    run(*BUILDER, "--output", str(tmp_path), "--python", str(old))
    device = Device(built=tmp_path, root=tmp_path / "device")
    script = device.script(NucleusKind.LITE, "install")
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    sentence = f"Python 3.11 or later is needed, and {old} is Python 3.10.13\n"
    assert (1, sentence) == (done.returncode, done.stderr)
    assert not device.root.exists()


def test_on_a_32_bit_system_pip_runs_as_on_a_32_bit_kernel(tmp_path: Path) -> None:
    """With a 64-bit kernel below, pip would ask for packages that have no wheel for this system."""
    programs = tmp_path / "bin"
    programs.mkdir()
    python = programs / "python-of-32-bits"
    answer = 'case "$2" in *maxsize*) exit 0;; esac'
    python.write_text(f'#!/bin/sh\n{answer}\nexec {sys.executable} "$@"\n', encoding="utf-8")
    setarch = programs / "setarch"
    setarch.write_text('#!/bin/sh\necho "asked for: $*"; exit 7\n', encoding="utf-8")
    for program in (python, setarch):
        program.chmod(0o755)
    run(*BUILDER, "--output", str(tmp_path / "built"), "--python", str(python))
    device = Device(built=tmp_path / "built", root=tmp_path / "device")
    device.unpack(NucleusKind.CLASSIC)
    device.work.mkdir()
    done = subprocess.run(
        ["sh", "-c", device.script(NucleusKind.CLASSIC, "install")],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env={**environment(), "PATH": os.pathsep.join([str(programs), os.environ["PATH"]])},
    )
    assert 7 == done.returncode, done.stderr
    assert "asked for: linux32 venv-" in done.stdout
    assert "/bin/python -m pip install" in done.stdout


def test_nothing_is_installed_by_its_bare_name(device: Device, tmp_path: Path) -> None:
    """Its own wheel by its path, and the rest by hashes: no name is left for an index to answer."""
    run(*BUILDER, "--output", str(tmp_path))
    for built in (device.built, tmp_path):
        for kind in NucleusKind:
            script = Device(built=built, root=tmp_path).script(kind, "install")
            installs = [line for line in script.splitlines() if "pip install" in line]
            assert [True, False] == ["--require-hashes" in line for line in installs]
            assert [built == device.built] * 2 == ["--no-index" in line for line in installs]
            assert installs[1].endswith(
                '--no-deps "$from/wheels/twilio_notifications-0.1.0-py3-none-any.whl"'
            )


# What is there already, and what runs.


async def carry_out(nucleus: FakeNucleus, count: int) -> None:
    """One more request; `count` is how many there were with it."""
    nucleus.publish(TEXT_TOPIC, text())
    statuses = await nucleus.until_published(STATUS_TOPIC, count=count)
    assert TEXT_SUCCESS == statuses[-1].payload


def environments(device: Device) -> set[str]:
    return {path.name for path in device.work.glob("venv-*")}


def in_use(device: Device) -> str:
    return (device.work / "venv").resolve().name


def inodes(folder: Path) -> dict[str, int]:
    """Every file of it: one that was written again has another number, or another time."""
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def lite(device: Device) -> Device:
    """The same device with nucleus lite, and its token."""
    (device.work / "twilio-auth-token").touch(mode=0o600)
    (device.work / "twilio-auth-token").write_text(TOKEN)
    return device


def started_by(configuration: dict[str, Any]) -> FakeNucleus:
    return FakeNucleus(
        style=Style.LITE, configuration=configuration, access_control=configuration["accessControl"]
    )


async def test_install_runs_again_while_the_program_runs_and_changes_nothing(
    lite: Device, twilio: Simulator
) -> None:
    """As nucleus lite does when its target is restarted: install next to run."""
    before = inodes((lite.work / "venv").resolve())
    with started_by(deployed(lite, NucleusKind.LITE, twilio)) as nucleus:
        async with component(lite, NucleusKind.LITE, nucleus) as connector:
            await connector.wait_for_event("connector_ready")
            await nucleus.until_subscribed(TEXT_TOPIC)
            for number in (1, 2):
                await asyncio.to_thread(lite.install, NucleusKind.LITE)
                await carry_out(nucleus, number)
            assert 0 == await connector.terminate()
    now = inodes((lite.work / "venv").resolve())
    assert before == {path: now.get(path) for path in before}


async def test_an_upgrade_is_built_next_to_what_runs_and_is_used_by_the_next_start(
    lite: Device, twilio: Simulator, tmp_path: Path
) -> None:
    """And the way back to the version before needs no package, from wherever."""
    old = in_use(lite)
    before = inodes(lite.work / old)
    later = replace(lite, built=with_a_later_content(lite.built, tmp_path))
    last = replace(lite, built=with_a_later_content(lite.built, tmp_path / "last", digest=b"eeeeeeeeeeee"))
    with started_by(deployed(lite, NucleusKind.LITE, twilio)) as nucleus:
        async with component(lite, NucleusKind.LITE, nucleus) as connector:
            await connector.wait_for_event("connector_ready")
            await nucleus.until_subscribed(TEXT_TOPIC)
            later.unpack(NucleusKind.LITE)
            await asyncio.to_thread(later.install, NucleusKind.LITE)
            await carry_out(nucleus, 1)
            last.unpack(NucleusKind.LITE)
            await asyncio.to_thread(last.install, NucleusKind.LITE)
            assert before.keys() <= inodes(lite.work / old).keys(), "a second upgrade leaves what runs too"
            later.unpack(NucleusKind.LITE)
            await asyncio.to_thread(later.install, NucleusKind.LITE)
            assert 0 == await connector.terminate()
        new = in_use(lite)
        assert {old, new} <= environments(lite)
        assert before.keys() <= inodes(lite.work / old).keys()
        async with component(later, NucleusKind.LITE, nucleus) as connector:
            await connector.wait_for_event("connector_ready")
            await nucleus.until_subscribed(TEXT_TOPIC)
            await carry_out(nucleus, 2)
            assert 0 == await connector.terminate()
    assert new != old
    lite.unpack(NucleusKind.LITE)
    shutil.move(lite.root / "unpacked" / "twilio-notifications" / "wheels", tmp_path / "wheels")
    lite.install(NucleusKind.LITE)
    assert old == in_use(lite)


def with_a_later_content(built: Path, output: Path, *, digest: bytes = b"ffffffffffff") -> Path:
    """The same component with another content, as a later build has it."""
    output.mkdir(exist_ok=True)
    for name in RECIPES.values():
        shutil.copy(built / name, output)
    with zipfile.ZipFile(built / ARCHIVE) as old, zipfile.ZipFile(output / ARCHIVE, "w") as new:
        for name in old.namelist():
            new.writestr(name, digest if name == "digest" else old.read(name))
    return output


def test_an_installation_that_was_cut_off_is_made_again(lite: Device) -> None:
    """And what it left is removed, an environment of an earlier kind in the place of the link too."""
    whole = in_use(lite)
    (lite.work / whole / "installed").unlink()
    (lite.work / whole / "bin" / "twilio-notifications").unlink()
    (lite.work / "venv-of-an-earlier-time").mkdir()
    (lite.work / "venv").unlink()
    (lite.work / "venv").mkdir()
    lite.unpack(NucleusKind.LITE)
    lite.install(NucleusKind.LITE)
    assert run(str(lite.work / "venv" / "bin" / "twilio-notifications"), "--version")
    assert (whole, {whole, "venv-before"}) == (in_use(lite), environments(lite))


# The build.


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def test_a_component_without_wheels_of_others_asks_the_index(tmp_path: Path) -> None:
    written = run(*BUILDER, "--output", "out", cwd=tmp_path).split()
    assert ["out/twilio-notifications.zip", "out/recipe.json", "out/recipe-lite.json"] == written
    with zipfile.ZipFile(tmp_path / "out" / ARCHIVE) as archive:
        assert {
            *("digest", "requirements.lock", "wheels/twilio_notifications-0.1.0-py3-none-any.whl")
        } == set(archive.namelist())
    assert "--no-index" not in (tmp_path / "out" / "recipe.json").read_text(encoding="utf-8")


def test_a_build_removes_its_own_files_alone(tmp_path: Path) -> None:
    """The build keeps what an operator has in the folder, and removes a deployment that is out of date."""
    (tmp_path / "of-mine").write_text("1")
    (tmp_path / "deployment.json").write_text("{}")
    run(*BUILDER, "--output", str(tmp_path), "--nucleus", "lite")
    left = {path.name for path in tmp_path.iterdir()}
    assert {"of-mine", "twilio-notifications.zip", "recipe-lite.json"} == left


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built for a configuration that has topics of its own, and its token in AWS."""
    folder = tmp_path_factory.mktemp("configured")
    given = {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TwilioAuthTokenSecretArn": ARN,
        "transport": {"topic_prefix": "site7/"},
        "secrets": {"source": "aws", "key_file": "/a/file/of/the/device"},
    }
    (folder / "configuration.json").write_text(json.dumps(given), encoding="utf-8")
    options = (
        "--configuration",
        "configuration.json",
        "--output",
        ".",
        "--bucket",
        "b",
        "--python",
        "python9",
    )
    run(*BUILDER, *options, cwd=folder)
    return folder


@pytest.mark.parametrize("kind", NucleusKind)
def test_a_configuration_makes_its_recipe_and_its_deployment(configured: Path, kind: NucleusKind) -> None:
    """Both allow what it needs; the file that only the device has is no reason to refuse it."""
    recipe = read(configured / RECIPES[kind])
    default = recipe["ComponentConfiguration"]["DefaultConfiguration"]
    deployment = read(configured / RECIPES[kind].replace("recipe", "deployment"))
    merged = json.loads(deployment["components"]["TwilioNotifications"]["configurationUpdate"]["merge"])
    assert default == merged
    assert "/a/file/of/the/device" == merged["secrets"]["key_file"]
    allowed = merged["accessControl"]["aws.greengrass.ipc.pubsub"]["TwilioNotifications:pubsub:1"]
    assert "site7/twilio/txt" in allowed["resources"]
    how = {NucleusKind.CLASSIC: "HARD", NucleusKind.LITE: "SOFT"}[kind]
    assert how == recipe["ComponentDependencies"]["aws.greengrass.TokenExchangeService"]["DependencyType"]


def test_a_recipe_takes_the_bucket_and_the_devices_python(configured: Path) -> None:
    (manifest,) = read(configured / "recipe-lite.json")["Manifests"]
    assert manifest["Artifacts"][0]["Uri"].startswith("s3://b/TwilioNotifications/")
    assert " python9 -m venv " in manifest["Lifecycle"]["install"]["Script"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "configuration.json is no JSON file that can be read: Expecting property name"),
        ("[]", 'configuration.json must hold an object: {"TWILIO_ACCOUNT_SID": "AC…", …}'),
        ("{}", "configuration.json, lite nucleus: Twilio account SID (TWILIO_ACCOUNT_SID) is required"),
        ('{"limits": {"texts_per_dy": "1"}}', "unknown key limits.texts_per_dy: did you mean texts_per_day?"),
    ],
)
def test_a_wrong_configuration_is_said_before_anything_is_built(
    content: str, said: str, tmp_path: Path
) -> None:
    """On the device, the component would be broken after three starts."""
    (tmp_path / "configuration.json").write_text(content, encoding="utf-8")
    command = (*BUILDER, "--configuration", "configuration.json", "--output", "out", "--nucleus", "lite")
    built = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert 1 == built.returncode
    assert said in built.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", NucleusKind)
def test_a_local_deployment_finds_recipe_and_archive(kind: NucleusKind, tmp_path: Path) -> None:
    """Nucleus lite knows a recipe by its name; what there is to configure stands in it."""
    (tmp_path / "c.json").write_text(
        json.dumps({"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "secrets": {"source": "file", "path": "token"}})
    )
    run(*BUILDER, "--local", "--nucleus", kind, "--configuration", "c.json", "--output", ".", cwd=tmp_path)
    (recipe,) = (tmp_path / "recipes").iterdir()
    document = read(recipe)
    name, number = document["ComponentName"], document["ComponentVersion"]
    assert f"{name}-{number}.json" == recipe.name
    assert (tmp_path / "artifacts" / name / number / "twilio-notifications.zip").exists()
    assert ACCOUNT_SID == document["ComponentConfiguration"]["DefaultConfiguration"]["TWILIO_ACCOUNT_SID"]
    assert "ComponentDependencies" not in document


def test_a_local_deployment_is_for_one_nucleus(tmp_path: Path) -> None:
    command = (*BUILDER, "--local", "--output", str(tmp_path))
    built = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert 2 == built.returncode
    assert "error: --local needs --nucleus classic or --nucleus lite" in built.stderr


# Greengrass Development Kit.


def test_the_kit_finds_what_it_publishes(tmp_path: Path) -> None:
    run(*BUILDER, "--gdk", "--output", str(tmp_path))
    number = read(tmp_path / "recipes" / "recipe.json")["ComponentVersion"]
    assert (tmp_path / "artifacts" / "TwilioNotifications" / number / "twilio-notifications.zip").exists()


def test_the_kits_build_command_is_the_one_of_the_makefile() -> None:
    """Which brings its own environment: the kit's Python does not know the package."""
    folder = ROOT / "deploy" / "greengrass"
    (component,) = read(folder / "gdk-config.json")["component"].values()
    command = component["build"]["custom_build_command"]
    assert "deploy/greengrass/build.py --gdk" in run(*command, "--dry-run", cwd=folder)
