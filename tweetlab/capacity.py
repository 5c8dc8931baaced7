"""DynamoDB's capacity units and its admission control, as rules without effects.

Nothing here sleeps, reads the time by itself or talks to a server: the clock is passed in, so the
endpoint, the tests and a simulator all use the same class. Rules come from the DynamoDB Developer
Guide; where AWS publishes none, the docstring says "model choice".
"""

from __future__ import annotations

import base64
import math
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

KILOBYTE = 1024
MAX_ITEM_SIZE = 400 * KILOBYTE
PARTITION_READ_UNITS = 3000
PARTITION_WRITE_UNITS = 1000


class ThrottlingReason(StrEnum):
    """Why a request was refused, in the words of DynamoDB's ``ThrottlingReasons``."""

    TABLE_READ = "TableReadProvisionedThroughputExceeded"
    TABLE_WRITE = "TableWriteProvisionedThroughputExceeded"
    TABLE_READ_KEY_RANGE = "TableReadKeyRangeThroughputExceeded"
    TABLE_WRITE_KEY_RANGE = "TableWriteKeyRangeThroughputExceeded"
    INDEX_READ = "IndexReadProvisionedThroughputExceeded"
    INDEX_WRITE = "IndexWriteProvisionedThroughputExceeded"
    INDEX_READ_KEY_RANGE = "IndexReadKeyRangeThroughputExceeded"
    INDEX_WRITE_KEY_RANGE = "IndexWriteKeyRangeThroughputExceeded"


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item in DynamoDB's JSON, such as ``{"tweet_id": {"S": "..."}}``.

    Names and strings count as UTF-8, binaries as raw bytes, a number as a byte and one more for
    every two significant digits, a list or map as 3 bytes and 1 for each element (Developer Guide,
    "Item sizes and formats"). The 100 bytes of overhead that storage is billed for do not count.
    Raises ValueError for a value that is not DynamoDB's.
    """
    return sum(_text_size(name) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one attribute value, such as ``{"N": "42"}``; raises ValueError if it is not one."""
    try:
        ((kind, content),) = value.items()
        return _SIZES[kind](content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a DynamoDB attribute value: {value!r:.100}") from error


def _text_size(text: str) -> int:
    return len(text.encode())


def _number_size(number: str) -> int:
    try:
        digits = Decimal(number).normalize().as_tuple().digits
    except InvalidOperation as error:
        raise ValueError(f"not a number: {number!r:.50}") from error
    return 1 + math.ceil(len(digits) / 2) if any(digits) else 1


def _binary_size(content: str | bytes) -> int:
    return len(base64.b64decode(content, validate=True) if isinstance(content, str) else content)


def _elements_size(values: Iterable[Mapping[str, Any]]) -> int:
    return sum(1 + value_size(value) for value in values)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _binary_size,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda texts: sum(map(_text_size, texts)),
    "NS": lambda numbers: sum(map(_number_size, numbers)),
    "BS": lambda binaries: sum(map(_binary_size, binaries)),
    "L": lambda values: 3 + _elements_size(values),
    "M": lambda item: 3 + sum(map(_text_size, item)) + _elements_size(item.values()),
}


def read_units(size: int, consistent: bool = False, transactional: bool = False) -> float:
    """Read units for ``size`` bytes: one for each 4 KB begun, half of that eventually consistent,
    twice in a transaction. A missing item (size 0) costs as much as the smallest one.
    """
    blocks = max(1, math.ceil(size / (4 * KILOBYTE)))
    if transactional:
        return 2.0 * blocks
    return blocks if consistent else blocks / 2


def write_units(size: int, transactional: bool = False) -> float:
    """Write units for ``size`` bytes: one for each KB begun, at least one; twice in a transaction.

    An update or a replacement costs the larger of the item before and after.
    """
    blocks = max(1, math.ceil(size / KILOBYTE))
    return 2.0 * blocks if transactional else float(blocks)


