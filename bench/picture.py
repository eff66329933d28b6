"""Measured values over time → a picture in SVG, which a browser shows in the light and in the dark. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, PANEL_HEIGHT, GAP = 900, 150, 46
LEFT, RIGHT, TOP = 70, 20, 80
ROOM = 1.15
"""The scale ends so much above the largest value."""

STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 }
.faint { fill: #6e7781 }
.frame { fill: none; stroke: #d0d7de }
.line { fill: none; stroke: #0969da; stroke-width: 1.5 }
.mark { stroke: #cf222e; stroke-width: 1; stroke-opacity: 0.5 }
.judged { fill: #0969da; fill-opacity: 0.06 }
.paper { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .faint { fill: #8b949e } .frame { stroke: #30363d } .paper { fill: #0d1117 }
  .line { stroke: #58a6ff } .mark { stroke: #ff7b72 }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One value over time. A line ends at a None, and goes on after it."""

    title: str
    points: Sequence[tuple[float, float | None]]
    """Seconds since the beginning, and the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Panels above each other, with one scale of time."""

    title: str
    subtitle: str
    seconds: float
    """The end of the scale of time."""
    panels: Sequence[Panel]
    marks: Sequence[float] = ()
    """Instants that each panel shows as a vertical line."""
    judged_from: float | None = None
    """From here on the panels have a ground of their own; None: nowhere."""

    def svg(self) -> str:
        """The whole document."""
        height = TOP + len(self.panels) * (PANEL_HEIGHT + GAP)
        view = f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(self.title)}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
                f"<style>{STYLE}</style>",
                f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
                f'<text class="title" x="{LEFT}" y="24">{escape(self.title)}</text>',
                f'<text class="faint" x="{LEFT}" y="44">{escape(self.subtitle)}</text>',
                *(line for place, panel in enumerate(self.panels) for line in self._panel(panel, place)),
                "</svg>\n",
            ]
        )

    def _panel(self, panel: Panel, place: int) -> Iterator[str]:
        top = TOP + place * (PANEL_HEIGHT + GAP)
        bottom = top + PANEL_HEIGHT
        most = ROOM * max((value for _, value in panel.points if value is not None), default=0) or 1.0
        if self.judged_from is not None:
            begin = self._x(self.judged_from)
            yield (
                f'<rect class="judged" x="{begin:.1f}" y="{top}" '
                f'width="{WIDTH - RIGHT - begin:.1f}" height="{PANEL_HEIGHT}"/>'
            )
        for mark in self.marks:
            x = self._x(mark)
            yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        yield (
            f'<rect class="frame" x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" '
            f'height="{PANEL_HEIGHT}"/>'
        )
        yield f'<text x="{LEFT}" y="{top - 6}">{escape(panel.title)}</text>'
        for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
            y = bottom - share * PANEL_HEIGHT
            place_of_value = f'x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end"'
            yield f'<text class="faint" {place_of_value}>{share * most:.3g}</text>'
            x = LEFT + share * (WIDTH - LEFT - RIGHT)
            yield (
                f'<text class="faint" x="{x:.0f}" y="{bottom + 16}" text-anchor="{anchor}">'
                f"{share * self.seconds / 60:.3g} min</text>"
            )
        for run in _runs(panel.points):
            path = " ".join(
                f"{self._x(at):.1f},{bottom - value / most * PANEL_HEIGHT:.1f}" for at, value in run
            )
            yield f'<polyline class="line" points="{path}"/>'

    def _x(self, at: float) -> float:
        return LEFT + at / self.seconds * (WIDTH - LEFT - RIGHT)


def _runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """The points between two gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is not None:
            runs[-1].append((at, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
