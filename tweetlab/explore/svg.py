"""Charts as SVG text, drawn by the browser.

matplotlib takes a fifth of a second for a picture of four panels, during which no reader in the
same Python process gets on: a live chart would slow down what it measures. This takes a few
milliseconds, and its words remain words: sharp at any size, and there for a screen reader.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

INK, FAINT = "#222222", "#d9d9d9"
LINE = 24
"""Pixels from one line of text to the next."""
_NICE = (1, 2, 3, 4, 6, 8, 10)

HATCHES = {
    "plain": "",
    "dots": '<circle cx="3" cy="3" r="1.6" fill="#fff"/>',
    "stripes": '<path d="M0 9 9 0" stroke="#fff" stroke-width="2.5"/>',
    "crosses": '<path d="M1 1 8 8M8 1 1 8" stroke="#fff" stroke-width="1.6"/>',
}


@dataclass(frozen=True)
class Style:
    """How a line or an area looks; no two in a panel differ by colour alone."""

    color: str
    dash: str = ""
    width: float = 3
    hatch: str = ""
    """Of an area; a line has none."""

    @property
    def fill(self) -> str:
        """The paint of an area."""
        return f"url(#tweetlab-{self.hatch}-{self.color[1:]})"

    @property
    def pattern(self) -> str:
        """The definition of that paint."""
        return (
            f'<pattern id="tweetlab-{self.hatch}-{self.color[1:]}" width="9" height="9" '
            f'patternUnits="userSpaceOnUse"><rect width="9" height="9" fill="{self.color}"/>'
            f"{HATCHES[self.hatch]}</pattern>"
        )

    def sample(self, x: float, y: float) -> str:
        """A little of it, to stand before its name."""
        if self.hatch:
            return box(x, y - 14, 24, 16, self)
        return self.path([(x, y - 6), (x + 24, y - 6)])

    def path(self, points: Iterable[tuple[float, float]]) -> str:
        """A line through points, broken where one is not a number."""
        steps, pen = [], "M"
        for x, y in points:
            if math.isnan(y):
                pen = "M"
            else:
                steps.append(f"{pen}{x:.1f} {y:.1f}")
                pen = "L"
        return (
            f'<path d="{"".join(steps)}" fill="none" stroke="{self.color}" '
            f'stroke-width="{self.width:g}" stroke-dasharray="{self.dash}" '
            'stroke-linejoin="round"/>'
        )


@dataclass(frozen=True)
class Panel:
    """A plot's place in the picture, in pixels, and what its axes stand for."""

    left: float
    top: float
    width: float
    height: float
    xs: tuple[float, float]
    ys: tuple[float, float]
    log: bool = False

    def x(self, value: float) -> float:
        """Where a value lies from left to right."""
        first, last = self.xs
        return self.left + self.width * (value - first) / (last - first)

    def y(self, value: float) -> float:
        """Where a value lies from top to bottom; those beyond the axis at its end."""
        low, high = self.ys
        if self.log and not math.isnan(value):
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, low))
        part = (value - low) / (high - low)
        if not math.isnan(part):
            part = min(max(part, 0.0), 1.0)
        return self.top + self.height * (1 - part)

    def line(self, xs: Sequence[float], ys: Sequence[float], style: Style) -> str:
        """A line through those values."""
        return style.path((self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True))

    def area(
        self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], style: Style
    ) -> str:
        """The area between two lines."""
        if not xs:
            return ""
        up = [f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in zip(xs, high, strict=True)]
        down = [f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in zip(xs, low, strict=True)]
        return (
            f'<path d="M{"L".join(up + down[::-1])}Z" fill="{style.fill}" '
            f'stroke="{style.color}" stroke-width="0.5"/>'
        )

    def frame(self, title: str, ticks: Iterable[tuple[float, str]]) -> str:
        """The title, the axes, and the ticks of the vertical one with their words."""
        right, bottom = self.left + self.width, self.top + self.height
        parts = [text(0, self.top - 12, title, weight="bold")]
        for value, words in ticks:
            y = self.y(value)
            parts.append(f'<path d="M{self.left:g} {y:.1f}H{right:g}" stroke="{FAINT}"/>')
            parts.append(text(self.left - 8, y + 6, words, anchor="end"))
        parts.append(f'<path d="M{self.left:g} {bottom:g}H{right:g}" stroke="{INK}"/>')
        return "".join(parts)


def box(x: float, y: float, width: float, height: float, style: Style) -> str:
    """A bar."""
    return (
        f'<rect x="{x:g}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{style.fill}" stroke="{style.color}"/>'
    )


def text(x: float, y: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    """Words at a place."""
    return (
        f'<text x="{x:g}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'fill="{INK}">{escape(words)}</text>'
    )


def picture(
    width: float, height: float, description: str, styles: Iterable[Style], parts: Iterable[str]
) -> str:
    """The whole picture, with what it says in words for those who cannot see it."""
    patterns = "".join(sorted({style.pattern for style in styles if style.hatch}))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-label="{escape(description)}" font-family="sans-serif" '
        'font-size="14pt" style="display: block; background: #fff; height: auto; '
        f'width: {width:g}px; max-width: 100%; font-variant-numeric: tabular-nums">'
        f"<defs>{patterns}</defs>{''.join(parts)}</svg>"
    )


def ceiling(value: float) -> float:
    """The least of 1, 2, 3, 4, 6, 8, 10, 20, ... that is not below a value: the end of an axis."""
    power = 10.0 ** math.floor(math.log10(max(value, 1)))
    return next(nice * power for nice in _NICE if nice * power >= value)
