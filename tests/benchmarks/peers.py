"""What one would use instead, each set up as its documentation says, behind the same few methods.

A reader is made in the process and, if it is asynchronous, in the event loop that uses it.
``fetch`` is the table: it returns a tweet as a dict.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiocache
import aiocache.serializers
import dogpile.cache
import redis
from cashews import Cache

from tweetlab.cache import CachedTweets, connect
from tweetlab.tweets import Read, Tweet

TWEET_ID = UUID("11111111-2222-4333-8444-555555555555")
FIELDS = {
    "tweet_id": str(TWEET_ID),
    "text": "x" * 120,
    "created": "2026-11-24T12:00:00.123456+00:00",
}
"""About 230 bytes of JSON."""

TTL = 3600

Fetch = Callable[[], dict[str, str]]
SyncRead = Callable[[], Any]
AsyncRead = Callable[[], Awaitable[Any]]


class Table:
    """A table whose reads take some time and are counted."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.reads = 0

    def fetch(self) -> dict[str, str]:
        self.reads += 1
        time.sleep(self.seconds)
        return FIELDS

    async def fetch_async(self) -> dict[str, str]:
        self.reads += 1
        await asyncio.sleep(self.seconds)
        return FIELDS

    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read:
        fields = self.fetch()
        tweet = Tweet(TWEET_ID, fields["text"], datetime.fromisoformat(fields["created"]))
        return Read(tweet, "table", self.seconds, 0, 0.5)

    def create(self, text: str) -> Any: ...
    def create_many(self, texts: Any) -> Any: ...
    def get_many(self, tweet_ids: Any, consistent: bool = False) -> Any: ...
    def edit(self, tweet_id: Any, text: str) -> Any:
        return Tweet(TWEET_ID, text, datetime.now(UTC))

    def delete(self, tweet_id: Any) -> None: ...


def plain(url: str, table: Table) -> SyncRead:
    """redis-py: GET and json.loads; on a miss the table and SET."""
    client = redis.Redis.from_url(url)

    def read() -> Any:
        value = client.get("plain")
        if value is not None:
            return json.loads(value)
        fields = table.fetch()
        client.set("plain", json.dumps(fields), ex=TTL)
        return fields

    return read


def dogpile_cache(url: str, table: Table) -> SyncRead:
    """dogpile.cache: a region in Redis with its distributed lock and JSON."""
    region = dogpile.cache.make_region(
        serializer=lambda value: json.dumps(value).encode(), deserializer=json.loads
    ).configure(
        "dogpile.cache.redis",
        expiration_time=TTL,
        arguments={
            "url": url,
            "redis_expiration_time": 2 * TTL,
            "distributed_lock": True,
            "thread_local_lock": False,
        },
    )
    return lambda: region.get_or_create("dogpile", table.fetch)


def tweetlab(url: str, table: Table, **options: Any) -> SyncRead:
    """CachedTweets, as it comes."""
    cached = CachedTweets(table, connect(url), ttl=TTL, **options)
    return lambda: cached.get(TWEET_ID)


def tweetlab_local(url: str, table: Table) -> SyncRead:
    """With the first level."""
    return tweetlab(url, table, local_ttl=TTL)


def tweetlab_refresh(url: str, table: Table) -> SyncRead:
    """With refresh ahead: the tweet is due as soon as it is cached."""
    return tweetlab(url, table, refresh_ahead=TTL - 1, clock=_skewed_clock)


def _skewed_clock() -> float:
    return time.time() + SKEW[0]


SKEW = [0.0]
"""Seconds that the clock of ``tweetlab_refresh`` is ahead."""


def cashews(url: str, table: Table) -> AsyncRead:
    """cashews: its decorator, and JSON; each read asks Redis, as the others' do."""
    return _cashews(url, table, protected=False)


def cashews_protected(url: str, table: Table) -> AsyncRead:
    """cashews as it comes: who wants a tweet while another asks Redis for it shares that answer,
    also one from before a write that the reader knows of.
    """
    return _cashews(url, table)


def cashews_locked(url: str, table: Table) -> AsyncRead:
    """cashews with its lock, which is what keeps a stampede off the table."""
    return _cashews(url, table, lock=True)


def _cashews(url: str, table: Table, **options: Any) -> AsyncRead:
    cache = Cache()
    cache.setup(url, pickle_type="json")
    return cache(ttl=TTL, key="cashews", **options)(table.fetch_async)


def cashews_early(url: str, table: Table) -> AsyncRead:
    """cashews: early recalculation, which serves the old value meanwhile."""
    cache = Cache()
    cache.setup(url)
    return cache.early(ttl=TTL, early_ttl=0.05, key="early")(table.fetch_async)


def aiocache_redis(url: str, table: Table) -> AsyncRead:
    """aiocache: its Redis cache, and JSON."""
    parts = urlsplit(url)
    cache = aiocache.RedisCache(
        endpoint=parts.hostname,
        port=parts.port,
        serializer=aiocache.serializers.JsonSerializer(),
    )

    async def read() -> Any:
        value = await cache.get("aiocache")
        if value is None:
            value = await table.fetch_async()
            await cache.set("aiocache", value, ttl=TTL)
        return value

    return read


SYNC: dict[str, Callable[[str, Table], SyncRead]] = {
    "plain redis-py": plain,
    "dogpile.cache": dogpile_cache,
    "tweetlab": tweetlab,
    "tweetlab, first level": tweetlab_local,
    "tweetlab, refresh ahead": tweetlab_refresh,
}
ASYNC: dict[str, Callable[[str, Table], AsyncRead]] = {
    "cashews": cashews,
    "cashews, GETs shared": cashews_protected,
    "cashews, lock": cashews_locked,
    "cashews, early": cashews_early,
    "aiocache": aiocache_redis,
}
