"""Charts: what is drawn is what the rows say, and the words say it too."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import StepPatch
from matplotlib.text import Text

from tweetlab import charts, workload
from tweetlab.charts.drawing import Chart

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
WITHOUT, WITH = busy(1), busy(2, hit=0.9, throttled=0.05)
TRIALS = pd.DataFrame(
    [
        (10, False, 200, 160),
        (50, False, 200, 10),
        (100, False, 200, 0),
        (2, True, 200, 3),
        (5, True, 200, 0),
        (10, True, 200, 0),
    ],
    columns=["read_capacity", "cache", "reads", "throttled"],
)
ALL: dict[str, Chart] = {
    "throttling": charts.throttling(WITHOUT, WITH, 10),
    "hit_ratio": charts.hit_ratio(WITH),
    "hits_and_misses": charts.hits_and_misses(WITH),
    "provisioned": charts.provisioned(TRIALS),
    "popularity": charts.popularity(WITH),
}


def line(axes: Any, label: str) -> Any:
    (found,) = (line for line in axes.lines if line.get_label() == label)
    return found


def step(axes: Any, label: str) -> Any:
    """The values of a step for each second."""
    (found,) = (patch for patch in axes.patches if patch.get_label() == label)
    assert isinstance(found, StepPatch)
    values, edges, _ = found.get_data()
    assert edges.tolist() == list(range(len(values) + 1))
    return values


def draw(chart: Chart) -> None:
    """Render it: pytest turns every warning of matplotlib into an error."""
    chart.savefig(io.BytesIO(), format="png")


def words(axes: Any) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


# --- throttling -------------------------------------------------------------------------------


def test_throttled_reads_are_counted_in_the_second_they_were_due():
    without = rows(
        (0.1, "table", 5.0, True, 0.5),
        (0.9, "failed", 9.0, True, 0.0),
        (2.0, "table", 0.1, True, 0.5),
        (2.5, "table", 0.1, False, 0.5),
    )
    throttles, _, _ = charts.throttling(without, ONE_HIT, 5).axes
    assert step(throttles, "without the cache").tolist() == [2, 0, 1]
    assert step(throttles, "with the cache").tolist() == [0]


def test_consumption_is_counted_in_the_second_the_read_was_done():
    without = rows(
        (0.1, "table", 0.1, False, 0.5),
        (0.2, "table", 1.0, True, 0.5),
        (0.9, "table", 2.5, True, 2.0),
        (1.0, "failed", 0.5, True, 0.0),
    )
    _, consumption, _ = charts.throttling(without, ONE_MISS, 5).axes
    assert step(consumption, "without the cache").tolist() == [0.5, 0.5, 0, 2]
    assert step(consumption, "with the cache").tolist() == [0.5]


def test_consumption_is_held_against_the_provisioned_line():
    _, consumption, _ = charts.throttling(WITHOUT, WITH, 7.5).axes
    assert set(line(consumption, "provisioned").get_ydata()) == {7.5}
    assert "provisioned: 7.5 RCU" in words(consumption)


def test_latency_shows_every_read_in_milliseconds_and_failed_ones_as_crosses():
    *_, latency = ALL["throttling"].axes
    answered = WITHOUT[WITHOUT["source"] != "failed"]
    drawn = line(latency, "without the cache")
    assert np.allclose(drawn.get_xdata(), answered["at"])
    assert np.allclose(drawn.get_ydata(), np.maximum(answered["seconds"] * 1000, 0.01))
    lines: list[Any] = list(latency.lines)
    crosses = [len(drawn.get_xdata()) for drawn in lines if drawn.get_marker() == "x"]
    assert crosses == [(frame["source"] == "failed").sum() for frame in (WITHOUT, WITH)]
    assert latency.get_yscale() == "log"
    low, high = latency.get_ylim()
    everything = np.concatenate([drawn.get_ydata() for drawn in lines])
    assert low <= everything.min() < everything.max() <= high


def test_the_headline_is_computed_from_the_rows():
    quarter = rows(*[(n, "table", 0.1, n == 0, 0.5) for n in range(4)])
    nothing = rows(*[(n, "table", 0.1, False, 0.5) for n in range(4)])
    everything = rows(*[(n, "table", 0.1, True, 0.5) for n in range(4)])

    def finding(without: pd.DataFrame, with_: pd.DataFrame) -> str:
        return charts.throttling(without, with_, 1).finding

    assert finding(quarter, nothing) == (
        "Without the cache 25% of the reads were throttled, with it none"
    )
    assert finding(everything, quarter) == (
        "Without the cache all of the reads were throttled, with it 25%"
    )


def test_the_caption_and_the_labels_hold_the_numbers():
    without = rows(
        (0, "table", 0.004, False, 0.5),
        (1, "table", 2.0, True, 3.0),
        (2, "failed", 9.0, True, 0.0),
    )
    chart = charts.throttling(without, ONE_HIT, 1200)
    assert chart.caption.startswith(chart.finding)
    for part in (
        "provisioned with 1,200 read capacity units (RCU)",
        "Without the cache, 2 of 3 reads were throttled at least once and 1 failed",
        "spent 3.5 read units, 3 in the busiest second",
        "With the cache, 0 of 1 reads were throttled",
        "the median read took 1 ms",
    ):
        assert part in chart.caption
    throttles, consumption, latency = chart.axes
    assert "without the cache:\n2 of 3 reads" in words(throttles)
    assert "without the cache:\n3.5 read units" in words(consumption)
    assert "without the cache:\nmedian 1.0 s, p99 2.0 s\n1 failed" in words(latency)


@pytest.mark.parametrize("read_capacity", [0, -1, float("nan")])
def test_a_table_has_some_capacity(read_capacity):
    with pytest.raises(ValueError, match="read_capacity must be above 0"):
        charts.throttling(WITHOUT, WITH, read_capacity)


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


# --- provisioned ------------------------------------------------------------------------------


def test_the_share_throttled_at_each_capacity():
    (axes,) = ALL["provisioned"].axes
    without, with_ = line(axes, "without the cache"), line(axes, "with the cache")
    assert without.get_xdata().tolist() == [10, 50, 100]
    assert without.get_ydata().tolist() == [0.8, 0.05, 0]
    assert with_.get_xdata().tolist() == [2, 5, 10]
    assert with_.get_ydata().tolist() == [0.015, 0, 0]
    assert "80% at 10, 5% at 50, 0% at 100" in ALL["provisioned"].caption


def stars(chart: Chart) -> list[float]:
    lines: list[Any] = list(chart.axes[0].lines)
    return [drawn.get_xdata()[0] for drawn in lines if drawn.get_marker() == "*"]


def test_the_smallest_capacity_that_throttles_nothing_is_marked():
    chart = ALL["provisioned"]
    assert chart.finding == "To throttle no read takes 100 RCU without the cache, 5 RCU with it"
    assert stars(chart) == [100, 5]
    assert {"100 RCU", "5 RCU"} <= set(words(chart.axes[0]).split("\n"))


def trials(*made: tuple[int, bool, int]) -> pd.DataFrame:
    table = [(capacity, cache, 100, throttled) for capacity, cache, throttled in made]
    return pd.DataFrame(table, columns=list(TRIALS.columns))


@pytest.mark.parametrize(
    ("made", "finding", "marked"),
    [
        # 5 RCU were enough by luck: at 10 some were throttled.
        (
            [(5, False, 0), (10, False, 1), (20, False, 0), (1, True, 0)],
            "To throttle no read takes 20 RCU without the cache, 1 RCU with it",
            [20, 1],
        ),
        # Twice the same capacity: both runs count.
        (
            [(5, False, 0), (5, False, 7), (9, False, 0), (2, True, 4), (3, True, 0)],
            "To throttle no read takes 9 RCU without the cache, 3 RCU with it",
            [9, 3],
        ),
        (
            [(5, False, 100), (10, False, 3), (5, True, 0)],
            "To throttle no read takes more than was tried without the cache, "
            "at most 5 RCU with it",
            [5],
        ),
        ([(5, True, 0)], "Try it both without the cache and with it to compare", [5]),
        ([], "Try it both without the cache and with it to compare", []),
    ],
)
def test_what_is_enough(made, finding, marked):
    chart = charts.provisioned(trials(*made))
    assert chart.finding == finding
    assert stars(chart) == marked
    draw(chart)


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


# --- all of them ------------------------------------------------------------------------------


@pytest.mark.parametrize("reads", [EMPTY, ONE_HIT, ONE_MISS, ONE_FAILURE, INSTANT])
def test_little_or_nothing_can_be_drawn(reads):
    for chart in (
        charts.throttling(reads, reads, 1),
        charts.throttling(WITHOUT, reads, 1),
        charts.hit_ratio(reads),
        charts.hits_and_misses(reads),
        charts.popularity(reads),
    ):
        draw(chart)
        assert chart.finding
        assert "nan" not in chart.caption


@pytest.mark.parametrize(
    ("chart", "column"),
    [
        (lambda frame: charts.throttling(WITHOUT, frame, 1), "throttled"),
        (charts.hit_ratio, "source"),
        (charts.hits_and_misses, "seconds"),
        (charts.popularity, "tweet_id"),
        (charts.provisioned, "cache"),
    ],
)
def test_rows_of_another_kind_are_refused(chart, column):
    frame = (TRIALS if chart is charts.provisioned else WITH).drop(columns=column)
    with pytest.raises(ValueError, match=f"needs the columns .*{column}"):
        chart(frame)


@pytest.mark.parametrize("name", ALL)
def test_axes_say_what_they_measure_and_in_which_unit(name):
    *_, bottom = ALL[name].axes
    assert bottom.get_xlabel()
    units = ("(s)", "ms", "RCU", "reads", "rank", "hits")
    for axes in ALL[name].axes:
        ticks = " ".join(label.get_text() for label in axes.get_yticklabels())
        assert any(unit in axes.get_ylabel() + ticks for unit in units)
    assert any(unit in bottom.get_xlabel() for unit in units)


@pytest.mark.parametrize("name", ALL)
def test_no_text_is_small_and_no_legend_needs_looking_up(name):
    draw(ALL[name])
    texts = [text for text in ALL[name].findobj(Text) if text.get_text() and text.get_visible()]
    assert min(float(text.get_fontsize()) for text in texts) >= 14
    assert all(axes.get_legend() is None for axes in ALL[name].axes)


@pytest.mark.parametrize("name", ALL)
def test_the_title_is_the_finding(name):
    title = ALL[name].get_suptitle()
    assert title.replace("\n", " ") == ALL[name].finding
    assert ALL[name].caption.startswith(f"{ALL[name].finding}. ")


def test_with_and_without_differ_in_more_than_colour():
    throttles, consumption, latency = ALL["throttling"].axes
    for panel in (throttles, consumption):
        filled = [patch for patch in panel.patches if patch.get_fill()]
        assert len({patch.get_hatch() for patch in filled}) == 2
    assert (
        line(latency, "without the cache").get_marker()
        != line(latency, "with the cache").get_marker()
    )
    (axes,) = ALL["provisioned"].axes
    looks = [line(axes, name) for name in ("without the cache", "with the cache")]
    assert looks[0].get_marker() != looks[1].get_marker()
    assert looks[0].get_linestyle() != looks[1].get_linestyle()


@pytest.mark.parametrize(
    "chart",
    [
        ALL["throttling"],
        ALL["hit_ratio"],
        charts.throttling(WITHOUT, WITHOUT, 10),  # every pair of labels wants the same place
        charts.throttling(EMPTY, EMPTY, 10),
        charts.hit_ratio(ONE_HIT),
    ],
)
def test_labels_lie_beside_their_axes_and_not_on_each_other(chart):
    draw(chart)
    for axes in chart.axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        for number, box in enumerate(boxes):
            assert chart.bbox.x1 >= box.x1
            assert axes.bbox.y0 - 5 < box.y0 < box.y1 < axes.bbox.y1 + 5
            assert not any(box.overlaps(other) for other in boxes[:number])


def test_charts_of_a_real_workload(tmp_path):
    """From zipf through replay to the picture, as the lessons do."""
    load = workload.zipf([UUID(int=n) for n in range(100)], rate=200, seconds=1, seed=3)
    chart = charts.popularity(load)
    chart.savefig(tmp_path / "popularity.png")
    assert (tmp_path / "popularity.png").stat().st_size > 10_000
    shares = load["tweet_id"].value_counts(normalize=True)
    top = shares.head(-(-len(shares) // 10)).sum()
    assert f"took {top:.0%} of the reads" in chart.finding
