"""Charts of hot tweets: what is drawn is what the rows say, and the words say it too."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.image import AxesImage
from matplotlib.patches import StepPatch

from tests.support.charts import assert_texts_are_large, assert_the_title_is_the_finding, draw
from tweetlab import charts
from tweetlab.capacity.meters import COLUMNS
from tweetlab.charts import Chart, hot_tweets


def rows(*made: tuple[float, float, int, bool, float]) -> pd.DataFrame:
    """Rows of (at, seconds, partition, throttled, read_units)."""
    columns = ["at", "seconds", "partition", "throttled", "read_units"]
    return pd.DataFrame(made, columns=columns).astype(
        {"at": float, "seconds": float, "partition": int, "throttled": bool, "read_units": float}
    )


def seconds(*made: tuple[int, float, int]) -> pd.DataFrame:
    """Metrics of a table of 40 RCU: rows of (second, read_consumed, read_throttled)."""
    blank = dict.fromkeys(COLUMNS, 0) | {"table": "tweet", "index": "", "read_provisioned": 40}
    return pd.DataFrame(
        [
            blank | {"second": second, "read_consumed": consumed, "read_throttled": throttled}
            for second, consumed, throttled in made
        ],
        columns=COLUMNS,
    )


HOT = rows(
    (0.1, 0.1, 0, False, 1),
    (0.2, 0.1, 1, False, 4),
    (1.3, 0.1, 1, False, 5.5),
    (1.5, 1.1, 1, True, 0.5),  # due in the second second, served in the third
    (1.9, 3.0, 1, True, 0),
)
COOL = rows((0.5, 0.1, 0, False, 2), (1.5, 0.1, 1, False, 7))
NONE = rows()
METRICS = seconds((61, 30, 0), (62, 24, 7), (63, 6, 3))
TRIALS = pd.DataFrame(
    [
        ("as it is", 3000, 5000, 3000, 10_000),
        ("4 times the RCU", 3000, 5000, 3000, 40_000),
        ("copies", 8000, 0, 8000, 10_000),
        ("a cache", 8000, 0, 1, 10_000),
    ],
    columns=["remedy", "answered", "refused", "read_units", "read_capacity"],
)
ALL: dict[str, Chart] = {
    "one run": charts.heat_map({"2015": HOT}, 20, 2),
    "two runs": charts.heat_map({"2015": HOT, "Today": COOL}, 20, 2),
    "minute": charts.minute(METRICS),
    "remedies": charts.remedies(TRIALS),
}


def words(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def heat(axes: Any) -> list[list[float]]:
    """The numbers whose colours are drawn: a row for each partition."""
    (image,) = (image for image in axes.images if isinstance(image, AxesImage))
    values = image.get_array()
    assert values is not None
    return values.tolist()


def framed(axes: Any) -> set[tuple[float, float]]:
    """The (column, row) of each cell that is hatched."""
    return {patch.get_xy() for patch in axes.patches if patch.get_hatch()}


# --- heat_map ---------------------------------------------------------------------------------


def test_units_count_when_they_were_spent_and_throttles_when_they_were_due():
    (axes,) = ALL["one run"].axes
    assert heat(axes) == [[1, 0, 0, 0, 0], [4, 5.5, 0.5, 0, 0]]
    assert framed(axes) == {(1, 1)}
    assert words(axes) == ["1", "4", "5.5\n✗2", "0.5", "5", "5.5", "0.5", "", ""]


def test_the_last_row_is_the_whole_table():
    (axes,) = ALL["one run"].axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["partition 0", "partition 1", "whole table"]
    below = [text.get_text() for text in axes.texts if text.get_position()[1] > 2]
    assert below == ["5", "5.5", "0.5", "", ""]


def test_runs_share_their_time_and_their_colours():
    panels = ALL["two runs"].axes
    assert heat(panels[1]) == [[2, 0, 0, 0, 0], [0, 7, 0, 0, 0]]
    assert {axes.images[0].get_clim() for axes in panels} == {(0, 7)}
    assert {axes.get_xlim() for axes in panels} == {(0, 5)}


def test_every_cell_can_be_read_on_its_colour():
    """Black on the hottest cell, by the formula of WCAG 2, for large text: at least 3 to 1."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in hot_tweets.HEAT(1.0)[:3]
    )
    assert (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) / 0.05 > 4.5
    cells = [text for axes in ALL["two runs"].axes for text in axes.texts]
    assert {text.get_color() for text in cells} == {"black"}


def test_the_finding_says_where_when_and_what_the_table_could_have_served():
    assert ALL["two runs"].finding == (
        "2015: partition 1 throttled after 1.5 s; the table served 5.5 of 20 RCU at most; "
        "Today: no read throttled"
    )
    assert (
        "2015: 2 of 5 reads throttled; the hottest partition served 5.5 RCU at most (its share is "
        "10), the whole table 5.5 of 20 RCU at most."
    ) in ALL["two runs"].caption
    assert "Today: 0 of 2 reads throttled; the hottest partition served 7 RCU" in (
        ALL["two runs"].caption
    )


