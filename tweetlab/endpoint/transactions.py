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
    consumed_capacity,
    size_of,
    write_costs,
)
from tweetlab.endpoint.reads import HIDING, detail
from tweetlab.endpoint.resources import Item, Table
from tweetlab.endpoint.wire import Answer, Call, Throttled, transaction_cancelled
from tweetlab.endpoint.writes import foreseen, locked, planned


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

    checks = [partial(action.table.check_read, action.partition_key) for action in actions]
    raise_if_refused(checks)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    items = [response.get("Item") for response in answer.json["Responses"]]
    if any(name in action.request for action in actions for name in HIDING):
        items = await backend.items(call, [(action.table, action.key) for action in actions])
    raise_if_refused(checks)
    costs = []
    for action, item in zip(actions, items, strict=True):
        units = read_units(size_of(item), transactional=True)
        action.table.charge_read(action.partition_key, units)
        costs.append((action.table, Cost(action.table, None, action.partition_key, units)))
    return reporting(answer, call, costs, "ReadCapacityUnits")


async def transact_write_items(backend: Backend, call: Call) -> Answer:
    """Charged two units for each KB, also for a check, and also when it is cancelled
    (Developer Guide, "Capacity management for transactions")."""
    actions = await _actions(backend, call)
    if actions is None:
        return await backend.forward(call)
    raise_if_refused(partial(a.table.check_write, a.partition_key) for a in actions)
    async with locked(action.table for action in actions):
        keys = [(action.table, action.key) for action in actions]
        befores = await backend.items(call, keys)
        raise_if_refused(map(_check, actions, befores))
        answer = await backend.forward(call)
        if answer.ok:
            afters = await backend.items(call, keys)
        elif answer.error == "TransactionCanceledException":
            afters = list(map(_intended, actions, befores))
        else:
            return answer
        costs = []
        for action, before, after in zip(actions, befores, afters, strict=True):
            its_costs = write_costs(action.table, before, after, action.key, transactional=True)
            if not answer.ok:
                its_costs = its_costs[:1]  # no index was written to
            charge_writes(its_costs)
            costs += [(action.table, cost) for cost in its_costs]
    return reporting(answer, call, costs, "WriteCapacityUnits") if answer.ok else answer


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


def _check(action: Action, before: Item | None) -> Callable[[], None]:
    costs = foreseen(action.table, action.verb, action.request, before, action.key)
    return partial(check_writes, costs)


def reporting(answer: Answer, call: Call, costs: list[tuple[Table, Cost]], kind: str) -> Answer:
    """The answer with a ``ConsumedCapacity`` for each table, as transactions report it: the units
    stand under ``kind`` too."""
    reports = []
    for table in dict.fromkeys(table for table, _ in costs):
        its_costs = [cost for its_table, cost in costs if its_table is table]
        report = consumed_capacity(table, its_costs, detail(call.request))
        if report:
            reports.append({**report, kind: report["CapacityUnits"]})
    return answer.including(ConsumedCapacity=reports or None)


def _intended(action: Action, before: Item | None) -> Item | None:
    """What a cancelled action would have left behind, as far as that is known."""
    return planned(action.verb, action.request) if action.verb == "Put" else before


async def _actions(backend: Backend, call: Call) -> list[Action] | None:
    """The actions in a request; None where one names no key of a known table, so that the
    upstream says so."""
    actions = []
    for entry in call.request["TransactItems"]:
        if len(entry) != 1:
            return None
        ((verb, request),) = entry.items()
        try:
            table = await backend.table(call, request["TableName"])
        except Throttled as error:
            raise transaction_cancelled([error]) from None
        given = request["Item"] if verb == "Put" else request["Key"]
        if table is None or not table.key.within(given):
            return None
        actions.append(Action(table, verb, request, table.key.of(given)))
    return actions
