"""Partitions: how many there are, which holds a key, and what each may serve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.draining import drain, keys_of_each_partition
from tests.support.serving import Clock
from tweetlab.capacity import TableCapacity, ThrottlingReason, initial_partitions, read_units

KB = 1024


@pytest.mark.parametrize(
    ("read", "write", "partitions"),
    [
        pytest.param(1, 1, 1, id="the smallest"),
        pytest.param(1000, 500, 1, id="E14, 1"),
        pytest.param(1000, 1000, 2, id="E14, 2"),
        pytest.param(5000, 2000, 4, id="E14, 4"),
        pytest.param(3000, 1, 2, id="the sum is rounded up, not its parts"),
    ],
)
def test_a_new_table_has_the_partitions_of_the_guide(read, write, partitions):
    assert initial_partitions(read, write) == partitions
    assert TableCapacity(read, write, clock=Clock()).partitions == partitions


def test_raised_beyond_what_its_partitions_carry_a_table_doubles_them():
    """E15: by the formula 5 would do; they double to 8, of 1,000 RCU and 250 WCU each."""
    table = TableCapacity(5000, 2000, adaptive=False, clock=Clock())
    table.update(8000, 2000)
    assert table.partitions == 8
    for throughput, each in ((table.reads, 1000), (table.writes, 250)):
        assert {bucket.rate for bucket in throughput._shares} == {each}


@pytest.mark.parametrize(("read", "partitions"), [(9000, 4), (9001, 8), (21_000, 8), (21_001, 16)])
def test_partitions_double_only_where_they_no_longer_carry_it(read, partitions):
    table = TableCapacity(5000, 2000, clock=Clock())
    table.update(read, 1000)
    assert table.partitions == partitions


def test_partitions_never_merge():
    table = TableCapacity(5000, 2000, clock=Clock())
    table.update(1, 1)
    assert table.partitions == 4


@given(st.text(), st.integers(1, 64))
def test_a_key_stays_in_its_half_when_partitions_double(key, partitions):
    table = TableCapacity(1, 1, partitions=partitions, clock=Clock())
    before = table.partition_of(key)
    assert 0 <= before < partitions
    table._double()
    assert table.partition_of(key) in (2 * before, 2 * before + 1)


def test_keys_spread_over_all_partitions():
    table = TableCapacity(1, 1, partitions=8, clock=Clock())
    placed = [table.partition_of(f"tweet {number}") for number in range(8000)]
    assert {placed.count(partition) // 100 for partition in range(8)} <= {8, 9, 10, 11}


@pytest.mark.parametrize("adaptive", [True, False])
@pytest.mark.parametrize(
    ("take", "maximum", "reason"),
    [
        (TableCapacity.read, 3000, ThrottlingReason.TABLE_READ_KEY_RANGE),
        (TableCapacity.write, 1000, ThrottlingReason.TABLE_WRITE_KEY_RANGE),
    ],
    ids=["reads", "writes"],
)
def test_no_burst_lifts_a_partition_above_its_maximum(take, maximum, reason, adaptive):
    clock = Clock()
    table = TableCapacity(40_000, 40_000, adaptive=adaptive, clock=clock)
    clock.advance(300)
    for _ in range(3):
        for _ in range(maximum):
            assert take(table, "hot", 1) is None
        assert take(table, "hot", 1) is reason
        clock.advance(1)


def test_20_KB_items_are_read_600_times_a_second_from_one_partition():
    """E4."""
    clock = Clock()
    table = TableCapacity(40_000, 1, clock=clock)
    clock.advance(300)
    units = read_units(20 * KB, consistent=True)
    assert drain(table, units) / units == 600


def test_with_adaptive_capacity_a_hot_partition_uses_what_the_others_leave():
    table = TableCapacity(100, 100, partitions=4, clock=Clock())
    assert drain(table, key="hot") == 100


def test_without_adaptive_capacity_a_hot_partition_has_its_share_only():
    clock = Clock()
    table = TableCapacity(100, 100, partitions=4, adaptive=False, clock=clock)
    hot, *others = keys_of_each_partition(table)
    assert drain(table, key=hot) == 25
    assert table.read(hot, 1) is ThrottlingReason.TABLE_READ_KEY_RANGE
    assert [drain(table, key=key) for key in others] == [25, 25, 25]
    clock.advance(1)
    assert drain(table, key=hot) == 25


def test_without_adaptive_capacity_each_partition_keeps_a_burst_of_its_own():
    clock = Clock()
    table = TableCapacity(4, 4, partitions=4, adaptive=False, clock=clock)
    hot, cold, *_ = keys_of_each_partition(table)
    clock.advance(1000)
    assert drain(table, key=hot) == 300
    assert drain(table, key=cold) == 300


@pytest.mark.parametrize(("adaptive", "throttled"), [(True, False), (False, True)])
def test_adaptive_capacity_carries_aws_uneven_load(adaptive, throttled):
    """E3: 400 WCU on 4 partitions, loaded with 50, 50, 50 and 150 units a second."""
    clock = Clock()
    table = TableCapacity(1, 400, burst_seconds=0, partitions=4, adaptive=adaptive, clock=clock)
    loads = list(zip(keys_of_each_partition(table), (50, 50, 50, 150), strict=True))
    refused: set[str] = set()
    for _ in range(60):
        for key, load in loads:
            refused |= {key for _ in range(load) if table.write(key, 1)}
        clock.advance(1)
    assert bool(refused) is throttled
    assert refused <= {loads[3][0]}


@pytest.mark.parametrize("adaptive", [True, False])
def test_the_table_is_the_reason_when_all_of_it_is_used_up(adaptive):
    table = TableCapacity(10, 1, partitions=2, adaptive=adaptive, clock=Clock())
    for key in keys_of_each_partition(table):
        drain(table, key=key)
    assert table.read("any", 1) is ThrottlingReason.TABLE_READ


def test_a_scan_takes_from_all_partitions_alike():
    table = TableCapacity(100, 1, partitions=4, adaptive=False, clock=Clock())
    assert table.read(None, 40) is None
    assert [drain(table, key=key) for key in keys_of_each_partition(table)] == [15] * 4


def test_a_scan_needs_every_partition():
    table = TableCapacity(100, 1, partitions=4, adaptive=False, clock=Clock())
    drain(table, key="hot")
    assert table.read(None, 1) is ThrottlingReason.TABLE_READ_KEY_RANGE
