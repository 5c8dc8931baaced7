"""Charts of throttled reads: what is drawn is what the rows say, and the words say it too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.charts import (
    EMPTY,
    LITTLE,
    ONE_HIT,
    ONE_MISS,
    WITH,
    WITHOUT,
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
from tweetlab import charts
from tweetlab.charts import Chart

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
    "provisioned": charts.provisioned(TRIALS),
}


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


# --- all of them ------------------------------------------------------------------------------


@pytest.mark.parametrize("reads", LITTLE)
def test_little_or_nothing_can_be_drawn(reads):
    for chart in (charts.throttling(reads, reads, 1), charts.throttling(WITHOUT, reads, 1)):
        draw(chart)
        assert chart.finding
        assert "nan" not in chart.caption


def test_rows_of_another_kind_are_refused():
    with pytest.raises(ValueError, match=r"needs the columns .*throttled"):
        charts.throttling(WITHOUT, WITH.drop(columns="throttled"), 1)
    with pytest.raises(ValueError, match=r"needs the columns .*cache"):
        charts.provisioned(TRIALS.drop(columns="cache"))


@pytest.mark.parametrize("name", ALL)
def test_axes_say_what_they_measure_and_in_which_unit(name):
    assert_axes_say_what_they_measure(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_no_text_is_small_and_no_legend_needs_looking_up(name):
    assert_texts_are_large(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_the_title_is_the_finding(name):
    assert_the_title_is_the_finding(ALL[name])


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
        charts.throttling(WITHOUT, WITHOUT, 10),  # every pair of labels wants the same place
        charts.throttling(EMPTY, EMPTY, 10),
    ],
)
def test_labels_lie_beside_their_axes_and_not_on_each_other(chart):
    assert_labels_are_apart(chart)
