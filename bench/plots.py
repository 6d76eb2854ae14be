"""Draws the figures as SVG, by hand: bars and lines need no library. Called by `bench.parts`.

To bench/results; those of a run at full size go to docs/bench as well, where the page shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from bench.latency import Latency
from bench.report import Line
from bench.results import LATEST

DOCS = Path(__file__).parents[1] / "docs" / "bench"
_WIDTH = 760
_LEFT, _RIGHT = 260, 90
_BAR, _GAP, _TOP = 18, 8, 44
_OURS, _THEIRS, _LIMIT = "#0b7a4b", "#8a94a6", "#c9a227"


def of_messages(made: Sequence[Line], *, quick: bool, docs: Path = DOCS) -> list[Path]:
    """Messages per second of all on the spread load."""
    bars = [
        (f"{line.contestant}, {line.answer}", line.per_second, _colour(line.contestant))
        for line in made
        if line.load == "spread"
    ]
    drawn = bar_chart("Messages per second, spread over dealers and buyers", bars, "{:,.0f}")
    return _save("messages.svg", drawn, quick=quick, docs=docs)


def of_latency(found: Sequence[Latency], *, quick: bool, docs: Path = DOCS) -> list[Path]:
    """The median and the 99th percentile at each rate."""
    bars = [
        (f"{one.contestant}, {one.asked_per_s:,}/s, {name}", value, _colour(one.contestant))
        for one in found
        for name, value in (("p50", one.p50), ("p99", one.p99))
    ]
    drawn = bar_chart("Milliseconds until the answer is committed", bars, "{:,.1f}")
    return _save("latency.svg", drawn, quick=quick, docs=docs)


def bar_chart(title: str, bars: Sequence[tuple[str, float, str]], number: str) -> str:
    """An SVG of (name, value, colour); lengths go by the value."""
    most = max((value for _, value, _ in bars), default=0) or 1
    height = _TOP + len(bars) * (_BAR + _GAP) + _GAP
    size = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12"'
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for place, (name, value, colour) in enumerate(bars):
        top = _TOP + place * (_BAR + _GAP)
        length = (_WIDTH - _LEFT - _RIGHT) * value / most
        rows += [
            f'<text x="{_LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>',
            f'<text x="{_LEFT + length + 6:.1f}" y="{top + 13}">{number.format(value)}</text>',
        ]
    return "\n".join([*rows, "</svg>", ""])


def _colour(contestant: str) -> str:
    if contestant.startswith("helix"):
        return _OURS
    return _LIMIT if contestant.startswith("limit") else _THEIRS


def _save(name: str, drawn: str, *, quick: bool, docs: Path) -> list[Path]:
    folders = [LATEST.parent] if quick else [LATEST.parent, docs]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(drawn)
    return [folder / name for folder in folders]
