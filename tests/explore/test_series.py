"""What a run's reads met, second by second."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.support.explorer_fakes import IDS, QUIET
from tweetlab.explore import Settings
from tweetlab.explore.series import STEP, Point, Series
from tweetlab.workload.open_loop import Row


def row(at: float, source: str = "cache", **changes: Any) -> Row:
    given = {"seconds": 0.001, "retries": 0, "throttled": False, "read_units": 0.0}
    return Row(at, IDS[0], source, **(given | changes))


def points(*rows: Row, seconds: float = 2.0, settings: Settings = QUIET.settings) -> list[Point]:
    series = Series()
    for each in rows:
        series.add(each)
    series.advance(seconds, settings)
    return series.points


def test_a_point_covers_the_second_before_it():
    made = points(
        row(0.5),
        row(1.1),
        row(1.2, "table", read_units=0.5),
        row(1.3, "table", read_units=0.5, throttled=True, retries=1, seconds=0.2),
        row(1.4, "failed", throttled=True, retries=2),
        row(1.6, "failed", throttled=True, retries=0),
    )
    assert [point.at for point in made] == [STEP * n for n in range(1, 17)]
    last = made[-1]
    assert (last.cache, last.table, last.late, last.failed) == (1, 1, 1, 2)
    assert last.consumed == 1.0
    assert last.hit_ratio == pytest.approx(1 / 3)  # of the answers
    assert last.p50 == pytest.approx(1.0)
    assert last.p99 == pytest.approx(np.quantile([1, 1, 200], 0.99))
    assert last.unretried == 1
    assert not last.errors


def test_in_the_first_second_there_is_less_than_a_second():
    [first] = points(row(0.01), row(0.02), seconds=STEP)
    assert first.cache == 2 / STEP


def test_a_read_counts_when_it_is_done():
    made = points(row(0.2, "table", seconds=1.2))
    assert [point.at for point in made if point.table] == [1.5, 1.625, 1.75, 1.875, 2.0]


def test_a_read_that_is_added_late_is_not_lost():
    series = Series()
    series.advance(3.0, QUIET.settings)
    series.add(row(0.5))
    series.advance(3.0 + STEP, QUIET.settings)
    assert series.points[-1].cache == 1
    assert series.total["cache"] == 1
    assert not any(point.cache for point in series.points[:-1])


def test_where_there_is_nothing_there_is_no_number():
    last = points()[-1]
    assert math.isnan(last.hit_ratio) and math.isnan(last.p50) and math.isnan(last.p99)
    failed = points(row(1.5, "failed", throttled=True))[-1]
    assert math.isnan(failed.hit_ratio) and math.isnan(failed.p50)
    no_cache = points(row(1.5, "table"), settings=Settings(cache=False))[-1]
    assert math.isnan(no_cache.hit_ratio)


def test_totals_count_each_read_once():
    series = Series()
    for n in range(100):
        series.add(row(n / 10, ("cache", "table", "failed", "table")[n % 4], throttled=n % 4 > 1))
    for second in range(1, 12):
        series.advance(second, QUIET.settings)
    assert dict(series.total) == {
        "cache": 25, "table": 25, "failed": 25, "late": 25, "throttled": 50
    }  # fmt: skip
