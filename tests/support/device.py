"""A device on which the component is installed as a nucleus does it, from what `make component` has built."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.component import NucleusKind

BUILDER = (sys.executable, str(ROOT / "deploy" / "greengrass" / "build.py"))
ARCHIVE = "twilio-notifications.zip"
RECIPES = {NucleusKind.CLASSIC: "recipe.json", NucleusKind.LITE: "recipe-lite.json"}


def run(*command: str, **options: Any) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False, **options
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device as the nucleus sees it."""

    built: Path
    root: Path

    def recipe(self, kind: NucleusKind) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.built / RECIPES[kind]).read_text(encoding="utf-8"))
        return document

    def script(self, kind: NucleusKind, step: str) -> str:
        """The recipe's script with this device's paths."""
        (manifest,) = self.recipe(kind)["Manifests"]
        paths = {
            "{work:path}": self.work,
            "{artifacts:path}": self.built,
            "{artifacts:decompressedPath}": self.root / "unpacked",
        }
        script = str(manifest["Lifecycle"][step]["Script"])
        for variable, path in paths.items():
            script = script.replace(variable, str(path))
        return script

    @property
    def work(self) -> Path:
        return self.root / "work"

    def unpack(self, kind: NucleusKind) -> None:
        (manifest,) = self.recipe(kind)["Manifests"]
        (artifact,) = manifest["Artifacts"]
        archive = self.built / artifact["Uri"].rpartition("/")[2]
        assert "ZIP" == artifact["Unarchive"]
        with zipfile.ZipFile(archive) as content:
            content.extractall(self.root / "unpacked" / archive.stem)

    def install(self, kind: NucleusKind, **environ: str) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        # This environment's Python is the device's; what is installed here must not help there.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environ = {"PATH": path, "HOME": str(self.root), "PIP_CONFIG_FILE": os.devnull} | environ
        run("sh", "-c", self.script(kind, "install"), cwd=self.work, env=environ)
