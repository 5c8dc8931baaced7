"""TransactGetItems and TransactWriteItems: all items or none, each at twice the units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tweetlab.capacity import read_units
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import (
    Cost,
    charge_writes,
    check_writes,
    consumed_capacities,
    failure_cost,
    size_of,
    write_costs,
)
from tweetlab.endpoint.reads import HIDING, detail
from tweetlab.endpoint.table import Item, Table
from tweetlab.endpoint.wire import (
    Answer,
    Call,
    DynamoDBError,
    Throttled,
    transaction_cancelled,
)
from tweetlab.endpoint.writes import foreseen, locked


@dataclass(frozen=True)
class Action:
    """One item of a transaction: what is done to which key of which table."""

    table: Table
    verb: str
    request: Mapping[str, Any]
    key: Item

    @property
    def partition_key(self) -> str:
        return self.table.key.partition_of(self.key)


async def transact_get_items(backend: Backend, call: Call) -> Answer:
    """Charged two units for each 4 KB; refused as a whole if one item is."""
    actions = await _actions(backend, call)
    if actions is None:
        return await backend.forward(call)
    return await _read(backend, call, actions)


async def transact_write_items(backend: Backend, call: Call) -> Answer:
    """Charged two units for each KB, also for a check, and also when it is cancelled; and as
    TransactGetItems when it repeats one that was made (Developer Guide, "Amazon DynamoDB
    Transactions: How it works")."""
    actions = await _actions(backend, call)
    if actions is None:
        return await backend.forward(call)
    token = call.request.get("ClientRequestToken")
    if backend.transactions.get(token):
        return await _read(backend, call, actions)  # nothing is written again
    raise_if_refused(partial(a.table.check_write, a.partition_key) for a in actions)
    async with locked(action.table for action in actions):
        keys = [(action.table, action.key) for action in actions]
        befores = await backend.items(call, keys)
        raise_if_refused(map(_check, actions, befores))
        answer = await backend.forward(call)
        if answer.error == "TransactionCanceledException":
            for action, before in zip(actions, befores, strict=True):
                charge_writes([failure_cost(action.table, before, action.key, transactional=True)])
        if not answer.ok:
            return answer
        if token:
            backend.transactions.put(token, True)
        afters = await backend.items(call, keys)
        costs = []
        for action, before, after in zip(actions, befores, afters, strict=True):
            costs += write_costs(action.table, before, after, action.key, transactional=True)
        charge_writes(costs)
    report = consumed_capacities(costs, detail(call.request), "WriteCapacityUnits")
    return answer.including(ConsumedCapacity=report)


async def _read(backend: Backend, call: Call, actions: list[Action]) -> Answer:
    checks = [partial(action.table.check_read, action.partition_key) for action in actions]
    raise_if_refused(checks)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    if "Responses" in answer.json and not any(
        name in action.request for action in actions for name in HIDING
    ):
        items = [response.get("Item") for response in answer.json["Responses"]]
    else:
        items = await backend.items(call, [(action.table, action.key) for action in actions])
    raise_if_refused(checks)
    costs = []
    for action, item in zip(actions, items, strict=True):
        units = read_units(size_of(item), transactional=True)
        action.table.charge_read(action.partition_key, units)
        costs.append(Cost(action.table, None, action.partition_key, units))
    report = consumed_capacities(costs, detail(call.request), "ReadCapacityUnits")
    return answer.including(ConsumedCapacity=report)


def raise_if_refused(checks: Iterable[Callable[[], None]]) -> None:
    """Raise TransactionCanceledException if any item's check raises Throttled, with a reason for
    each item."""
    refusals: list[Throttled | None] = []
    for check in checks:
        try:
            check()
        except Throttled as error:
            refusals.append(error)
        else:
            refusals.append(None)
    if any(refusals):
        raise transaction_cancelled(refusals)


def cancelled_at(number: int, entries: int, error: Throttled) -> DynamoDBError:
    """The error of a transaction of which that one entry is throttled."""
    refusals: list[Throttled | None] = [None] * entries
    refusals[number] = error
    return transaction_cancelled(refusals)


def _check(action: Action, before: Item | None) -> Callable[[], None]:
    costs = foreseen(action.table, action.verb, action.request, before, action.key)
    return partial(check_writes, costs)


async def _actions(backend: Backend, call: Call) -> list[Action] | None:
    """The actions in a request; None where one names no key of a known table, so that the
    upstream says so."""
    entries = call.request["TransactItems"]
    actions: list[Action] = []
    for entry in entries:
        if len(entry) != 1:
            return None
        ((verb, request),) = entry.items()
        try:
            table = await backend.table(call, request["TableName"])
        except Throttled as error:
            raise cancelled_at(len(actions), len(entries), error) from None
        given = request["Item"] if verb == "Put" else request["Key"]
        if table is None or not table.key.within(given):
            return None
        actions.append(Action(table, verb, request, table.key.of(given)))
    return actions
