"""In a forked process the cache works as in its parent, whatever that had under way."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.support.processes import in_child
from tests.support.redises import Gate, MemoryTable, Valkey, in_threads, join, wait_until
from tests.support.serving import Clock
from tweetlab import CachedTweets, TableBusy
from tweetlab.cache import CircuitBreaker, Client, connect, key
from tweetlab.cache.flight import Flights
from tweetlab.cache.local import LocalTweets
from tweetlab.cache.refresh import Refresher
from tweetlab.cache.stats import CacheStats
from tweetlab.cache.store import Store
from tweetlab.cache.table import BoundedReads
from tweetlab.tweets import Read

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def held_up(table: MemoryTable, client: Client) -> Iterator[tuple[CachedTweets, UUID]]:
    """A cache that reads a tweet from the table while the process forks."""
    cached = CachedTweets(table, client, max_table_reads=1, lease_seconds=3600)
    tweet = table.create("Example tweet.")
    table.before_answer = gate = Gate()
    threads, results = in_threads(1, lambda: cached.get(tweet.tweet_id))
    gate.wait_for_reader()
    yield cached, tweet.tweet_id
    gate.open()
    join(threads)
    assert results == [tweet]


def test_nobody_waits_for_a_flight_of_the_parent(
    held_up: tuple[CachedTweets, UUID], table: MemoryTable
) -> None:
    """Its lease is another thing: the parent has it, and gives it back."""
    cached, tweet_id = held_up
    cached.redis.flushall()

    def read() -> bool:
        table.before_answer = lambda tweet_id: None
        return cached.read(tweet_id).source == "table" and cached.stats.waits == 0

    in_child(read)


def test_the_parents_reads_of_the_table_take_no_turn(
    held_up: tuple[CachedTweets, UUID], table: MemoryTable
) -> None:
    cached, _ = held_up
    other = table.create("Other.")

    def read() -> bool:
        table.before_answer = lambda tweet_id: None
        return cached.read(other.tweet_id).source == "table"

    with pytest.raises(TableBusy):
        cached.get(other.tweet_id)
    in_child(read)


@pytest.mark.parametrize("way", ["fork", "multiprocessing"])
def test_refresh_ahead_goes_on(table: MemoryTable, client: Client, way: str) -> None:
    clock = Clock()
    cached = CachedTweets(table, client, ttl=100, refresh_ahead=50, clock=clock)
    tweet, second = table.create("Example tweet."), table.create("Second.")
    cached.get_many([tweet.tweet_id, second.tweet_id])
    clock.advance(60)
    cached.get(tweet.tweet_id)
    wait_until(lambda: cached.stats.refreshes == 1)  # its threads wait for work now

    def refreshes() -> bool:
        cached.get(second.tweet_id)
        wait_until(lambda: cached.stats.refreshes == 2)
        return True

    if way == "fork":
        in_child(refreshes)
        return
    process = multiprocessing.get_context("fork").Process(target=refreshes)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_a_refresh_of_the_parent_is_no_reason_not_to_refresh(
    table: MemoryTable, client: Client
) -> None:
    clock = Clock()
    jobs: list[Callable[[], None]] = []
    cached = CachedTweets(
        table, client, ttl=100, refresh_ahead=50, clock=clock, background=jobs.append
    )
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    clock.advance(60)
    cached.get(tweet.tweet_id)
    cached.get(tweet.tweet_id)
    assert len(jobs) == 1

    def refreshes() -> bool:
        cached.get(tweet.tweet_id)
        jobs[1]()
        return cached.stats.refreshes == 1

    in_child(refreshes)


def test_a_breaker_that_is_being_tried_by_the_parent_is_tried_by_the_child(
    table: MemoryTable, server: Valkey
) -> None:
    jobs: list[Callable[[], None]] = []
    with connect(server.url, timeout=10) as client:
        cached = CachedTweets(table, client, breaker_pause=0, background=jobs.append)
        tweet = table.create("Before.")
        cached.get(tweet.tweet_id)
        server.kill()
        cached.edit(tweet.tweet_id, "After.")
        cached.get(tweet.tweet_id)
        assert cached.stats.breaker == "half-open" and len(jobs) == 1
        server.start()

        def is_back() -> bool:
            assert cached.stats.breaker == "open"
            cached.get(tweet.tweet_id)
            jobs[1]()
            return cached.stats.breaker == "closed"

        in_child(is_back)
        assert cached.stats.breaker == "half-open"


def test_what_the_parent_was_telling_redis_the_child_tells_too(
    table: MemoryTable, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child knows of the write, too, and must not read what Redis has of before."""
    jobs: list[Callable[[], None]] = []
    cached = CachedTweets(table, client, breaker_pause=0, background=jobs.append)
    tweet = table.create("Before.")
    cached.get(tweet.tweet_id)
    connections = cached._store._connections
    tell, ask = connections.ask_all, connections.ask
    monkeypatch.setattr(connections, "ask", _fail)
    cached.edit(tweet.tweet_id, "After.")
    monkeypatch.setattr(connections, "ask", ask)

    def fork_meanwhile(commands: Any) -> Any:
        monkeypatch.undo()
        in_child(is_right)
        return tell(commands)

    def is_right() -> bool:
        assert cached.get(tweet.tweet_id).text == "After."
        jobs[1]()
        assert cached.stats.breaker == "closed"
        return cached.get(tweet.tweet_id).text == "After."

    cached.get(tweet.tweet_id)
    monkeypatch.setattr(connections, "ask_all", fork_meanwhile)
    jobs[0]()
    assert cached.stats.breaker == "closed"


