"""Defend the timeline: a load on a table that is too small for it, and the score of cache policies.

Ten minutes of reads; half of the way through, other tweets become popular. All of it is seeded, and
played in virtual time (``simulate``), so that who plays again or on another machine is compared
with the same.
"""

from __future__ import annotations

import functools
import random as randomness
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pandas as pd

from tweetlab import workload
from tweetlab.simulate.policy import KeepAll, Known, Policy
from tweetlab.simulate.virtual_time import replay

READ_CAPACITY = 5
"""RCU: 10 eventually consistent reads a second."""
TWEETS = 3000
RATE, EDIT_RATE = 20, 1
"""A second, on average. Popular tweets are edited more, too."""
TOLD = 0.8
"""The share of the edits that go through the program that has the cache, and knows of them."""
SHIFT, SECONDS = 300, 600

TIMELINES = 1000
"""The bill is for so many timelines like this one, each with a table of its own, which share a
cache: for one alone, the smallest cache that can be bought is too large."""
ITEM_BYTES = 1024
"""What a cached tweet takes (model choice); a call of the cache that carries it is one ECPU."""
HOURS = 730
"""In a month."""
RCU_HOUR = 0.00013
"""Dollars for provisioned reads of DynamoDB in us-east-1, as others report them."""
GB_HOUR, LEAST_GB, MILLION_ECPU = 0.084, 0.1, 0.0023
"""Dollars for the memory, of which there is a least, and the requests of ElastiCache Serverless for
Valkey in us-east-1 (usage.ai, June 2026; AWS' own page was not read)."""

TARGETS = {"throttled": 0.015, "p99_ms": 50.0, "stale_s": 12.0, "dollars": 675.0}
"""What is good enough, for each column of the scoreboard; 25 points for each that is met."""


@dataclass(frozen=True)
class Scenario:
    """``requests`` as of ``workload.zipf``; ``edits`` as ``simulate.replay`` takes them."""

    requests: pd.DataFrame
    edits: pd.DataFrame


class Lru(Policy):
    """Cache-aside with a limit: a tweet is kept for an hour, or until it is edited, or until it is
    the least recently used one of ``size``."""

    def __init__(self, size: int = 400) -> None:
        self.size = size

    def ttl(self, tweet: Known, now: float) -> float:
        """An hour."""
        return 3600


class Expiry(KeepAll):
    """Everything for ``seconds``; nobody tells the cache of an edit."""

    drop_on_edit = False


REFERENCES: dict[str, Policy | None] = {
    "no cache": None,
    "TTL of an hour": Expiry(3600),
    "TTL of 10 s": Expiry(10),
    "LRU of 400": Lru(),
}
"""Four policies to beat. None is a table without a cache."""


@functools.cache
def scenario(seed: int = 0) -> Scenario:
    """The load: ``TWEETS`` tweets by Zipf's law, in another order after ``SHIFT`` seconds."""
    random = randomness.Random(seed)
    ids = [UUID(int=random.getrandbits(128), version=4) for _ in range(TWEETS)]
    orders = ids, random.sample(ids, TWEETS)

    def halves(rate: float, seed: int) -> pd.DataFrame:
        first, second = (
            workload.zipf(order, rate, SHIFT, seed=seed + half) for half, order in enumerate(orders)
        )
        return pd.concat([first, second.assign(at=second["at"] + SHIFT)], ignore_index=True)

    requests, edits = halves(RATE, 10 * seed), halves(EDIT_RATE, 10 * seed + 2)
    told = np.random.default_rng(10 * seed + 4).random(len(edits)) < TOLD
    return Scenario(requests, edits.assign(told=told))


def play(
    policies: Mapping[str, Policy | None], load: Scenario | None = None
) -> dict[str, pd.DataFrame]:
    """Play a load, ``scenario()`` unless given, through each policy: what ``simulate.replay``
    gives, by name.

    The table has ``READ_CAPACITY``, and saves nothing up: DynamoDB does not promise its burst.
    Raises InvalidPolicy.
    """
    load = load or scenario()
    return {
        name: replay(
            load.requests,
            READ_CAPACITY,
            policy=policy,
            edits=load.edits,
            burst_seconds=0,
        )
        for name, policy in policies.items()
    }


def scoreboard(runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The score of each run, best first: a row for each, by name.

    - ``throttled``: the share of the reads that the table throttled at least once
    - ``p99_ms``: latency in milliseconds, of the answered reads; infinite if none was
    - ``stale_s``: 99% of the answers were out of date for at most so many seconds
    - ``dollars``: a month, see ``dollars``
    - ``points``: 25 for each of the ``TARGETS`` that is met; for one that is missed, the fewer the
      further: 25 x target / value
    """
    rows = {name: _score(reads) for name, reads in runs.items()}
    board = pd.DataFrame.from_dict(rows, orient="index", columns=list(TARGETS))
    board["points"] = 0.0
    for name, target in TARGETS.items():
        board["points"] += 25 * (target / board[name].clip(lower=target))
    return board.sort_values(["points", "dollars"], ascending=[False, True])


def _score(reads: pd.DataFrame) -> list[float]:
    summary = workload.summary(reads)
    p99 = summary["p99_ms"]
    return [
        summary["throttled"] / max(1, len(reads)),
        float("inf") if p99 is None else p99,
        float(reads["stale"].quantile(0.99)) if reads["stale"].notna().any() else 0.0,
        dollars(reads),
    ]


def dollars(reads: pd.DataFrame) -> float:
    """What ``TIMELINES`` such timelines cost in a month: their tables' read capacity and, if they
    use a cache, its calls and the memory for the most tweets that were in it at the same time.
    """
    tables = TIMELINES * READ_CAPACITY * HOURS * RCU_HOUR
    calls = TIMELINES * float(reads["cache_calls"].sum()) / SECONDS * 3600 * HOURS
    if not calls:
        return tables
    gigabytes = TIMELINES * float(reads["kept"].max()) * ITEM_BYTES / 1e9
    memory = max(gigabytes, LEAST_GB) * HOURS * GB_HOUR
    return tables + memory + calls / 1e6 * MILLION_ECPU
