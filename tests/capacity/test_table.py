"""The buckets of a table as a whole, on a clock that only the test moves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.draining import drain
from tests.support.serving import Clock
from tweetlab.capacity import TableCapacity, ThrottlingReason, read_units

KB = 1024


# One partition's 3,000 units a second must not be what ends the burst.
idle_tables = st.integers(1, 700).flatmap(
    lambda capacity: st.tuples(
        st.just(capacity), st.integers(0, 1000 if capacity <= 10 else 3000 // capacity - 1)
    )
)


@given(idle_tables, st.lists(st.integers(1, 4096), max_size=20))
def test_an_idle_table_serves_its_burst_at_once_and_then_exactly_its_rate(idle_table, ticks):
    """R · min(t + 1, 300) units after t seconds, then R a second."""
    capacity, idle = idle_table
    clock = Clock()
    table = TableCapacity(capacity, 1, clock=clock)
    clock.advance(idle)

    assert drain(table) == capacity * min(idle + 1, 300)

    served, passed = 0.0, 0.0
    for tick in ticks:
        clock.advance(tick / 1024)  # exact in binary
        passed += tick / 1024
        served += drain(table)
        # What was earned; a read that begins on the last fraction of a unit is served whole.
        assert served == math.ceil(capacity * passed)
    clock.advance(math.ceil(passed) - passed)
    assert served + drain(table) == capacity * math.ceil(passed)


@given(st.integers(1, 40_000), st.integers(0, 1000))
def test_an_idle_table_of_any_size_holds_its_burst(capacity, idle):
    clock = Clock()
    table = TableCapacity(capacity, 1, clock=clock)
    clock.advance(idle)
    assert table.reads.units(clock()) == capacity * min(idle + 1, 300)


@pytest.mark.parametrize("units", [0.5, 1, 2.5, 7])
def test_the_rate_does_not_depend_on_what_each_read_costs(units):
    clock = Clock()
    table = TableCapacity(10, 1, clock=clock)
    served = drain(table, units)
    for _ in range(1000):
        clock.advance(1)
        served += drain(table, units)
    assert 10 * 1001 <= served < 10 * 1001 + units


def test_a_large_item_on_a_small_table_waits_and_is_served():
    clock = Clock()
    table = TableCapacity(1, 1, clock=clock)
    assert table.read("large", 100) is None
    clock.advance(99)
    assert table.read("large", 100) is ThrottlingReason.TABLE_READ
    clock.advance(0.25)
    assert table.read("large", 100) is None


def test_a_refused_read_costs_nothing():
    clock = Clock()
    table = TableCapacity(1, 1, clock=clock)
    drain(table)
    before = table.reads.units(clock())
    assert table.read("key", 1000) is ThrottlingReason.TABLE_READ
    assert table.reads.units(clock()) == before


def test_asking_for_nothing_costs_nothing():
    table = TableCapacity(1, 1, clock=Clock())
    for _ in range(10):
        assert table.read("key", 0) is None
    assert drain(table) == 1


def test_reads_and_writes_do_not_share_a_bucket():
    table = TableCapacity(5, 3, clock=Clock())
    assert drain(table) == 5
    for _ in range(3):
        assert table.write("key", 1) is None
    assert table.write("key", 1) is ThrottlingReason.TABLE_WRITE


def test_an_index_gives_its_own_reasons():
    index = TableCapacity(1, 1, clock=Clock(), index=True)
    drain(index)
    index.write("key", 1)
    assert index.read("key", 1) is ThrottlingReason.INDEX_READ
    assert index.write("key", 1) is ThrottlingReason.INDEX_WRITE


@pytest.mark.parametrize(
    ("kept", "initial", "idle", "burst"),
    [
        pytest.param(300, 0, 0, 10, id="new"),
        pytest.param(300, 20, 0, 210, id="new, with a burst already"),
        pytest.param(300, 1000, 0, 3000, id="the burst is full at most"),
        pytest.param(0, 0, 100, 10, id="no burst is kept"),
        pytest.param(0.5, 0, 100, 10, id="a second's worth is always kept"),
        pytest.param(60, 0, 1000, 600, id="a minute is kept"),
    ],
)
def test_burst_is_what_the_settings_say(kept, initial, idle, burst):
    clock = Clock()
    table = TableCapacity(10, 1, kept, initial, clock=clock)
    clock.advance(idle)
    assert drain(table) == burst


def test_a_burst_lasts_as_long_as_aws_calculates():
    """E1 and E2: 150 RCU idle for 300 s keep 45,000 units; at 200 a second they last 900 s."""
    clock = Clock()
    table = TableCapacity(150, 1, clock=clock)
    clock.advance(300)
    assert table.reads.units(clock()) == 45_000
    seconds = 0.0
    while all(table.read("key", 1) is None for _ in range(25)):
        clock.advance(1 / 8)
        seconds += 1 / 8
    assert seconds == pytest.approx(900, abs=1)


def test_what_the_guide_says_small_tables_serve():
    """E12 and E17: 6 RCU serve 24 KB a second, twice that eventually consistent; 80 RCU serve 80
    reads of 3 KB."""
    assert drain(TableCapacity(6, 6, clock=Clock()), read_units(4 * KB, consistent=True)) == 6
    eventual = drain(TableCapacity(6, 6, clock=Clock()), read_units(4 * KB)) / read_units(4 * KB)
    assert eventual * 4 == 48
    assert drain(TableCapacity(80, 100, clock=Clock()), read_units(3 * KB, consistent=True)) == 80


def test_an_idle_bucket_loses_nothing_to_rounding():
    clock = Clock()
    table = TableCapacity(3, 1, clock=clock)
    drain(table)
    for _ in range(1000):
        clock.advance(0.1)
        table.read("key", 0)
    assert table.reads.units(clock()) == pytest.approx(300, abs=1e-6)


# UpdateTable


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize("capacity", [1, 10, 200, 9000])
def test_another_throughput_refills_nothing_and_counts_from_now_on(capacity, adaptive):
    clock = Clock()
    table = TableCapacity(100, 1, adaptive=adaptive, clock=clock)
    drain(table)
    table.update(capacity, 1)
    assert table.reads.units(clock()) == 0
    assert table.read("key", 1) is not None
    clock.advance(1)
    assert table.reads.units(clock()) == capacity


def test_unused_capacity_survives_a_raise_and_is_cut_to_the_smaller_burst():
    clock = Clock()
    table = TableCapacity(10, 1, clock=clock)
    clock.advance(1000)
    table.update(20, 1)
    assert table.reads.units(clock()) == 3000
    table.update(1, 1)
    assert table.reads.units(clock()) == 300


# Bad input


@pytest.mark.parametrize("capacity", [0, -1, float("nan"), float("inf")])
def test_a_capacity_that_is_none_is_refused_and_changes_nothing(capacity):
    for arguments in ((capacity, 1), (1, capacity)):
        with pytest.raises(
            ValueError,
            match=r"_capacity must be more than 0 units a second, and at most 10,000,000, not",
        ):
            TableCapacity(*arguments)
        table = TableCapacity(5, 5, clock=Clock())
        with pytest.raises(ValueError, match="_capacity must be"):
            table.update(*arguments)
        assert (table.reads.rate, table.writes.rate) == (5, 5)


def test_a_capacity_may_be_small_and_is_bounded():
    assert drain(TableCapacity(0.5, 0.5, clock=Clock())) == 1
    table = TableCapacity(1, 10_000_000, clock=Clock())
    assert (table.writes.rate, table.partitions) == (10_000_000, 10_001)
    with pytest.raises(ValueError, match=r"write_capacity must be .*, not 10000001"):
        table.update(1, 10_000_001)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"burst_seconds": -1}, "burst_seconds and initial_burst_seconds cannot be negative"),
        ({"burst_seconds": float("nan")}, "burst_seconds"),
        ({"initial_burst_seconds": -0.5}, "burst_seconds"),
        ({"partitions": 0}, "a table has at least 1 partition, not 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TableCapacity(1, 1, **settings)
