"""One item of a call; and what becomes of a call when some of its items are refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tweetlab.endpoint.stored import Item
from tweetlab.endpoint.table import Table
from tweetlab.endpoint.wire import Call, Throttled, transaction_cancelled, validation_error


@dataclass(eq=False)
class Action:
    """What a call does with one item: a Get, Put, Update, Delete or ConditionCheck."""

    verb: str
    table: Table
    table_name: str
    """As the request gives it: it may be an ARN."""
    key: Item
    partition_key: str
    request: Mapping[str, Any]
    """What the call says of it: the Key or the Item, and the expressions."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from the other actions of a batch."""
        return (self.table.name, *self.table.key.identity(self.key))

    @property
    def entry(self) -> Mapping[str, Any]:
        """What stands for it in a batch: the key of a BatchGetItem, or a WriteRequest."""
        if self.verb == "Get":
            key: Item = self.request["Key"]
            return key
        return {f"{self.verb}Request": self.request}


def entries_by_table(actions: Sequence[Action]) -> dict[str, list[Mapping[str, Any]]]:
    """What stands in a batch for those actions."""
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for action in actions:
        entries.setdefault(action.table_name, []).append(action.entry)
    return entries


def check_batch(call: Call, actions: Sequence[Action], most: int) -> None:
    """Raise what DynamoDB answers to a batch that is none; what is left of it when some is
    throttled might be one."""
    if len(actions) > most:
        raise validation_error(f"Too many items requested for the {call.operation} call")
    if len({action.identity for action in actions}) < len(actions):
        raise validation_error("Provided list of item keys contains duplicates")


# Admission: each of these runs ``check`` on the actions of a call, which raises Throttled for one
# that is refused, and gives those that the call goes on with.

Check = Callable[[Action], None]
Admission = Callable[[Sequence[Action], Check], Sequence[Action]]


def all_or_error(actions: Sequence[Action], check: Check) -> Sequence[Action]:
    """The call of one item: a refusal is its answer."""
    for action in actions:
        check(action)
    return actions


def those_admitted(actions: Sequence[Action], check: Check) -> Sequence[Action]:
    """A batch goes on without the refused ones. An error only where nothing is left of it (API
    reference)."""
    refusals = [(action, _refusal(action, check)) for action in actions]
    admitted = [action for action, refusal in refusals if refusal is None]
    if refusals and not admitted:
        _, last = refusals[-1]
        assert last
        raise last
    return admitted


def all_or_cancelled(actions: Sequence[Action], check: Check) -> Sequence[Action]:
    """A transaction is cancelled if one is refused, with a reason for each."""
    refusals = [_refusal(action, check) for action in actions]
    if any(refusals):
        raise transaction_cancelled(refusals)
    return actions


def _refusal(action: Action, check: Check) -> Throttled | None:
    try:
        check(action)
    except Throttled as error:
        return error
    return None
