"""What a table with provisioned throughput admits."""

import math
import time
import zlib
from bisect import bisect_right
from collections.abc import Callable

from tweetlab.capacity.buckets import PARTITION_UNITS, Kind, ThrottlingReason, Throughput

MAX_CAPACITY = 10_000_000
"""Units a second, far beyond any quota: each 1,000 are a partition to keep (model choice)."""
_HASHES = 2**32
"""Values of CRC-32."""


def initial_partitions(read_capacity: float, write_capacity: float) -> int:
    """Partitions of a new table: ``ceil(RCU / 3000 + WCU / 1000)`` (Developer Guide of 2018)."""
    needed = read_capacity / PARTITION_UNITS["read"] + write_capacity / PARTITION_UNITS["write"]
    return max(1, math.ceil(needed))


class PartitionedCapacity:
    """Reads and writes, apart, over the partitions that keys are placed in by their hash.

    ``clock`` gives seconds. Not thread-safe: the endpoint calls it from one event loop.
    """

    on_demand = False
    reads: Throughput
    writes: Throughput

    def __init__(
        self, partitions: int, clock: Callable[[], float], warm: tuple[float, float]
    ) -> None:
        self.warm = warm
        """The ``WarmThroughput``: reads and writes a second that its partitions must carry."""
        self._starts = [-(-number * _HASHES // partitions) for number in range(partitions)]
        self._clock = clock

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self._starts)

    @property
    def warm_throughput(self) -> tuple[float, float]:
        """The reads and writes a second that it is prepared for: at least its ``warm`` ones."""
        return max(self.reads.rate, self.warm[0]), max(self.writes.rate, self.warm[1])

    def throughput(self, kind: Kind) -> Throughput:
        """The buckets that a call of that kind must pass."""
        return self.reads if kind == "read" else self.writes

    def read(self, partition_key: str | None, units: float) -> ThrottlingReason | None:
        """``take`` a read."""
        return self.take("read", partition_key, units)

    def write(self, partition_key: str | None, units: float) -> ThrottlingReason | None:
        """``take`` a write."""
        return self.take("write", partition_key, units)

    def take(self, kind: Kind, partition_key: str | None, units: float) -> ThrottlingReason | None:
        """Admit a call and charge its ``units``: None; or charge nothing and say why not.

        ``partition_key`` None is a scan of all partitions. ``units`` 0 only asks.
        """
        throughput = self.throughput(kind)
        partition = None if partition_key is None else self.partition_of(partition_key)
        now = self._clock()
        reason = throughput.refusal(partition, now)
        if reason is None and units:
            throughput.charge(partition, units, now)
        return reason

    def charge(self, kind: Kind, partition_key: str | None, units: float) -> None:
        """Charge a call that was admitted before its cost was known; less than 0 gives back."""
        partition = None if partition_key is None else self.partition_of(partition_key)
        self.throughput(kind).charge(partition, units, self._clock())

    def partition_of(self, partition_key: str) -> int:
        """The partition that holds a key: each has a range of a hash, at first of equal size (the
        hash, CRC-32, is a model choice).
        """
        number = zlib.crc32(partition_key.encode(errors="surrogatepass"))
        return bisect_right(self._starts, number) - 1

    def split(self, partition: int) -> None:
        """Make two of a partition, as happens to one that holds more than 10 GB: each takes half
        its keys and has half its throughput, and the others keep theirs (Developer Guide of 2018).
        """
        now = self._clock()
        end = [*self._starts, _HASHES][partition + 1]
        self._starts.insert(partition + 1, (self._starts[partition] + end) // 2)
        self.reads.split(partition, now)
        self.writes.split(partition, now)

    def pre_warm(self, reads: float, writes: float) -> None:
        """``UpdateTable``: another ``WarmThroughput``. It never falls (Developer Guide, "Warm
        throughput"), and partitions are doubled until they carry it.
        """
        self.warm = max(self.warm[0], reads), max(self.warm[1], writes)
        self._grow()

    def _grow(self) -> None:
        """Double the partitions until they carry what is asked of them."""
        raise NotImplementedError

    def _double(self) -> None:
        for partition in reversed(range(self.partitions)):
            self.split(partition)


class TableCapacity(PartitionedCapacity):
    """What one table, or one global secondary index, admits: reads and writes apart.

    ``read_capacity`` and ``write_capacity`` are the provisioned units a second. Unused capacity is
    kept for ``burst_seconds``; a new table holds one second's worth and ``initial_burst_seconds``
    more (model choice). ``partitions`` overrides DynamoDB's own number. ``clock`` gives seconds. It
    has partitions for its ``warm`` reads and writes too, which it does not serve unless they are
    provisioned (Developer Guide, "Warm throughput").

    Raises ValueError for a capacity that is not positive or a number that is not sensible.
    """

    def __init__(
        self,
        read_capacity: float,
        write_capacity: float,
        burst_seconds: float = 300,
        initial_burst_seconds: float = 0,
        partitions: int | None = None,
        adaptive: bool = True,
        clock: Callable[[], float] = time.monotonic,
        index: bool = False,
        warm: tuple[float, float] = (0, 0),
    ) -> None:
        _check_positive(read_capacity=read_capacity, write_capacity=write_capacity)
        if not (burst_seconds >= 0 and initial_burst_seconds >= 0):  # NaN compares with nothing
            raise ValueError("burst_seconds and initial_burst_seconds cannot be negative")
        if partitions is not None and partitions < 1:
            raise ValueError(f"a table has at least 1 partition, not {partitions}")
        needed = initial_partitions(max(read_capacity, warm[0]), max(write_capacity, warm[1]))
        super().__init__(partitions or needed, clock, warm)
        now = clock()
        shape = (index, self.partitions, burst_seconds, initial_burst_seconds, adaptive, now)
        self.reads = Throughput("read", read_capacity, *shape)
        self.writes = Throughput("write", write_capacity, *shape)

    def update(self, read_capacity: float, write_capacity: float) -> None:
        """``UpdateTable``: new rates from now on. No bucket is refilled, and when the partitions
        cannot carry the new throughput their number doubles (Developer Guide of 2018); they never
        merge. Raises ValueError, and changes nothing, for a capacity that is not positive.
        """
        _check_positive(read_capacity=read_capacity, write_capacity=write_capacity)
        now = self._clock()
        self.reads.resize(read_capacity, now)
        self.writes.resize(write_capacity, now)
        self._grow()

    def _grow(self) -> None:
        while self.partitions < initial_partitions(*self.warm_throughput):
            self._double()


def _check_positive(**capacities: float) -> None:
    for name, value in capacities.items():
        if not 0 < value <= MAX_CAPACITY:
            limits = f"more than 0 units a second, and at most {MAX_CAPACITY:,}"
            raise ValueError(f"{name} must be {limits}, not {value!r}")
