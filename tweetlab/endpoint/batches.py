"""BatchGetItem and BatchWriteItem: each item is admitted and charged by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tweetlab.capacity import item_size, read_units
from tweetlab.endpoint.backend import BATCH_KEYS, Backend
from tweetlab.endpoint.charging import (
    Cost,
    charge_writes,
    check_writes,
    consumed_capacities,
    refund_writes,
    write_costs,
)
from tweetlab.endpoint.reads import HIDING, detail
from tweetlab.endpoint.table import Item, Table
from tweetlab.endpoint.wire import Answer, Call, Throttled, validation_error
from tweetlab.endpoint.writes import locked

BATCH_WRITES = 25
"""Writes of a BatchWriteItem at most (API reference)."""


@dataclass(frozen=True, eq=False)
class _Entry:
    """One key that a BatchGetItem asks for, or one put or delete of a BatchWriteItem."""

    table: Table
    name: str
    """Of the table, as requested: it may be an ARN."""
    key: Item
    request: Mapping[str, Any]
    """What stands in the request: the key, or the WriteRequest."""

    @property
    def partition_key(self) -> str:
        return self.table.key.partition_of(self.key)

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from the others."""
        return (self.name, *self.table.key.identity(self.key))

    @property
    def after(self) -> Item | None:
        """What the write leaves behind."""
        item: Item | None = self.request.get("PutRequest", {}).get("Item")
        return item


async def batch_get_item(backend: Backend, call: Call) -> Answer:
    """The throttled keys come back as UnprocessedKeys. An error only where none could be read (API
    reference)."""
    requested: Mapping[str, Any] = call.request["RequestItems"]
    entries: list[_Entry] = []
    for name, of_table in requested.items():
        table = await backend.table(call, name)
        for key in of_table["Keys"]:
            if table is None or not table.key.within(key):
                return await backend.forward(call)
            entries.append(_Entry(table, name, key, key))
    _check(call, BATCH_KEYS, entries)

    def only(entries: Iterable[_Entry]) -> dict[str, Any]:
        """The request's items, those entries only."""
        return {
            name: {**requested[name], "Keys": keys} for name, keys in _by_table(entries).items()
        }

    wanted, throttled = _admitted(
        entries, lambda entry: entry.table.check_read(entry.partition_key)
    )
    if throttled and not wanted:
        raise throttled
    answer = await backend.forward(call, {**call.request, "RequestItems": only(wanted)})
    if not answer.ok:
        return answer
    left = answer.json.get("UnprocessedKeys", {})
    read = [e for e in wanted if e.key not in left.get(e.name, {}).get("Keys", ())]
    sizes = await _sizes(backend, call, answer, read)
    costs: list[Cost] = []

    def charge(entry: _Entry) -> None:
        consistent = requested[entry.name].get("ConsistentRead", False)
        units = read_units(sizes.get(entry.identity, 0), consistent)
        entry.table.read(entry.partition_key, units)
        costs.append(Cost(entry.table, None, entry.partition_key, units))

    admitted, throttled = _admitted(read, charge)
    if throttled and not admitted:
        raise throttled
    if throttled:
        # Of what was read, some is not to be shown.
        answer = await backend.forward(call, {**call.request, "RequestItems": only(admitted)})
        if not answer.ok:
            return answer
    return answer.including(
        UnprocessedKeys=only(entry for entry in entries if entry not in admitted),
        ConsumedCapacity=consumed_capacities(costs, detail(call.request)),
    )


async def _sizes(
    backend: Backend, call: Call, answer: Answer, read: list[_Entry]
) -> dict[tuple[str, ...], int]:
    """Bytes of each item by its entry's identity; those that do not exist are left out."""
    requested = call.request["RequestItems"]
    if any(name in entry for entry in requested.values() for name in HIDING):
        items = await backend.items(call, [(entry.table, entry.key) for entry in read])
        found = [(entry, item) for entry, item in zip(read, items, strict=True) if item]
        return {entry.identity: item_size(item) for entry, item in found}
    keys = {entry.name: entry.table.key for entry in read}
    return {
        (name, *keys[name].identity(item)): item_size(item)
        for name, items in answer.json["Responses"].items()
        for item in items
    }


async def batch_write_item(backend: Backend, call: Call) -> Answer:
    """The throttled writes are not made and come back as UnprocessedItems. An error only where
    none could be made (API reference)."""
    entries: list[_Entry] = []
    for name, requests in call.request["RequestItems"].items():
        table = await backend.table(call, name)
        for request in requests:
            if len(request) != 1:
                raise validation_error("A write request is one PutRequest or one DeleteRequest")
            ((_, content),) = request.items()
            given = content["Item"] if "Item" in content else content["Key"]
            if table is None or not table.key.within(given):
                return await backend.forward(call)
            entries.append(_Entry(table, name, table.key.of(given), request))
    _check(call, BATCH_WRITES, entries)

    wanted, throttled = _admitted(
        entries, lambda entry: entry.table.check_write(entry.partition_key)
    )
    if throttled and not wanted:
        raise throttled
    costs: list[Cost] = []
    async with locked(entry.table for entry in wanted):
        keys = [(entry.table, entry.key) for entry in wanted]
        befores = dict(zip(wanted, await backend.items(call, keys), strict=True))

        def charge(entry: _Entry) -> None:
            its_costs = write_costs(entry.table, befores[entry], entry.after, entry.key)
            check_writes(its_costs)
            charge_writes(its_costs)
            costs.extend(its_costs)

        admitted, throttled = _admitted(wanted, charge)
        if throttled and not admitted:
            raise throttled
        request = {**call.request, "RequestItems": _by_table(admitted)}
        answer = await backend.forward(call, request)
        if not answer.ok:
            refund_writes(costs)
            return answer
    left = _by_table(entry for entry in entries if entry not in admitted)
    for name, requests in answer.json.get("UnprocessedItems", {}).items():
        left.setdefault(name, []).extend(requests)
    return answer.including(
        UnprocessedItems=left,
        ConsumedCapacity=consumed_capacities(costs, detail(call.request)),
    )


def _check(call: Call, most: int, entries: list[_Entry]) -> None:
    """Raise what DynamoDB answers to a batch that is none; what is left of it when some is
    throttled might be one."""
    if len(entries) > most:
        raise validation_error(f"Too many items requested for the {call.operation} call")
    if len({entry.identity for entry in entries}) < len(entries):
        raise validation_error("Provided list of item keys contains duplicates")


def _admitted(
    entries: Iterable[_Entry], admit: Callable[[_Entry], None]
) -> tuple[list[_Entry], Throttled | None]:
    """The entries for which ``admit`` raises nothing, and what it raised last."""
    admitted, throttled = [], None
    for entry in entries:
        try:
            admit(entry)
        except Throttled as error:
            throttled = error
        else:
            admitted.append(entry)
    return admitted, throttled


def _by_table(entries: Iterable[_Entry]) -> dict[str, list[Mapping[str, Any]]]:
    """What stands in a request for those entries."""
    requests: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        requests.setdefault(entry.name, []).append(entry.request)
    return requests
