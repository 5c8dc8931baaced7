"""The charts of the timeline: what is drawn and said is what the board and the rows say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.charts import draw
from tweetlab import charts
from tweetlab.charts import drawing
from tweetlab.simulate import timeline

BUDGET = timeline.TARGETS["dollars"]
BOARD = pd.DataFrame(
    {
        "throttled": [0.003, 0.03],
        "p99_ms": [4.5, np.inf],
        "stale_s": [0.0, 600.0],
        "dollars": [0.9 * BUDGET, BUDGET],
        "points": [100.0, 37.5],
    },
    index=["mine", "yours"],
)


def reads(before: float, after: float) -> pd.DataFrame:
    """One read a second, of which the cache answers those shares before and after the shift."""
    at = np.arange(timeline.SECONDS, dtype=float)
    share = np.where(at < timeline.SHIFT, before, after)
    return pd.DataFrame({"at": at, "source": np.where(at % 20 < 20 * share, "cache", "table")})


RUNS = {"steady": reads(0.6, 0.6), "falling": reads(0.8, 0.3)}


def all_at(lines: Any) -> list[set[float]]:
    return [set(line.get_xdata()) for line in lines]


def test_every_value_is_a_bar_as_long_as_its_part_of_the_target():
    chart = charts.scoreboard(BOARD)
    bars: Any = [axes.patches for axes in chart.axes]
    drawn = [sorted({round(bar.get_width(), 6) for bar in panel}) for panel in bars]
    # Mine first; what is beyond twice the target is cut off there.
    assert drawn == [[0.2, 2], [0.09, 2], [0, 2], [0.9, 1]]
    for axes, target in zip(chart.axes, ["1.5%", "50 ms", "12 s", f"${BUDGET:,.0f}"], strict=True):
        assert axes.get_title(loc="left").endswith(f"\ntarget: {target}")
        assert all_at(axes.lines) == [{1}]
    draw(chart)


def test_what_is_missed_is_marked_by_more_than_colour():
    for axes in charts.scoreboard(BOARD).axes:
        outlines: Any = [bar for bar in axes.patches if not bar.get_fill()]
        signs = [text.get_text()[0] for text in axes.texts]
        assert [sign == "✗" for sign in signs] == [bool(bar.get_hatch()) for bar in outlines]
        assert all(drawing.contrast(str(text.get_color())) >= 4.5 for text in axes.texts)
    assert signs == ["✓", "✓"]  # exactly at the target is met


def test_the_scoreboard_in_words():
    chart = charts.scoreboard(BOARD)
    assert chart.finding == "Mine meets 4 of 4 targets, the others 1"
    assert (
        "Yours: 38 points; throttled reads 3.0% (missed), latency, 99th percentile no answer "
        "(missed), out of date, 99th percentile 600 s (missed), "
        f"dollars a month ${BUDGET:,.0f} (met)."
    ) in chart.caption


def test_one_alone_has_no_others():
    assert charts.scoreboard(BOARD.tail(1)).finding == "Yours meets 1 of 4 targets"


def test_hit_ratios_over_time():
    chart = charts.shift(RUNS)
    [axes] = chart.axes
    lines: dict[str, Any] = {str(line.get_label()): line for line in axes.lines}
    falling = lines["falling"]
    assert falling.get_xdata()[:2].tolist() == [10, 30]
    assert falling.get_ydata().tolist() == pytest.approx([0.8] * 15 + [0.3] * 15)
    assert falling.get_marker() != lines["steady"].get_marker()
    assert {timeline.SHIFT} in all_at(axes.lines)
    draw(chart)


def test_hit_ratios_in_words():
    chart = charts.shift(RUNS)
    assert chart.finding == (
        "In the minute after the shift the cache answered 60% with steady, 30% with falling"
    )
    assert (
        "Falling: 80% in the minute before the shift, 30% in the minute after the shift, "
        "30% in the last minute."
    ) in chart.caption


@pytest.mark.parametrize("runs", [{}, dict.fromkeys("abcde", RUNS["steady"])])
def test_more_lines_than_can_be_told_apart(runs):
    with pytest.raises(ValueError, match="1 to 4 runs"):
        charts.shift(runs)


def test_rows_without_a_column_are_refused():
    with pytest.raises(ValueError, match="dollars"):
        charts.scoreboard(BOARD.drop(columns="dollars"))
    with pytest.raises(ValueError, match="source"):
        charts.shift({"one": RUNS["steady"].drop(columns="source")})
