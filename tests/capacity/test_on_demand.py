"""What a table without provisioned throughput admits, and how that grows; E18 and E19 are in
test_conformance."""

from __future__ import annotations

import pytest

from tests.support.draining import keys_of_each_partition
from tests.support.serving import Clock
from tweetlab.capacity import OnDemandCapacity, TableCapacity, ThrottlingReason

READ, WRITE = ThrottlingReason.TABLE_READ_KEY_RANGE, ThrottlingReason.TABLE_WRITE_KEY_RANGE
HALF_AN_HOUR = 1800


def served(table: OnDemandCapacity, clock: Clock, units: float = 100) -> float:
    """Units read in one second by all partitions alike, when nothing is saved up."""
    keys = keys_of_each_partition(table)
    total = 0.0
    for second in range(2):
        clock.advance(1)
        total = 0.0
        while admitted := [key for key in keys if table.read(key, units) is None]:
            total += units * len(admitted)
        assert second or total
    return total


def test_a_new_table_serves_12000_reads_and_4000_writes_a_second():
    clock = Clock()
    table = OnDemandCapacity(clock=clock)
    assert table.on_demand and not TableCapacity(1, 1, clock=clock).on_demand
    assert (table.reads.rate, table.writes.rate, table.partitions) == (12_000, 4_000, 4)
    assert served(table, clock) == 12_000


@pytest.mark.parametrize(
    ("take", "maximum", "reason"),
    [(OnDemandCapacity.read, 3000, READ), (OnDemandCapacity.write, 1000, WRITE)],
    ids=["reads", "writes"],
)
def test_one_key_has_what_one_partition_serves(take, maximum, reason):
    clock = Clock()
    table = OnDemandCapacity(clock=clock)
    for _ in range(2):
        assert all(take(table, "hot", 1) is None for _ in range(maximum))
        assert take(table, "hot", 1) is reason
        clock.advance(1)


def test_it_grows_to_twice_its_peak_half_an_hour_later():
    clock = Clock()
    table = OnDemandCapacity(clock=clock)
    limits = []
    for _ in range(4):
        served(table, clock)
        limits.append(table.reads.rate)
        clock.advance(HALF_AN_HOUR)
        table.read("key", 1)
    assert limits == [12_000, 24_000, 48_000, 96_000]
    assert table.writes.rate == 4_000
    assert table.partitions * 3000 >= table.reads.rate


def test_a_peak_counts_once_its_half_hour_is_over_and_not_before():
    clock = Clock()
    table = OnDemandCapacity(clock=clock)
    served(table, clock)
    clock.advance(HALF_AN_HOUR - 10)
    table.read("key", 1)
    assert table.reads.rate == 12_000
    clock.advance(10)
    table.read("key", 1)
    assert table.reads.rate == 24_000


def test_a_table_that_is_little_used_does_not_grow_nor_shrink():
    clock = Clock()
    table = OnDemandCapacity(previous_reads=10_000, clock=clock)
    for _ in range(3):
        for _ in range(10):
            table.read("key", 1)
            clock.advance(HALF_AN_HOUR / 8)
    assert table.reads.rate == 20_000


def test_what_was_saved_up_makes_no_peak():
    """The second that a new table holds, and the one that passes, are not 24,000 a second."""
    clock = Clock(1000.5)
    table = OnDemandCapacity(clock=clock)
    keys = keys_of_each_partition(table)
    for _ in range(2):
        while [key for key in keys if table.read(key, 100) is None]:
            pass
        clock.advance(0.4)
    clock.advance(HALF_AN_HOUR)
    table.read("key", 1)
    assert table.reads.rate == 24_000


def test_reads_and_writes_grow_apart():
    clock = Clock()
    table = OnDemandCapacity(previous_reads=1, previous_writes=50_000, clock=clock)
    assert (table.reads.rate, table.writes.rate) == (12_000, 100_000)
    assert table.partitions * 1000 >= 100_000


