"""What a call costs, table and indexes apart, and the ConsumedCapacity that reports it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tweetlab.capacity import item_size, read_units, write_units
from tweetlab.endpoint.table import Index, Item, Resource, Table


@dataclass
class Cost:
    """Units that a call takes from one partition key of a table, or of one of its indexes."""

    table: Table
    index: Index | None
    partition_key: str | None
    units: float

    @property
    def resource(self) -> Resource:
        """What is charged: a local index shares what its table has."""
        return self.index.resource if self.index else self.table


def size_of(item: Item | None) -> int:
    """Bytes of an item; 0 where there is none."""
    return item_size(item) if item else 0


def search_costs(
    table: Table,
    index: Index | None,
    partition_key: str | None,
    items: Sequence[Item],
    consistent: bool,
    fetched: bool = False,
    partitions: int = 1,
) -> list[Cost]:
    """What a Query or a Scan costs that reads those items: the sum of what the table, or the index,
    holds of them; where it holds nothing, the minimum for each of the ``partitions`` searched.

    With ``fetched``, each item is read from the table as well, for what a local index does not hold
    (Developer Guide, "Provisioned throughput considerations for local secondary indexes").
    """
    entries = [index.entry(item) or item for item in items] if index else items
    units = read_units(sum(map(item_size, entries)), consistent)
    costs = [Cost(table, index, partition_key, units if items else units * partitions)]
    if fetched and items:
        units = sum(read_units(item_size(item), consistent) for item in items)
        costs.append(Cost(table, None, partition_key, units))
    return costs


def admit_reads(costs: Iterable[Cost]) -> None:
    """Charge reads; or charge nothing and raise Throttled if one of them is refused."""
    costs = list(costs)
    for cost in costs:
        cost.resource.check_read(cost.partition_key)
    for cost in costs:
        cost.resource.charge_read(cost.partition_key, cost.units)


def write_costs(
    table: Table, before: Item | None, after: Item | None, key: Item, transactional: bool = False
) -> list[Cost]:
    """What a write costs that turns ``before`` into ``after`` (None: no item).

    The table is charged for the larger of the two, at least one unit, also where nothing changes;
    an index for each entry it must put, change or delete (Developer Guide, "Provisioned throughput
    considerations for global secondary indexes").
    """
    size = max(size_of(before), size_of(after))
    units = write_units(size, transactional)
    costs = [Cost(table, None, table.key.partition_of(key), units)]
    for index in table.indexes.values():
        entries = index.entry(before), index.entry(after)
        costs += _index_costs(table, index, *entries, transactional)
    return costs


def failure_cost(table: Table, before: Item | None, key: Item, transactional: bool = False) -> Cost:
    """What a write costs whose condition failed: the size of the item that is there, or one unit
    (Developer Guide, "Capacity unit consumption for write operations"; that of 2023 said the size
    of the new item instead). No index is written to.
    """
    units = write_units(size_of(before), transactional)
    return Cost(table, None, table.key.partition_of(key), units)


def _index_costs(
    table: Table, index: Index, before: Item | None, after: Item | None, transactional: bool
) -> Iterator[Cost]:
    moved = before and after and index.key.of(before) != index.key.of(after)
    if before == after:
        return
    if moved:
        changes = [(before, before), (after, after)]
    else:
        changes = [(before or after, after or before)]
    for old, new in changes:
        assert old and new
        units = write_units(max(item_size(old), item_size(new)), transactional)
        yield Cost(table, index, index.key.partition_of(new), units)


def check_writes(costs: Iterable[Cost]) -> None:
    """Raise Throttled if any of the writes would be refused now; charge nothing."""
    for cost in costs:
        cost.resource.check_write(cost.partition_key)


def charge_writes(costs: Iterable[Cost]) -> None:
    """Charge writes that were admitted."""
    for cost in costs:
        assert cost.partition_key is not None
        cost.resource.charge_write(cost.partition_key, cost.units)


def refund_writes(costs: Iterable[Cost]) -> None:
    """Give back what was charged for writes that the upstream then refused to make."""
    charge_writes(replace(cost, units=-cost.units) for cost in costs)


def consumed_capacities(
    costs: Iterable[Cost], detail: str, kind: str | None = None
) -> list[dict[str, Any]] | None:
    """The ``ConsumedCapacity`` of a call that may concern several tables: one for each of them."""
    costs = list(costs)
    reports = [
        consumed_capacity([cost for cost in costs if cost.table is table], detail, kind)
        for table in dict.fromkeys(cost.table for cost in costs)
    ]
    return [report for report in reports if report] or None


def consumed_capacity(
    costs: Sequence[Cost], detail: str, kind: str | None = None
) -> dict[str, Any] | None:
    """The ``ConsumedCapacity`` of one table, with the ``detail`` that ReturnConsumedCapacity asked
    for: TOTAL, INDEXES, or None for NONE. Transactions say the units under ``kind`` too, such as
    ReadCapacityUnits.
    """
    if detail not in ("TOTAL", "INDEXES"):
        return None

    def units(costs: Iterable[Cost]) -> dict[str, Any]:
        total = sum((cost.units for cost in costs), 0.0)
        return {"CapacityUnits": total, kind: total} if kind else {"CapacityUnits": total}

    table = costs[0].table
    report: dict[str, Any] = {"TableName": table.name, **units(costs)}
    if detail == "INDEXES":
        report["Table"] = units(cost for cost in costs if cost.index is None)
        for index in dict.fromkeys(cost.index for cost in costs if cost.index):
            is_local = index.resource is table
            indexes = report.setdefault(
                "LocalSecondaryIndexes" if is_local else "GlobalSecondaryIndexes", {}
            )
            indexes[index.name] = units(cost for cost in costs if cost.index is index)
    return report
