"""The page with the telephones: four files of this folder, and the headers that go with them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from twilio_notifications.simulator.api import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page loads nothing from elsewhere, runs no script but its own, and stands in no frame."""

HEADERS: Final = (
    (b"Content-Security-Policy", POLICY),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cache-Control", b"no-store"),
)


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, and its content type."""

    name: str
    content_type: bytes


PAGE_PATH: Final = "/simulator/telephone"

PAGE: Final[Mapping[str, PageFile]] = {
    "telephone": PageFile("page.html", b"text/html; charset=utf-8"),
    "telephone/icon.svg": PageFile("icon.svg", b"image/svg+xml"),
    "telephone/page.css": PageFile("page.css", b"text/css; charset=utf-8"),
    "telephone/page.js": PageFile("page.js", b"text/javascript; charset=utf-8"),
}
"""The files by the path after /simulator/."""


def page(name: str) -> Response:
    """The answer with this file of `PAGE`."""
    wanted = PAGE[name]
    content = files(__package__).joinpath(wanted.name).read_bytes()
    return Response(status=HTTPStatus.OK, body=content, headers=HEADERS, content_type=wanted.content_type)
