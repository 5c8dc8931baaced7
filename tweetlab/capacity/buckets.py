"""Token buckets, and the set of them that one table's reads or writes must pass."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Kind = Literal["read", "write"]
"""What a call takes of a table's throughput: reads and writes are admitted apart, and alike."""
PARTITION_UNITS: dict[Kind, int] = {"read": 3000, "write": 1000}
"""Units a second of one partition at most (Developer Guide)."""


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
    TABLE_READ_MAX_ON_DEMAND = "TableReadMaxOnDemandThroughputExceeded"
    TABLE_WRITE_MAX_ON_DEMAND = "TableWriteMaxOnDemandThroughputExceeded"
    INDEX_READ_MAX_ON_DEMAND = "IndexReadMaxOnDemandThroughputExceeded"
    INDEX_WRITE_MAX_ON_DEMAND = "IndexWriteMaxOnDemandThroughputExceeded"

    @classmethod
    def of(cls, kind: Kind, index: bool, limit: str = "") -> ThrottlingReason:
        """The reason of a table, or of an ``index``, for that kind of call: its throughput, or what
        ``limit`` names: KEY_RANGE, MAX_ON_DEMAND.
        """
        words = ("INDEX" if index else "TABLE", kind.upper(), limit)
        return cls["_".join(filter(None, words))]


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

    def take(self, units: float, now: float) -> None:
        """Take what a call consumed, which may be more than it holds. The call may have been
        admitted a while ago: what a full bucket would have gained since does not pay for it.
        """
        if self.level + (now - self.since) * self.rate > self.size:
            self.level, self.since = self.size, now
        self.level -= units

    def resize(self, rate: float, size: float, now: float) -> None:
        """Go on at another rate with what it holds now: a change of capacity refills nothing."""
        self.level = min(self.units(now), size)
        self.rate, self.size, self.since = rate, size, now

    def split(self, share: float, now: float) -> Bucket:
        """Keep ``share`` of this bucket and give a twin of what is kept."""
        self.level = self.units(now) * share
        self.rate, self.size, self.since = self.rate * share, self.size * share, now
        return Bucket(self.rate, self.size, self.level, now)


class Throughput:
    """The reads, or the writes, of one table or index: the buckets each request must pass.

    With ``adaptive`` there is one bucket for the table, which a partition may use all of (DynamoDB
    since 2019). Without, each partition has an equal share of it for itself, with a burst of its
    own (DynamoDB in 2015). Either way a partition has a maximum that a burst does not lift.
    """

    def __init__(
        self,
        kind: Kind,
        rate: float,
        index: bool,
        partitions: int,
        burst_seconds: float,
        initial_burst_seconds: float,
        adaptive: bool,
        now: float,
    ) -> None:
        self.rate = rate
        self.reason = ThrottlingReason.of(kind, index)
        self.key_range_reason = ThrottlingReason.of(kind, index, "KEY_RANGE")
        self._seconds = max(1.0, burst_seconds)
        self._divisors = [1] if adaptive else [partitions] * partitions
        self._shares = []
        for divisor in self._divisors:
            share = rate / divisor
            size = share * self._seconds
            level = min(share * (1 + initial_burst_seconds), size)
            self._shares.append(Bucket(share, size, level, now))
        most = PARTITION_UNITS[kind]
        self._maxima = [Bucket(most, most, most, now) for _ in range(partitions)]
        self._adaptive = adaptive

    def refusal(self, partition: int | None, now: float) -> ThrottlingReason | None:
        """Why a request for ``partition`` (None: for all of them) is refused now, or None.

        It is admitted while every bucket concerned is above zero, whatever it will cost: a large
        item on a small table waits for its turn and is not refused for ever (model choice).
        """
        if partition is None:
            refusals = (self.refusal(number, now) for number in range(len(self._maxima)))
            return next(filter(None, refusals), None)
        if self._shares[0 if self._adaptive else partition].units(now) <= 0:
            # One partition's share may be used up while others have some left.
            left = not self._adaptive and any(share.units(now) > 0 for share in self._shares)
            return self.key_range_reason if left else self.reason
        if self._maxima[partition].units(now) <= 0:
            return self.key_range_reason
        return None

    def charge(self, partition: int | None, units: float, now: float) -> None:
        """Take what an admitted call consumed; a bucket may go below zero and must earn its way
        back. A scan (partition None) is spread evenly over the partitions (model choice).
        """
        if partition is None:
            for buckets in (self._shares, self._maxima):
                for bucket in buckets:
                    bucket.take(units / len(buckets), now)
            return
        self._shares[0 if self._adaptive else partition].take(units, now)
        self._maxima[partition].take(units, now)

    def units(self, now: float) -> float:
        """Units that all the table's partitions together hold at the time ``now``."""
        return sum(bucket.units(now) for bucket in self._shares)

    def resize(self, rate: float, now: float) -> None:
        """Provision ``rate`` units a second from now on, with what the buckets hold now."""
        self.rate = rate
        for bucket, divisor in zip(self._shares, self._divisors, strict=True):
            share = rate / divisor
            bucket.resize(share, share * self._seconds, now)

    def split(self, partition: int, now: float) -> None:
        """Make two of a partition, which then are neighbours: each has half its share."""
        self._maxima.insert(partition, self._maxima[partition].split(1, now))
        if not self._adaptive:
            self._shares.insert(partition, self._shares[partition].split(0.5, now))
            self._divisors[partition] *= 2
            self._divisors.insert(partition, self._divisors[partition])
