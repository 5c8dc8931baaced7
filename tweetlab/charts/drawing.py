"""How the charts look and speak: the figure that carries its own words, colours and labels, and
what several charts need of their rows."""

import base64
import html
import io
import math
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import matplotlib.style
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

Floats = npt.NDArray[np.float64]

ORANGE, SKY_BLUE, GREEN = "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
"""Okabe and Ito's colours, which every eye tells apart. No chart relies on colour alone."""
GREY = "#595959"
WITHOUT, WITH = VERMILLION, BLUE
"""Reads without the cache, or of the table; and reads with it."""

STYLE: Any = {
    "font.size": 14,
    "axes.titlesize": 14,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.titlesize": 18,
    "figure.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.12,
    "hatch.linewidth": 0.5,
}


@contextmanager
def styled() -> Iterator[None]:
    """While a chart is made, and while it is saved: matplotlib's own defaults and STYLE, whatever
    the user has in a matplotlibrc, as a dark ground, or TeX for all texts.
    """
    with matplotlib.style.context(STYLE, after_reset=True):
        yield


READABLE = 4.5
"""Contrast of a text with its ground, at least (WCAG 2.2, 1.4.3); of a line, 3 (1.4.11)."""

FASTEST_MS = 0.01
"""The least latency that is drawn: a logarithmic axis has no zero."""


class Chart(Figure):
    """A matplotlib figure that says what it shows: ``finding`` in a line, ``caption`` in full.

    A notebook shows the picture once, with the caption under it, for those who cannot see the
    picture and those who want the numbers. PNG and SVG files carry both as metadata.
    """

    finding = ""
    caption = ""

    def tell(self, finding: str, *sentences: str) -> Self:
        """Make the finding the title, and begin the caption with it; returns the chart.

        The finding and each sentence get a capital letter, as they may begin with a name.
        """
        self.finding, *others = (text[:1].upper() + text[1:] for text in (finding, *sentences))
        self.caption = " ".join([f"{self.finding}.", *others])
        width = int(self.get_figwidth() * 6.4)  # so many characters fit, bold and of 18 points
        self.suptitle(textwrap.fill(self.finding, width), x=0.01, ha="left")
        return self

    @styled()
    def savefig(self, fname: Any, **options: Any) -> None:
        """Save as any Figure does, and put the words into PNG and SVG files."""
        kind = options.get("format") or Path(str(fname)).suffix.lstrip(".").lower()
        if kind in ("png", "svg"):
            about = {"Title": self.finding, "Description": self.caption}
            options["metadata"] = about | (options.get("metadata") or {})
        super().savefig(fname, **options)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        png = io.BytesIO()
        self.savefig(png, format="png", dpi=2 * self.dpi)  # sharp on a high-density screen
        data = base64.b64encode(png.getvalue()).decode()
        width = round(self.get_figwidth() * self.dpi)
        # Neither JupyterLab nor nbconvert gives an image/png its alt text: so HTML comes first.
        alt = html.escape(self.finding)
        picture = {
            "text/html": f'<img src="data:image/png;base64,{data}" alt="{alt}" width="{width}">',
            "image/png": data,
            "text/plain": f"Chart: {self.finding}",
        }
        about = {"alt": self.finding, "width": width}
        words = {"text/markdown": self.caption, "text/plain": self.caption}
        display(picture, raw=True, metadata={"image/png": about})  # type: ignore[no-untyped-call]
        display(words, raw=True)  # type: ignore[no-untyped-call]


def label_right(axes: Axes, *labels: tuple[float, str, str]) -> None:
    """Write each (height in data, text, colour) beside the axes, moved apart where they collide."""
    low, high = axes.get_ylim()
    scale = axes.yaxis.get_transform()
    bottom, top = scale.transform([low, high])
    inches = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted()).height
    line = 20 / 72 / inches  # a line of text takes 20 points; heights are parts of the axes

    ordered = sorted((max(low, height), text, color) for height, text, color in labels)
    halves = [line * (text.count("\n") + 1) / 2 for _, text, _ in ordered]
    places, floor = [], 0.0
    for (height, _, _), half in zip(ordered, halves, strict=True):
        wanted = (scale.transform([height])[0] - bottom) / (top - bottom)
        places.append(max(wanted, floor + half))
        floor = places[-1] + half
    ceiling = 1.0
    for number in reversed(range(len(ordered))):
        places[number] = min(places[number], ceiling - halves[number])
        ceiling = places[number] - halves[number]
    for place, (_, text, color) in zip(places, ordered, strict=True):
        axes.text(1.01, place, text, va="center", transform=axes.transAxes, **bold(color))


def label_point(
    axes: Axes, text: str, point: tuple[float, float], color: str, line: int = 0
) -> None:
    """Write to the upper right of a point, where a falling line leaves room; lines go upward."""
    above = 12 + 20 * line
    axes.annotate(text, point, (12, above), textcoords="offset points", **bold(color))


def bold(color: str) -> Any:
    """How a text in bold looks that goes with what is drawn in that colour."""
    return {"weight": "bold", "color": text_color(color)}


def contrast(color: str, ground: str = "white") -> float:
    """From 1 (none) to 21 (black on white), as WCAG 2.2 defines the contrast ratio."""
    light = []
    for name in (color, ground):
        rgb = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(name)]
        light.append(0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


def text_color(color: str) -> str:
    """The colour, or as much darker as a text on white has to be."""
    while contrast(color) < READABLE:
        red, green, blue = to_rgb(color)
        color = to_hex((0.97 * red, 0.97 * green, 0.97 * blue))
    return color


def require_columns(frame: pd.DataFrame, *columns: str) -> None:
    """Raise ValueError unless the frame has the columns."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"This chart needs the columns {missing}, which these rows do not have.")


def each_second(at: Floats, weights: Floats | None = None) -> Floats:
    """Sums of ``weights`` (default: counts) over each whole second from 0 to the last ``at``."""
    return np.asarray(np.bincount(at.astype(int), weights, minlength=1), dtype=float)


def latency_ms(reads: pd.DataFrame) -> Floats:
    """The column ``seconds`` in milliseconds, as a logarithmic axis can draw it."""
    ms: Floats = reads["seconds"].to_numpy(float) * 1000
    return np.maximum(ms, FASTEST_MS)


def decades(ms: Floats) -> tuple[float, float]:
    """Limits of a logarithmic axis that end at powers of ten, so that it has labels."""
    low, high = (ms.min(), ms.max()) if len(ms) else (1, 10)
    first = math.floor(math.log10(low))
    return 10.0**first, 10.0 ** max(first + 1, math.ceil(math.log10(high)))


def quantile(values: Floats, q: float) -> float:
    """That quantile; not a number where there is nothing."""
    return float(np.quantile(values, q)) if len(values) else math.nan


def whole_numbers() -> MaxNLocator:
    """Ticks for whole seconds or ranks."""
    return MaxNLocator(integer=True, steps=[1, 2, 5, 10])
