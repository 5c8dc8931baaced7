"""The charts of outages and cold starts: what is drawn and said is what the rows say."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.support.charts import draw
from tweetlab import charts


def rows(*made: tuple[float, str, float, bool]) -> pd.DataFrame:
    """Rows of (at, source, seconds, down or throttled)."""
    frame = pd.DataFrame(made, columns=["at", "source", "seconds", "down"])
    return frame.assign(throttled=frame["down"])


SLOW = rows(
    (0.1, "cache", 0.001, False),
    (0.5, "table", 0.080, True),
    (0.7, "table", 0.090, True),
    (0.9, "failed", 0.100, True),
    (1.3, "table", 0.005, False),
    (1.4, "cache", 0.002, False),
)
QUICK = rows((0.1, "cache", 0.001, False), (0.5, "table", 0.004, True))
CALM = rows((0.1, "cache", 0.001, False))


def drawn(axes: Any, label: str) -> list[tuple[float, float]]:
    (line,) = (line for line in axes.lines if line.get_label() == label)
    return [(float(x), round(float(y), 6)) for x, y in zip(*line.get_data(), strict=True)]


@pytest.mark.parametrize("make", [charts.outage, charts.cold_start])
def test_every_read_is_a_mark_at_its_time_and_latency(make):
    chart = make({"slow": SLOW, "quick": QUICK})
    slow, quick = chart.axes
    assert drawn(slow, "from the cache") == [(0.1, 1), (1.4, 2)]
    assert drawn(slow, "from the table") == [(0.5, 80), (0.7, 90), (1.3, 5)]
    assert drawn(slow, "failed") == [(0.9, 100)]
    assert drawn(quick, "from the table") == [(0.5, 4)]
    assert [slow.get_title(loc="left"), quick.get_title(loc="left")] == ["Slow", "Quick"]
    draw(chart)


def test_an_outage_in_words():
    chart = charts.outage({"slow": SLOW, "quick": QUICK})
    assert chart.finding == "While Redis was down, a read took 90 ms slow, 4 ms quick (medians)"
    assert (
        "Slow, 3 reads came while Redis was down: the median took 90 ms, the slowest 100 ms, and "
        "1 failed; the first hit came 500 ms after the last of them." in chart.caption
    )
    assert "no hit came after the last of them" in chart.caption


def test_an_outage_is_shaded_from_its_first_to_its_last_read():
    [axes] = charts.outage({"slow": SLOW}).axes
    shade: Any
    [shade] = axes.patches
    assert (shade.get_x(), round(shade.get_x() + shade.get_width(), 6)) == (0.5, 0.9)


def test_a_run_without_an_outage():
    chart = charts.outage({"calm": CALM})
    assert chart.caption.endswith("Calm, no read was due while Redis was down.")
    assert not chart.axes[0].patches
    draw(chart)


def test_a_cold_start_in_words():
    many = rows(*[(n / 100, "table", 0.01, False) for n in range(95)])
    late = rows(*[(1 + n / 100, "failed", 2.0, True) for n in range(25)])
    chart = charts.cold_start({"queue": pd.concat([many, late]), "calm": CALM})
    assert chart.finding == "A tenth of the reads took longer than 2.0 s queue, 1 ms calm"
    assert (
        "Queue, of 120 reads the cache answered 0 and the table 95, and 25 failed; the table "
        "throttled 25 at least once; the slowest tenth took 2.0 s or more, the slowest read 2.0 s."
        in chart.caption
    )
    dashes: Any
    [dashes] = [line for line in chart.axes[0].lines if line.get_linestyle() == "--"]
    assert set(dashes.get_ydata()) == {2000}


def test_rows_without_a_column_are_refused():
    with pytest.raises(ValueError, match="down"):
        charts.outage({"slow": SLOW.drop(columns="down")})
