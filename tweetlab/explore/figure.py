"""The explorer's two pictures: what a run meets, and what the settings ask for."""

import math
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from tweetlab.charts import drawing, wording
from tweetlab.charts.drawing import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION
from tweetlab.explore import svg
from tweetlab.explore.series import STEP, Point
from tweetlab.explore.settings import Settings
from tweetlab.explore.svg import LINE, Panel, Style
from tweetlab.explore.words import number

WINDOW, PAGE = 30, 10
"""Seconds on the time axis, and by how many it moves on when it is full."""
WIDTH, LEFT, PLOT = 700, 72, 342
PREVIEW_WIDTH = 280
TITLE, HEIGHT, GAP = 40, 92, 18
"""Pixels: of a panel's title, its plot, and the room below it."""

LIGHT_GREY = "#8f8f8f"
AREAS = {
    "failed": ("failed", Style(VERMILLION, hatch="crosses")),
    "late": ("after throttle", Style(ORANGE, hatch="stripes")),
    "table": ("table", Style(GREEN, hatch="dots")),
    "cache": ("cache, or shared", Style(SKY_BLUE, hatch="plain")),
}
LIMIT = Style("#000000", "8 5", 2.5)
EXPECTED = Style(PURPLE, "2 4", 4)
CONSUMED, HITS = Style(GREEN), Style(BLUE)
MEDIAN, TAIL = Style(BLUE), Style(VERMILLION, "9 4")
WITHOUT, WITH = Style(PURPLE, hatch="stripes"), Style(PURPLE, hatch="plain")
MOST, REST = Style(BLUE, hatch="plain"), Style(LIGHT_GREY, hatch="dots")
LAST, LAST_TAIL = Style(LIGHT_GREY, width=5), Style(LIGHT_GREY, "9 4", width=5)


class Curve(NamedTuple):
    """A line over time, and its name, which stands beside it with the last value."""

    at: list[float]
    values: list[float]
    style: Style
    name: str


def live(points: Sequence[Point], last: Sequence[Point], settings: Settings, words: str) -> str:
    """A run, with the last one in grey behind it; without points, what is to be expected."""
    first = max(0, math.ceil((len(points) * STEP - WINDOW) / PAGE) * PAGE)
    shown, behind = _within(points, first), _within(last, first)
    if not shown:
        shown = [Point.blank(float(at), settings) for at in (first, first + WINDOW)]
    at = [point.at for point in shown]
    ratio = [100 * point.settings.hit_ratio or math.nan for point in shown]

    def curve(name: str, style: Style, words: str, scale: float = 1) -> Curve:
        return Curve(at, [scale * attrgetter(name)(point) for point in shown], style, words)

    def grey(words: str, *names: str, scale: float = 1, style: Style = LAST) -> Curve:
        values = [scale * sum(getattr(point, name) for name in names) for point in behind]
        return Curve([point.at for point in behind], values, style, words)

    plot = _Plots(first)
    plot.add(
        "Reads a second, by outcome",
        [curve("settings.rate", LIMIT, "offered")],
        [grey("throttled, last run", "failed", "late")],
        [curve(name, style, words) for name, (words, style) in AREAS.items()],
    )
    plot.add(
        "Read capacity units a second (RCU)",
        [
            curve("settings.read_capacity", LIMIT, "provisioned"),
            curve("settings.needed", EXPECTED, "needed"),
            curve("consumed", CONSUMED, "consumed"),
        ],
        [grey("consumed, last run", "consumed")],
    )
    plot.add(
        "Hit ratio in % of the answers",
        [Curve(at, ratio, EXPECTED, "when warm"), curve("hit_ratio", HITS, "now", 100)],
        [grey("last run", "hit_ratio", scale=100)],
        ys=(0, 100),
    )
    plot.add(
        "Latency in ms, logarithmic scale",
        [curve("p99", TAIL, "99th percentile"), curve("p50", MEDIAN, "median")],
        [grey("last run", "p99", style=LAST_TAIL), grey("last run", "p50")],
        log=True,
    )
    return plot.picture(words)


