"""What each table and index consumed and refused, second by second."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields

from tweetlab.capacity.buckets import Kind
from tweetlab.capacity.table import PartitionedCapacity

KEPT_SECONDS = 3_600
"""Seconds with traffic that are kept of each table and index."""
HOTTEST = 10


@dataclass(frozen=True)
class Row:
    """One second with traffic of a table, or of the global index that ``index`` names.

    Provisioned and consumed are capacity units; throttled counts requests, or items of a batch, and
    ``forced`` those of them that a drill throttled. ``hottest_keys`` are the partition keys asked
    for most, with the number of times, throttled ones included.
    """

    table: str
    index: str
    second: int
    read_provisioned: float
    read_consumed: float
    read_throttled: int
    write_provisioned: float
    write_consumed: float
    write_throttled: int
    forced: int
    hottest_keys: list[tuple[str, int]]


COLUMNS = [column.name for column in fields(Row)]
"""The names of what a row holds, in its order."""


@dataclass(eq=False)
class Second:
    """What a meter has counted in one second."""

    second: int
    provisioned: dict[Kind, float]
    consumed: dict[Kind, float] = field(default_factory=lambda: {"read": 0.0, "write": 0.0})
    throttled: dict[Kind, int] = field(default_factory=lambda: {"read": 0, "write": 0})
    forced: int = 0
    keys: Counter[str] = field(default_factory=Counter)


class Meter:
    """Counts what one table or index consumes and refuses."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.seconds: deque[Second] = deque(maxlen=KEPT_SECONDS)

    def add_units(
        self, capacity: PartitionedCapacity, kind: Kind, partition_key: str | None, units: float
    ) -> None:
        """Count units that were charged."""
        second = self._second(capacity)
        second.consumed[kind] += units
        if partition_key is not None:
            second.keys[partition_key] += 1

    def add_throttle(
        self,
        capacity: PartitionedCapacity,
        kind: Kind,
        partition_key: str | None,
        forced: bool = False,
    ) -> None:
        """Count a request, or an item of a batch, that was refused."""
        second = self._second(capacity)
        second.throttled[kind] += 1
        second.forced += forced
        if partition_key is not None:
            second.keys[partition_key] += 1

    def _second(self, capacity: PartitionedCapacity) -> Second:
        now = self._now()
        if self.seconds:
            last = self.seconds[-1]
            if last.second == now:
                return last
            # A closed second keeps its hottest keys only, however many it saw.
            last.keys = Counter(dict(last.keys.most_common(HOTTEST)))
        provisioned: dict[Kind, float] = {
            "read": capacity.reads.rate,
            "write": capacity.writes.rate,
        }
        self.seconds.append(Second(now, provisioned))
        return self.seconds[-1]


class Meters:
    """The meters of all tables and indexes. Seconds count from when this was made."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._meters: dict[tuple[str, str], Meter] = {}

    def meter(self, table: str, index: str = "") -> Meter:
        """The meter of a table, or of one of its indexes; it outlives the table."""
        return self._meters.setdefault((table, index), Meter(self._now))

    def _now(self) -> int:
        return int(self._clock() - self._started)

    def rows(self) -> Iterator[Row]:
        """One row for each second with traffic of each table and index."""
        for (table, index), meter in self._meters.items():
            for second in meter.seconds:
                yield Row(
                    table=table,
                    index=index,
                    second=second.second,
                    read_provisioned=second.provisioned["read"],
                    read_consumed=second.consumed["read"],
                    read_throttled=second.throttled["read"],
                    write_provisioned=second.provisioned["write"],
                    write_consumed=second.consumed["write"],
                    write_throttled=second.throttled["write"],
                    forced=second.forced,
                    hottest_keys=second.keys.most_common(HOTTEST),
                )
