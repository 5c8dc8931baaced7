"""GetItem, Query, Scan and BatchGetItem.

A read is asked for first, so that a throttled one costs the upstream nothing; and charged when its
size is known. Only then is it admitted: of reads under way at once, those that find the bucket
emptied by the others are throttled, and no bucket is overdrawn by more than one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tweetlab.capacity import item_size, read_units
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import Cost, consumed_capacity, size_of
from tweetlab.endpoint.tables import Index, Item, Table, plain_value
from tweetlab.endpoint.wire import Answer, Call, Throttled

_HIDING = ("ProjectionExpression", "AttributesToGet")
_FILTERING = ("FilterExpression", "QueryFilter", "ScanFilter", "ConditionalOperator")
_PLACEHOLDER = re.compile(r"[#:][\w.-]+")
_EQUALITY = re.compile(r"([#\w.-]+)\s*=\s*(:[\w-]+)")


async def get_item(backend: Backend, call: Call) -> Answer:
    """Charged for the whole item, whatever part of it is asked for."""
    request = call.request
    table = await backend.table(call, request["TableName"])
    if table is None or not table.key.within(request["Key"]):
        return await backend.forward(call)
    partition_key = table.key.partition_of(request["Key"])
    table.check_read(partition_key)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    item = answer.json.get("Item")
    if any(name in request for name in _HIDING):
        (item,) = await backend.items(call, [(table, request["Key"])])
    units = read_units(size_of(item), request.get("ConsistentRead", False))
    table.read(partition_key, units)
    costs = [Cost(table, None, partition_key, units)]
    return answer.including(ConsumedCapacity=consumed_capacity(table, costs, _detail(request)))


async def query(backend: Backend, call: Call) -> Answer:
    """Charged for the sum of all items read, before a filter drops some."""
    return await _search(backend, call)


async def scan(backend: Backend, call: Call) -> Answer:
    """Charged as a Query; the units are spread over all partitions."""
    return await _search(backend, call)


async def _search(backend: Backend, call: Call) -> Answer:
    request = call.request
    table = await backend.table(call, request["TableName"])
    index = table.indexes.get(request.get("IndexName", "")) if table else None
    if table is None or ("IndexName" in request and index is None):
        return await backend.forward(call)
    resource = index.resource if index else table
    partition_key = None
    if call.operation == "Query":
        partition_key = _queried_key(request, (index or table).key.partition)
    resource.check_read(partition_key)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    items = answer.json.get("Items", [])
    if _shows_less(request):
        whole = await backend.ask(call, call.operation, _unfiltered(request, index))
        items = whole.json.get("Items", []) if whole.ok else items
    consistent = request.get("ConsistentRead", False)
    entries = [index.entry(item) or item for item in items] if index else items
    units = read_units(sum(map(item_size, entries)), consistent)
    resource.read(partition_key, units)
    costs = [Cost(resource, index, partition_key, units)]
    return answer.including(ConsumedCapacity=consumed_capacity(table, costs, _detail(request)))


def _shows_less(request: Mapping[str, Any]) -> bool:
    """Whether the answer may show less than was read."""
    hidden = any(name in request for name in (*_HIDING, *_FILTERING))
    return hidden or request.get("Select") == "COUNT"


def _unfiltered(request: Mapping[str, Any], index: Index | None) -> dict[str, Any]:
    """The same page of the same items, none dropped and none cut."""
    dropped = {*_HIDING, *_FILTERING, "Select", "ReturnConsumedCapacity"}
    whole = {name: value for name, value in request.items() if name not in dropped}
    used = set(_PLACEHOLDER.findall(whole.get("KeyConditionExpression", "")))
    for name in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        # DynamoDB refuses placeholders that no expression uses.
        kept = {k: v for k, v in whole.pop(name, {}).items() if k in used}
        if kept:
            whole[name] = kept
    if index is not None:
        whole["Select"] = "ALL_PROJECTED_ATTRIBUTES"
    return whole


def _queried_key(request: Mapping[str, Any], attribute: str) -> str | None:
    """The value of the partition key that a Query asks for; None if it is not to be found."""
    condition = request.get("KeyConditions", {}).get(attribute)
    if condition and condition.get("AttributeValueList"):
        return plain_value(condition["AttributeValueList"][0])
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    for name, value in _EQUALITY.findall(request.get("KeyConditionExpression", "")):
        if names.get(name, name) == attribute and value in values:
            return plain_value(values[value])
    return None


@dataclass(frozen=True)
class _Key:
    """One key that a BatchGetItem asks for."""

    table: Table
    key: Item
    consistent: bool

    @property
    def partition_key(self) -> str:
        return self.table.key.partition_of(self.key)

    @property
    def identity(self) -> tuple[str, ...]:
        return self.table.key.identity(self.key)


async def batch_get_item(backend: Backend, call: Call) -> Answer:
    """Each item is admitted and charged by itself; the throttled ones come back as
    UnprocessedKeys. An error only where none could be read (API reference).
    """
    requested: Mapping[str, Any] = call.request["RequestItems"]
    tables: dict[str, Table] = {}
    for name, entry in requested.items():
        table = await backend.table(call, name)
        if table is None or not all(table.key.within(key) for key in entry["Keys"]):
            return await backend.forward(call)
        tables[name] = table

    throttled: Throttled | None = None
    wanted: dict[str, list[_Key]] = {}
    for name, entry in requested.items():
        for key in entry["Keys"]:
            wanted_key = _Key(tables[name], key, entry.get("ConsistentRead", False))
            try:
                wanted_key.table.check_read(wanted_key.partition_key)
            except Throttled as error:
                throttled = error
            else:
                wanted.setdefault(name, []).append(wanted_key)
    if throttled and not wanted:
        raise throttled

    answer = await backend.forward(call, _batch_request(call.request, wanted))
    if not answer.ok:
        return answer
    left = answer.json.get("UnprocessedKeys", {})
    sizes = await _batch_sizes(backend, call, answer, wanted)
    admitted: dict[str, list[_Key]] = {}
    costs: list[Cost] = []
    for name, key in _each(wanted):
        if key.key in left.get(name, {}).get("Keys", ()):
            continue
        units = read_units(sizes.get((name, key.identity), 0), key.consistent)
        try:
            key.table.read(key.partition_key, units)
        except Throttled as error:
            throttled = error
        else:
            admitted.setdefault(name, []).append(key)
            costs.append(Cost(key.table, None, key.partition_key, units))
    if throttled and not admitted:
        raise throttled
    if admitted != wanted and not left:
        answer = await backend.forward(call, _batch_request(call.request, admitted))
        if not answer.ok:
            return answer
    return _batch_answer(call, answer, tables, admitted, costs)


def _each(keys: Mapping[str, list[_Key]]) -> Iterator[tuple[str, _Key]]:
    return ((name, key) for name, of_table in keys.items() for key in of_table)


def _batch_request(request: Mapping[str, Any], keys: Mapping[str, list[_Key]]) -> dict[str, Any]:
    """The request with those keys only."""
    items = {
        name: {**request["RequestItems"][name], "Keys": [key.key for key in of_table]}
        for name, of_table in keys.items()
    }
    return {"RequestItems": items}


async def _batch_sizes(
    backend: Backend, call: Call, answer: Answer, wanted: Mapping[str, list[_Key]]
) -> dict[tuple[str, tuple[str, ...]], int]:
    """Bytes of each item, by table and key; those that do not exist are left out."""
    requested = call.request["RequestItems"]
    if any(name in entry for entry in requested.values() for name in _HIDING):
        keys = [(key.table, key.key) for _, key in _each(wanted)]
        items = await backend.items(call, keys)
        found = [(key, item) for (key, item) in zip(_each(wanted), items, strict=True) if item]
        return {(name, key.identity): item_size(item) for (name, key), item in found}
    return {
        (name, wanted[name][0].table.key.identity(item)): item_size(item)
        for name, items in answer.json["Responses"].items()
        for item in items
    }


def _batch_answer(
    call: Call,
    answer: Answer,
    tables: Mapping[str, Table],
    admitted: Mapping[str, list[_Key]],
    costs: list[Cost],
) -> Answer:
    unprocessed: dict[str, Any] = {}
    for name, entry in call.request["RequestItems"].items():
        done = [key.key for key in admitted.get(name, ())]
        keys = [key for key in entry["Keys"] if key not in done]
        if keys:
            unprocessed[name] = {**entry, "Keys": keys}
    detail = _detail(call.request)
    reports = [
        consumed_capacity(tables[name], [cost for cost in costs if cost.resource is table], detail)
        for name, table in tables.items()
        if name in admitted
    ]
    return answer.including(
        UnprocessedKeys=unprocessed, ConsumedCapacity=reports if any(reports) else None
    )


def _detail(request: Mapping[str, Any]) -> str:
    return str(request.get("ReturnConsumedCapacity", "NONE"))
