"""All that write: PutItem, UpdateItem, DeleteItem, BatchWriteItem and TransactWriteItems.

The writes of a table go through one at a time: what an item was before and is after decides what
the write costs, and no other may come between.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from tweetlab.capacity import BATCH_WRITES, read_units
from tweetlab.endpoint import charging
from tweetlab.endpoint.actions import (
    Action,
    Admission,
    all_or_cancelled,
    all_or_error,
    check_batch,
    entries_by_table,
    those_admitted,
)
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import (
    Cost,
    consumed_capacities,
    consumed_capacity,
    item_collection_metrics,
)
from tweetlab.endpoint.known_tables import table_name
from tweetlab.endpoint.reads import check_read, transaction_actions
from tweetlab.endpoint.wire import Answer, Call, validation_error

_CONDITION_FAILED = ("ConditionalCheckFailedException", "TransactionCanceledException")


@dataclass(frozen=True)
class Rules:
    """What differs between the operations that write."""

    admit: Admission
    """What becomes of the call when some of its actions are refused."""
    transactional: bool = False
    """Whether all is charged at twice the units, also a condition that is only checked."""
    one_by_one: bool = False
    """Whether an action is charged as soon as it is admitted, and those after it find the buckets
    without its units."""


_ONE_ITEM = Rules(all_or_error)
_BATCH = Rules(those_admitted, one_by_one=True)
_TRANSACTION = Rules(all_or_cancelled, transactional=True)


async def write_item(backend: Backend, call: Call) -> Answer:
    """Charged for the larger of the item before and after, and for the indexes it touches."""
    verb = call.operation.removesuffix("Item")
    action = await backend.action(call, verb, call.request["TableName"], call.request)
    if action is None:
        return await backend.forward(call)
    answer, made, costs = await _write(backend, call, [action], _ONE_ITEM)
    answer = answer.with_members(ConsumedCapacity=consumed_capacity(call.request, costs))
    if "ReturnItemCollectionMetrics" in call.request:
        of_tables = item_collection_metrics(call.request, made) or {}
        [metrics] = of_tables.get(action.table_name) or [{}]
        answer = answer.with_members(ItemCollectionMetrics=metrics or None)
    return answer


async def batch_write_item(backend: Backend, call: Call) -> Answer:
    """The throttled writes are not made and come back as UnprocessedItems."""
    actions: list[Action] = []
    for name, requests in call.request["RequestItems"].items():
        for request in requests:
            if len(request) != 1:
                raise validation_error("A write request is one PutRequest or one DeleteRequest")
            ((kind, content),) = request.items()
            action = await backend.action(call, kind.removesuffix("Request"), name, content)
            if action is None:
                return await backend.forward(call)
            actions.append(action)
    check_batch(call, actions, BATCH_WRITES)
    answer, made, costs = await _write(backend, call, actions, _BATCH)
    left = entries_by_table([action for action in actions if action not in made])
    answer = answer.with_members(
        UnprocessedItems=left, ConsumedCapacity=consumed_capacities(call.request, costs)
    )
    return _with_collections(call, answer, made)


async def transact_write_items(backend: Backend, call: Call) -> Answer:
    """Charged two units for each KB, also for a check, and also when it is cancelled (Developer
    Guide, "Amazon DynamoDB Transactions: How it works"). One that was made under the same client
    token is not made again."""
    actions = await transaction_actions(backend, call)
    if actions is None:
        return await backend.forward(call)
    token = call.request.get("ClientRequestToken")
    if token is None:
        answer, made, costs = await _write(backend, call, actions, _TRANSACTION)
    else:
        with backend.client_tokens.transaction(token, call.request["TransactItems"]) as known:
            if known.answer:
                return _answer_again(call, actions, known.answer, known.units_again)
            request = {**call.request, "ClientRequestToken": known.upstream_token}
            ours = replace(call, request=request)
            answer, made, costs = await _write(backend, ours, actions, _TRANSACTION)
            if answer.ok:
                known.answer = answer
                known.units_again = [_units_again(cost) for cost in costs if cost.index is None]
    report = consumed_capacities(call.request, costs, "WriteCapacityUnits")
    return _with_collections(call, answer.with_members(ConsumedCapacity=report), made)


def _with_collections(call: Call, answer: Answer, made: Sequence[Action]) -> Answer:
    """The answer with the ItemCollectionMetrics of what was made, where it asks for them."""
    if "ReturnItemCollectionMetrics" not in call.request:
        return answer
    return answer.with_members(ItemCollectionMetrics=item_collection_metrics(call.request, made))


def _units_again(cost: Cost) -> float:
    """What an action of a transaction costs when it is sent again: a read, in a transaction, of the
    larger of the item before and after (as observed on AWS). The write cost two units for each KB
    of that."""
    return read_units(int(cost.units / 2) * 1024, transactional=True)


def _answer_again(
    call: Call, actions: Sequence[Action], answer: Answer, units: Sequence[float]
) -> Answer:
    """What was answered to a transaction that was made, at the price of reading it."""
    all_or_cancelled(actions, check_read)
    costs = [
        Cost(action.table, None, action.partition_key, of_action)
        for action, of_action in zip(actions, units, strict=True)
    ]
    charging.charge("read", costs)
    report = consumed_capacities(call.request, costs, "ReadCapacityUnits")
    return _with_collections(call, answer.with_members(ConsumedCapacity=report), actions)


async def _write(
    backend: Backend, call: Call, actions: Sequence[Action], rules: Rules
) -> tuple[Answer, Sequence[Action], list[Cost]]:
    """The way of every write: the upstream's answer, what was made of the call, and what it cost.

    Whether an action is admitted is asked before it waits for the writes before it, when its turn
    comes, and once more when it is known what is there to be changed. It is charged when it is
    known what the write left behind; of a batch all of that is known at once.
    """
    actions = rules.admit(actions, _check_table)
    async with _write_locks(actions):
        actions = rules.admit(actions, _check_table)
        befores = dict(zip(actions, await backend.items(call, actions), strict=True))
        charged: dict[Action, list[Cost]] = {}

        def take(action: Action) -> None:
            estimate = charging.write_estimate(action, befores[action])
            charging.check("write", estimate)
            if rules.one_by_one:
                charging.charge("write", estimate)
                charged[action] = estimate

        actions = rules.admit(actions, take)
        batch = {**call.request, "RequestItems": entries_by_table(actions)}
        answer = await backend.forward(call, batch if rules.one_by_one else None)
        if rules.one_by_one:
            left = _left_over(actions, answer) if answer.ok else set(actions)
            for action in left:
                charging.refund("write", charged.pop(action))
            actions = [action for action in actions if action not in left]
        if not answer.ok:
            if answer.error in _CONDITION_FAILED:
                for action, before in befores.items():
                    failure = charging.failure_cost(action, before, rules.transactional)
                    charging.charge("write", [failure])
            return answer, (), []
        costs = [cost for costs in charged.values() for cost in costs]
        if not rules.one_by_one:
            if rules.transactional or any(action.verb == "Update" for action in actions):
                afters = await backend.items(call, actions)
            else:
                afters = [charging.item_after(action) for action in actions]
            for action, after in zip(actions, afters, strict=True):
                costs += charging.write_costs(action, befores[action], after, rules.transactional)
            charging.charge("write", costs)
    return answer, actions, costs


def _left_over(actions: Sequence[Action], answer: Answer) -> set[Action]:
    """What the upstream has left of a batch for another call."""
    keys = {action.table.name: action.table.key for action in actions}
    left = set()
    for given_name, requests in answer.json.get("UnprocessedItems", {}).items():
        name = table_name(given_name)
        for request in requests:
            ((_, content),) = request.items()
            item = content["Item"] if "Item" in content else content["Key"]
            left.add((name, *keys[name].identity(item)))
    return {action for action in actions if action.identity in left}


def _check_table(action: Action) -> None:
    action.table.check("write", action.partition_key)


@asynccontextmanager
async def _write_locks(actions: Sequence[Action]) -> AsyncIterator[None]:
    """Let no other write to these tables come between. All lock in one order: no deadlock."""
    async with AsyncExitStack() as stack:
        for table in sorted({action.table for action in actions}, key=lambda table: table.arn):
            await stack.enter_async_context(table.lock)
        yield
