"""A package index on the loopback, and wheels that a stranger could upload to one.

Of two wheels of one version, pip ranks the one with a build number higher. With hashes in the links of the
index it passes over those that it may not take; without them it downloads the highest, and then looks.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "hostile.py"
"""A module that each hostile wheel brings into the package that it pretends to be."""


def hostile_wheel(name: str, version: str, folder: Path) -> Path:
    """A wheel of this name and version whose build number ranks it above the real one."""
    package = name.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    contents = {
        f"{package}/{MARK}": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\nBuild: 9\n",
    }
    records = [f"{path},{_digest(text)},{len(text)}" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*records, f"{info}/RECORD,,", ""])
    path = folder / f"{package}-{version}-9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name_inside, text in contents.items():
            wheel.writestr(name_inside, text)
    return path


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


class PackageIndex:
    """What `serving` gives. `asked` are the paths that were asked for, in order."""

    def __init__(self, url: str, asked: list[str]) -> None:
        self.url = url
        self.asked = asked


@contextmanager
def serving(*folders: Path, hashes: bool = True) -> Iterator[PackageIndex]:
    """An index of the wheels in these folders, until the end of the block; with `hashes` in its links."""
    asked: list[str] = []
    pages = partial(_Pages, folders=folders, asked=asked, hashes=hashes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), pages)
    thread = threading.Thread(target=server.serve_forever, name="package index", daemon=True)
    thread.start()
    try:
        yield PackageIndex(f"http://127.0.0.1:{server.server_port}/simple/", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Pages(BaseHTTPRequestHandler):
    """The simple API: /simple/NAME/ lists files, /files/FILE is one."""

    def __init__(self, *arguments: object, folders: tuple[Path, ...], asked: list[str], hashes: bool) -> None:
        self._folders = folders
        self._asked = asked
        self._hashes = hashes
        super().__init__(*arguments)  # type: ignore[arg-type]  # what the server hands over

    def do_GET(self) -> None:
        self._asked.append(self.path)
        kind, _, name = self.path.strip("/").partition("/")
        wheels = {wheel.name: wheel for folder in self._folders for wheel in folder.glob("*.whl")}
        if kind == "files" and name in wheels:
            self._answer(wheels[name].read_bytes(), "application/octet-stream")
            return
        found = [each for each in wheels if canonicalize_name(each.partition("-")[0]) == name]
        links = "".join(
            f'<a href="/files/{each}{self._fragment(wheels[each])}">{each}</a>\n' for each in found
        )
        self._answer(links.encode(), "text/html", status=200 if found else 404)

    def _fragment(self, wheel: Path) -> str:
        return f"#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}" if self._hashes else ""

    def _answer(self, content: bytes, form: str, *, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", form)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at `asked`."""