def initial_partitions(read_capacity: float, write_capacity: float) -> int:
    """Partitions of a new table: ``ceil(RCU / 3000 + WCU / 1000)`` (Developer Guide of 2018)."""
    needed = read_capacity / PARTITION_READ_UNITS + write_capacity / PARTITION_WRITE_UNITS
    return max(1, math.ceil(needed))


class Bucket:
    """A token bucket: fills at ``rate`` units a second up to ``size``, and may be overdrawn.

    ``level`` is what it held at the time ``since``; the refill is worked out when asked and never
    added up in small steps, so no rounding error gathers and an idle bucket costs nothing.
    """

    __slots__ = ("level", "rate", "since", "size")

    def __init__(self, rate: float, size: float, level: float, now: float) -> None:
        self.rate, self.size, self.level, self.since = rate, size, level, now

    def units(self, now: float) -> float:
        """Units it holds at the time ``now``; negative while a large call is being earned back."""
        level = self.level + (now - self.since) * self.rate
        if level > self.size:
            level = self.level = self.size
            self.since = now
        return level

    def resize(self, rate: float, size: float, now: float) -> None:
        """Go on at another rate with what it holds now: a change of capacity refills nothing."""
        self.level = min(self.units(now), size)
        self.rate, self.size, self.since = rate, size, now

    def split(self, share: float, now: float) -> Bucket:
        """Keep ``share`` of this bucket and give a twin of what is kept."""
        self.resize(self.rate * share, self.size * share, now)
        self.level *= share
        return Bucket(self.rate, self.size, self.level, now)


class Throughput:
    """The reads, or the writes, of one table or index: the buckets each request must pass.

    With ``adaptive`` there is one bucket for the table, which a partition may use all of (DynamoDB
    since 2019). Without, each partition has an equal share of it for itself, with a burst of its
    own (DynamoDB in 2015). Either way a partition has a maximum that a burst does not lift.
    """

    def __init__(
        self,
        rate: float,
        partition_rate: float,
        partitions: int,
        reasons: tuple[ThrottlingReason, ThrottlingReason],
        burst_seconds: float,
        initial_burst_seconds: float,
        adaptive: bool,
        now: float,
    ) -> None:
        self.rate = rate
        self.reason, self.key_range_reason = reasons
        self._seconds = max(1.0, burst_seconds)
        shares = 1 if adaptive else partitions
        share = rate / shares
        size = share * self._seconds
        level = min(share * (1 + initial_burst_seconds), size)
        self._shares = [Bucket(share, size, level, now) for _ in range(shares)]
        self._maxima = [
            Bucket(partition_rate, partition_rate, partition_rate, now) for _ in range(partitions)
        ]
        self._adaptive = adaptive

    def refusal(self, partition: int | None, now: float) -> ThrottlingReason | None:
        """Why a request for ``partition`` (None: for all of them) is refused now, or None.

        It is admitted while every bucket concerned is above zero, whatever it will cost: a large
        item on a small table waits for its turn and is not refused for ever (model choice).
        """
        if partition is None:
            shares, maxima = self._shares, self._maxima
        else:
            shares = self._shares if self._adaptive else self._shares[partition : partition + 1]
            maxima = self._maxima[partition : partition + 1]
        for bucket in shares:
            if bucket.units(now) <= 0:
                return self.reason if self._adaptive else self.key_range_reason
        for bucket in maxima:
            if bucket.units(now) <= 0:
                return self.key_range_reason
        return None

    def charge(self, partition: int | None, units: float) -> None:
        """Take what a call consumed; a bucket may go below zero and must earn its way back.

        A scan (partition None) is spread evenly over the partitions (model choice).
        """
        if partition is None:
            for number in range(len(self._maxima)):
                self.charge(number, units / len(self._maxima))
            return
        self._shares[0 if self._adaptive else partition].level -= units
        self._maxima[partition].level -= units

    def units(self, now: float) -> float:
        """Units that all the table's partitions together hold at the time ``now``."""
        return sum(bucket.units(now) for bucket in self._shares)

    def resize(self, rate: float, now: float) -> None:
        """Provision ``rate`` units a second from now on, with what the buckets hold now."""
        self.rate = rate
        share = rate / len(self._shares)
        for bucket in self._shares:
            bucket.resize(share, share * self._seconds, now)

    def double(self, now: float) -> None:
        """Split each partition in two; neighbours in the list are the halves of one."""
        self._maxima = [half for bucket in self._maxima for half in (bucket, bucket.split(1, now))]
        if not self._adaptive:
            self._shares = [
                half for bucket in self._shares for half in (bucket, bucket.split(0.5, now))
            ]