def test_two_partitions_that_throttle():
    both = rows((0, 0, 0, True, 0), (0.5, 0, 1, True, 0))
    chart = charts.heat_map({"2015": both}, 20, 2)
    assert chart.finding.startswith("2015: partition 0 and partition 1 throttled after 0 s")


def test_minutes_hold_averages_a_second():
    reads = rows(
        *[(second, 0, 0, False, 3) for second in range(60)],
        *[(60 + second, 0, 0, second >= 30, 1.5) for second in range(60)],
    )
    chart = charts.heat_map({"2015": reads}, 4, 1, period=60)
    (axes,) = chart.axes
    assert heat(axes) == [[3, 1.5]]
    assert words(axes)[:2] == ["3", "1.5\n✗0.5"]
    assert axes.get_xlabel() == "time (min)"
    assert "throttled after 1.5 min" in chart.finding


# --- minute -----------------------------------------------------------------------------------


def test_the_average_of_a_minute_beside_its_seconds():
    (axes,) = ALL["minute"].axes
    (step,) = (patch for patch in axes.patches if isinstance(patch, StepPatch))
    values, edges, _ = step.get_data()
    assert edges.tolist() == list(range(60, 121))
    assert values.tolist() == [0, 30, 24, 6, *[0] * 56]
    lines: dict[str, Any] = {str(line.get_label()): line for line in axes.lines}
    assert set(lines["average of the minute"].get_ydata()) == {1.0}
    assert set(lines["provisioned"].get_ydata()) == {40}
    assert lines["throttled"].get_xdata().tolist() == [62.5, 63.5]
    assert ALL["minute"].finding == (
        "The minute's average is 1 of 40 RCU, and there were 10 throttles"
    )
    assert "busiest second consumed 30 RCU; 2 seconds of the minute" in ALL["minute"].caption


def test_of_several_minutes_it_is_the_one_with_most_throttles():
    metrics = seconds((3, 90, 2), (61, 30, 5), (121, 60, 4))
    assert charts.minute(metrics).axes[0].get_xlim() == (60, 120)


# --- remedies ---------------------------------------------------------------------------------


def test_reads_that_each_remedy_answers_and_refuses():
    (axes,) = ALL["remedies"].axes
    bars: list[Any] = list(axes.patches)
    drawn = [(round(bar.get_center()[1]), bar.get_x(), bar.get_width()) for bar in bars]
    assert drawn == [
        (0, 0, 3000),
        (0, 3000, 5000),
        (1, 0, 3000),
        (1, 3000, 5000),
        (2, 0, 8000),
        (3, 0, 8000),
    ]
    refused = [bar for bar in bars if bar.get_hatch()]
    assert [bar.get_x() for bar in refused] == [3000, 3000]
    assert words(axes)[:3] == ["3,000 answered", "5,000 refused", "3,000 of 10,000 RCU spent"]
    assert "1 of 10,000 RCU spent" in words(axes)


def test_the_finding_names_what_answers_all():
    assert ALL["remedies"].finding == (
        "All 8,000 reads a second of one key are answered by: copies or a cache"
    )
    assert "4 times the RCU: 3,000 answered, 5,000 refused, 3,000 of 40,000 RCU" in (
        ALL["remedies"].caption
    )
    chart = charts.remedies(TRIALS.head(2))
    assert chart.finding.endswith("are answered by: nothing that was tried")


# --- all of them ------------------------------------------------------------------------------


def test_little_or_nothing_can_be_drawn():
    for chart in (
        charts.heat_map({"2015": NONE}, 20, 2),
        charts.heat_map({"2015": HOT, "Today": NONE}, 20, 2),
        charts.minute(seconds()),
        charts.minute(seconds((0, 0, 0))),
    ):
        draw(chart)
        assert chart.finding
        assert "nan" not in chart.caption


@pytest.mark.parametrize(
    ("chart", "frame", "column"),
    [
        (lambda frame: charts.heat_map({"2015": frame}, 20, 2), HOT, "partition"),
        (charts.minute, METRICS, "read_throttled"),
        (charts.remedies, TRIALS, "refused"),
    ],
)
def test_rows_of_another_kind_are_refused(chart, frame, column):
    with pytest.raises(ValueError, match=f"needs the columns .*{column}"):
        chart(frame.drop(columns=column))


@pytest.mark.parametrize("name", ALL)
def test_text_is_large_no_legend_needs_looking_up_and_the_title_is_the_finding(name):
    assert_texts_are_large(ALL[name])
    assert_the_title_is_the_finding(ALL[name])
    *_, bottom = ALL[name].axes
    assert any(unit in bottom.get_xlabel() for unit in ("(s)", "reads a second"))


@pytest.mark.parametrize("name", ALL)
def test_labels_do_not_lie_on_each_other(name):
    chart = ALL[name]
    draw(chart)
    for axes in chart.axes:
        boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
        for number, box in enumerate(boxes):
            assert chart.bbox.x1 >= box.x1
            assert not any(box.overlaps(other) for other in boxes[:number])