@pytest.mark.parametrize("kind", ["read", "write"])
def test_the_peak_is_what_one_second_took_and_not_the_sum_of_many(kind):
    clock = Clock(1000.25)
    table = OnDemandCapacity(clock=clock)
    for units in (3000, 500, 2500):
        table.charge(kind, "a", units)
        table.charge(kind, "b", 10)
        clock.advance(1)
    clock.advance(HALF_AN_HOUR)
    table.charge(kind, "a", 1)
    for units in (100, 3500):  # of the half hour that has now begun
        clock.advance(1)
        table.charge(kind, "a", units)
    assert table.throughput(kind).rate == max(12_000 if kind == "read" else 4_000, 2 * 3010)
    clock.advance(HALF_AN_HOUR)
    table.charge(kind, "a", 1)
    assert table.throughput(kind).rate == (12_000 if kind == "read" else 2 * 3500)


def test_a_new_peak_has_its_partitions_at_once():
    clock = Clock()
    table = OnDemandCapacity(previous_reads=6_000, clock=clock)
    assert table.partitions == 4
    table.charge("read", None, 6_001)
    clock.advance(HALF_AN_HOUR)
    table.charge("read", None, 1)
    assert (table.reads.rate, table.partitions) == (12_002, 8)


@pytest.mark.parametrize(
    ("reads", "writes", "partitions"),
    [
        pytest.param(6_000, 2_000, 4, id="what a new table carries"),
        pytest.param(6_001, 1, 8, id="reads"),
        pytest.param(1, 2_001, 8, id="writes"),
        pytest.param(12_000, 4_001, 16, id="the larger of both"),
    ],
)
def test_it_has_as_many_partitions_as_carry_twice_its_peaks(reads, writes, partitions):
    table = OnDemandCapacity(previous_reads=reads, previous_writes=writes, clock=Clock())
    assert table.partitions == partitions


def test_an_index_gives_its_own_reason_for_a_hot_key():
    index = OnDemandCapacity(max_read=10_000, max_write=10_000, clock=Clock(), index=True)
    assert index.read("hot", 3000) is index.write("hot", 1000) is None
    assert index.read("hot", 1) is ThrottlingReason.INDEX_READ_KEY_RANGE
    assert index.write("hot", 1) is ThrottlingReason.INDEX_WRITE_KEY_RANGE


@pytest.mark.parametrize("index", [False, True])
def test_a_maximum_limits_and_is_the_reason(index):
    clock = Clock()
    table = OnDemandCapacity(max_read=5, max_write=2, clock=clock, index=index)
    name = "INDEX" if index else "TABLE"
    for _ in range(2):
        assert all(table.read(key, 1) is None for key in "abcde")
        assert table.read("f", 1) is ThrottlingReason[f"{name}_READ_MAX_ON_DEMAND"]
        assert all(table.write(key, 1) is None for key in "ab")
        assert table.write("c", 1) is ThrottlingReason[f"{name}_WRITE_MAX_ON_DEMAND"]
        clock.advance(1)


def test_a_maximum_above_what_a_partition_serves_leaves_the_hot_key_its_own_reason():
    table = OnDemandCapacity(max_read=10_000, clock=Clock())
    assert table.read("hot", 3000) is None
    assert table.read("hot", 1) is READ


def test_another_maximum_refills_nothing():
    clock = Clock()
    table = OnDemandCapacity(max_read=5, clock=clock)
    assert table.read("a", 5) is None
    for maximum, in_a_second in ((100, 100), (2, 2), (None, 12_000)):
        table.limit(maximum, None)
        assert table.read("a", 1) is not None
        clock.advance(1)
        assert table.reads.units(clock()) == in_a_second
        table.charge("read", None, in_a_second)


def test_each_maximum_may_be_set_and_lifted_by_itself():
    table = OnDemandCapacity(max_read=5, clock=Clock())
    assert (table.reads.rate, table.writes.rate) == (5, 4_000)
    table.limit(None, 7)
    assert (table.reads.rate, table.writes.rate) == (12_000, 7)
    assert table.writes.reason is ThrottlingReason.TABLE_WRITE_MAX_ON_DEMAND
    table.limit(20_000, None)
    assert (table.reads.rate, table.writes.rate) == (12_000, 4_000)
    assert table.writes.reason is WRITE
