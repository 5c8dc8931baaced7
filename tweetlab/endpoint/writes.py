"""PutItem, UpdateItem and DeleteItem.

The writes of a table go through one at a time: what an item was before and is after decides what
the write costs, and no other may come between.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tweetlab.capacity import item_size, write_units
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import (
    Cost,
    charge_writes,
    check_writes,
    consumed_capacity,
    size_of,
    write_costs,
)
from tweetlab.endpoint.reads import detail
from tweetlab.endpoint.resources import Item, Table
from tweetlab.endpoint.wire import Answer, Call

_IDENTIFIER = re.compile(r"#?[A-Za-z_][\w]*")


async def write_item(backend: Backend, call: Call) -> Answer:
    """Charged for the larger of the item before and after, and for the indexes it touches. A
    failed condition costs as well (Developer Guide, "Capacity unit consumption")."""
    request = call.request
    verb = call.operation.removesuffix("Item")
    table = await backend.table(call, request["TableName"])
    given = request["Item"] if verb == "Put" else request["Key"]
    if table is None or not table.key.within(given):
        return await backend.forward(call)
    key = table.key.of(given)
    partition_key = table.key.partition_of(key)
    table.check_write(partition_key)
    async with locked([table]):
        table.check_write(partition_key)
        (before,) = await backend.items(call, [(table, key)])
        check_writes(foreseen(table, verb, request, before, key))
        answer = await backend.forward(call)
        if answer.error == "ConditionalCheckFailedException":
            units = write_units(_failed_size(verb, request, before))
            charge_writes([Cost(table, None, partition_key, units)])
        if not answer.ok:
            return answer
        after = planned(verb, request)
        if verb == "Update":
            (after,) = await backend.items(call, [(table, key)])
        costs = write_costs(table, before, after, key)
        charge_writes(costs)
    return answer.including(ConsumedCapacity=consumed_capacity(table, costs, detail(request)))


@asynccontextmanager
async def locked(tables: Iterable[Table]) -> AsyncIterator[None]:
    """Let no other write to these tables come between. All lock in one order: no deadlock."""
    async with AsyncExitStack() as stack:
        for table in sorted(set(tables), key=lambda table: table.arn):
            await stack.enter_async_context(table.lock)
        yield


def planned(verb: str, request: Mapping[str, Any]) -> Item | None:
    """What a Put or a Delete leaves behind."""
    item: Item | None = request["Item"] if verb == "Put" else None
    return item


def foreseen(
    table: Table, verb: str, request: Mapping[str, Any], before: Item | None, key: Item
) -> list[Cost]:
    """What is known of the costs before the write is made, for asking whether it is admitted."""
    if verb == "Update":
        return [
            Cost(table, None, table.key.partition_of(key), 0),
            *_touched(table, request, before),
        ]
    return write_costs(table, before, planned(verb, request), key)


def _touched(table: Table, request: Mapping[str, Any], before: Item | None) -> Iterator[Cost]:
    """The global indexes that an update may write to: those that hold an attribute it names, if
    the item is in the index or may enter it (model choice: what it does there is not known yet).
    """
    names = request.get("ExpressionAttributeNames", {})
    found = _IDENTIFIER.findall(request.get("UpdateExpression", ""))
    named = {names.get(name, name) for name in found} | set(request.get("AttributeUpdates", ()))
    for index in table.indexes.values():
        entry = index.entry(before)
        held = index.projected if entry is not None else frozenset(index.key.names)
        if index.resource is not table and (held is None or held & named):
            partition_key = index.key.partition_of(entry) if entry else None
            yield Cost(index.resource, index, partition_key, 0)


def _failed_size(verb: str, request: Mapping[str, Any], before: Item | None) -> int:
    """Bytes that a failed condition is charged for. The Developer Guide of 2023 says the size of
    the new item where one exists; an update's new item is not known, so its old one counts."""
    if before is not None and verb == "Put":
        return item_size(request["Item"])
    return size_of(before)
