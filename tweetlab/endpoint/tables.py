"""The tables the endpoint knows: their keys, their indexes and what each admits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tweetlab.capacity import TableCapacity
from tweetlab.endpoint.wire import Throttled, validation_error

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """How every table of an endpoint admits; the fields are those of ``TableCapacity``."""

    burst_seconds: float = 300
    initial_burst_seconds: float = 0
    partitions: int | None = None
    adaptive: bool = True
    clock: Callable[[], float] = time.monotonic

    def capacity(self, throughput: Mapping[str, Any], index: bool = False) -> TableCapacity | None:
        """The buckets for a ``ProvisionedThroughput``; None for an on-demand table, which has
        none."""
        if not throughput.get("ReadCapacityUnits"):
            return None
        return TableCapacity(
            throughput["ReadCapacityUnits"],
            throughput["WriteCapacityUnits"],
            self.burst_seconds,
            self.initial_burst_seconds,
            self.partitions,
            self.adaptive,
            self.clock,
            index,
        )


@dataclass(frozen=True)
class Key:
    """The names of a key's attributes."""

    partition: str
    sort: str | None = None

    @classmethod
    def from_schema(cls, schema: Iterable[Mapping[str, str]]) -> Key:
        """The key in a ``KeySchema``."""
        names = {element["KeyType"]: element["AttributeName"] for element in schema}
        return cls(names["HASH"], names.get("RANGE"))

    @property
    def names(self) -> tuple[str, ...]:
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    def within(self, item: Item | None) -> bool:
        """Whether the item has all the key's attributes."""
        return item is not None and all(name in item for name in self.names)

    def of(self, item: Item) -> dict[str, Any]:
        """The key of an item; raises the error that DynamoDB answers where it has none."""
        if not self.within(item):
            raise validation_error("The provided key element does not match the schema")
        return {name: item[name] for name in self.names}

    def partition_of(self, item: Item) -> str:
        """The value of the item's partition key, as text."""
        return plain_value(item[self.partition])

    def identity(self, item: Item) -> tuple[str, ...]:
        """What tells two keys apart: their values as text."""
        return tuple(plain_value(item[name]) for name in self.names)


def plain_value(value: Mapping[str, Any]) -> str:
    """The text of a key's value: two spellings of one number are one key."""
    try:
        ((kind, content),) = value.items()
        return str(Decimal(content).normalize()) if kind == "N" else str(content)
    except (ArithmeticError, ValueError):
        raise validation_error("A key's value is a string, a number or a binary.") from None


@dataclass(eq=False)
class Resource:
    """A table or a global secondary index: what has a throughput of its own.

    ``capacity`` is None where it is on demand.
    """

    arn: str
    key: Key
    capacity: TableCapacity | None

    def check_read(self, partition_key: str | None) -> None:
        """Raise Throttled if a read of that partition key would be refused now."""
        self.read(partition_key, 0)

    def read(self, partition_key: str | None, units: float) -> None:
        """Charge a read; or charge nothing and raise Throttled."""
        if self.capacity and (reason := self.capacity.read(partition_key, units)):
            raise Throttled(reason, self.arn)

    def check_write(self, partition_key: str | None) -> None:
        """Raise Throttled if a write to that partition key would be refused now."""
        if self.capacity and (reason := self.capacity.write(partition_key, 0)):
            raise Throttled(reason, self.arn)

    def charge_write(self, partition_key: str, units: float) -> None:
        """Charge a write that was admitted, by what it turned out to cost."""
        if self.capacity:
            self.capacity.writes.charge(self.capacity.partition_of(partition_key), units)


@dataclass(eq=False)
class Index:
    """A secondary index. A local one shares the resource of its table."""

    name: str
    key: Key
    resource: Resource
    projected: frozenset[str] | None
    """Names of the attributes it holds; None for all."""

    def entry(self, item: Item | None) -> Item | None:
        """What the index holds of an item: None where the item lacks the index's key."""
        if item is None or not self.key.within(item):
            return None
        if self.projected is None:
            return item
        return {name: value for name, value in item.items() if name in self.projected}


@dataclass(eq=False)
class Table(Resource):
    """A table. ``lock`` lets its writes through one at a time, so that what a write changes is
    known exactly when it is charged."""

    name: str
    indexes: dict[str, Index] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tables:
    """The tables seen so far, by region and name, and the buckets they are admitted by."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: dict[tuple[str, str], Table] = {}

    def get(self, region: str, name: str) -> Table | None:
        """The table of that name, or ARN, if it was learnt."""
        return self._known.get((region, table_name(name)))

    def forget(self, region: str, name: str) -> None:
        """Drop a deleted table and its buckets."""
        self._known.pop((region, table_name(name)), None)

    def learn(self, region: str, description: Mapping[str, Any]) -> Table:
        """Take in a ``TableDescription``: a new table, or new throughput or indexes of one.

        A table that is known keeps what its buckets hold.
        """
        name = description["TableName"]
        table = self._known.get((region, name))
        throughput = description.get("ProvisionedThroughput", {})
        if table is None:
            table = Table(
                arn=description["TableArn"],
                key=Key.from_schema(description["KeySchema"]),
                capacity=self._limits.capacity(throughput),
                name=name,
            )
            self._known[region, name] = table
        else:
            table.capacity = self._updated(table.capacity, throughput)
        table.indexes = dict(self._indexes(table, description))
        return table

    def _updated(
        self, capacity: TableCapacity | None, throughput: Mapping[str, Any], index: bool = False
    ) -> TableCapacity | None:
        if capacity is None or not throughput.get("ReadCapacityUnits"):
            return self._limits.capacity(throughput, index)
        capacity.update(throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"])
        return capacity

    def _indexes(self, table: Table, description: Mapping[str, Any]) -> Iterable[tuple[str, Index]]:
        for local in description.get("LocalSecondaryIndexes") or ():
            yield local["IndexName"], _index(local, table, table)
        for entry in description.get("GlobalSecondaryIndexes") or ():
            name, throughput = entry["IndexName"], entry.get("ProvisionedThroughput", {})
            known = table.indexes.get(name)
            resource = known.resource if known else Resource("", table.key, None)
            resource.arn = f"{table.arn}/index/{name}"
            resource.key = Key.from_schema(entry["KeySchema"])
            resource.capacity = self._updated(resource.capacity, throughput, index=True)
            yield name, _index(entry, table, resource)


def _index(description: Mapping[str, Any], table: Table, resource: Resource) -> Index:
    key = Key.from_schema(description["KeySchema"])
    projection = description["Projection"]
    projected = None
    if projection["ProjectionType"] != "ALL":
        others = projection.get("NonKeyAttributes") or ()
        projected = frozenset((*table.key.names, *key.names, *others))
    return Index(description["IndexName"], key, resource, projected)


def table_name(name: str) -> str:
    """The name of a table, which a request may also give as an ARN."""
    return name.rpartition("/")[2] if name.startswith("arn:") else name
