"""Defend the timeline: a load on a table that is too small for it, and the score of cache policies.

Ten minutes of reads; half of the way through, other tweets become popular. All of it is seeded, and
played in virtual time (``virtual_time``), so that whoever plays again, or on another machine, is
compared with the same.
"""

import functools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pandas as pd

from tweetlab import workload
from tweetlab.simulate import prices
from tweetlab.simulate.policy import KeepAll, Policy, TweetHistory
from tweetlab.simulate.virtual_time import replay

READ_CAPACITY = 5
"""RCU: 10 eventually consistent reads a second."""
TWEETS = 3000
RATE, EDIT_RATE = 20, 1
"""A second, on average. Popular tweets are edited more, too."""
HEARD = 0.8
"""The share of the edits that the cache hears of: the program that has the cache makes them."""
SHIFT, SECONDS = 300, 600

TIMELINES = 1000
"""The bill is for so many timelines like this one, each with a table of its own, which share a
cache: for one alone, the smallest cache that can be bought is too large."""
TARGETS = {"throttled": 0.015, "p99_ms": 50.0, "stale_s": 12.0, "dollars": 675.0}
"""What is good enough, for each column of the scoreboard; 25 points for each that is met."""


@dataclass(frozen=True)
class Load:
    """The reads, as of ``workload.zipf``, and the edits, as ``simulate.replay`` takes them."""

    requests: pd.DataFrame
    edits: pd.DataFrame


class Lru(Policy):
    """Cache-aside with a limit: a tweet is kept for an hour, or until it is edited, or until it is
    the least recently used one of ``size``."""

    def __init__(self, size: int = 400) -> None:
        self.size = size

    def ttl(self, tweet: TweetHistory, now: float) -> float:
        """An hour."""
        return 3600


class Expiry(KeepAll):
    """Everything for ``seconds``, whether it is edited or not."""

    drop_on_edit = False


REFERENCES: dict[str, Policy | None] = {
    "no cache": None,
    "TTL of an hour": Expiry(3600),
    "TTL of 10 s": Expiry(10),
    "LRU of 400": Lru(),
}
"""Four policies to beat. None is a table without a cache."""


@functools.cache
def scenario(seed: int = 0) -> Load:
    """The load: ``TWEETS`` tweets by Zipf's law, in another order after ``SHIFT`` seconds."""
    rng = random.Random(seed)
    ids = [UUID(int=rng.getrandbits(128), version=4) for _ in range(TWEETS)]
    orders = ids, rng.sample(ids, TWEETS)

    def halves(rate: float, seed: int) -> pd.DataFrame:
        first, second = (
            workload.zipf(order, rate, SHIFT, seed=seed + half) for half, order in enumerate(orders)
        )
        return pd.concat([first, second.assign(at=second["at"] + SHIFT)], ignore_index=True)

    requests, edits = halves(RATE, 10 * seed), halves(EDIT_RATE, 10 * seed + 2)
    heard = np.random.default_rng(10 * seed + 4).random(len(edits)) < HEARD
    return Load(requests, edits.assign(heard=heard))


def play(
    policies: Mapping[str, Policy | None], load: Load | None = None
) -> dict[str, pd.DataFrame]:
    """Play a load, ``scenario()`` unless given, through each policy: what ``simulate.replay``
    gives, by name.

    The table has ``READ_CAPACITY``, and saves nothing up: DynamoDB does not promise its burst.
    Raises InvalidPolicy.
    """
    load = load or scenario()
    return {
        name: replay(load.requests, READ_CAPACITY, policy=policy, edits=load.edits, burst_seconds=0)
        for name, policy in policies.items()
    }


def scoreboard(runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The score of each run, best first: a row for each, by name.

    - ``throttled``: the share of the reads that the table throttled at least once
    - ``p99_ms``: latency in milliseconds, of the answered reads; infinite if none was
    - ``stale_s``: 99% of the answers were out of date for at most so many seconds
    - ``dollars``: a month, see ``prices.dollars``
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
        prices.dollars(reads, READ_CAPACITY, SECONDS, TIMELINES),
    ]
