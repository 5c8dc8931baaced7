"""Rows to draw, what a chart has drawn, and what is to be seen in every chart."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from tweetlab.charts import Chart

COLUMNS = ["at", "tweet_id", "source", "seconds", "retries", "throttled", "read_units"]


def rows(*made: tuple[float, str, float, bool, float]) -> pd.DataFrame:
    """Rows of (at, source, seconds, throttled, read_units)."""
    table = [(at, UUID(int=0), s, sec, 0, thr, u) for at, s, sec, thr, u in made]
    return pd.DataFrame(table, columns=COLUMNS).astype(
        {"at": float, "seconds": float, "throttled": bool, "read_units": float}
    )


def busy(seed: int = 0, hit: float = 0.0, throttled: float = 0.5, reads: int = 400) -> pd.DataFrame:
    """Rows of all kinds, as a run of 20 s might give."""
    random = np.random.default_rng(seed)
    refused = random.random(reads) < throttled
    source = np.where(random.random(reads) < hit, "cache", "table")
    source = np.where(refused & (random.random(reads) < 0.5), "failed", source)
    return pd.DataFrame(
        {
            "at": np.sort(random.random(reads)) * 20,
            "tweet_id": [UUID(int=int(n)) for n in random.zipf(1.5, reads) % 50],
            "source": source,
            "seconds": random.lognormal(-5, 2, reads),
            "retries": 0,
            "throttled": refused,
            "read_units": np.where(source == "table", 0.5, 0.0),
        }
    )


EMPTY = rows()
ONE_HIT = rows((0.5, "cache", 0.001, False, 0.0))
ONE_MISS = rows((0.5, "table", 0.004, False, 0.5))
ONE_FAILURE = rows((0.5, "failed", 3.0, True, 0.0))
INSTANT = rows((0, "cache", 0.0, False, 0.0), (0, "table", 0.0, False, 0.5))
LITTLE = [EMPTY, ONE_HIT, ONE_MISS, ONE_FAILURE, INSTANT]
WITHOUT, WITH = busy(1), busy(2, hit=0.9, throttled=0.05)


def draw(chart: Chart) -> None:
    """Render it: pytest turns every warning of matplotlib into an error."""
    chart.savefig(io.BytesIO(), format="png")


def line(axes: Any, label: str) -> Any:
    """The one line of that label."""
    (found,) = (line for line in axes.lines if line.get_label() == label)
    return found


def step(axes: Any, label: str) -> Any:
    """The values of a step for each second."""
    (found,) = (patch for patch in axes.patches if patch.get_label() == label)
    assert isinstance(found, StepPatch)
    values, edges, _ = found.get_data()
    assert edges.tolist() == list(range(len(values) + 1))
    return values


def words(axes: Any) -> str:
    """All texts in the axes."""
    return "\n".join(text.get_text() for text in axes.texts)


def assert_axes_say_what_they_measure(chart: Chart) -> None:
    """And in which unit."""
    *_, bottom = chart.axes
    assert bottom.get_xlabel()
    units = ("(s)", "ms", "RCU", "reads", "rank", "hits")
    for axes in chart.axes:
        ticks = " ".join(label.get_text() for label in axes.get_yticklabels())
        assert any(unit in axes.get_ylabel() + ticks for unit in units)
    assert any(unit in bottom.get_xlabel() for unit in units)


def assert_texts_are_large(chart: Chart) -> None:
    """And no legend needs looking up."""
    draw(chart)
    texts = [text for text in chart.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(float(text.get_fontsize()) for text in texts) >= 14
    assert all(axes.get_legend() is None for axes in chart.axes)


def assert_the_title_is_the_finding(chart: Chart) -> None:
    """And the caption begins with it."""
    title = chart.get_suptitle()
    assert title.replace("\n", " ") == chart.finding
    assert chart.caption.startswith(f"{chart.finding}. ")


def assert_labels_are_apart(chart: Chart) -> None:
    """They lie beside their axes, and not on each other."""
    draw(chart)
    for axes in chart.axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        for number, box in enumerate(boxes):
            assert chart.bbox.x1 >= box.x1
            assert axes.bbox.y0 - 5 < box.y0 < box.y1 < axes.bbox.y1 + 5
            assert not any(box.overlaps(other) for other in boxes[:number])
