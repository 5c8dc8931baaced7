"""Charts of a stampede: what is drawn is what the rows say, and the words say it too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import StepPatch

from tests.support.charts import (
    assert_labels_are_apart,
    assert_texts_are_large,
    assert_the_title_is_the_finding,
    draw,
    line,
    words,
)
from tweetlab import charts
from tweetlab.charts import Chart


def crowd(*made: tuple[str, float, bool]) -> pd.DataFrame:
    """Rows of (source, seconds, throttled)."""
    return pd.DataFrame(made, columns=["source", "seconds", "throttled"])


TRAMPLED = crowd(
    *[("failed", 2 + n / 10, True) for n in range(20)],
    *[("table", 1 + n / 10, True) for n in range(7)],
    ("table", 0.05, False),
    *[("cache", 0.04, False) for _ in range(4)],
)
ONE_FLIGHT = crowd(("table", 0.012, False), *[("cache", 0.014, False)] * 31)
HITS = crowd(*[("cache", 0.003 + n / 10_000, False) for n in range(32)])
SPREAD = np.linspace(3240, 3600, 200).tolist()
ALL: dict[str, Chart] = {
    "trampled": charts.readers(TRAMPLED),
    "one flight": charts.readers(ONE_FLIGHT),
    "hits": charts.readers(HITS),
    "expiries": charts.expiries([3599.5] * 200, SPREAD),
}


def test_every_reader_has_a_place_and_its_time():
    (axes,) = ALL["trampled"].axes
    places: list[float] = []
    for label, source in (
        ("from the cache", "cache"),
        ("from the table", "table"),
        ("got no tweet", "failed"),
    ):
        drawn = line(axes, label)
        expected = np.sort(TRAMPLED.loc[TRAMPLED["source"] == source, "seconds"] * 1000)
        assert np.allclose(drawn.get_xdata(), expected)
        places += drawn.get_ydata().tolist()
    assert places == list(range(1, 33))


def test_outcomes_differ_in_more_than_colour():
    (axes,) = ALL["trampled"].axes
    assert len({drawn.get_marker() for drawn in axes.lines}) == 3
    assert len({str(bars.get_linestyle()) for bars in axes.collections}) == 3


@pytest.mark.parametrize(
    ("reads", "finding"),
    [
        (
            TRAMPLED,
            "28 of 32 readers went to the table: it throttled 27, and 20 got no tweet; the slowest "
            "was done in 3.9 s",
        ),
        (ONE_FLIGHT, "1 of 32 readers went to the table; the slowest was done in 14 ms"),
        (HITS, "None of 32 readers went to the table; the slowest was done in 6.1 ms"),
        (
            crowd(("table", 1.0, True)),
            "1 of 1 reader went to the table: it throttled 1, and none got no tweet; the slowest "
            "was done in 1.0 s",
        ),
        (crowd(), "Nobody read"),
    ],
)
def test_the_finding_is_computed_from_the_rows(reads, finding):
    chart = charts.readers(reads)
    assert chart.finding == finding
    draw(chart)


def test_the_labels_and_the_caption_hold_the_numbers():
    chart = ALL["one flight"]
    assert "31 from the cache:\nmedian 14 ms" in words(chart.axes[0])
    assert "1 from the table: median 12 ms, the slowest 12 ms." in chart.caption
    assert "got no tweet" not in words(chart.axes[0])


def test_charts_of_runs_can_be_held_side_by_side():
    limits = {ALL[name].axes[0].get_xlim() for name in ("trampled", "one flight", "hits")}
    assert limits == {(1, 10_000)}
    assert charts.readers(crowd(("cache", 20.0, False))).axes[0].get_xlim()[1] > 20_000


def test_tweets_that_expire_together():
    chart = charts.expiries([3599, 3598.5, 3590], [3571, 3585, 3599])
    for axes, expected in zip(chart.axes, ([0, 0, 3], [1, 1, 1]), strict=True):
        _, outline = axes.patches
        assert isinstance(outline, StepPatch)
        values, edges, _ = outline.get_data()
        assert values.tolist() == expected
        assert (edges * 60).tolist() == pytest.approx([3570, 3580, 3590, 3600])
    assert chart.finding == "At most 3 tweets expire in the same 10 s without jitter, 1 with it"
    assert "With jitter 3 tweets expire between 3,571 s and 3,599 s from now." in chart.caption
    assert "at most 3\nin 10 s" in words(chart.axes[0])
    draw(chart)


def test_rows_of_another_kind_are_refused():
    with pytest.raises(ValueError, match=r"needs the columns .*throttled"):
        charts.readers(HITS.drop(columns="throttled"))
    with pytest.raises(ValueError, match="cache some tweets"):
        charts.expiries([], [1.0])


@pytest.mark.parametrize("name", ALL)
def test_axes_say_what_they_measure_and_in_which_unit(name):
    *_, bottom = ALL[name].axes
    assert any(unit in bottom.get_xlabel() for unit in ("(ms", "(min)"))
    assert all(axes.get_ylabel() for axes in ALL[name].axes)


@pytest.mark.parametrize("name", ALL)
def test_text_is_large_and_lies_beside_the_axes(name):
    assert_texts_are_large(ALL[name])
    assert_the_title_is_the_finding(ALL[name])
    assert_labels_are_apart(ALL[name])
