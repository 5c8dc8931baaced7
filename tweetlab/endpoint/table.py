"""Tables and indexes: their keys, and what they admit, charge and note."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from tweetlab.capacity import Kind, PartitionedCapacity, ThrottlingReason
from tweetlab.capacity.meters import Meter
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.wire import Throttled, validation_error

Item = Mapping[str, Any]

_EXACT = Context(prec=38)
"""Digits of DynamoDB's numbers: two that differ in the last one are two keys."""


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
        return str(Decimal(content).normalize(_EXACT)) if kind == "N" else str(content)
    except (ArithmeticError, ValueError):
        raise validation_error("A key's value is a string, a number or a binary.") from None


@dataclass(eq=False)
class Resource:
    """A table or a global secondary index: what has a throughput of its own."""

    arn: str
    capacity: PartitionedCapacity
    meter: Meter
    drills: Drills

    def check(self, kind: Kind, partition_key: str | None) -> None:
        """Raise Throttled if a call to that partition key (None: to all) would be refused now."""
        if reason := self.capacity.take(kind, partition_key, 0):
            raise self._throttled(kind, partition_key, reason)
        if partition_key is not None and self.drills.strikes(partition_key=partition_key):
            raise self.force(kind, partition_key)

    def take(self, kind: Kind, partition_key: str | None, units: float) -> None:
        """Charge a call; or charge nothing and raise Throttled."""
        if reason := self.capacity.take(kind, partition_key, units):
            raise self._throttled(kind, partition_key, reason)
        self.meter.count(self.capacity, kind, partition_key, units=units)

    def charge(self, kind: Kind, partition_key: str | None, units: float) -> None:
        """Charge a call that was admitted, by what it turned out to cost."""
        self.capacity.charge(kind, partition_key, units)
        self.meter.count(self.capacity, kind, partition_key, units=units)

    def force(self, kind: Kind, partition_key: str | None = None) -> Throttled:
        """The error of a drill."""
        reason = self.capacity.throughput(kind).reason
        return self._throttled(kind, partition_key, reason, forced=True)

    def _throttled(
        self,
        kind: Kind,
        partition_key: str | None,
        reason: ThrottlingReason,
        forced: bool = False,
    ) -> Throttled:
        self.meter.count(self.capacity, kind, partition_key, throttled=1, forced=forced)
        return Throttled(reason, self.arn, self.capacity.on_demand, forced)


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
    key: Key
    indexes: dict[str, Index] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
