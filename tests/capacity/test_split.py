"""A partition that splits: what its halves have, and what becomes of the others. E16 is in
test_conformance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.draining import drain, keys_of_each_partition
from tests.support.serving import Clock
from tweetlab.capacity import TableCapacity


@given(st.text(), st.integers(1, 8), st.lists(st.integers(0, 30), max_size=12))
def test_a_key_stays_where_it_is_or_goes_to_one_of_the_halves(key, partitions, splits):
    table = TableCapacity(1, 1, partitions=partitions, clock=Clock())
    for split in splits:
        split %= table.partitions
        before = table.partition_of(key)
        table.split(split)
        after = table.partition_of(key)
        if before == split:
            assert after in (split, split + 1)
        else:
            assert after == before + (before > split)


@pytest.mark.parametrize("adaptive", [True, False])
def test_a_split_refills_nothing_and_takes_nothing(adaptive):
    clock = Clock()
    table = TableCapacity(80, 80, partitions=4, adaptive=adaptive, clock=clock)
    clock.advance(3)
    drain(table, key=keys_of_each_partition(table)[1])
    held = table.reads.units(clock())
    table.split(1)
    assert table.reads.units(clock()) == held
    clock.advance(1)
    assert table.reads.units(clock()) == held + 80


def test_without_adaptive_capacity_the_halves_have_half_and_the_others_as_before():
    clock = Clock()
    table = TableCapacity(80, 80, burst_seconds=0, partitions=4, adaptive=False, clock=clock)
    table.split(2)
    for _ in range(2):
        served = [drain(table, key=key) for key in keys_of_each_partition(table)]
        assert served == [20, 20, 10, 10, 20]
        clock.advance(1)


@pytest.mark.parametrize(("used", "each"), [(0, 120), (30, 105), (340, -50)])
def test_without_adaptive_capacity_each_half_has_half_of_what_was_saved_up(used, each):
    clock = Clock()
    table = TableCapacity(160, 1, burst_seconds=60, partitions=2, adaptive=False, clock=clock)
    first, last = keys_of_each_partition(table)
    clock.advance(2)
    drain(table, key=last)
    table.charge("read", first, used)
    table.split(0)
    halves = keys_of_each_partition(table)[:2]
    assert [drain(table, key=key) for key in halves] == [max(each, 0)] * 2
    clock.advance(1.5)
    earned = min(each, 0) + 1.5 * 40
    assert [drain(table, key=key) for key in halves] == [earned] * 2
    clock.advance(1000)
    assert [drain(table, key=key) for key in halves] == [40 * 60] * 2


def test_each_half_may_serve_as_much_as_any_partition():
    """What makes a split worth while: two hot keys that it parts."""
    clock = Clock()
    table = TableCapacity(20_000, 1, clock=clock)
    clock.advance(300)
    table.split(0)
    first, second, *_ = keys_of_each_partition(table)
    drain(table, key=first)
    drain(table, key=second)
    clock.advance(1)
    assert drain(table, key=first) + drain(table, key=second) == 6000


def test_another_throughput_is_divided_as_the_partitions_are():
    clock = Clock()
    table = TableCapacity(40, 40, burst_seconds=0, partitions=4, adaptive=False, clock=clock)
    table.split(0)
    table.update(80, 40)
    clock.advance(1)
    served = [drain(table, key=key) for key in keys_of_each_partition(table)]
    assert served == [10, 10, 20, 20, 20]


def test_a_split_table_doubles_every_partition():
    table = TableCapacity(5000, 2000, adaptive=False, clock=Clock())
    table.split(3)
    table.update(20_000, 2000)
    assert table.partitions == 10
    assert [bucket.rate for bucket in table.reads._shares] == [2500] * 6 + [1250] * 4
