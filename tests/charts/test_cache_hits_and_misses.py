"""Charts of hits and misses: what is drawn is what the rows say, and the words say it too."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import StepPatch

from tests.support.charts import (
    LITTLE,
    ONE_HIT,
    WITH,
    assert_axes_say_what_they_measure,
    assert_labels_are_apart,
    assert_texts_are_large,
    assert_the_title_is_the_finding,
    draw,
    line,
    rows,
    step,
    words,
)
from tweetlab import charts, workload
from tweetlab.charts import Chart

ALL: dict[str, Chart] = {
    "popularity": charts.popularity(WITH),
    "hit_ratio": charts.hit_ratio(WITH),
    "hits_and_misses": charts.hits_and_misses(WITH),
}


# --- popularity -------------------------------------------------------------------------------


def test_popularity_ranks_tweets_and_sets_the_top_tenth_apart():
    counts = [30, *[5] * 10, *[1] * 4]  # 15 tweets; a tenth of them is two
    read = [UUID(int=n) for n, count in enumerate(counts) for _ in range(count)]
    chart = charts.popularity(pd.DataFrame({"tweet_id": read}))
    top, rest = chart.axes[0].patches
    assert isinstance(top, StepPatch)
    assert isinstance(rest, StepPatch)
    values, edges, _ = top.get_data()
    assert values.tolist() == [30, 5]
    assert edges.tolist() == [0.5, 1.5, 2.5]
    assert rest.get_data()[0].tolist() == counts[2:]
    assert chart.finding == "2 of 15 tweets took 42% of the reads"
    assert "took 35 of 84 reads, the first tweet alone 30 (36%)" in chart.caption
    assert "the 2 tweets most read:\n42% of all reads" in words(chart.axes[0])
    assert "the other 13 tweets:\n58%" in words(chart.axes[0])


# --- hit_ratio --------------------------------------------------------------------------------


def test_hit_ratio_in_each_second_and_since_the_start():
    reads = rows(
        (0.0, "table", 0.1, False, 0.5),
        (0.5, "cache", 0.1, False, 0.0),
        (2.0, "cache", 0.1, False, 0.0),
        (2.5, "failed", 0.1, True, 0.0),
    )
    chart = charts.hit_ratio(reads)
    (axes,) = chart.axes
    assert step(axes, "each second").tolist() == pytest.approx([0.5, np.nan, 1], nan_ok=True)
    since_start = line(axes, "since the start")
    assert since_start.get_xdata().tolist() == [0, 0.5, 2]
    assert since_start.get_ydata().tolist() == pytest.approx([0, 1 / 2, 2 / 3])
    assert chart.finding == "Hit ratio: 50% in the first second, 100% in the last"
    assert "the cache answered 2 (67%) and the table 1; 1 failed" in chart.caption


def test_hit_ratio_takes_reads_in_the_order_of_time():
    shuffled = WITH.sample(frac=1, random_state=0)
    drawn = [line(charts.hit_ratio(reads).axes[0], "since the start") for reads in (WITH, shuffled)]
    assert np.array_equal(drawn[0].get_ydata(), drawn[1].get_ydata())


# --- hits_and_misses --------------------------------------------------------------------------


def test_hits_and_misses_are_every_read_with_its_latency():
    chart = ALL["hits_and_misses"]
    (axes,) = chart.axes
    for label, source, row in (("from the cache", "cache", 1), ("from the table", "table", 0)):
        drawn = line(axes, label)
        expected = WITH.loc[WITH["source"] == source, "seconds"] * 1000
        assert np.allclose(drawn.get_xdata(), np.maximum(expected, 0.01))
        assert (np.abs(drawn.get_ydata() - row) < 0.4).all()
        assert f"{len(expected)} reads {label}" in chart.caption
    assert axes.get_xscale() == "log"


def test_hits_and_misses_compares_medians():
    reads = rows(
        *[(0, "cache", seconds, False, 0.0) for seconds in (0.001, 0.002, 0.003)],
        *[(0, "table", seconds, False, 0.5) for seconds in (0.02, 0.04, 3.0)],
        (0, "failed", 9.0, True, 0.0),
    )
    chart = charts.hits_and_misses(reads)
    assert chart.finding == "A hit took 2 ms, a miss 40 ms (medians)"
    assert words(chart.axes[0]) == "median 40 ms\nmedian 2 ms"
    assert [label.get_text() for label in chart.axes[0].get_yticklabels()] == [
        "3 misses\n(the table)",
        "3 hits\n(the cache)",
    ]
    assert chart.caption.endswith("1 failed and are not shown.")


# --- all of them ------------------------------------------------------------------------------


@pytest.mark.parametrize("reads", LITTLE)
def test_little_or_nothing_can_be_drawn(reads):
    for make in (charts.popularity, charts.hit_ratio, charts.hits_and_misses):
        chart = make(reads)
        draw(chart)
        assert chart.finding
        assert "nan" not in chart.caption


@pytest.mark.parametrize(
    ("chart", "column"),
    [
        (charts.popularity, "tweet_id"),
        (charts.hit_ratio, "source"),
        (charts.hits_and_misses, "seconds"),
    ],
)
def test_rows_of_another_kind_are_refused(chart, column):
    with pytest.raises(ValueError, match=f"needs the columns .*{column}"):
        chart(WITH.drop(columns=column))


@pytest.mark.parametrize("name", ALL)
def test_axes_say_what_they_measure_and_in_which_unit(name):
    assert_axes_say_what_they_measure(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_no_text_is_small_and_no_legend_needs_looking_up(name):
    assert_texts_are_large(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_the_title_is_the_finding(name):
    assert_the_title_is_the_finding(ALL[name])


@pytest.mark.parametrize("chart", [ALL["hit_ratio"], charts.hit_ratio(ONE_HIT)])
def test_labels_lie_beside_their_axes_and_not_on_each_other(chart):
    assert_labels_are_apart(chart)


def test_charts_of_a_real_workload(tmp_path):
    """From zipf through replay to the picture, as the lessons do."""
    load = workload.zipf([UUID(int=n) for n in range(100)], rate=200, seconds=1, seed=3)
    chart = charts.popularity(load)
    chart.savefig(tmp_path / "popularity.png")
    assert (tmp_path / "popularity.png").stat().st_size > 10_000
    shares = load["tweet_id"].value_counts(normalize=True)
    top = shares.head(-(-len(shares) // 10)).sum()
    assert f"took {top:.0%} of the reads" in chart.finding
