"""What happened can be seen, in a notebook and by Prometheus."""

from __future__ import annotations

from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.support.redises import MemoryTable, Valkey, in_threads, join
from tweetlab import CachedTweets, CacheStats, TweetNotFound
from tweetlab.cache import Client, Event, connect
from tweetlab.cache.prometheus import export


def test_nothing_is_counted_before_the_first_read() -> None:
    stats = CacheStats()
    assert (stats.hits, stats.misses, stats.errors, stats.hit_ratio) == (0, 0, 0, 0.0)
    assert stats.breaker == "closed" and not stats.events


def test_threads_lose_no_count() -> None:
    stats = CacheStats()

    def work() -> None:
        for _ in range(2000):
            stats.hit()
            stats.local_hit()
            stats.count(misses=2)

    threads, results = in_threads(16, work)
    join(threads)
    assert results == [None] * 16
    assert (stats.hits, stats.local_hits, stats.misses) == (64_000, 32_000, 64_000)
    assert stats.hit_ratio == 0.5


def test_what_is_rare_is_told_with_its_time(table: MemoryTable, server: Valkey) -> None:
    with connect(server.url) as client:
        cached = CachedTweets(table, client, clock=lambda: 7.0)
        tweet = table.create("Example tweet.")
        server.kill()
        for _ in range(5):
            cached.get(tweet.tweet_id)
        *failures, opened = cached.stats.events
        assert opened == Event(7.0, "breaker open")
        assert [event.what.split(":")[0] for event in failures] == ["ConnectionError"] * 3
        assert cached.stats.breaker == "open"


def test_prometheus_sees_the_counts_and_the_breaker(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client)
    registry = CollectorRegistry()
    export(cached.stats, registry=registry)
    tweet = table.create("Example tweet.")
    for _ in range(3):
        cached.get(tweet.tweet_id)
    with pytest.raises(TweetNotFound):
        cached.get(uuid4())
    text = generate_latest(registry).decode()
    assert 'tweetlab_cache_hits_total{cache="tweet"} 2.0' in text
    assert 'tweetlab_cache_misses_total{cache="tweet"} 2.0' in text
    assert 'tweetlab_cache_breaker_open{cache="tweet"} 0.0' in text
    cached.stats.breaker_is("open")
    assert 'tweetlab_cache_breaker_open{cache="tweet"} 1.0' in generate_latest(registry).decode()


def test_prometheus_sees_every_count() -> None:
    stats = CacheStats()
    registry = CollectorRegistry()
    export(stats, "tweets of mine", registry)
    for number, name in enumerate(CacheStats.counts(), start=1):
        stats.count(**{name: number})
        value = registry.get_sample_value(
            f"tweetlab_cache_{name}_total", {"cache": "tweets of mine"}
        )
        assert value == number
