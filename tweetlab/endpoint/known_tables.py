"""The tables the endpoint knows, and the limits they are admitted by."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tweetlab.capacity import OnDemandCapacity, PartitionedCapacity, TableCapacity
from tweetlab.capacity.meters import Meters
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.keys import Key
from tweetlab.endpoint.table import Index, Resource, Table
from tweetlab.endpoint.wire import validation_error


@dataclass(frozen=True)
class Limits:
    """How every table of an endpoint admits; the fields are those of ``TableCapacity``."""

    burst_seconds: float = 300
    initial_burst_seconds: float = 0
    partitions: int | None = None
    adaptive: bool = True
    clock: Callable[[], float] = time.monotonic

    def provisioned(
        self, read: float, write: float, index: bool, warm: tuple[float, float]
    ) -> TableCapacity:
        """The buckets for that many units a second, and for ``warm`` reads and writes."""
        return TableCapacity(read, write, index=index, warm=warm, **vars(self))

    def on_demand(
        self,
        throughput: Mapping[str, Any],
        before: PartitionedCapacity | None,
        index: bool,
        warm: tuple[float, float],
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
            warm,
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
        asked: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Table:
        """Take in a ``TableDescription``: a new table, or new throughput or indexes of one; and
        what was newly ``asked`` for of it, by index ("" for the table): an upstream may not keep
        its ``OnDemandThroughput`` and ``WarmThroughput``.

        A table that is known keeps what its buckets hold, unless its key is another. Raises a
        ValidationException for a description by which calls could not be charged, and then knows
        nothing of the table.
        """
        name = str(description.get("TableName"))
        try:
            table = self._learnt(self._known.get(name), description, asked or {})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._known.pop(name, None)
            raise validation_error(
                f"tweetlab's endpoint cannot tell what calls to the table {name} cost, by what the "
                f"upstream says of it: {error!r}"
            ) from error
        self._known[name] = table
        return table

    def _learnt(
        self,
        table: Table | None,
        description: Mapping[str, Any],
        asked: Mapping[str, Mapping[str, Any]],
    ) -> Table:
        definitions = description.get("AttributeDefinitions") or ()
        types = dict(table.types) if table else {}
        types |= {each["AttributeName"]: each["AttributeType"] for each in definitions}
        key = Key.from_schema(description["KeySchema"], types)
        if table and table.key != key:
            table = None  # another table, made behind the endpoint
        on_demand = _is_on_demand(description)
        known = table.capacity if table else None
        capacity = self._capacity(known, description, on_demand, asked.get("", {}))
        name = description["TableName"]
        new = Table(
            arn=description["TableArn"],
            capacity=capacity,
            meter=self.meters.meter(name),
            drills=self.drills,
            name=name,
            key=key,
            types=types,
        )
        indexes = list(self._indexes(table or new, new, description, on_demand, asked))
        table = table or new
        table.capacity, table.key, table.types = capacity, key, types
        table.indexes = {index.name: index for index in indexes}
        return table

    def _capacity(
        self,
        known: PartitionedCapacity | None,
        description: Mapping[str, Any],
        on_demand: bool,
        asked: Mapping[str, Any],
        index: bool = False,
    ) -> PartitionedCapacity:
        """The buckets of a table or an index, ``known`` ones brought up to date. A change of
        billing mode starts again: no rule for what is kept then is published (model choice)."""
        warm = _warm(known, asked.get("WarmThroughput") or description.get("WarmThroughput") or {})
        if on_demand:
            maximum = asked.get("OnDemandThroughput") or description.get("OnDemandThroughput")
            if not isinstance(known, OnDemandCapacity):
                return self._limits.on_demand(maximum or {}, known, index, warm)
            if maximum:
                known.limit(
                    _maximum(maximum.get("MaxReadRequestUnits", known.reads.maximum)),
                    _maximum(maximum.get("MaxWriteRequestUnits", known.writes.maximum)),
                )
            known.pre_warm(*warm)
            return known
        throughput = description["ProvisionedThroughput"]
        read, write = throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]
        if isinstance(known, TableCapacity):
            known.update(read, write)
            known.pre_warm(*warm)
            return known
        return self._limits.provisioned(read, write, index, warm)

    def _indexes(
        self,
        table: Table,
        described: Table,
        description: Mapping[str, Any],
        on_demand: bool,
        asked: Mapping[str, Mapping[str, Any]],
    ) -> Iterator[Index]:
        """The indexes in a description of a table; local ones share the resource of ``table``."""
        for local in description.get("LocalSecondaryIndexes") or ():
            yield _index(local, described, table)
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
                    asked.get(name, {}),
                    index=True,
                ),
                meter=self.meters.meter(table.name, name),
                drills=self.drills,
            )
            yield _index(entry, described, resource)


def _is_on_demand(description: Mapping[str, Any]) -> bool:
    """Whether a table has no provisioned throughput: it says so, or has none."""
    mode = (description.get("BillingModeSummary") or {}).get("BillingMode")
    throughput = description.get("ProvisionedThroughput") or {}
    return mode == "PAY_PER_REQUEST" or not (mode or throughput.get("ReadCapacityUnits"))


def _warm(known: PartitionedCapacity | None, throughput: Mapping[str, Any]) -> tuple[float, float]:
    """The reads and writes of a ``WarmThroughput``, which is never lowered."""
    reads, writes = known.warm if known else (0, 0)
    return (
        max(reads, throughput.get("ReadUnitsPerSecond") or 0),
        max(writes, throughput.get("WriteUnitsPerSecond") or 0),
    )


def _index(description: Mapping[str, Any], table: Table, resource: Resource) -> Index:
    key = Key.from_schema(description["KeySchema"], table.types)
    projection = description["Projection"]
    projected = None
    if projection["ProjectionType"] != "ALL":
        others = projection.get("NonKeyAttributes") or ()
        projected = frozenset((*table.key.names, *key.names, *others))
    return Index(description["IndexName"], key, resource, projected)


def table_name(name: str) -> str:
    """The name of a table, which a request may also give as an ARN."""
    return name.rpartition("/")[2] if name.startswith("arn:") else name
