"""What a read says of itself, and what is counted and told of it."""

from __future__ import annotations

import math
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest

from tests.support.redises import MemoryTable
from tests.support.serving import Clock
from tweetlab import CachedTweets, CacheStats, TweetNotFound
from tweetlab.cache import Client, encode, key
from tweetlab.cache.leases import Claim
from tweetlab.cache.prometheus import export
from tweetlab.cache.values import Values, decode
from tweetlab.tweets import Tweet


@pytest.fixture
def cached(table: MemoryTable, client: Client) -> CachedTweets:
    return CachedTweets(table, client, missing_ttl=600)


@pytest.fixture
def tweet(table: MemoryTable) -> Tweet:
    return table.create("Example tweet.")


@pytest.mark.parametrize("source", ["table", "cache", "consistent", "first level"])
def test_a_read_says_how_long_it_took(
    table: MemoryTable, client: Client, tweet: Tweet, source: str
) -> None:
    cached = CachedTweets(table, client, local_ttl=1000 if source == "first level" else 0)
    table.before_answer = lambda tweet_id: time.sleep(0.002)
    if source in ("cache", "first level"):
        cached.get(tweet.tweet_id)
    started = time.perf_counter()
    read = cached.read(tweet.tweet_id, consistent=source == "consistent")
    took = time.perf_counter() - started
    of_table = source in ("table", "consistent")
    assert read.source == ("table" if of_table else "cache")
    assert (0.002 if of_table else 0) < read.seconds <= took


def test_a_consistent_read_asks_the_table_for_one(
    cached: CachedTweets, table: MemoryTable, tweet: Tweet
) -> None:
    cached.get(tweet.tweet_id, consistent=True)
    cached.read(tweet.tweet_id, consistent=True)
    cached.get(tweet.tweet_id)
    assert table.consistent == [True, True, False]
    assert (cached.stats.hits, cached.stats.misses) == (0, 3)


def test_many_say_what_was_left_out_whatever_they_were_asked_of(
    cached: CachedTweets, tweet: Tweet
) -> None:
    for consistent in (True, False, False):
        assert cached.get_many([tweet.tweet_id], consistent).unreadable == {}


def test_what_a_client_that_decodes_cannot_decode_is_told_of_and_mended(
    table: MemoryTable, client: Client, tweet: Tweet, valkey_url: str
) -> None:
    with redis.Redis.from_url(valkey_url, decode_responses=True) as decoding:
        cached = CachedTweets(table, decoding)
        client.set(key(tweet.tweet_id), b"\xff\xfe")
        assert cached.get(tweet.tweet_id) == tweet
        assert [event.what[:13] for event in cached.stats.events] == ["the value of "]
        assert cached.read(tweet.tweet_id).source == "cache"


@pytest.mark.parametrize("consistent", [False, True])
def test_a_tweet_that_is_asked_for_twice_is_read_and_counted_once(
    cached: CachedTweets, table: MemoryTable, tweet: Tweet, consistent: bool
) -> None:
    assert len(cached.get_many([tweet.tweet_id, str(tweet.tweet_id)], consistent)) == 1
    assert cached.stats.misses == 1
    assert table.batches == [[tweet.tweet_id]]


def test_each_tweet_of_many_counts_as_what_it_was(
    cached: CachedTweets, table: MemoryTable, tweet: Tweet
) -> None:
    missing, other = uuid4(), table.create("Other.")
    cached.get_many([tweet.tweet_id, missing])
    assert cached.get_many([tweet.tweet_id, other.tweet_id, missing, uuid4()]).keys() == {
        tweet.tweet_id,
        other.tweet_id,
    }
    stats = cached.stats
    assert (stats.hits, stats.negative_hits, stats.misses, stats.waits) == (2, 1, 4, 0)


def test_of_many_what_the_first_level_has_is_asked_of_nobody_else(
    table: MemoryTable, client: Client, tweet: Tweet
) -> None:
    cached = CachedTweets(table, client, local_ttl=1000)
    other = table.create("Other.")
    cached.get(tweet.tweet_id)
    assert list(cached.get_many([other.tweet_id, tweet.tweet_id])) == [
        other.tweet_id,
        tweet.tweet_id,
    ]
    assert table.batches == [[other.tweet_id]]
    stats = cached.stats
    assert (stats.hits, stats.local_hits, stats.misses) == (1, 1, 2)
    assert cached.get_many([other.tweet_id]) == {other.tweet_id: other}
    assert (stats.hits, stats.local_hits, stats.misses) == (2, 2, 2)


def test_what_is_counted_is_described() -> None:
    descriptions = CacheStats.counts()
    assert list(descriptions) == [
        *("hits", "misses", "negative_hits", "local_hits", "waits"),
        *("refreshes", "errors", "unreadable", "refused"),
    ]
    assert len(set(descriptions.values())) == 9 and all(descriptions.values())


def test_prometheus_shows_the_descriptions() -> None:
    registry = CollectorRegistry()
    collector = export(CacheStats(), "of mine", registry)
    text = generate_latest(registry).decode()
    for name, description in CacheStats.counts().items():
        assert f"# HELP tweetlab_cache_{name}_total {description}\n" in text
    assert "# HELP tweetlab_cache_breaker_open 1 while Redis is not asked\n" in text
    assert 'tweetlab_cache_breaker_open{cache="of mine"} 0.0\n' in text
    registry.unregister(collector)
    assert generate_latest(registry) == b""


