"""Warm throughput: what a table is prepared to serve at once (Developer Guide)."""

from __future__ import annotations

import pytest

from tests.support.serving import Clock
from tweetlab.capacity import OnDemandCapacity, TableCapacity, ThrottlingReason


def served(table: OnDemandCapacity | TableCapacity, units: float = 10) -> float:
    """Units of reads, of many keys, that are admitted before the clock moves."""
    total = 0.0
    while table.read(f"key {total}", units) is None:
        total += units
    return total


def test_a_new_on_demand_table_serves_what_it_is_warm_for():
    clock = Clock()
    table = OnDemandCapacity(clock=clock, warm=(40_000, 9_000))
    assert (table.reads.rate, table.writes.rate) == (40_000, 9_000)
    assert table.warm_throughput == (40_000, 9_000)
    assert table.partitions == 16  # 4, doubled until they carry 40,000 reads and 9,000 writes
    assert 39_000 <= served(table) <= 40_000
    clock.advance(1)
    assert 39_000 <= served(table) <= 40_000


def test_warming_adds_to_what_is_there_and_refills_nothing():
    clock = Clock()
    table = OnDemandCapacity(clock=clock)
    table.charge("read", None, 5_000)
    table.pre_warm(20_000, 0)
    assert table.reads.units(clock()) == 20_000 - 5_000
    assert (table.reads.rate, table.writes.rate, table.partitions) == (20_000, 4_000, 8)
    table.pre_warm(15_000, 15_000)
    assert table.warm == (20_000, 15_000)
    assert (table.reads.rate, table.writes.rate) == (20_000, 15_000)
    assert table.reads.units(clock()) == 20_000 - 5_000


def test_less_than_it_serves_anyway_warms_nothing():
    table = OnDemandCapacity(previous_reads=30_000, clock=Clock(), warm=(50_000, 1))
    assert table.warm_throughput == (60_000, 4_000)


def test_a_maximum_is_a_maximum_however_warm_a_table_is():
    clock = Clock()
    table = OnDemandCapacity(100, 100, clock=clock, warm=(40_000, 9_000))
    assert (table.reads.rate, table.writes.rate) == (100, 100)
    table.pre_warm(50_000, 9_000)
    assert served(table) == 100
    assert table.read("a", 1) is ThrottlingReason.TABLE_READ_MAX_ON_DEMAND
    table.limit(None, None)
    assert table.reads.rate == 50_000


@pytest.mark.parametrize(
    ("warm", "partitions"),
    [((0, 0), 1), ((3_000, 0), 2), ((30_000, 10_000), 20), ((3_000, 9_000), 10)],
    ids=repr,
)
def test_a_provisioned_table_has_partitions_for_what_it_is_warm_for(warm, partitions):
    """And serves what is provisioned."""
    table = TableCapacity(5, 500, clock=Clock(), warm=warm)
    assert table.partitions == partitions
    assert served(table, 5) == 5
    assert table.warm_throughput == (max(5, warm[0]), max(500, warm[1]))


def test_a_provisioned_table_that_is_warm_need_not_split_when_more_is_provisioned():
    table = TableCapacity(5, 5, clock=Clock(), warm=(30_000, 10_000))
    table.update(30_000, 10_000)
    assert table.partitions == 20
    table.update(31_000, 10_000)
    assert table.partitions == 40


def test_warming_doubles_the_partitions_of_a_provisioned_table_and_they_stay():
    table = TableCapacity(5, 5, clock=Clock())
    table.pre_warm(6_000, 1_000)
    assert (table.partitions, table.warm) == (4, (6_000, 1_000))
    table.pre_warm(1, 1)
    assert (table.partitions, table.warm) == (4, (6_000, 1_000))


def test_a_number_of_partitions_that_is_given_is_kept():
    assert TableCapacity(5, 5, partitions=1, clock=Clock(), warm=(30_000, 10_000)).partitions == 1


def test_no_table_is_warm_unless_it_is_said():
    provisioned, on_demand = TableCapacity(0.5, 0.5, clock=Clock()), OnDemandCapacity(clock=Clock())
    assert provisioned.warm == on_demand.warm == (0, 0)
    assert provisioned.warm_throughput == (0.5, 0.5)
    assert on_demand.warm_throughput == (12_000, 4_000)
