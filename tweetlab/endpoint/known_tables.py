"""The tables the endpoint knows, and the limits they are admitted by."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tweetlab.capacity import OnDemandCapacity, PartitionedCapacity, TableCapacity
from tweetlab.capacity.meters import Meters
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.table import Index, Key, Resource, Table


@dataclass(frozen=True)
class Limits:
    """How every table of an endpoint admits; the fields are those of ``TableCapacity``."""

    burst_seconds: float = 300
    initial_burst_seconds: float = 0
    partitions: int | None = None
    adaptive: bool = True
    clock: Callable[[], float] = time.monotonic

    def provisioned(self, read: float, write: float, index: bool) -> TableCapacity:
        """The buckets for that many units a second."""
        return TableCapacity(read, write, index=index, **vars(self))

    def on_demand(
        self, throughput: Mapping[str, Any], before: PartitionedCapacity | None, index: bool
    ) -> OnDemandCapacity:
        """The buckets of an on-demand table or index with that ``OnDemandThroughput``. Half of what
        was provisioned ``before`` counts as its previous peak, so that it serves no less than it
        did (Developer Guide, "Initial throughput for on-demand capacity mode").
        """
        return OnDemandCapacity(
            _maximum(throughput.get("MaxReadRequestUnits")),
            _maximum(throughput.get("MaxWriteRequestUnits")),
            before.reads.rate / 2 if before else 0,
            before.writes.rate / 2 if before else 0,
            self.clock,
            index,
        )


def _maximum(units: float | None) -> float | None:
    """A maximum throughput; -1 stands for none (API reference)."""
    return units if units is not None and units > 0 else None


class KnownTables:
    """The tables of one owner seen so far, by name, and the buckets they are admitted by; metrics
    count seconds from ``started`` on, by the clock of the limits."""

    def __init__(self, limits: Limits, drills: Drills, started: float) -> None:
        self.meters = Meters(limits.clock, started)
        self.drills = drills
        self._limits = limits
        self._known: dict[str, Table] = {}

    def get(self, name: str) -> Table | None:
        """The table of that name, or ARN, if it was learnt."""
        return self._known.get(table_name(name))

    def forget(self, name: str) -> None:
        """Drop a deleted table and its buckets."""
        self._known.pop(table_name(name), None)

    def learn(
        self,
        description: Mapping[str, Any],
        maxima: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Table:
        """Take in a ``TableDescription``: a new table, or new throughput or indexes of one; and the
        ``OnDemandThroughput`` newly asked for, by index ("" for the table).

        A table that is known keeps what its buckets hold.
        """
        maxima = maxima or {}
        name = description["TableName"]
        mode = description.get("BillingModeSummary", {}).get("BillingMode")
        on_demand = mode == "PAY_PER_REQUEST"
        table = self._known.get(name)
        known = table.capacity if table else None
        capacity = self._capacity(known, description, on_demand, maxima.get(""))
        if table is None:
            table = Table(
                arn=description["TableArn"],
                capacity=capacity,
                meter=self.meters.meter(name),
                drills=self.drills,
                name=name,
                key=Key.from_schema(description["KeySchema"]),
            )
            self._known[name] = table
        table.capacity = capacity
        table.indexes = {
            index.name: index for index in self._indexes(table, description, on_demand, maxima)
        }
        return table

    def _capacity(
        self,
        known: PartitionedCapacity | None,
        description: Mapping[str, Any],
        on_demand: bool,
        maximum: Mapping[str, Any] | None,
        index: bool = False,
    ) -> PartitionedCapacity:
        """The buckets of a table or an index, ``known`` ones brought up to date. A change of
        billing mode starts again: no rule for what is kept then is published (model choice)."""
        if on_demand:
            maximum = maximum or description.get("OnDemandThroughput")
            if not isinstance(known, OnDemandCapacity):
                return self._limits.on_demand(maximum or {}, known, index)
            if maximum:
                known.limit(
                    _maximum(maximum.get("MaxReadRequestUnits", known.reads.maximum)),
                    _maximum(maximum.get("MaxWriteRequestUnits", known.writes.maximum)),
                )
            return known
        throughput = description["ProvisionedThroughput"]
        read, write = throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]
        if isinstance(known, TableCapacity):
            known.update(read, write)
            return known
        return self._limits.provisioned(read, write, index)

    def _indexes(
        self,
        table: Table,
        description: Mapping[str, Any],
        on_demand: bool,
        maxima: Mapping[str, Mapping[str, Any]],
    ) -> Iterator[Index]:
        for local in description.get("LocalSecondaryIndexes") or ():
            yield _index(local, table, table)
        for entry in description.get("GlobalSecondaryIndexes") or ():
            if entry.get("IndexStatus") == "DELETING":
                continue
            name = entry["IndexName"]
            known = table.indexes.get(name)
            resource = Resource(
                arn=f"{table.arn}/index/{name}",
                capacity=self._capacity(
                    known.resource.capacity if known else None,
                    entry,
                    on_demand,
                    maxima.get(name),
                    index=True,
                ),
                meter=self.meters.meter(table.name, name),
                drills=self.drills,
            )
            yield _index(entry, table, resource)


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
