"""DynamoDB's capacity units and its admission control, as rules without effects.

Nothing here sleeps, reads the time by itself or talks to a server: the clock is passed in, so the
endpoint, the tests and a simulator all use the same classes. Rules come from the DynamoDB Developer
Guide; where AWS publishes none, the docstring says "model choice".

    units      what an item's bytes cost
    buckets    token buckets, and those of one table's reads or writes
    table      a table with provisioned throughput
    on_demand  a table without
    meters     what a table consumed and refused, second by second
"""

from tweetlab.capacity.buckets import Kind, ThrottlingReason
from tweetlab.capacity.on_demand import OnDemandCapacity
from tweetlab.capacity.table import PartitionedCapacity, TableCapacity, initial_partitions
from tweetlab.capacity.units import (
    BATCH_KEYS,
    BATCH_WRITES,
    item_size,
    read_units,
    stored_size,
    value_size,
    write_units,
)

__all__ = [
    "BATCH_KEYS",
    "BATCH_WRITES",
    "Kind",
    "OnDemandCapacity",
    "PartitionedCapacity",
    "TableCapacity",
    "ThrottlingReason",
    "initial_partitions",
    "item_size",
    "read_units",
    "stored_size",
    "value_size",
    "write_units",
]
