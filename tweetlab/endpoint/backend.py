"""The upstream with what is known of one owner's tables: what the operations work on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tweetlab.capacity import BATCH_KEYS
from tweetlab.endpoint.actions import Action
from tweetlab.endpoint.client_tokens import ClientTokens
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.keys import WrongKey
from tweetlab.endpoint.known_tables import KnownTables, Limits
from tweetlab.endpoint.owners import Owner
from tweetlab.endpoint.stored import Item
from tweetlab.endpoint.table import Table
from tweetlab.endpoint.upstream import Upstream
from tweetlab.endpoint.wire import Answer, Call, DynamoDBError, dump


class Backend:
    """Passes calls on, and asks the upstream what is needed to charge for them."""

    def __init__(self, upstream: Upstream, limits: Limits, drills: Drills, started: float) -> None:
        self.tables = KnownTables(limits, drills, started)
        self.client_tokens = ClientTokens(limits.clock)
        self._upstream = upstream

    async def forward(self, call: Call, request: Mapping[str, Any] | None = None) -> Answer:
        """The upstream's answer to a call, or to another ``request`` in its place. What is sent on
        is what was understood, and so what is charged for."""
        return await self.ask(call, call.operation, call.request if request is None else request)

    async def refused(self, call: Call, error: DynamoDBError) -> Answer:
        """The upstream's answer to a read that is none, if it says so as well. Raises ``error``
        where it makes something of that read, or fails."""
        try:
            answer = await self.forward(call)
        except DynamoDBError:
            raise error from None
        if answer.ok or answer.status >= 500:
            raise error
        return answer

    async def ask(self, call: Call, operation: str, request: Mapping[str, Any]) -> Answer:
        """The upstream's answer to a request of ours, made on behalf of a call."""
        return await self._upstream.send(operation, dump(request), call.headers)

    async def table(self, call: Call, name: str) -> Table | None:
        """The table of that name; None where the upstream has none and will say so itself. Raises
        Throttled where a drill of the call's operation asks for it."""
        table = self.tables.get(name)
        if table is None:
            description = await self._description(call, name)
            if description is None:
                return None
            # Another call may have learnt it meanwhile, and emptied its buckets.
            table = self.tables.get(name)
            table = table or self.tables.learn(description)
        if call.kind and self.tables.drills.strikes(operation=call.operation):
            raise table.force(call.kind)
        return table

    async def table_again(self, call: Call, name: str) -> Table | None:
        """The table as it is upstream now: another program may have changed it, or made it anew."""
        description = await self._description(call, name)
        return self.tables.learn(description) if description else None

    async def _description(self, call: Call, name: str) -> Mapping[str, Any] | None:
        """What the upstream says of a table; None if there is none."""
        answer = await self.ask(call, "DescribeTable", {"TableName": name})
        if answer.error in ("ResourceNotFoundException", "ValidationException"):
            return None
        description: Mapping[str, Any] = _successful(answer).json["Table"]
        return description

    async def action(
        self, call: Call, verb: str, table_name: str, request: Mapping[str, Any]
    ) -> Action | None:
        """The action that a call, or a part of it, asks for; None where it names no table, which
        the upstream will say itself. Raises WrongKey, or what DynamoDB answers to an empty key; and
        Throttled as ``table`` does."""
        table = await self.table(call, table_name)
        if table is None:
            return None
        try:
            table.check_keys(verb, request)
        except WrongKey:
            table = await self.table_again(call, table_name)
            if table is None:
                return None
            table.check_keys(verb, request)
        key = table.key.of(request["Item"] if verb == "Put" else request["Key"])
        return Action(verb, table, table_name, key, table.key.partition_of(key), request)

    async def items(self, call: Call, actions: Sequence[Action]) -> list[Item | None]:
        """The items of those actions as they are now, whole; None for each that does not exist. One
        whose key the upstream does not take counts as none: it is the caller's own call that
        decides what is answered, and it is charged if it is made."""
        if len(actions) == 1:
            return [await self._item(call, actions[0])]
        keys = {action.identity: action for action in actions}
        wanted = [(action.table, action.key) for action in keys.values()]
        found: dict[tuple[str, ...], Item] = {}
        while wanted:
            batch, wanted = wanted[:BATCH_KEYS], wanted[BATCH_KEYS:]
            request_items: dict[str, Any] = {}
            for table, key in batch:
                entry = request_items.setdefault(table.name, {"Keys": [], "ConsistentRead": True})
                entry["Keys"].append(key)
            answer = await self.ask(call, "BatchGetItem", {"RequestItems": request_items})
            if answer.error == "ValidationException":
                return [await self._item(call, action) for action in actions]
            tables = {table.name: table for table, _ in batch}
            for name, items in _successful(answer).json["Responses"].items():
                found |= {_identity(tables[name], item): item for item in items}
            for name, left in answer.json.get("UnprocessedKeys", {}).items():
                wanted += [(tables[name], key) for key in left["Keys"]]
        return [found.get(action.identity) for action in actions]

    async def _item(self, call: Call, action: Action) -> Item | None:
        request = {"TableName": action.table.name, "Key": action.key, "ConsistentRead": True}
        answer = await self.ask(call, "GetItem", request)
        if answer.error == "ValidationException":
            return None
        item: Item | None = _successful(answer).json.get("Item")
        return item


class Backends:
    """The backend of each owner; or, of tables that are ``shared``, one for all."""

    def __init__(self, upstream: Upstream, limits: Limits, shared: bool) -> None:
        self._upstream = upstream
        self._limits = limits
        self._shared = shared
        self._started = limits.clock()
        self._backends: dict[Owner | None, Backend] = {}
        self._drills: dict[str, Drills] = {}
        self._drills_of_all = Drills()

    def of(self, owner: Owner) -> Backend:
        """The backend of an owner."""
        key = None if self._shared else owner
        known = self._backends.get(key)
        if known is None:
            drills = self.drills(owner.access_key)
            known = Backend(self._upstream, self._limits, drills, self._started)
            self._backends[key] = known
        return known

    def drills(self, access_key: str | None) -> Drills:
        """The drills of an access key, in all regions; or those that anybody's calls meet."""
        if access_key is None or self._shared:
            return self._drills_of_all
        return self._drills.setdefault(access_key, Drills(self._drills_of_all))

    def metrics(self, access_key: str | None) -> Iterator[dict[str, Any]]:
        """The rows of an access key's tables, in all regions; or of everybody's."""
        for owner, backend in self._backends.items():
            if access_key is None or owner is None or owner.access_key == access_key:
                yield from backend.tables.meters.rows()


class UpstreamRefused(Exception):
    """The upstream answered a request of ours with an error, which then is the call's answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def _successful(answer: Answer) -> Answer:
    if not answer.ok:
        raise UpstreamRefused(answer)
    return answer


def _identity(table: Table, item: Item) -> tuple[str, ...]:
    """What tells an item from all others."""
    return (table.name, *table.key.identity(item))
