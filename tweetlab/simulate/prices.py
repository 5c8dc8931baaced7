"""What reads cost in AWS us-east-1: DynamoDB's provisioned capacity, and a serverless cache.

Second-hand, and not to be trusted to the cent: AWS' own price pages were not read. DynamoDB:
"DynamoDB pricing explained" (LinkedIn, read in November 2026), the same as ten years before.
ElastiCache Serverless for Valkey: usage.ai, June 2026. Look prices up before you decide by them.
"""

import pandas as pd

HOURS = 730
"""In a month."""
RCU_HOUR = 0.00013
"""Dollars for one provisioned read capacity unit for an hour."""
GB_HOUR, LEAST_GB = 0.084, 0.1
"""Dollars for the memory of the cache, and how much of it is billed at least."""
MILLION_ECPU = 0.0023
"""Dollars for a million of ElastiCache's processing units; a call that carries 1 KB is one."""
ITEM_BYTES = 1024
"""What a cached tweet takes (model choice)."""


def table_dollars(read_capacity: float) -> float:
    """What that many provisioned read capacity units cost in a month."""
    return read_capacity * RCU_HOUR * HOURS


def dollars(reads: pd.DataFrame, read_capacity: float, seconds: float, timelines: int = 1) -> float:
    """What a load costs in a month, if it goes on as in ``reads``, of ``simulate.replay``, which
    took ``seconds``.

    It is the load of each of so many ``timelines``, which have a table of ``read_capacity`` each
    and share a cache. The cache, if it is used, costs by its calls and by the memory for the most
    tweets that were in it at the same time.
    """
    tables = timelines * table_dollars(read_capacity)
    calls = timelines * float(reads["cache_calls"].sum()) / seconds * 3600 * HOURS
    if not calls:
        return tables
    gigabytes = timelines * float(reads["kept"].max()) * ITEM_BYTES / 1e9
    memory = max(gigabytes, LEAST_GB) * GB_HOUR * HOURS
    return tables + memory + calls / 1e6 * MILLION_ECPU