class TableCapacity:
    """What one table, or one global secondary index, admits: reads and writes apart.

    ``read_capacity`` and ``write_capacity`` are the provisioned units a second. Unused capacity is
    kept for ``burst_seconds``; a new table holds one second's worth and ``initial_burst_seconds``
    more (model choice). ``partitions`` overrides DynamoDB's own number. ``clock`` gives seconds.
    Not thread-safe: the endpoint calls it from one event loop.

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
    ) -> None:
        _check_positive(read_capacity=read_capacity, write_capacity=write_capacity)
        if burst_seconds < 0 or initial_burst_seconds < 0:
            raise ValueError("burst_seconds and initial_burst_seconds cannot be negative")
        if partitions is not None and partitions < 1:
            raise ValueError(f"a table has at least 1 partition, not {partitions}")
        self._clock = clock
        self.partitions = partitions or initial_partitions(read_capacity, write_capacity)
        name = "INDEX" if index else "TABLE"

        def throughput(kind: str, rate: float, partition_rate: float) -> Throughput:
            reason = ThrottlingReason[f"{name}_{kind}"]
            key_range = ThrottlingReason[f"{name}_{kind}_KEY_RANGE"]
            return Throughput(
                rate,
                partition_rate,
                self.partitions,
                (reason, key_range),
                burst_seconds,
                initial_burst_seconds,
                adaptive,
                clock(),
            )

        self.reads = throughput("READ", read_capacity, PARTITION_READ_UNITS)
        self.writes = throughput("WRITE", write_capacity, PARTITION_WRITE_UNITS)

    def read(self, partition_key: str | None, units: float) -> ThrottlingReason | None:
        """Admit a read and charge its ``units``: None; or charge nothing and say why not.

        ``partition_key`` None is a scan of all partitions. ``units`` 0 only asks.
        """
        return self._take(self.reads, partition_key, units)

    def write(self, partition_key: str | None, units: float) -> ThrottlingReason | None:
        """The same for a write."""
        return self._take(self.writes, partition_key, units)

    def _take(
        self, throughput: Throughput, partition_key: str | None, units: float
    ) -> ThrottlingReason | None:
        partition = None if partition_key is None else self.partition_of(partition_key)
        reason = throughput.refusal(partition, self._clock())
        if reason is None:
            throughput.charge(partition, units)
        return reason

    def partition_of(self, partition_key: str) -> int:
        """The partition that holds a key: each has an equal range of a hash, so that doubling the
        partitions splits every one in two (the hash, CRC-32, is a model choice).
        """
        if self.partitions == 1:
            return 0
        return zlib.crc32(partition_key.encode()) * self.partitions >> 32

    def update(self, read_capacity: float, write_capacity: float) -> None:
        """``UpdateTable``: new rates from now on. No bucket is refilled, and when the partitions
        cannot carry the new throughput their number doubles (Developer Guide of 2018); they never
        merge. Raises ValueError, and changes nothing, for a capacity that is not positive.
        """
        _check_positive(read_capacity=read_capacity, write_capacity=write_capacity)
        now = self._clock()
        self.reads.resize(read_capacity, now)
        self.writes.resize(write_capacity, now)
        while self.partitions < initial_partitions(read_capacity, write_capacity):
            self.partitions *= 2
            self.reads.double(now)
            self.writes.double(now)


def _check_positive(**capacities: float) -> None:
    for name, value in capacities.items():
        if not value > 0:
            raise ValueError(f"{name} must be more than 0 units a second, not {value!r}")
