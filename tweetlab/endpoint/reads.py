"""GetItem, BatchGetItem and TransactGetItems.

A read is asked for first, so that a throttled one costs the upstream nothing; and charged when its
size is known. Only then is it admitted: of reads under way at once, those that find the bucket
emptied by the others are throttled, and no bucket is overdrawn by more than one call.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from tweetlab.capacity import BATCH_KEYS
from tweetlab.endpoint import charging
from tweetlab.endpoint.actions import (
    Action,
    all_or_cancelled,
    check_batch,
    entries_by_table,
    those_admitted,
)
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import Cost, consumed_capacities, consumed_capacity, read_cost
from tweetlab.endpoint.keys import WrongKey
from tweetlab.endpoint.known_tables import table_name
from tweetlab.endpoint.stored import Item
from tweetlab.endpoint.wire import (
    Answer,
    Call,
    Throttled,
    transaction_cancelled,
    validation_error,
)

HIDING = ("ProjectionExpression", "AttributesToGet")
"""Members of a request that show part of an item only."""


async def get_item(backend: Backend, call: Call) -> Answer:
    """Charged for the whole item, whatever part of it is asked for."""
    action = await backend.action(call, "Get", call.request["TableName"], call.request)
    if action is None:
        return await backend.forward(call)
    check_read(action)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    item = answer.json.get("Item")
    if _hides([action]):
        (item,) = await backend.items(call, [action])
    cost = read_cost(action, item)
    action.table.take("read", action.partition_key, cost.units)
    return answer.with_members(ConsumedCapacity=consumed_capacity(call.request, [cost]))


async def batch_get_item(backend: Backend, call: Call) -> Answer:
    """The throttled keys come back as UnprocessedKeys."""
    requested = call.request["RequestItems"]
    actions: list[Action] = []
    for name, of_table in requested.items():
        for key in of_table["Keys"]:
            action = await backend.action(call, "Get", name, {**of_table, "Key": key})
            if action is None:
                return await backend.forward(call)
            actions.append(action)
    check_batch(call, actions, BATCH_KEYS)

    def part(actions: Sequence[Action]) -> dict[str, Any]:
        """The request's items, those only."""
        entries = entries_by_table(actions)
        return {name: {**requested[name], "Keys": keys} for name, keys in entries.items()}

    wanted = those_admitted(actions, check_read)
    answer = await backend.forward(call, {**call.request, "RequestItems": part(wanted)})
    if not answer.ok:
        return answer
    left = answer.json.get("UnprocessedKeys", {})
    keys = {action.table.name: action.table.key for action in wanted}

    def identity(name: str, item: Item) -> tuple[str, ...]:
        name = table_name(name)
        return (name, *keys[name].identity(item))

    unread = {identity(name, key) for name, of_table in left.items() for key in of_table["Keys"]}
    read = [action for action in wanted if action.identity not in unread]
    if _hides(read):
        items = dict(zip(read, await backend.items(call, read), strict=True))
    else:
        found = {
            identity(name, item): item
            for name, of_table in answer.json["Responses"].items()
            for item in of_table
        }
        items = {action: found.get(action.identity) for action in read}
    costs: list[Cost] = []

    def take(action: Action) -> None:
        cost = read_cost(action, items[action])
        action.table.take("read", action.partition_key, cost.units)
        costs.append(cost)

    admitted = those_admitted(read, take)
    if len(admitted) < len(read):
        # Of what was read, some is not to be shown.
        answer = await backend.forward(call, {**call.request, "RequestItems": part(admitted)})
    return answer.with_members(
        UnprocessedKeys=part([action for action in actions if action not in admitted]),
        ConsumedCapacity=consumed_capacities(call.request, costs),
    )


async def transact_get_items(backend: Backend, call: Call) -> Answer:
    """Charged two units for each 4 KB; refused as a whole if one item is."""
    actions = await transaction_actions(backend, call)
    if actions is None:
        return await backend.forward(call)
    return await _read_transaction(backend, call, actions)


async def transaction_actions(backend: Backend, call: Call) -> list[Action] | None:
    """The actions of a transaction; None where one names no table, which the upstream will say
    itself. It is cancelled where one names no key of its table."""
    entries = call.request["TransactItems"]
    actions: list[Action] = []
    refusals: list[Throttled | WrongKey | None] = [None] * len(entries)
    for place, entry in enumerate(entries):
        if len(entry) != 1:
            raise validation_error(
                "TransactItems can only contain one of Check, Put, Update or Delete"
            )
        ((verb, request),) = entry.items()
        try:
            action = await backend.action(call, verb, request["TableName"], request)
        except WrongKey as error:
            refusals[place] = error
            continue
        except Throttled as error:
            refusals[place] = error
            raise transaction_cancelled(refusals) from None
        if action is None:
            return None
        actions.append(action)
    if any(refusals):
        raise transaction_cancelled(refusals)
    return actions


async def _read_transaction(backend: Backend, call: Call, actions: Sequence[Action]) -> Answer:
    """Read all the items of a transaction, or none."""
    all_or_cancelled(actions, check_read)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    if _hides(actions):
        items = await backend.items(call, actions)
    else:
        items = [response.get("Item") for response in answer.json["Responses"]]
    all_or_cancelled(actions, check_read)
    costs = [
        read_cost(action, item, transactional=True)
        for action, item in zip(actions, items, strict=True)
    ]
    charging.charge("read", costs)
    report = consumed_capacities(call.request, costs, "ReadCapacityUnits")
    return answer.with_members(ConsumedCapacity=report)


def check_read(action: Action) -> None:
    """Raise Throttled if a read of that item would be refused now."""
    action.table.check("read", action.partition_key)


def _hides(actions: Iterable[Action]) -> bool:
    """Whether the answer may show less of an item than was read."""
    return any(name in action.request for action in actions for name in HIDING)
