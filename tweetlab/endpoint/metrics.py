"""What each table and index consumed and refused, second by second."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tweetlab.capacity import PartitionedCapacity

KEPT_SECONDS = 3_600
"""Seconds with traffic that are kept of each table and index."""
HOTTEST = 10

Kind = Literal["read", "write"]


@dataclass(eq=False)
class Second:
    """One second of one table or index. ``throttled`` counts the ``forced`` ones too."""

    second: int
    provisioned: dict[Kind, float]
    consumed: dict[Kind, float] = field(default_factory=lambda: {"read": 0.0, "write": 0.0})
    throttled: dict[Kind, int] = field(default_factory=lambda: {"read": 0, "write": 0})
    forced: int = 0
    keys: Counter[str] = field(default_factory=Counter)


class Meter:
    """Notes what happens to one table or index."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.seconds: deque[Second] = deque(maxlen=KEPT_SECONDS)

    def consumed(
        self, capacity: PartitionedCapacity, kind: Kind, partition_key: str | None, units: float
    ) -> None:
        """Note units that were charged."""
        second = self._second(capacity)
        second.consumed[kind] += units
        if partition_key is not None:
            second.keys[partition_key] += 1

    def throttled(
        self,
        capacity: PartitionedCapacity,
        kind: Kind,
        partition_key: str | None,
        forced: bool = False,
    ) -> None:
        """Note a request, or an item of a batch, that was refused."""
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


class Metrics:
    """The meters of all tables and indexes. Seconds count from when the endpoint started."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._meters: dict[tuple[str, str], Meter] = {}

    def meter(self, table: str, index: str = "") -> Meter:
        """The meter of a table, or of one of its indexes; it outlives the table."""
        return self._meters.setdefault((table, index), Meter(self._now))

    def _now(self) -> int:
        return int(self._clock() - self._started)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row for each second with traffic of each table and index, as in
        ``tweetlab.lab.metrics``."""
        for (table, index), meter in self._meters.items():
            for second in meter.seconds:
                yield {
                    "table": table,
                    "index": index,
                    "second": second.second,
                    "read_provisioned": second.provisioned["read"],
                    "read_consumed": second.consumed["read"],
                    "read_throttled": second.throttled["read"],
                    "write_provisioned": second.provisioned["write"],
                    "write_consumed": second.consumed["write"],
                    "write_throttled": second.throttled["write"],
                    "forced": second.forced,
                    "hottest_keys": second.keys.most_common(HOTTEST),
                }
