"""What an on-demand table admits: it grows with its traffic instead of being provisioned."""

import time
from collections.abc import Callable

from tweetlab.capacity.buckets import PARTITION_UNITS, Kind, ThrottlingReason, Throughput
from tweetlab.capacity.table import PartitionedCapacity

NEW_TABLE_UNITS: dict[Kind, int] = {"read": 12_000, "write": 4_000}
"""Units a second that a new table serves, which are those of four partitions (Developer Guide)."""
NEW_TABLE_PARTITIONS = 4
PEAK_SECONDS = 1_800
"""After this time a higher peak counts as a previous one (Developer Guide: 30 minutes)."""


class OnDemandThroughput(Throughput):
    """The reads, or the writes, of an on-demand table: up to twice the previous peak at once, and
    at least what a new table serves (Developer Guide, "On-demand capacity mode").

    The peak is the most units charged in one second of the clock; it becomes the previous one
    when a period of 30 minutes ends (model choice: AWS says "within 30 minutes"); then ``grow`` is
    called.
    """

    def __init__(
        self,
        kind: Kind,
        maximum: float | None,
        previous_peak: float,
        warm: float,
        index: bool,
        partitions: int,
        grow: Callable[[], None],
        now: float,
    ) -> None:
        self._kind, self._index = kind, index
        self._grow = grow
        self._previous_peak = previous_peak
        self._warm = warm
        self._peak = self._this_second = 0.0
        self._second = int(now)
        self._period_start = now
        super().__init__(kind, self.traffic_limit, index, partitions, 1, 0, True, now)
        self.limit(maximum, now)

    @property
    def traffic_limit(self) -> float:
        """Units a second that its partitions must carry, whatever maximum is set."""
        return max(NEW_TABLE_UNITS[self._kind], 2 * self._previous_peak, self._warm)

    def _limit(self) -> float:
        return min(self.traffic_limit, self.maximum or self.traffic_limit)

    def limit(self, maximum: float | None, now: float) -> None:
        """Set another maximum; with None it is the partitions that give the limit, and the
        reason."""
        self.maximum = maximum
        limit = "KEY_RANGE" if maximum is None else "MAX_ON_DEMAND"
        self.reason = ThrottlingReason.of(self._kind, self._index, limit)
        self.resize(self._limit(), now)

    def pre_warm(self, units: float, now: float) -> None:
        """Serve that many units a second from now on: what is added, it has at once."""
        before, self._warm = self.rate, max(self._warm, units)
        self.resize(self._limit(), now)
        for bucket in self._shares:
            bucket.level += self.rate - before

    def charge(self, partition: int | None, units: float, now: float) -> None:
        super().charge(partition, units, now)
        if int(now) != self._second:
            self._second, self._this_second = int(now), 0.0
        if now - self._period_start >= PEAK_SECONDS:
            self._previous_peak = max(self._previous_peak, self._peak)
            self._peak, self._period_start = 0.0, now
            self.resize(self._limit(), now)
            self._grow()
        self._this_second += units
        # What was saved up makes no peak.
        self._peak = max(self._peak, min(self._this_second, self.rate))


class OnDemandCapacity(PartitionedCapacity):
    """The counterpart of ``TableCapacity`` for ``PAY_PER_REQUEST``.

    ``max_read`` and ``max_write`` are the table's maximum throughput, if set; ``previous_reads``
    and ``previous_writes`` the peaks it has had, in units a second; ``warm`` are the reads and
    writes that it serves at once whatever it has had (Developer Guide, "Warm throughput"). It has
    as many partitions as carry its traffic: four when new, and twice as many when they no longer
    do.
    """

    on_demand = True
    reads: OnDemandThroughput
    writes: OnDemandThroughput

    def __init__(
        self,
        max_read: float | None = None,
        max_write: float | None = None,
        previous_reads: float = 0,
        previous_writes: float = 0,
        clock: Callable[[], float] = time.monotonic,
        index: bool = False,
        warm: tuple[float, float] = (0, 0),
    ) -> None:
        now = clock()
        super().__init__(NEW_TABLE_PARTITIONS, clock, warm)
        shape = (index, NEW_TABLE_PARTITIONS, self._grow, now)
        self.reads = OnDemandThroughput("read", max_read, previous_reads, warm[0], *shape)
        self.writes = OnDemandThroughput("write", max_write, previous_writes, warm[1], *shape)
        self._grow()

    @property
    def warm_throughput(self) -> tuple[float, float]:
        return self.reads.traffic_limit, self.writes.traffic_limit

    def limit(self, max_read: float | None, max_write: float | None) -> None:
        """``UpdateTable``: other maxima from now on; no bucket is refilled."""
        now = self._clock()
        self.reads.limit(max_read, now)
        self.writes.limit(max_write, now)

    def pre_warm(self, reads: float, writes: float) -> None:
        now = self._clock()
        self.reads.pre_warm(reads, now)
        self.writes.pre_warm(writes, now)
        super().pre_warm(reads, writes)

    def _grow(self) -> None:
        while (
            self.reads.traffic_limit > self.partitions * PARTITION_UNITS["read"]
            or self.writes.traffic_limit > self.partitions * PARTITION_UNITS["write"]
        ):
            self._double()
