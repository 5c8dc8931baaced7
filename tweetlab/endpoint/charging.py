"""What a call costs, table and indexes apart, and the ConsumedCapacity that reports it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tweetlab.capacity import item_size, write_units
from tweetlab.endpoint.resources import Index, Item, Resource, Table


@dataclass(frozen=True)
class Cost:
    """Units that a call takes from one partition key of a table, or of one of its indexes."""

    resource: Resource
    index: Index | None
    partition_key: str | None
    units: float


def size_of(item: Item | None) -> int:
    """Bytes of an item; 0 where there is none."""
    return item_size(item) if item else 0


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
        costs += _index_costs(index, index.entry(before), index.entry(after), transactional)
    return costs


def _index_costs(
    index: Index, before: Item | None, after: Item | None, transactional: bool
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
        yield Cost(index.resource, index, index.key.partition_of(new), units)


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


def consumed_capacity(table: Table, costs: Iterable[Cost], detail: str) -> dict[str, Any] | None:
    """The ``ConsumedCapacity`` of a call, with the ``detail`` that ReturnConsumedCapacity asked
    for: TOTAL, INDEXES, or None for NONE.
    """
    if detail not in ("TOTAL", "INDEXES"):
        return None
    costs = list(costs)
    report: dict[str, Any] = {
        "TableName": table.name,
        "CapacityUnits": sum(cost.units for cost in costs),
    }
    if detail == "INDEXES":
        on_table = sum(cost.units for cost in costs if cost.index is None)
        report["Table"] = {"CapacityUnits": on_table}
        for cost in costs:
            if cost.index is not None:
                is_local = cost.resource is table
                kind = "LocalSecondaryIndexes" if is_local else "GlobalSecondaryIndexes"
                entries = report.setdefault(kind, {})
                entry = entries.setdefault(cost.index.name, {"CapacityUnits": 0.0})
                entry["CapacityUnits"] += cost.units
    return report
