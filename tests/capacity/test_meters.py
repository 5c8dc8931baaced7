"""What is counted of each table and index, second by second."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.serving import Clock
from tweetlab.capacity import TableCapacity
from tweetlab.capacity.meters import Meter, Meters

TABLE = TableCapacity(7, 9, clock=Clock())


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.75)


@pytest.fixture
def meters(clock: Clock) -> Meters:
    return Meters(clock)


def test_a_row_says_all_of_its_second(meters):
    meter = meters.meter("tweet", "by-author")
    meter.count(TABLE, "read", "ann", units=2.5)
    meter.count(TABLE, "read", "ben", throttled=3, forced=True)
    meter.count(TABLE, "read", "ann", units=1)
    meter.count(TABLE, "write", None, units=4)
    meter.count(TABLE, "write", "ann", throttled=2)
    (row,) = meters.rows()
    assert row == {
        "table": "tweet",
        "index": "by-author",
        "second": 0,
        "read_provisioned": 7,
        "read_consumed": 3.5,
        "read_throttled": 3,
        "write_provisioned": 9,
        "write_consumed": 4,
        "write_throttled": 2,
        "forced": 1,
        "hottest_keys": [("ann", 3), ("ben", 1)],
    }


def test_seconds_count_from_when_the_meters_were_made(meters, clock):
    for seconds in (0.5, 0.25, 1.5, 0.5):  # at 0.5, 0.75, 2.25 and 2.75
        clock.advance(seconds)
        meters.meter("tweet").count(TABLE, "read", "ann", units=1)
    assert [(row["second"], row["read_consumed"]) for row in meters.rows()] == [(0, 2), (2, 2)]


def test_a_second_keeps_the_throughput_that_it_began_with(meters, clock):
    table = TableCapacity(5, 6, clock=clock)
    meter = meters.meter("tweet")
    for _ in range(2):
        meter.count(table, "read", "ann", units=1)
        table.update(8, 9)
        meter.count(table, "read", "ann", units=1)
        clock.advance(1)
    provisioned = [(row["read_provisioned"], row["write_provisioned"]) for row in meters.rows()]
    assert provisioned == [(5, 6), (8, 9)]


def test_each_table_and_index_has_a_meter_of_its_own_that_is_found_again(meters):
    names = [("tweet", ""), ("tweet", "by-author"), ("other", "")]
    for table, index in names:
        for _ in range(2):
            meters.meter(table, index).count(TABLE, "write", "ann", units=1)
    meters.meter("tweet").count(TABLE, "write", "ann", units=1)
    rows = [(row["table"], row["index"], row["write_consumed"]) for row in meters.rows()]
    assert rows == [("tweet", "", 3), ("tweet", "by-author", 2), ("other", "", 2)]


def test_a_row_names_the_ten_hottest_keys_hottest_first(meters):
    meter = meters.meter("tweet")
    for key in range(12):
        for _ in range(key + 1):
            meter.count(TABLE, "read", f"{key}", throttled=1)
    (row,) = meters.rows()
    assert row["hottest_keys"] == [(f"{key}", key + 1) for key in range(11, 1, -1)]


def test_memory_is_bounded_however_long_it_runs_and_however_many_keys():
    clock = Clock(0)
    meter = Meter("tweet", "", lambda: int(clock()))
    for _ in range(3700):
        for key in range(12):
            meter.count(TABLE, "read", f"{key}", units=1)
        meter.count(TABLE, "read", "11", units=1)
        clock.advance(1)
    assert [row["second"] for row in meter.seconds] == list(range(100, 3700))
    kept = [row["hottest_keys"] for row in meter.seconds]
    assert {len(keys) for keys in kept[:-1]} == {10}
    assert isinstance(kept[0], Counter) and kept[0]["11"] == 2
