"""The upstream with what is known of its tables: what the operations work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from tweetlab.endpoint.known_tables import Limits, Tables
from tweetlab.endpoint.metrics import Kind
from tweetlab.endpoint.table import Item, Table
from tweetlab.endpoint.upstream import Upstream
from tweetlab.endpoint.wire import Answer, Call, dump

BATCH_KEYS = 100
TOKEN_SECONDS = 600
"""A client token names the same transaction for ten minutes (Developer Guide, "Idempotency")."""
T = TypeVar("T")
READS = {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}


class Memory(Generic[T]):
    """What goes with the tokens that clients were given, or gave, in the last ten minutes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: dict[str, tuple[float, T]] = {}

    def put(self, token: str, value: T) -> None:
        """Keep a value, and drop those that have become too old."""
        while self._held and self.get(oldest := next(iter(self._held))) is None:
            del self._held[oldest]
        self._held[token] = (self._clock(), value)

    def get(self, token: str | None) -> T | None:
        """The value that goes with a token."""
        since, value = self._held.get(token or "", (0.0, None))
        return value if self._clock() - since < TOKEN_SECONDS else None


class Position(NamedTuple):
    """Where a page of a SELECT ended: in which of its searches, and after which key."""

    search: int
    start: Item | None


class Backend:
    """Passes calls on, and asks the upstream what is needed to charge for them."""

    def __init__(self, upstream: Upstream, limits: Limits) -> None:
        self.tables = Tables(limits)
        self.transactions: Memory[bool] = Memory(limits.clock)
        """By client token, those that were made and are not made again."""
        self.positions: Memory[Position] = Memory(limits.clock)
        self._upstream = upstream

    async def forward(self, call: Call, request: Mapping[str, Any] | None = None) -> Answer:
        """The upstream's answer to a call, or to another ``request`` in its place."""
        body = call.body if request is None else dump(request)
        return await self._upstream.send(call.operation, body, call.headers)

    async def ask(self, call: Call, operation: str, request: Mapping[str, Any]) -> Answer:
        """The upstream's answer to a request of ours, made on behalf of a call."""
        return await self._upstream.send(operation, dump(request), call.headers)

    async def table(self, call: Call, name: str, kind: Kind | None = None) -> Table | None:
        """The table of that name; None where the upstream has none and will say so itself.

        Raises Throttled where a drill asks for it, as what the operation does (``kind``, where its
        name does not tell).
        """
        table = self.tables.get(call.region, name)
        if table is None:
            answer = await self.ask(call, "DescribeTable", {"TableName": name})
            if not answer.ok:
                return None
            # Another call may have learnt it meanwhile, and emptied its buckets.
            table = self.tables.get(call.region, name)
            table = table or self.tables.learn(call.region, answer.json["Table"])
        if self.tables.drills.strikes(operation=call.operation):
            raise table.force(kind or ("read" if call.operation in READS else "write"))
        return table

    async def items(self, call: Call, keys: Iterable[tuple[Table, Item]]) -> list[Item | None]:
        """The items of those keys as they are now, whole; None for each that does not exist."""
        keys = list(keys)
        if len(keys) == 1:
            ((table, key),) = keys
            request = {"TableName": table.name, "Key": key, "ConsistentRead": True}
            answer = await self.ask(call, "GetItem", request)
            return [_successful(answer).json.get("Item")]
        distinct = {(table.name, table.key.identity(key)): (table, key) for table, key in keys}
        found: dict[tuple[str, tuple[str, ...]], Item] = {}
        wanted = list(distinct.values())
        while wanted:
            batch, wanted = wanted[:BATCH_KEYS], wanted[BATCH_KEYS:]
            request_items: dict[str, Any] = {}
            for table, key in batch:
                entry = request_items.setdefault(table.name, {"Keys": [], "ConsistentRead": True})
                entry["Keys"].append(key)
            answer = await self.ask(call, "BatchGetItem", {"RequestItems": request_items})
            tables = {table.name: table for table, _ in batch}
            for name, items in _successful(answer).json["Responses"].items():
                for item in items:
                    found[name, tables[name].key.identity(item)] = item
            for name, left in answer.json.get("UnprocessedKeys", {}).items():
                wanted += [(tables[name], key) for key in left["Keys"]]
        return [found.get((table.name, table.key.identity(key))) for table, key in keys]


class UpstreamRefused(Exception):
    """The upstream answered a request of ours with an error, which then is the call's answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def _successful(answer: Answer) -> Answer:
    if not answer.ok:
        raise UpstreamRefused(answer)
    return answer