class _Plots:
    """Panels one below the other, with a common time axis."""

    def __init__(self, first: float) -> None:
        self._first = first
        self._top = 0.0
        self._parts: list[str] = []

    def add(
        self,
        title: str,
        curves: list[Curve],
        last: list[Curve],
        areas: Sequence[Curve] = (),
        ys: tuple[float, float] | None = None,
        log: bool = False,
    ) -> None:
        """One more panel: areas piled up, the last run's lines, and this run's lines over them."""
        piled = np.cumsum([area.values for area in areas], axis=0) if areas else np.zeros((0, 0))
        lines = [np.array(curve.values) for curve in (*curves, *last)]
        every = np.concatenate([*lines, piled.ravel()])
        every = every[np.isfinite(every)]
        if log:
            ys = drawing.decades(np.maximum(every, drawing.FASTEST_MS))
            ticks = _decades(*ys)
        else:
            ys = ys or (0, svg.ceiling(every.max(initial=1)))
            ticks = [(ys[1] * part, f"{ys[1] * part:,g}") for part in (0, 0.5, 1)]
        xs = (self._first, self._first + WINDOW)
        panel = Panel(LEFT, self._top + TITLE, PLOT, HEIGHT, xs, ys, log)

        self._parts.append(panel.frame(title, ticks))
        low = np.zeros(piled.shape[-1])
        for area, high in zip(areas, piled, strict=True):
            if not np.isnan(high).any():
                self._parts.append(panel.area(area.at, list(low), list(high), area.style))
            low = high
        for curve in (*last, *curves):
            if curve.values:
                self._parts.append(panel.line(curve.at, curve.values, curve.style))
        self._label([*curves, *reversed(areas)], last)
        self._top += TITLE + HEIGHT + GAP

    def _label(self, curves: Sequence[Curve], last: Sequence[Curve]) -> None:
        left, y = LEFT + PLOT + 14, self._top + 22
        for curve in curves:
            self._parts.append(curve.style.sample(left, y))
            value = number(curve.values[-1])
            self._parts.append(svg.text(left + 78, y, value, "end", "bold"))
            self._parts.append(svg.text(left + 88, y, curve.name))
            y += LINE
        for curve in last[:1]:
            if not np.isnan(curve.values).all():
                self._parts.append(curve.style.sample(left, y))
                self._parts.append(svg.text(left + 32, y, curve.name))

    def picture(self, words: str) -> str:
        """All of it, with the time axis below."""
        bottom = self._top - GAP
        panel = Panel(LEFT, 0, PLOT, 1, (self._first, self._first + WINDOW), (0, 1))
        for second in range(int(self._first), int(self._first) + WINDOW + 1, 5):
            self._parts.append(svg.text(panel.x(second), bottom + LINE, f"{second}", "middle"))
        middle = panel.x(self._first + WINDOW / 2)
        axis = svg.text(middle, bottom + 2 * LINE, "seconds since the start", "middle")
        styles = [style for _, style in AREAS.values()]
        return svg.picture(WIDTH, bottom + 2 * LINE + 8, words, styles, [*self._parts, axis])


def _within(points: Sequence[Point], first: float) -> list[Point]:
    """The points from that second on, as many as there is room for."""
    start = max(0, round(first / STEP) - 1)
    return list(points[start : start + round(WINDOW / STEP) + 1])


def _decades(low: float, high: float) -> list[tuple[float, str]]:
    """Ticks at some powers of ten, three or four."""
    bottom, top = round(math.log10(low)), round(math.log10(high))
    every = max(1, (top - bottom + 2) // 3)
    return [(10.0**power, f"{10.0**power:,g}") for power in range(bottom, top + 1, every)]


def preview(settings: Settings, words: str) -> str:
    """What the settings ask of the table, and how unequal the tweets are."""
    without, with_cache = (replace(settings, cache=cache).needed for cache in (False, True))
    scale = (PREVIEW_WIDTH - 20) / max(without, settings.read_capacity)
    x = scale * settings.read_capacity
    parts = [svg.text(0, 20, "RCU that the reads need", weight="bold")]
    y = 24
    for name, units, style in (
        ("without a cache", without, WITHOUT),
        ("with a warm cache", with_cache, WITH),
    ):
        parts.append(svg.text(0, y + 20, f"{number(units)} {name}"))
        parts.append(svg.box(0, y + 28, max(1, scale * units), 16, style))
        parts.append(LIMIT.path([(x, y + 26), (x, y + 48)]))
        y += 52
    parts.append(LIMIT.sample(0, y + 20))
    parts.append(svg.text(32, y + 20, f"{settings.read_capacity} provisioned"))

    shares = np.sort(settings.shares)[::-1][: settings.tweets]
    tenths = [float(part.sum()) for part in np.array_split(shares, 10)]
    y += 54
    parts.append(svg.text(0, y, "Who gets them", weight="bold"))
    first = wording.percent(round(tenths[0], 2))
    parts.append(svg.text(36, y + 26, f"{first} for the tenth of the"))
    parts.append(svg.text(36, y + 26 + LINE, "tweets that is read most"))
    bottom = y + 108
    for place, part in enumerate(tenths):
        style = REST if place else MOST
        parts.append(svg.box(place * 28, bottom - 98 * part, 24, 98 * part, style))
    return svg.picture(PREVIEW_WIDTH, bottom + 2, words, [WITHOUT, WITH, MOST, REST], parts)
