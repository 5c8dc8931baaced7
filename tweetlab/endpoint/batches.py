"""BatchGetItem and BatchWriteItem: each item is admitted and charged by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tweetlab.capacity import item_size, read_units
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import (
    Cost,
    charge_writes,
    check_writes,
    consumed_capacity,
    refund_writes,
    write_costs,
)
from tweetlab.endpoint.reads import HIDING, detail
from tweetlab.endpoint.resources import Item, Table
from tweetlab.endpoint.wire import Answer, Call, Throttled
from tweetlab.endpoint.writes import locked


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
    if any(name in entry for entry in requested.values() for name in HIDING):
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
    reports = [
        consumed_capacity(table, [c for c in costs if c.resource is table], detail(call.request))
        for name, table in tables.items()
        if name in admitted
    ]
    return answer.including(
        UnprocessedKeys=unprocessed, ConsumedCapacity=reports if any(reports) else None
    )


@dataclass(frozen=True)
class _Write:
    """One put or delete of a BatchWriteItem, as it was requested."""

    name: str
    table: Table
    request: Mapping[str, Any]
    after: Item | None
    key: Item

    @classmethod
    def of(cls, name: str, table: Table, request: Mapping[str, Any]) -> _Write | None:
        """The write in a ``WriteRequest``; None if it has no key of this table."""
        item = request.get("PutRequest", {}).get("Item")
        given = item if item is not None else request.get("DeleteRequest", {}).get("Key")
        if not table.key.within(given):
            return None
        return cls(name, table, request, item, table.key.of(given))


async def batch_write_item(backend: Backend, call: Call) -> Answer:
    """The throttled writes are not made and come back as UnprocessedItems. An error only where
    none could be made (API reference)."""
    writes: list[_Write] = []
    for name, requests in call.request["RequestItems"].items():
        table = await backend.table(call, name)
        for request in requests:
            write = table and _Write.of(name, table, request)
            if not write:
                return await backend.forward(call)
            writes.append(write)

    throttled: Throttled | None = None
    wanted: list[_Write] = []
    for write in writes:
        try:
            write.table.check_write(write.table.key.partition_of(write.key))
        except Throttled as error:
            throttled = error
        else:
            wanted.append(write)
    if throttled and not wanted:
        raise throttled

    admitted: list[_Write] = []
    costs: list[tuple[_Write, Cost]] = []
    async with locked(write.table for write in wanted):
        befores = await backend.items(call, [(write.table, write.key) for write in wanted])
        for write, before in zip(wanted, befores, strict=True):
            its_costs = write_costs(write.table, before, write.after, write.key)
            try:
                check_writes(its_costs)
            except Throttled as error:
                throttled = error
                continue
            charge_writes(its_costs)
            admitted.append(write)
            costs += [(write, cost) for cost in its_costs]
        if throttled and not admitted:
            raise throttled
        answer = await backend.forward(call, {"RequestItems": _requests(admitted)})
        if not answer.ok:
            refund_writes(cost for _, cost in costs)
            return answer
    left = [write for write in writes if write not in admitted]
    reports = [
        consumed_capacity(
            table, [cost for write, cost in costs if write.table is table], detail(call.request)
        )
        for table in dict.fromkeys(write.table for write in admitted)
    ]
    unprocessed = {**answer.json.get("UnprocessedItems", {}), **_requests(left)}
    return answer.including(
        UnprocessedItems=unprocessed, ConsumedCapacity=reports if any(reports) else None
    )


def _requests(writes: Iterable[_Write]) -> dict[str, list[Mapping[str, Any]]]:
    """The writes as a request names them, by table."""
    requests: dict[str, list[Mapping[str, Any]]] = {}
    for write in writes:
        requests.setdefault(write.name, []).append(write.request)
    return requests