def test_the_latest_thousand_events_are_kept() -> None:
    stats = CacheStats(clock=Clock(7.0))
    for number in range(1100):
        stats.fail(f"failure {number}")
    assert stats.errors == 1100
    assert [event.what for event in stats.events] == [f"failure {n}" for n in range(100, 1100)]
    assert {event.at for event in stats.events} == {7.0}


def test_stats_are_shown_and_compared_by_what_they_count() -> None:
    one, other = CacheStats(clock=Clock(1)), CacheStats(clock=Clock(2))
    one.note("something rare")
    assert one == other
    assert repr(one) == (
        "CacheStats(hits=0, misses=0, negative_hits=0, local_hits=0, waits=0, refreshes=0, "
        "errors=0, unreadable=0, refused=0, breaker='closed')"
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"tweet_id": "another"}', "another tweet"),
        (b'{"tweet_id": "ID"}', "not a cached tweet"),
        (b'{"id": "ID"}', "not a cached tweet"),
        (
            b'{"tweet_id": "ID", "text": "No.", "created": "2026-01-01T00:00:00+00:00", '
            b'"refresh_at": "soon"}',
            "not a cached tweet",
        ),
        (b'{"tweet_id": "ID", "text": "No.", "created": 5}', "not a cached tweet"),
        (
            b'{"tweet_id": "ID", "text": "No.", "created": "2026-01-01T00:00:00+01:00"}',
            "not a cached tweet",
        ),
        (b'{"tweet_id": "ID", "missing": false}', "not a cached tweet"),
    ],
)
def test_what_was_wrong_with_a_value_is_told(
    cached: CachedTweets, client: Client, tweet: Tweet, value: bytes, reason: str
) -> None:
    value = value.replace(b"ID", str(tweet.tweet_id).encode())
    with pytest.raises(ValueError, match=reason):
        decode(value, tweet.tweet_id)
    client.set(key(tweet.tweet_id), value)
    assert cached.get(tweet.tweet_id) == tweet
    told = [event.what for event in cached.stats.events]
    assert told == [f"the value of {tweet.tweet_id} is no cached tweet: {reason}"]
    assert cached.stats.errors == 1


def test_a_value_says_when_it_is_due(tweet: Tweet) -> None:
    assert decode(encode(tweet), tweet.tweet_id) == (tweet, math.inf)
    assert decode(encode(tweet, 5.5), tweet.tweet_id) == (tweet, 5.5)
    assert b"refresh_at" not in encode(tweet)


def test_a_clock_of_whole_seconds_will_do(tweet: Tweet) -> None:
    values = Values(100, 20, 0, 5, CacheStats(), clock=lambda: 7, random=lambda: 0)
    value, milliseconds = values.pack(tweet.tweet_id, tweet) or (b"", 0)
    assert (decode(value, tweet.tweet_id), milliseconds) == ((tweet, 87.0), 100_000)


def test_answers_that_are_too_few_are_told_of(
    cached: CachedTweets, table: MemoryTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached._store._connections, "ask", lambda command: [None])
    ids = [table.create(str(number)).tweet_id for number in range(3)]
    assert len(cached.get_many(ids)) == 3
    assert [event.what for event in cached.stats.events] == ["InvalidResponse: Expected 3 values"]


def test_leases_that_are_nonsense_cost_no_read(
    cached: CachedTweets, table: MemoryTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis says what it has, and nonsense when it is asked for the leases."""
    monkeypatch.setattr(cached._store._connections, "ask_all", lambda commands: [7] * len(commands))
    ids = [table.create(str(number)).tweet_id for number in range(3)]
    assert list(cached.get_many(ids)) == ids
    assert cached.stats.errors >= 1 and table.batches == [ids]


@pytest.mark.parametrize(
    ("between", "breaker"),
    [(b"", "closed"), (redis.ResponseError("no"), "closed"), (redis.TimeoutError("no"), "open")],
    ids=["an answer", "a refusal", "another failure"],
)
def test_failures_count_only_in_a_row(
    cached: CachedTweets, tweet: Tweet, monkeypatch: pytest.MonkeyPatch, between: Any, breaker: str
) -> None:
    """What is answered, if only by a refusal, ends a row."""
    failure = redis.TimeoutError("no")
    answers: list[Any] = [failure, failure, between, failure, failure]

    def ask(command: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(cached._store._connections, "ask", ask)
    monkeypatch.setattr(cached._fill, "claim", lambda tweet_id, miss: Claim())
    for _ in range(5):
        assert cached.get(tweet.tweet_id) == tweet
    assert cached.stats.breaker == breaker


def test_an_id_that_is_not_there_is_none_for_many_readers_and_counts(
    cached: CachedTweets, table: MemoryTable
) -> None:
    missing: UUID = uuid4()
    for _ in range(2):
        with pytest.raises(TweetNotFound) as raised:
            cached.read(missing)
        assert raised.value.tweet_id == missing
    assert (cached.stats.negative_hits, len(table.reads)) == (1, 1)
