"""Cache-aside: look in Redis first, and read the table only on a miss."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tweetlab.tweets import Read, Tweet, valid_id

TIMEOUT = 0.1
"""Seconds a Redis may take to answer before the table is read instead."""


def connect(url: str, timeout: float = TIMEOUT) -> redis.Redis:
    """A Redis client fit for a cache: it gives up after ``timeout`` seconds and tries only once.

    redis-py's defaults retry for seconds on a server that is down and wait a minute on one that
    hangs; a cache must be faster than the table it stands in front of.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )


class Table(Protocol):
    """What the cache needs of the table behind it."""

    def create(self, text: str) -> Tweet: ...
    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read: ...
    def get_many(
        self, tweet_ids: Iterable[UUID | str], consistent: bool = False
    ) -> dict[UUID, Tweet]: ...
    def edit(self, tweet_id: UUID | str, text: str) -> Tweet: ...
    def delete(self, tweet_id: UUID | str) -> None: ...


@dataclass
class CacheStats:
    """What the cache answered so far; reads by ``get_many`` count one for each tweet."""

    hits: int = 0
    misses: int = 0
    errors: int = 0
    """Times Redis failed, or held something that is not the tweet; the table answered instead."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def hit_ratio(self) -> float:
        """Hits among all reads, 0 to 1; 0 before the first read."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else 0.0

    def count(self, hits: int = 0, misses: int = 0, errors: int = 0) -> None:
        """Add to the counts; readers in many threads share them."""
        with self._lock:
            self.hits += hits
            self.misses += misses
            self.errors += errors


class CachedTweets:
    """The methods of a table of tweets, with a Redis in front.

    A read looks in Redis under ``tweet:{tweet_id}``; on a miss it reads the table and keeps the
    tweet in Redis for ``ttl`` seconds. A Redis that is down, slow or holds nonsense never fails a
    read: the table answers, and ``stats.errors`` counts it. Give it a client that gives up soon,
    as ``tweetlab.cache.connect(url)`` makes.

    Staleness: ``edit`` and ``delete`` change the table first and then drop the key. A reader that
    read the table just before may put the older tweet back, and a Redis that is down cannot drop
    it: then the older tweet is seen until its TTL ends, never longer.
    """

    def __init__(self, table: Table, redis: redis.Redis, ttl: int = 3600) -> None:
        if not isinstance(ttl, int) or isinstance(ttl, bool) or ttl < 1:
            raise ValueError(f"ttl is a whole number of seconds, at least 1, not {ttl!r}")
        self.table = table
        self.redis = redis
        self.ttl = ttl
        self.stats = CacheStats()

    def create(self, text: str) -> Tweet:
        """Store a new tweet in the table; it enters the cache when it is first read."""
        return self.table.create(text)

    def get(self, tweet_id: UUID | str, consistent: bool = False) -> Tweet:
        """The tweet, from Redis or else from the table, whose errors it raises.

        A ``consistent`` read always asks the table.
        """
        return self.read(tweet_id, consistent).tweet

    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read:
        """The same, with where the tweet came from and what reading it took."""
        tweet_id = valid_id(tweet_id)
        started = time.perf_counter()
        value, answered = None, True
        if not consistent:
            value, answered = self._ask(lambda: self.redis.get(key(tweet_id)))
        tweet = self._decode(value, tweet_id)
        if tweet is not None:
            self.stats.count(hits=1)
            seconds = time.perf_counter() - started
            return Read(tweet, source="cache", seconds=seconds, retries=0, read_units=0.0)

        self.stats.count(misses=1)
        read = self.table.read(tweet_id, consistent)
        if answered:
            self._ask(lambda: self.redis.set(key(tweet_id), encode(read.tweet), ex=self.ttl))
        return replace(read, seconds=time.perf_counter() - started)

    def get_many(
        self, tweet_ids: Iterable[UUID | str], consistent: bool = False
    ) -> dict[UUID, Tweet]:
        """The tweets of those ids that exist: one MGET, and one batch read for the misses."""
        wanted = list(dict.fromkeys(map(valid_id, tweet_ids)))
        values, answered = None, True
        if wanted and not consistent:
            values, answered = self._ask(lambda: self.redis.mget(map(key, wanted)))
        cached = map(self._decode, values or [None] * len(wanted), wanted)
        found = {tweet.tweet_id: tweet for tweet in cached if tweet is not None}
        missing = [tweet_id for tweet_id in wanted if tweet_id not in found]
        self.stats.count(hits=len(found), misses=len(missing))
        if missing:
            tweets = self.table.get_many(missing, consistent)
            found.update(tweets)
            if answered:
                self._ask(lambda: self._store(tweets.values()))
        return {tweet_id: found[tweet_id] for tweet_id in wanted if tweet_id in found}

    def edit(self, tweet_id: UUID | str, text: str) -> Tweet:
        """Change the text in the table, then drop the cached tweet."""
        tweet = self.table.edit(tweet_id, text)
        self._drop(tweet.tweet_id)
        return tweet

    def delete(self, tweet_id: UUID | str) -> None:
        """Delete the tweet from the table, then drop the cached one."""
        tweet_id = valid_id(tweet_id)
        self.table.delete(tweet_id)
        self._drop(tweet_id)

    def _drop(self, tweet_id: UUID) -> None:
        self._ask(lambda: self.redis.delete(key(tweet_id)))

    def _store(self, tweets: Iterable[Tweet]) -> None:
        with self.redis.pipeline(transaction=False) as pipeline:
            for tweet in tweets:
                pipeline.set(key(tweet.tweet_id), encode(tweet), ex=self.ttl)
            pipeline.execute()

    def _ask(self, command: Callable[[], Any]) -> tuple[Any, bool]:
        """Run a command: what Redis says, and whether it answered at all. It never raises."""
        try:
            return command(), True
        except redis.ResponseError:  # such as a list where a string should be: SET mends it
            self.stats.count(errors=1)
            return None, True
        except (redis.RedisError, OSError):
            self.stats.count(errors=1)
            return None, False

    def _decode(self, value: bytes | str | None, tweet_id: UUID) -> Tweet | None:
        if value is None:
            return None
        try:
            return decode(value, tweet_id)
        except ValueError:
            self.stats.count(errors=1)
            return None


def key(tweet_id: UUID) -> str:
    """The Redis key of a tweet."""
    return f"tweet:{tweet_id}"


def encode(tweet: Tweet) -> str:
    """The JSON that Redis holds for a tweet."""
    return json.dumps(
        {
            "tweet_id": str(tweet.tweet_id),
            "text": tweet.text,
            "created": tweet.created.isoformat(),
        }
    )


def decode(value: bytes | str, tweet_id: UUID) -> Tweet:
    """The tweet in that JSON; raises ValueError unless it is the tweet of that id."""
    try:
        fields = json.loads(value)
        tweet = Tweet(
            UUID(fields["tweet_id"]), fields["text"], datetime.fromisoformat(fields["created"])
        )
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError("not a cached tweet") from error
    if tweet.tweet_id != tweet_id or not isinstance(tweet.text, str):
        raise ValueError("not this tweet")
    return tweet
