"""PutItem, UpdateItem and DeleteItem.

The writes of a table go through one at a time: what an item was before and is after decides what
the write costs, and no other may come between.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Set
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import (
    Cost,
    charge_writes,
    check_writes,
    consumed_capacity,
    failure_cost,
    write_costs,
)
from tweetlab.endpoint.reads import detail
from tweetlab.endpoint.table import Item, Table
from tweetlab.endpoint.wire import Answer, Call

_IDENTIFIER = re.compile(r"#?[A-Za-z_][\w]*")


async def write_item(backend: Backend, call: Call) -> Answer:
    """Charged for the larger of the item before and after, and for the indexes it touches."""
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
            charge_writes([failure_cost(table, before, key)])
        if not answer.ok:
            return answer
        after = planned(verb, request)
        if verb == "Update":
            (after,) = await backend.items(call, [(table, key)])
        costs = write_costs(table, before, after, key)
        charge_writes(costs)
    return answer.including(ConsumedCapacity=consumed_capacity(costs, detail(request)))


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
    if verb != "Update":
        return write_costs(table, before, planned(verb, request), key)
    names = request.get("ExpressionAttributeNames", {})
    found = _IDENTIFIER.findall(request.get("UpdateExpression", ""))
    named = {names.get(name, name) for name in found} | set(request.get("AttributeUpdates", ()))
    return touched(table, before, key, named)


def touched(table: Table, before: Item | None, key: Item, named: Set[str]) -> list[Cost]:
    """The table, and the global indexes that an update may write to: those that hold an attribute
    it names, if the item is in the index or may enter it (model choice: what it does there is not
    known yet).
    """
    costs = [Cost(table, None, table.key.partition_of(key), 0)]
    for index in table.indexes.values():
        entry = index.entry(before)
        held = index.projected if entry is not None else frozenset(index.key.names)
        if index.resource is not table and (held is None or held & named):
            partition_key = index.key.partition_of(entry) if entry else None
            costs.append(Cost(table, index, partition_key, 0))
    return costs
