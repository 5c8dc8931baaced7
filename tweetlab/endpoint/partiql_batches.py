"""BatchExecuteStatement and ExecuteTransaction: PartiQL statements that each name one item."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import (
    Cost,
    admit_reads,
    charge_writes,
    consumed_capacities,
    consumed_capacity,
    failure_cost,
)
from tweetlab.endpoint.partiql import CONDITION_FAILED, Step, step_of
from tweetlab.endpoint.reads import detail
from tweetlab.endpoint.statements import parse
from tweetlab.endpoint.transactions import cancelled_at, raise_if_refused
from tweetlab.endpoint.wire import Answer, Call, Throttled, dump
from tweetlab.endpoint.writes import locked


async def batch_execute_statement(backend: Backend, call: Call) -> Answer:
    """Each statement by itself; one that is throttled is not executed, and says so in its own
    response."""
    entries = call.request["Statements"]
    steps: dict[int, Step] = {}
    responses: dict[int, Any] = {}
    for number, entry in enumerate(entries):
        try:
            step = await step_of(backend, call, entry)
            if step:
                step.check()
                steps[number] = step
        except Throttled as error:
            responses[number] = _refused(error, entry)
    async with locked(step.table for step in steps.values() if not step.statement.reads):
        items = await backend.items(call, [(step.table, step.key) for step in steps.values()])
        befores = dict(zip(steps, items, strict=True))
        for number, step in list(steps.items()):
            try:
                step.check_changes(befores[number])
            except Throttled as error:
                responses[number] = _refused(error, entries[number])
                del steps[number]
        wanted = [number for number in range(len(entries)) if number not in responses]
        answer = Answer(200, dump({"Responses": []}))
        if wanted:
            request = {**call.request, "Statements": [entries[number] for number in wanted]}
            answer = await backend.forward(call, request)
        if not answer.ok:
            return answer
        responses |= dict(zip(wanted, answer.json["Responses"], strict=True))
        items = await backend.items(call, [(step.table, step.key) for step in steps.values()])
        reports = []
        for (number, step), after in zip(steps.items(), items, strict=True):
            failure = responses[number].get("Error", {}).get("Code")
            consistent = entries[number].get("ConsistentRead", False)
            costs = step.costs(befores[number], after, consistent=consistent)
            if failure in CONDITION_FAILED and not step.statement.reads:
                charge_writes([failure_cost(step.table, befores[number], step.key)])
            if failure:
                continue
            try:
                (admit_reads if step.statement.reads else charge_writes)(costs)
            except Throttled as error:
                responses[number] = _refused(error, entries[number])
            else:
                reports.append(consumed_capacity(costs, detail(call.request)))
    return answer.including(
        Responses=[responses[number] for number in range(len(entries))],
        ConsumedCapacity=reports if any(reports) else None,
    )


def _refused(error: Throttled, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A throttled statement's response."""
    statement = parse(entry["Statement"])
    failure = {"Code": error.cancellation_code, "Message": str(error)}
    return {"Error": failure, "TableName": statement.table} if statement else {"Error": failure}


async def execute_transaction(backend: Backend, call: Call) -> Answer:
    """All statements or none, each at twice the units."""
    entries = call.request["TransactStatements"]
    steps: list[Step] = []
    for number, entry in enumerate(entries):
        try:
            step = await step_of(backend, call, entry)
        except Throttled as error:
            raise cancelled_at(number, len(entries), error) from None
        if step is None:
            return await backend.forward(call)
        steps.append(step)
    raise_if_refused(step.check for step in steps)
    async with locked(step.table for step in steps):
        keys = [(step.table, step.key) for step in steps]
        befores = await backend.items(call, keys)
        raise_if_refused(
            partial(step.check_changes, before) for step, before in zip(steps, befores, strict=True)
        )
        answer = await backend.forward(call)
        if answer.error == "TransactionCanceledException":
            for step, before in zip(steps, befores, strict=True):
                if not step.statement.reads:
                    charge_writes([failure_cost(step.table, before, step.key, transactional=True)])
        if not answer.ok:
            return answer
        afters = await backend.items(call, keys)
        costs: list[Cost] = []
        for step, before, after in zip(steps, befores, afters, strict=True):
            costs += step.costs(before, after, transactional=True)
        reads = all(step.statement.reads for step in steps)
        if reads:
            for cost in costs:
                cost.resource.charge_read(cost.partition_key, cost.units)
        else:
            charge_writes(costs)
    kind = "ReadCapacityUnits" if reads else "WriteCapacityUnits"
    report = consumed_capacities(costs, detail(call.request), kind)
    return answer.including(ConsumedCapacity=report)
