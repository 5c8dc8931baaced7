"""``workload.replay`` in *virtual time*: an hour of reads in seconds, and the same each time.

Nothing waits, and no server is asked. What is real: which requests the table admits is decided by
``tweetlab.capacity``, the same rules that the endpoint enforces, and what a client does when it is
refused are botocore's. What is assumed: each call takes a constant time, and no program is busy.
"""

import heapq
import random
from bisect import bisect_right
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, fields
from itertools import count
from operator import attrgetter
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd

from tweetlab import workload
from tweetlab.capacity import TableCapacity, read_units
from tweetlab.simulate.policy import KeepAll, Policy, PolicyState
from tweetlab.tweets import ATTEMPTS

TABLE_SECONDS = 0.004
"""A call of the table, admitted or refused: what half of boto3's take to the lab's endpoint."""
CACHE_SECONDS = 0.0005
"""A call of Redis, with what redis-py adds."""
READ_UNITS = read_units(1)
"""What a read costs: it is eventually consistent, of a tweet of up to 4 KB."""
RETRY_TOKENS, RETRY_COST = 500, 5
"""botocore's retry quota: what a client begins with, and what a retry after a throttle takes."""

Steps = Generator[Any, None, None]
"""Something that goes on in virtual time: yields seconds to pass, or a Flight to wait for."""


@dataclass(slots=True)
class _Row:
    """What became of a read."""

    at: float
    tweet_id: UUID
    source: str = "failed"
    seconds: float = 0.0
    retries: int = 0
    throttled: bool = False
    read_units: float = 0.0
    as_of: float = np.nan
    kept: int = 0
    cache_calls: int = 0


@dataclass
class _Flight:
    """A table read under way, and the readers who wait for it; ``row`` is that of who reads."""

    row: _Row
    waiting: list[Steps] = field(default_factory=list)


def replay(
    requests: pd.DataFrame,
    read_capacity: float,
    ttl: float | None = None,
    *,
    policy: Policy | None = None,
    edits: pd.DataFrame | None = None,
    attempts: int = ATTEMPTS,
    workers: int = 32,
    table_seconds: float = TABLE_SECONDS,
    cache_seconds: float = CACHE_SECONDS,
    seed: int = 0,
    **limits: Any,
) -> pd.DataFrame:
    """Read the tweets of ``requests`` as ``workload.replay`` does, in virtual time.

    The table has ``read_capacity`` (RCU); each read costs half a unit. In front is a cache that
    keeps every tweet for ``ttl`` seconds, or one that follows a ``policy``; with neither, none.
    ``edits`` has the columns ``at``, ``tweet_id``, and ``heard``: whether the cache hears of it.
    The same arguments give the same result: ``seed`` is for the random waits between attempts.

    Rules: the table admits as ``capacity.TableCapacity`` does, which gets ``limits``. A refused
    call is tried again after botocore 1.44's wait, a random part of 1 s, then of 2 s, as long as
    there are attempts and the client's retry quota has tokens. An open loop of ``workers`` readers.

    Model choices: a call takes ``table_seconds`` or ``cache_seconds``, always; putting a tweet into
    the cache takes no time; the table answers with the latest edit; edits are never throttled; the
    cache does not fail.

    Returns the columns of ``workload.replay``, and of each read

    - ``stale``: seconds for which its answer had been out of date; NaN if it failed
    - ``kept``: tweets in the cache when it was done
    - ``cache_calls``: calls of Redis it made: to look, and to put a tweet there

    Raises InvalidPolicy, and ValueError for numbers that make no sense.
    """
    if ttl is not None and policy is not None:
        raise ValueError("Give a ttl or a policy, not both: a policy has a ttl of its own.")
    if attempts < 1 or workers < 1:
        raise ValueError("There is at least 1 attempt and 1 worker.")
    if ttl is not None:
        policy = KeepAll(ttl)
    state = None if policy is None else PolicyState(policy)
    world = _World(state, attempts, table_seconds, cache_seconds, random.Random(seed))
    world.table = TableCapacity(read_capacity, 1, clock=lambda: world.now, **limits)
    if edits is not None:
        for at, tweet_id in edits.loc[edits["heard"], ["at", "tweet_id"]].itertuples(index=False):
            world.begin(world.edit(tweet_id), at)
    rows = [_Row(*request) for request in zip(*workload.times_and_ids(requests), strict=True)]
    due = iter(sorted(rows, key=lambda row: row.at))
    for _ in range(min(workers, len(rows))):
        world.begin(world.work(due), 0.0)
    world.run()
    columns = [field.name for field in fields(_Row)]
    frame = pd.DataFrame(map(attrgetter(*columns), rows), columns=columns)
    floats = dict.fromkeys(["at", "seconds", "read_units", "as_of"], float)
    frame = frame.astype({**floats, "throttled": bool})
    frame["stale"] = _staleness(frame, edits)
    return frame.drop(columns="as_of")


