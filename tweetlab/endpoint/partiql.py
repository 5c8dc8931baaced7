"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: PartiQL, charged as the calls
that do the same.

Of a statement only what decides its cost is read: the table, and the values its WHERE demands of
key attributes. The upstream does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tweetlab.capacity import item_size, read_units
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
from tweetlab.endpoint.resources import Index, Item, Table
from tweetlab.endpoint.transactions import raise_if_refused, reporting
from tweetlab.endpoint.wire import Answer, Call, DynamoDBError, dump
from tweetlab.endpoint.writes import locked

_TOKEN = re.compile(
    r"""\s*(?:
        '(?P<string>(?:[^']|'')*)'
      | "(?P<name>[^"]+)"
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<mark><=|>=|<>|<<|>>|[^\s\w])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Statement:
    """A PartiQL statement, as far as its cost depends on it."""

    verb: str
    """SELECT, INSERT, UPDATE or DELETE."""
    table: str
    index: str | None
    equalities: Mapping[str, Any]
    """Values that WHERE, or the VALUE of an INSERT, gives to attributes, in DynamoDB's JSON."""


def parse(text: str, parameters: Sequence[Any] = ()) -> Statement | None:
    """What decides a statement's cost; None if it is not one that DynamoDB takes."""
    tokens = list(_tokens(text, iter(parameters)))
    words = [token.upper() if isinstance(token, str) else "" for token in tokens]
    verb = words[0] if words else ""
    before_table = {"SELECT": "FROM", "INSERT": "INTO", "UPDATE": "UPDATE", "DELETE": "FROM"}
    try:
        at = words.index(before_table[verb]) + 1
        table = tokens[at]
        index = tokens[at + 2] if words[at + 1 : at + 2] == ["."] else None
    except (KeyError, ValueError, IndexError):
        return None
    if not isinstance(table, str) or not (index is None or isinstance(index, str)):
        return None
    if verb == "INSERT":
        equalities = dict(_pairs(tokens, ":"))
    else:
        where = tokens[words.index("WHERE") :] if "WHERE" in words else []
        alternatives = {"OR", "NOT"} & set(words[len(words) - len(where) :])
        equalities = {} if alternatives else dict(_pairs(where, "="))
    return Statement(verb, table, index, equalities)


def _tokens(text: str, parameters: Iterator[Any]) -> Iterator[Any]:
    """Names, words and marks as text, and values as DynamoDB's JSON."""
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[match.lastgroup or 0]
        if kind == "string":
            yield {"S": token.replace("''", "'")}
        elif kind == "number":
            yield {"N": token}
        elif token == "?":
            yield next(parameters, None)
        else:
            yield token


def _pairs(tokens: Sequence[Any], mark: str) -> Iterator[tuple[str, Any]]:
    """Each name that ``mark`` joins to a value; the name may be quoted either way."""
    for name, middle, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if middle == mark and isinstance(value, dict):
            if isinstance(name, dict) and set(name) == {"S"}:
                name = name["S"]
            if isinstance(name, str):
                yield name, value


async def execute_statement(backend: Backend, call: Call) -> Answer:
    """A SELECT costs as the GetItem, Query or Scan that reads the same, the others as the PutItem,
    UpdateItem or DeleteItem."""
    statement = parse(call.request["Statement"], call.request.get("Parameters", ()))
    table = await backend.table(call, statement.table) if statement else None
    if table is None or statement is None:
        return await backend.forward(call)
    if statement.verb == "SELECT":
        return await _select(backend, call, statement, table)
    if not table.key.within(statement.equalities):
        return await backend.forward(call)
    key = table.key.of(statement.equalities)
    table.check_write(table.key.partition_of(key))
    async with locked([table]):
        (before,) = await backend.items(call, [(table, key)])
        check_writes(write_costs(table, before, None, key))
        answer = await backend.forward(call)
        if not answer.ok:
            return answer
        (after,) = await backend.items(call, [(table, key)])
        costs = write_costs(table, before, after, key)
        charge_writes(costs)
    return answer.including(ConsumedCapacity=consumed_capacity(table, costs, detail(call.request)))


async def _select(backend: Backend, call: Call, statement: Statement, table: Table) -> Answer:
    index = table.indexes.get(statement.index) if statement.index else None
    resource = index.resource if index else table
    key = (index or table).key
    partition_key = None
    if key.partition in statement.equalities:
        partition_key = key.partition_of(statement.equalities)
    resource.check_read(partition_key)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    size = await _size_read(backend, call, statement, table, index)
    units = read_units(size, call.request.get("ConsistentRead", False))
    resource.read(partition_key, units)
    costs = [Cost(resource, index, partition_key, units)]
    return answer.including(ConsumedCapacity=consumed_capacity(table, costs, detail(call.request)))


async def _size_read(
    backend: Backend, call: Call, statement: Statement, table: Table, index: Index | None
) -> int:
    """Bytes that a SELECT reads: of one item, of all with its partition key, or of the table."""
    key = (index or table).key
    values = statement.equalities
    if index is None and key.within(values):
        (item,) = await backend.items(call, [(table, key.of(values))])
        return size_of(item)
    request: dict[str, Any] = {"TableName": table.name}
    if index:
        request["IndexName"] = index.name
    if "Limit" in call.request:
        request["Limit"] = call.request["Limit"]
    operation = "Scan"
    if key.partition in values:
        operation = "Query"
        names = [name for name in key.names if name in values]
        request["KeyConditionExpression"] = " AND ".join(f"#{n} = :{n}" for n in range(len(names)))
        request["ExpressionAttributeNames"] = {f"#{n}": name for n, name in enumerate(names)}
        request["ExpressionAttributeValues"] = {
            f":{n}": values[name] for n, name in enumerate(names)
        }
    answer = await backend.ask(call, operation, request)
    items = answer.json.get("Items", []) if answer.ok else []
    entries = [index.entry(item) or item for item in items] if index else items
    return sum(map(item_size, entries))


async def batch_execute_statement(backend: Backend, call: Call) -> Answer:
    """Each statement by itself; one that is throttled, or fails, says so in its own response."""
    responses, reports = [], []
    for entry in call.request["Statements"]:
        request = {**entry, "ReturnConsumedCapacity": detail(call.request)}
        single = replace(call, operation="ExecuteStatement", request=request, body=dump(request))
        try:
            answer = await execute_statement(backend, single)
        except DynamoDBError as error:
            answer = error.answer
        statement = parse(entry["Statement"])
        response: dict[str, Any] = {"TableName": statement.table} if statement else {}
        if answer.ok:
            if answer.json.get("Items"):
                response["Item"] = answer.json["Items"][0]
            if "ConsumedCapacity" in answer.json:
                reports.append(answer.json["ConsumedCapacity"])
        else:
            message = answer.json.get("message") or answer.json.get("Message") or ""
            code = answer.error.removesuffix("Exception")
            response["Error"] = {"Code": code, "Message": message}
        responses.append(response)
    done: dict[str, Any] = {"Responses": responses}
    if reports:
        done["ConsumedCapacity"] = reports
    return Answer(200, dump(done))


@dataclass(frozen=True)
class _Step:
    """One statement of a transaction, with the key it names."""

    statement: Statement
    table: Table
    key: Item

    def check(self) -> None:
        """Raise Throttled if it would be refused now."""
        partition_key = self.table.key.partition_of(self.key)
        if self.statement.verb == "SELECT":
            self.table.check_read(partition_key)
        else:
            self.table.check_write(partition_key)


async def execute_transaction(backend: Backend, call: Call) -> Answer:
    """All statements or none, each at twice the units."""
    steps: list[_Step] = []
    for entry in call.request["TransactStatements"]:
        statement = parse(entry["Statement"], entry.get("Parameters", ()))
        table = await backend.table(call, statement.table) if statement else None
        if statement is None or table is None or not table.key.within(statement.equalities):
            return await backend.forward(call)
        steps.append(_Step(statement, table, table.key.of(statement.equalities)))
    checks = [partial(step.check) for step in steps]
    raise_if_refused(checks)
    async with locked(step.table for step in steps):
        keys = [(step.table, step.key) for step in steps]
        befores = await backend.items(call, keys)
        raise_if_refused(checks)
        answer = await backend.forward(call)
        if not answer.ok:
            return answer
        afters = await backend.items(call, keys)
        costs: list[tuple[Table, Cost]] = []
        for step, before, after in zip(steps, befores, afters, strict=True):
            if step.statement.verb == "SELECT":
                units = read_units(size_of(after), transactional=True)
                partition_key = step.table.key.partition_of(step.key)
                step.table.charge_read(partition_key, units)
                costs.append((step.table, Cost(step.table, None, partition_key, units)))
            else:
                its_costs = write_costs(step.table, before, after, step.key, transactional=True)
                charge_writes(its_costs)
                costs += [(step.table, cost) for cost in its_costs]
    reads = all(step.statement.verb == "SELECT" for step in steps)
    return reporting(answer, call, costs, "ReadCapacityUnits" if reads else "WriteCapacityUnits")
