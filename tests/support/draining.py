"""What several tests of capacity ask of a table."""

from __future__ import annotations

from tweetlab.capacity import PartitionedCapacity, TableCapacity


def drain(table: TableCapacity, units: float = 1, key: str = "key", limit: int = 10**6) -> float:
    """Read until refused: the units served at once."""
    served = 0.0
    while table.read(key, units) is None:
        served += units
        assert served < limit, "it is never refused"
    return served


def keys_of_each_partition(table: PartitionedCapacity) -> list[str]:
    """One key for each partition, in their order."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < table.partitions:
        found.setdefault(table.partition_of(str(number)), str(number))
        number += 1
    return [found[partition] for partition in range(table.partitions)]
