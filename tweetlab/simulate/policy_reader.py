"""A policy on real servers: cache-aside that asks it which tweets to keep."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from tweetlab.cache import Client, decode, encode, key
from tweetlab.cache.flight import Flights, LookAgain
from tweetlab.simulate.policy import Policy, PolicyState
from tweetlab.tweets import Read, TweetTable

PATIENCE = 30
"""Seconds that a reader waits for another's table read, which takes that long only if it hangs."""


class PolicyReader:
    """Reads tweets by their ids, as a TweetTable does, through a cache that follows ``policy``.

    The tweets are in Redis; what the policy knows of them is in this process, and no other may use
    that cache. Nothing is edited. For more than an experiment there is CachedTweets.
    """

    def __init__(
        self,
        policy: Policy,
        table: TweetTable,
        redis: Client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._redis: Any = redis  # redis-py's types allow for asynchronous clients
        start = clock()
        self._now: Callable[[], float] = lambda: clock() - start
        self._policy, self._lock = PolicyState(policy), threading.Lock()
        self._flights: Flights[Read] = Flights(PATIENCE)

    def read(self, tweet_id: UUID) -> Read:
        """The tweet, with where it came from and what reading it took; raises as the table does."""
        started = time.perf_counter()
        read = self._cached(tweet_id)
        with self._lock:
            self._policy.look(tweet_id, self._now())
        read = read or self._read_through(tweet_id)
        return replace(read, seconds=time.perf_counter() - started)

    def _cached(self, tweet_id: UUID) -> Read | None:
        value = self._redis.get(key(tweet_id))
        tweet = None if value is None else decode(value, tweet_id).tweet
        return Read.from_cache(tweet) if tweet else None

    def _read_through(self, tweet_id: UUID) -> Read:
        """Read the table, or share another's read of it."""
        with suppress(LookAgain):
            read, shared = self._flights.share(tweet_id, lambda: (self._fetch(tweet_id), True))
            return Read.from_cache(read.tweet) if shared else read
        return self._fetch(tweet_id)

    def _fetch(self, tweet_id: UUID) -> Read:
        read = self._cached(tweet_id)
        if read:  # another's read was done since this reader looked
            return read
        read = self._table.read(tweet_id)
        with self._lock:  # Redis changes in the order in which the policy decides
            ttl, gone = self._policy.put(tweet_id, self._now())
            if gone:
                self._redis.delete(*map(key, gone))
            if ttl:
                self._redis.set(key(tweet_id), encode(read.tweet), px=max(1, round(ttl * 1000)))
        return read
