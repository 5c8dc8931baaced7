"""Who reads the table for whom, and who waits how long."""

from __future__ import annotations

import threading
from typing import Any
from unittest.mock import patch

import pytest
import redis

from tests.support.redises import Gate, MemoryTable, Valkey, in_threads, join, lease_of, wait_until
from tests.support.serving import Clock
from tweetlab import CachedTweets, TweetNotFound
from tweetlab.cache import Client, connect, encode
from tweetlab.cache.connections import Connections
from tweetlab.cache.leases import Claim


def test_with_the_flights_off_nobody_waits_for_another_process(
    table: MemoryTable, client: Any
) -> None:
    naps: list[float] = []
    cached = CachedTweets(table, client, single_flight=False, sleep=naps.append)
    tweet = table.create("Popular.")
    client.set(lease_of(tweet.tweet_id), "another's")
    assert cached.read(tweet.tweet_id).source == "table"
    assert naps == []


def waiting(cached: CachedTweets) -> int:
    """How many wait for another's flight."""
    flights: Any = cached._flights
    return sum(len(flight._condition._waiters) for flight in list(flights._flights.values()))


def test_what_another_process_left_is_had_by_all_who_wait_in_this_one(
    table: MemoryTable, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = CachedTweets(table, client, lease_seconds=600)
    tweet = table.create("Popular.")
    claims: list[Any] = []
    gate = Gate()

    def claim(tweet_id: Any, seen: object) -> Claim:
        claims.append(tweet_id)
        gate(tweet_id)
        return Claim(value=encode(tweet))

    monkeypatch.setattr(cached._store, "claim", claim)
    threads, results = in_threads(8, lambda: cached.read(tweet.tweet_id))
    gate.wait_for_reader()
    wait_until(lambda: waiting(cached) == 7)
    gate.open()
    join(threads)
    assert {(read.tweet, read.source) for read in results} == {(tweet, "cache")}
    assert claims == [tweet.tweet_id] and table.reads == []
    assert cached.stats.waits == 8


@pytest.mark.parametrize("there_is", ["a tweet", "none"])
def test_without_redis_one_reads_for_all_in_the_process(
    table: MemoryTable, server: Valkey, there_is: str
) -> None:
    server.kill()
    with connect(server.url, timeout=10) as client:
        cached = CachedTweets(table, client, lease_seconds=600, breaker_failures=None)
        tweet = table.create("Popular.")
        if there_is == "none":
            table.delete(tweet.tweet_id)
        table.before_answer = gate = Gate()
        threads, results = in_threads(8, lambda: cached.get(tweet.tweet_id))
        gate.wait_for_reader()
        wait_until(lambda: waiting(cached) == 7)
        gate.open()
        join(threads)
    assert len(table.reads) == 1
    if there_is == "none":
        assert all(isinstance(error, TweetNotFound) for error in results)
    else:
        assert results == [tweet] * 8


def test_what_is_not_kept_is_shared_all_the_same(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, lease_seconds=600, missing_ttl=0)
    tweet = table.create("Popular.")
    table.delete(tweet.tweet_id)
    table.before_answer = gate = Gate()
    threads, results = in_threads(8, lambda: cached.get(tweet.tweet_id))
    gate.wait_for_reader()
    wait_until(lambda: waiting(cached) == 7)
    gate.open()
    join(threads)
    assert len(table.reads) == 1
    assert all(isinstance(error, TweetNotFound) for error in results)


def test_after_a_refresh_that_failed_this_process_pauses_whoever_has_the_lease(
    table: MemoryTable, client: Any
) -> None:
    clock = Clock()
    jobs: list[Any] = []
    cached = CachedTweets(
        table, client, ttl=100, refresh_ahead=20, clock=clock, background=jobs.append
    )
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    clock.advance(80)

    def fail(tweet_id: Any) -> None:
        raise RuntimeError("throttled")

    table.before_answer = fail
    cached.get(tweet.tweet_id)
    jobs.pop()()
    client.delete(lease_of(tweet.tweet_id))
    assert cached.get(tweet.tweet_id) == tweet
    assert jobs == [] and cached.stats.refreshes == 0
    told = [event.what for event in cached.stats.events]
    assert told == [f"{tweet.tweet_id} was not refreshed: RuntimeError('throttled')"]


def test_of_a_large_pool_64_connections_are_kept_at_hand(valkey_url: str) -> None:
    with connect(valkey_url, timeout=30) as client:
        connections, made, ask = Connections(client), client.client, redis.Redis.execute_command
        together = threading.Barrier(66)

        def late(self: Any, *args: Any, **options: Any) -> Any:
            """Nobody asks before all have a client to ask."""
            together.wait(60)
            return ask(self, *args, **options)

        with (
            patch.object(client, "client", side_effect=made) as taken,
            patch.object(redis.Redis, "execute_command", late),
        ):
            threads, results = in_threads(66, lambda: connections.ask(("GET", "nothing")))
            join(threads)
    assert results == [None] * 66
    assert taken.call_count == 64


def test_without_redis_the_table_is_read_as_cheaply_as_it_can_be(
    table: MemoryTable, server: Valkey
) -> None:
    server.kill()
    with connect(server.url, timeout=10) as client:
        cached = CachedTweets(table, client, breaker_failures=None)
        tweet = table.create("Example tweet.")
        assert cached.get(tweet.tweet_id) == tweet
        assert cached.get_many([tweet.tweet_id]) == {tweet.tweet_id: tweet}
    assert (table.consistent, table.consistent_batches) == ([False], [False])
    assert cached.stats.errors == 2  # each asked once, and did not wait for it again


def test_a_client_that_decodes_gives_its_leases_back_too(
    table: MemoryTable, client: Any, valkey_url: str
) -> None:
    tweet = table.create("Example tweet.")

    def fail(tweet_id: Any) -> None:
        assert client.exists(lease_of(tweet.tweet_id))
        raise RuntimeError("throttled")

    table.before_answer = fail
    with redis.Redis.from_url(valkey_url, decode_responses=True) as decoding:
        cached = CachedTweets(table, decoding)
        for read in (lambda: cached.get(tweet.tweet_id), lambda: cached.get_many([tweet.tweet_id])):
            with pytest.raises(RuntimeError):
                read()
            assert not client.exists(lease_of(tweet.tweet_id))
