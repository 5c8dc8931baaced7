"""Tables and indexes: what they hold, and what they admit, charge and note."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tweetlab.capacity import Kind, PartitionedCapacity, ThrottlingReason
from tweetlab.capacity.meters import Meter
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.keys import Key, values_set
from tweetlab.endpoint.stored import Item
from tweetlab.endpoint.wire import Throttled


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
    types: Mapping[str, str]
    """The types of its keys' attributes, and of its indexes': S, N or B."""
    indexes: dict[str, Index] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def check_keys(self, verb: str, request: Mapping[str, Any]) -> None:
        """Raise what DynamoDB answers to an action whose keys are not this table's, or whose values
        cannot be the keys of its indexes: what the upstream makes of such a call could not be
        charged for."""
        if verb == "Put":
            item: Item = request["Item"]
            self.key.check_item(item)
        else:
            self.key.check(request["Key"])
            self.key.check_kept(request.get("AttributeUpdates", ()))
            item = dict(values_set(request)) if verb == "Update" else {}
        for name in sorted(self.indexes) if item else ():
            self.indexes[name].key.check_index(name, item, update=verb == "Update")
