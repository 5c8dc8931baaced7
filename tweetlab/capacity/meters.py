"""What each table and index consumed and refused, second by second."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from tweetlab.capacity.buckets import Kind
from tweetlab.capacity.table import PartitionedCapacity

KEPT_SECONDS = 3_600
"""Seconds with traffic that are kept of each table and index."""
HOTTEST = 10
COLUMNS = [
    "table",
    "index",
    "second",
    "read_provisioned",
    "read_consumed",
    "read_throttled",
    "write_provisioned",
    "write_consumed",
    "write_throttled",
    "forced",
    "hottest_keys",
]
"""What is known of a second with traffic of a table, or of the global index that ``index`` names.

Provisioned and consumed are capacity units; throttled counts requests, or items of a batch, and
``forced`` those of them that a drill throttled. ``hottest_keys`` are the partition keys asked for
most, with the number of times, throttled ones included.
"""


class Meter:
    """Counts what one table or index consumes and refuses: a row for each second."""

    def __init__(self, table: str, index: str, now: Callable[[], int]) -> None:
        self._names = table, index
        self._now = now
        self.seconds: deque[dict[str, Any]] = deque(maxlen=KEPT_SECONDS)

    def count(
        self,
        capacity: PartitionedCapacity,
        kind: Kind,
        partition_key: str | None,
        *,
        units: float = 0,
        throttled: int = 0,
        forced: bool = False,
    ) -> None:
        """Count units that were charged, or requests, or items of a batch, that were refused."""
        second = self._second(capacity)
        second[f"{kind}_consumed"] += units
        second[f"{kind}_throttled"] += throttled
        second["forced"] += forced
        if partition_key is not None:
            second["hottest_keys"][partition_key] += 1

    def _second(self, capacity: PartitionedCapacity) -> dict[str, Any]:
        now = self._now()
        if self.seconds:
            last = self.seconds[-1]
            if last["second"] == now:
                return last
            # A closed second keeps its hottest keys only, however many it saw.
            last["hottest_keys"] = Counter(dict(last["hottest_keys"].most_common(HOTTEST)))
        reads, writes = ((rate, 0.0, 0) for rate in (capacity.reads.rate, capacity.writes.rate))
        row: tuple[Any, ...] = (*self._names, now, *reads, *writes, 0, Counter())
        self.seconds.append(dict(zip(COLUMNS, row, strict=True)))
        return self.seconds[-1]


class Meters:
    """The meters of all tables and indexes. Seconds count from ``started`` on, or from when this
    was made."""

    def __init__(self, clock: Callable[[], float], started: float | None = None) -> None:
        self._clock = clock
        self._started = clock() if started is None else started
        self._meters: dict[tuple[str, str], Meter] = {}

    def meter(self, table: str, index: str = "") -> Meter:
        """The meter of a table, or of one of its indexes; it outlives the table."""
        return self._meters.setdefault((table, index), Meter(table, index, self._now))

    def _now(self) -> int:
        return int(self._clock() - self._started)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The ``COLUMNS`` of each second with traffic of each table and index."""
        for meter in self._meters.values():
            for second in meter.seconds:
                yield {**second, "hottest_keys": second["hottest_keys"].most_common(HOTTEST)}
