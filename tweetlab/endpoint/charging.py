"""What a call costs, table and indexes apart, and the ConsumedCapacity that reports it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tweetlab.capacity import Kind, read_units, stored_size, write_units
from tweetlab.endpoint.actions import Action
from tweetlab.endpoint.stored import Item, same_item
from tweetlab.endpoint.table import Index, Resource, Table

_IDENTIFIER = re.compile(r"#\w+|[A-Za-z_]\w*")


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


def check(kind: Kind, costs: Iterable[Cost]) -> None:
    """Raise Throttled if any of these would be refused now; charge nothing."""
    for cost in costs:
        cost.resource.check(kind, cost.partition_key)


def charge(kind: Kind, costs: Iterable[Cost]) -> None:
    """Charge what was admitted."""
    for cost in costs:
        cost.resource.charge(kind, cost.partition_key, cost.units)


def refund(kind: Kind, costs: Iterable[Cost]) -> None:
    """Give back what was charged for a call that the upstream then refused."""
    charge(kind, (replace(cost, units=-cost.units) for cost in costs))


# Reads


def read_cost(action: Action, item: Item | None, transactional: bool = False) -> Cost:
    """What it costs to read one item by its key, whatever part of it is asked for."""
    consistent = action.request.get("ConsistentRead", False)
    units = read_units(_size_of(item), consistent, transactional)
    return Cost(action.table, None, action.partition_key, units)


def search_costs(
    table: Table,
    index: Index | None,
    partition_key: str | None,
    items: Sequence[Item],
    consistent: bool,
    fetched: bool,
    partitions: int,
) -> list[Cost]:
    """What a Query or a Scan costs that reads those items: the sum of what the table, or the index,
    holds of them; and at least the minimum for each of the ``partitions`` searched (Developer
    Guide, "Capacity unit consumption for read operations").

    With ``fetched``, each item is read from the table as well, for what a local index does not hold
    (Developer Guide, "Provisioned throughput considerations for local secondary indexes").
    """
    entries = [index.entry(item) or item for item in items] if index else items
    units = read_units(sum(map(stored_size, entries)), consistent)
    least = read_units(0, consistent) * partitions
    costs = [Cost(table, index, partition_key, max(units, least))]
    if fetched and items:
        units = sum(read_units(stored_size(item), consistent) for item in items)
        costs.append(Cost(table, None, partition_key, units))
    return costs


# Writes


def write_costs(
    action: Action, before: Item | None, after: Item | None, transactional: bool = False
) -> list[Cost]:
    """What a write costs that turns ``before`` into ``after`` (None: no item).

    The table is charged for the larger of the two, at least one unit, also where nothing changes;
    an index for each entry it must put, change or delete (Developer Guide, "Provisioned throughput
    considerations for global secondary indexes"). A transaction doubles what the table is charged,
    and costs the indexes no more than any other write (as observed on AWS).
    """
    units = write_units(max(_size_of(before), _size_of(after)), transactional)
    costs = [Cost(action.table, None, action.partition_key, units)]
    for index in action.table.indexes.values():
        costs += _index_costs(action.table, index, index.entry(before), index.entry(after))
    return costs


def _index_costs(
    table: Table, index: Index, before: Item | None, after: Item | None
) -> Iterator[Cost]:
    if same_item(before, after):
        return
    changes = [(before or after, after or before)]
    if before and after and index.key.identity(before) != index.key.identity(after):
        changes = [(before, before), (after, after)]
    for old, new in changes:
        assert old and new
        units = write_units(max(stored_size(old), stored_size(new)))
        yield Cost(table, index, index.key.partition_of(new), units)


def item_after(action: Action) -> Item | None:
    """What a Put or a Delete leaves behind."""
    item: Item | None = action.request["Item"] if action.verb == "Put" else None
    return item


def write_estimate(action: Action, before: Item | None) -> list[Cost]:
    """What a write costs, as far as it is known before it is made, for asking whether it is
    admitted. That of a Put or a Delete is known.

    An Update may write to the table, and to the global indexes that hold an attribute it names, if
    the item is in the index or may enter it (model choice: what it does there is not known yet).
    """
    if action.verb != "Update":
        return write_costs(action, before, item_after(action))
    costs = [Cost(action.table, None, action.partition_key, 0)]
    attributes = _updated_attributes(action.request)
    for index in action.table.indexes.values():
        entry = index.entry(before)
        held = index.projected if entry is not None else frozenset(index.key.names)
        if index.resource is not action.table and (held is None or held & attributes):
            partition_key = index.key.partition_of(entry) if entry else None
            costs.append(Cost(action.table, index, partition_key, 0))
    return costs


def _updated_attributes(request: Mapping[str, Any]) -> set[str]:
    names = request.get("ExpressionAttributeNames", {})
    found = _IDENTIFIER.findall(request.get("UpdateExpression", ""))
    return {names.get(name, name) for name in found} | set(request.get("AttributeUpdates", ()))


def failure_cost(action: Action, before: Item | None, transactional: bool) -> Cost:
    """What a write costs whose condition failed: the size of the item that is there, or one unit
    (Developer Guide, "Capacity unit consumption for write operations"; that of 2023 said the size
    of the new item instead). No index is written to.
    """
    units = write_units(_size_of(before), transactional)
    return Cost(action.table, None, action.partition_key, units)


def _size_of(item: Item | None) -> int:
    """Bytes of an item; 0 where there is none."""
    return stored_size(item) if item else 0


# The report


def item_collection_metrics(
    request: Mapping[str, Any], actions: Sequence[Action]
) -> dict[str, list[dict[str, Any]]] | None:
    """The ``ItemCollectionMetrics`` of the item collections that were written to, by table, where
    the request asks for them: tables have them that have a local index. None for none.

    Each is estimated to be of less than a GB: no size of theirs is kept (model choice).
    """
    if request.get("ReturnItemCollectionMetrics") != "SIZE":
        return None
    collections: dict[str, dict[str, Any]] = {}
    for action in actions:
        local = any(index.resource is action.table for index in action.table.indexes.values())
        if local and action.verb != "ConditionCheck":
            key = {name: action.key[name] for name in action.table.key.partition}
            of_table = collections.setdefault(action.table_name, {})
            of_table[action.partition_key] = {
                "ItemCollectionKey": key,
                "SizeEstimateRangeGB": [0.0, 1.0],
            }
    return {name: list(of_table.values()) for name, of_table in collections.items()} or None


def consumed_capacities(
    request: Mapping[str, Any], costs: Sequence[Cost], units_name: str | None = None
) -> list[dict[str, Any]] | None:
    """The ``ConsumedCapacity`` of a call that may concern several tables: one for each of them."""
    reports = [
        consumed_capacity(request, [cost for cost in costs if cost.table is table], units_name)
        for table in dict.fromkeys(cost.table for cost in costs)
    ]
    return [report for report in reports if report] or None


def consumed_capacity(
    request: Mapping[str, Any], costs: Sequence[Cost], units_name: str | None = None
) -> dict[str, Any] | None:
    """The ``ConsumedCapacity`` of one table, in the detail that the request asks for: TOTAL,
    INDEXES, or None for NONE. Transactions say the units under ``units_name`` too, such as
    ReadCapacityUnits.
    """
    detail = request.get("ReturnConsumedCapacity")
    if detail not in ("TOTAL", "INDEXES") or not costs:
        return None

    def units(costs: Iterable[Cost]) -> dict[str, Any]:
        total = sum((cost.units for cost in costs), 0.0)
        names = ("CapacityUnits", units_name) if units_name else ("CapacityUnits",)
        return dict.fromkeys(names, total)

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