def _fail(*_: object) -> Any:
    raise ConnectionError


def test_a_lock_that_was_held_at_the_fork_stops_nobody(table: MemoryTable, client: Client) -> None:
    """Each is held by another thread, as it may be for a moment at any time."""
    stats, breaker = CacheStats(), CircuitBreaker()
    flights: Flights[Read] = Flights(3600)
    local = LocalTweets(3600, 10)
    refresher = Refresher(lambda job: job())
    store = Store(client, breaker, stats, key, 5)
    bounded = BoundedReads(table, 1, stats, 3600)
    tweet = table.create("Example tweet.")
    holders: list[Any] = [stats, breaker, flights, local, refresher]
    for held in [*(one._lock for one in holders), store._owing, bounded._turns]:
        held.acquire()

    def use() -> bool:
        stats.hit()
        breaker.failed()
        flights.forget(tweet.tweet_id)
        local.put(tweet, 0)
        refresher.start(tweet.tweet_id, lambda: True)
        store.drop(tweet.tweet_id)
        store._catch_up()
        return local.get(tweet.tweet_id) == bounded.read(tweet.tweet_id, False).tweet

    in_child(use)


def test_the_first_level_of_a_child_is_its_own(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, local_ttl=3600)
    tweet = table.create("Before.")
    cached.get(tweet.tweet_id)

    def is_right() -> bool:
        assert cached.edit(tweet.tweet_id, "After.").text == "After."
        return cached.get(tweet.tweet_id).text == "After."

    in_child(is_right)


def test_parent_and_children_read_at_once_and_get_the_right_tweets(
    table: MemoryTable, client: Client
) -> None:
    """Each forks while the threads of its parent read."""
    cached = CachedTweets(table, client)
    tweets = [table.create(str(number)) for number in range(16)]
    ends = threading.Event()

    def read() -> bool:
        while not ends.is_set():
            for tweet in tweets:
                assert cached.get(tweet.tweet_id) == tweet
        return True

    def is_right() -> bool:
        return all(cached.get(tweet.tweet_id) == tweet for tweet in tweets * 20)

    threads, results = in_threads(4, read)
    try:
        for _ in range(10):
            in_child(is_right)
    finally:
        ends.set()
        join(threads)
    assert results == [True] * 4


def test_what_is_gone_begins_no_more(table: MemoryTable, client: Client) -> None:
    """A process that makes many caches does not remember them all."""
    from tweetlab.tweets import forks

    before = len(forks._begins)
    for _ in range(10):
        CachedTweets(table, client, local_ttl=1).get_many([])
    assert len(forks._begins) == before


def test_what_is_gone_is_forgotten_whichever_thread_lets_it_go() -> None:
    """Between two lines of Python another thread may do the same."""
    from tweetlab.tweets import forks

    def come_and_go() -> None:
        for _ in range(1000):
            [CacheStats() for _ in range(3)]

    kept = [CacheStats() for _ in range(200)]
    gc.collect()
    before, interval = len(forks._begins), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        join(in_threads(8, come_and_go)[0])
    finally:
        sys.setswitchinterval(interval)
    assert len(kept) == 200 and len(forks._begins) == before
