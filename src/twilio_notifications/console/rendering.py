"""Templates into pages: everything that comes from outside is shown as text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from twilio_notifications.console.sessions import ConsoleSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the guard has found out about a request before a page sees it."""

    session: ConsoleSession
    form_token: str
    form: Mapping[str, str]
    """The fields of a form; empty for what sent none."""
    is_new: bool
    """Whether the browser does not have the cookie of this session yet."""

    @property
    def person(self) -> str:
        """Under which name orders stand."""
        return self.session.person or "console"

    @property
    def reveals(self) -> bool:
        """Whether pages show whole names and numbers without being asked: to people who have signed in."""
        return self.session.person is not None


def visit_of(request: Request) -> Visit:
    """What the guard has found out about this request."""
    visit: Visit = request.state.visit
    return visit


class Pages:
    """The templates, ready to be filled."""

    def __init__(self, *, version: str, signs_in: bool) -> None:
        """`signs_in`: whether people sign in, so that a page offers to sign out."""
        self._templates = Environment(
            loader=PackageLoader("twilio_notifications.console"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["when"] = when
        self._templates.globals |= {"version": version, "signs_in": signs_in}

    def load(self) -> None:
        """Reads all templates, before the process is confined."""
        for name in self._templates.list_templates(extensions=["html"]):
            self._templates.get_template(name)

    def page(self, request: Request, name: str, *, status: int = 200, **values: object) -> Response:
        """The page of this template."""
        visit: Visit | None = getattr(request.state, "visit", None)
        content = self._templates.get_template(f"{name}.html").render(
            here=request.url.path,
            person=None if visit is None else visit.session.person,
            form_token="" if visit is None else visit.form_token,
            **values,
        )
        # Half of a surrogate pair, which JSON can hold and UTF-8 cannot, is shown as JSON writes it.
        return HTMLResponse(content.encode("utf-8", "backslashreplace"), status_code=status)


def when(at: float | None) -> Markup:
    """The instant, in UTC without a script; the script shows it in the reader's own time."""
    if at is None:
        return Markup("&ndash;")
    exact = datetime.fromtimestamp(at, UTC)
    written = f"{exact:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}">{}</time>').format(exact.isoformat(timespec="seconds"), written)