@dataclass
class _World:
    """The table, the client, the cache, and what goes on at once, in the order of its times."""

    policy: PolicyState | None
    attempts: int
    table_seconds: float
    cache_seconds: float
    rng: random.Random
    now: float = 0.0
    tokens: int = RETRY_TOKENS
    table: TableCapacity = field(init=False)
    agenda: list[tuple[float, int, Steps]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    flights: dict[UUID, _Flight] = field(default_factory=dict)

    def begin(self, steps: Steps, at: float) -> None:
        """Have something begin, or go on, at that time."""
        heapq.heappush(self.agenda, (at, next(self.numbers), steps))

    def run(self) -> None:
        """Until nothing is left to do."""
        while self.agenda:
            self.now, _, steps = heapq.heappop(self.agenda)
            wait = next(steps, None)
            if isinstance(wait, _Flight):
                wait.waiting.append(steps)
            elif wait is not None:
                self.begin(steps, self.now + wait)

    def work(self, rows: Any) -> Steps:
        """A reader: makes one read after the other, each when it is due or as soon as possible."""
        for row in rows:
            yield max(0.0, row.at - self.now)
            yield from self._read(row) if self.policy else self._read_table(row)
            row.seconds = self.now - row.at
            row.kept = self.policy.count(self.now) if self.policy else 0

    def edit(self, tweet_id: UUID) -> Steps:
        """An edit that the cache hears of. Who comes now does not share a read from before."""
        if self.policy:
            self.policy.hear_of_edit(tweet_id)
            self.flights.pop(tweet_id, None)
        yield from ()  # it takes no time

    def _read(self, row: _Row) -> Steps:
        """Look in the cache, then in the table."""
        assert self.policy
        row.cache_calls = 1
        yield self.cache_seconds
        found = self.policy.look(row.tweet_id, self.now)
        if found:
            row.source, row.as_of = "cache", found.stored
            return
        flight = self.flights.get(row.tweet_id)
        if flight is not None:
            yield flight
            row.source = "cache" if flight.row.source == "table" else "failed"
            row.as_of = flight.row.as_of
            if row.source == "failed":  # the one error is everybody's
                row.retries, row.throttled = flight.row.retries, flight.row.throttled
            return
        flight = self.flights[row.tweet_id] = _Flight(row)
        yield from self._read_table(row)
        if row.source == "table" and self.policy.put(row.tweet_id, self.now)[0]:
            row.cache_calls += 1
        if self.flights.get(row.tweet_id) is flight:
            del self.flights[row.tweet_id]
        for steps in flight.waiting:
            self.begin(steps, self.now)

    def _read_table(self, row: _Row) -> Steps:
        """A call of boto3's, with its retries."""
        paid = 0
        for attempt in range(self.attempts):
            yield self.table_seconds
            if self.table.read(str(row.tweet_id), READ_UNITS) is None:
                row.source, row.as_of, row.read_units = "table", self.now, READ_UNITS
                row.retries = attempt
                self.tokens = min(RETRY_TOKENS, self.tokens + (paid or 1))
                return
            row.throttled, row.retries = True, attempt
            if attempt + 1 == self.attempts or self.tokens < RETRY_COST:
                return
            paid = RETRY_COST
            self.tokens -= paid
            yield self.rng.random() * min(2**attempt, 20)


def _staleness(reads: pd.DataFrame, edits: pd.DataFrame | None) -> npt.NDArray[np.float64]:
    """Seconds from the first edit that an answer does not have until it was given; NaN for none."""
    changes: dict[UUID, list[float]] = {}
    if edits is not None:
        for at, tweet_id in edits.sort_values("at")[["at", "tweet_id"]].itertuples(index=False):
            changes.setdefault(tweet_id, []).append(at)
    stale = reads["as_of"].to_numpy() * 0.0
    done = reads["at"] + reads["seconds"]
    for number, (tweet_id, as_of) in enumerate(zip(reads["tweet_id"], reads["as_of"], strict=True)):
        times = changes.get(tweet_id, [])
        later = bisect_right(times, as_of)  # NaN, of a failed read, is later than all
        if later < len(times):
            stale[number] = max(0.0, done[number] - times[later])
    return stale
