"""Charging a call that was admitted before its cost was known."""

from __future__ import annotations

import pytest

from tests.support.serving import Clock
from tweetlab.capacity import OnDemandCapacity, TableCapacity, ThrottlingReason


@pytest.mark.parametrize("key", ["a", None])
@pytest.mark.parametrize("adaptive", [True, False])
def test_what_a_full_bucket_would_have_gained_does_not_pay_for_it(adaptive, key):
    clock = Clock()
    table = TableCapacity(100, 100, partitions=2, adaptive=adaptive, clock=clock)
    clock.advance(1000)
    assert table.read(key, 0) is None
    clock.advance(5)
    table.charge("read", key, 70)
    assert table.reads.units(clock()) == 30_000 - 70


def test_nor_does_what_it_gained_beyond_full_since_it_was_last_looked_at():
    clock = Clock()
    table = TableCapacity(100, 100, clock=clock)
    clock.advance(1000)
    table.charge("read", "a", 1000)
    clock.advance(15)
    table.charge("read", "a", 70)
    assert table.reads.units(clock()) == 30_000 - 70
    clock.advance(0.5)
    table.charge("read", "a", 10)
    assert table.reads.units(clock()) == 30_000 - 70 + 50 - 10


def test_no_partition_gains_by_it_either():
    clock = Clock()
    table = TableCapacity(30_000, 1000, clock=clock)
    clock.advance(100)
    for _ in range(3):
        table.charge("read", "hot", 1000)
    assert table.read("hot", 1) is ThrottlingReason.TABLE_READ_KEY_RANGE


def test_a_charge_may_be_given_back():
    table = TableCapacity(10, 10, clock=Clock())
    assert table.write("a", 0) is None
    table.charge("write", "a", 25)
    assert table.write("a", 0) is ThrottlingReason.TABLE_WRITE
    table.charge("write", "a", -25)
    assert table.write("a", 10) is None
    assert table.write("a", 1) is ThrottlingReason.TABLE_WRITE


def test_an_on_demand_table_counts_it_towards_its_peak():
    clock = Clock()
    table = OnDemandCapacity(clock=clock)
    table.charge("read", "a", 9_000)
    clock.advance(1800)
    table.read("a", 1)
    assert table.reads.rate == 18_000
