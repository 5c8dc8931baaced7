"""ExecuteStatement: PartiQL, charged as the calls that do the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tweetlab.capacity import read_units
from tweetlab.endpoint.backend import Backend, Position
from tweetlab.endpoint.charging import (
    Cost,
    admit_reads,
    charge_writes,
    check_writes,
    consumed_capacity,
    failure_cost,
    search_costs,
    size_of,
    write_costs,
)
from tweetlab.endpoint.reads import detail
from tweetlab.endpoint.statements import Search, Statement, parse
from tweetlab.endpoint.table import Index, Item, Table
from tweetlab.endpoint.wire import Answer, Call
from tweetlab.endpoint.writes import locked, touched

CONDITION_FAILED = ("ConditionalCheckFailed", "DuplicateItem")


@dataclass(frozen=True)
class Step:
    """A statement that names one item by its key."""

    statement: Statement
    table: Table
    key: Item

    def check(self) -> None:
        """Raise Throttled if it would be refused now."""
        partition_key = self.table.key.partition_of(self.key)
        if self.statement.reads:
            self.table.check_read(partition_key)
        else:
            self.table.check_write(partition_key)

    def check_changes(self, before: Item | None) -> None:
        """The same, now that its item is known, and with the indexes that it may write to."""
        match self.statement.verb:
            case "DELETE":
                check_writes(write_costs(self.table, before, None, self.key))
            case "INSERT" | "UPDATE":
                check_writes(touched(self.table, before, self.key, self.statement.names))
            case _:
                self.check()

    def costs(
        self,
        before: Item | None,
        after: Item | None,
        transactional: bool = False,
        consistent: bool = False,
    ) -> list[Cost]:
        """What it costs, with what its item was and is."""
        if not self.statement.reads:
            return write_costs(self.table, before, after, self.key, transactional)
        units = read_units(size_of(after), consistent, transactional)
        return [Cost(self.table, None, self.table.key.partition_of(self.key), units)]


async def step_of(backend: Backend, call: Call, request: Mapping[str, Any]) -> Step | None:
    """The step that a request asks for; None where the upstream shall say what is wrong with it."""
    statement = parse(request["Statement"], request.get("Parameters", ()))
    table = await _table(backend, call, statement)
    key = statement.key_of(table.key) if statement and table else None
    return Step(statement, table, key) if statement and table and key else None


async def _table(backend: Backend, call: Call, statement: Statement | None) -> Table | None:
    if statement is None:
        return None
    return await backend.table(call, statement.table, "read" if statement.reads else "write")


async def execute_statement(backend: Backend, call: Call) -> Answer:
    """A SELECT costs as the GetItem, Query or Scan that reads the same, the others as the PutItem,
    UpdateItem or DeleteItem."""
    statement = parse(call.request["Statement"], call.request.get("Parameters", ()))
    table = await _table(backend, call, statement)
    if statement and table and statement.reads:
        return await _select(backend, call, statement, table)
    key = statement.key_of(table.key) if statement and table else None
    if not (statement and table and key):
        return await backend.forward(call)
    step = Step(statement, table, key)
    step.check()
    async with locked([table]):
        (before,) = await backend.items(call, [(table, key)])
        step.check_changes(before)
        answer = await backend.forward(call)
        if answer.error.removesuffix("Exception") in CONDITION_FAILED:
            charge_writes([failure_cost(table, before, key)])
        if not answer.ok:
            return answer
        (after,) = await backend.items(call, [(table, key)])
        costs = step.costs(before, after)
        charge_writes(costs)
    return answer.including(ConsumedCapacity=consumed_capacity(costs, detail(call.request)))


async def _select(backend: Backend, call: Call, statement: Statement, table: Table) -> Answer:
    index = table.indexes.get(statement.index) if statement.index else None
    if statement.index and index is None:
        return await backend.forward(call)
    resource = index.resource if index else table
    searches = statement.searches((index or table).key)
    for search in searches:
        resource.check_read(search.partition_key)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    fetched = index is not None and index.fetches(table, statement.names)
    found = await _found(backend, call, answer, table, index, searches, fetched)
    consistent = call.request.get("ConsistentRead", False)
    costs: list[Cost] = []
    for search, items in found:
        key, partitions = search.partition_key, resource.capacity.partitions
        searched = 1 if key is not None or "NextToken" in call.request else partitions
        costs += search_costs(table, index, key, items, consistent, fetched, searched)
    admit_reads(costs)
    return answer.including(ConsumedCapacity=consumed_capacity(costs, detail(call.request)))


async def _found(
    backend: Backend,
    call: Call,
    answer: Answer,
    table: Table,
    index: Index | None,
    searches: list[Search],
    fetched: bool,
) -> list[tuple[Search, list[Item]]]:
    """What the upstream read for its answer, search by search: from where the answer before ended,
    and up to where this one did."""
    next_token = answer.json.get("NextToken")
    position = backend.positions.get(call.request.get("NextToken")) or Position(0, None)
    left = call.request.get("Limit") if next_token else None
    whole: dict[str, Any] = {"TableName": table.name}
    if index:
        whole["IndexName"] = index.name
        whole["Select"] = "ALL_ATTRIBUTES" if fetched else "ALL_PROJECTED_ATTRIBUTES"
    found: list[tuple[Search, list[Item]]] = []
    number, start = position
    while number < len(searches):
        search = searches[number]
        request = {**whole, **search.request((index or table).key)}
        if start:
            request["ExclusiveStartKey"] = start
        if left is not None:
            request["Limit"] = left
        page = await backend.ask(
            call, "Query" if "KeyConditionExpression" in request else "Scan", request
        )
        if not page.ok:
            break
        items = page.json.get("Items", [])
        if start is None or not found:
            found.append((search, []))
        found[-1][1].extend(items)
        start = page.json.get("LastEvaluatedKey")
        left = None if left is None else left - len(items)
        number += start is None
        if next_token and (start or left == 0):
            backend.positions.put(next_token, Position(number, start))
            break
    return found or [(searches[0], [])]
