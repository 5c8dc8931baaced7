"""Tweets are read anew before they expire, and not all at the same time."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.redises import Gate, MemoryTable, in_threads, join, lease_of, wait_until
from tests.support.serving import Clock
from tweetlab import CachedTweets, CacheStats, TweetNotFound
from tweetlab.cache import Client, connect, encode, key
from tweetlab.cache.refresh import Refresher
from tweetlab.cache.values import Values


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cached(table: MemoryTable, client: Client, clock: Clock) -> CachedTweets:
    """Its lease does not end while a test goes on, however slow it is."""
    return CachedTweets(table, client, ttl=100, refresh_ahead=20, lease_seconds=600, clock=clock)


def test_before_its_time_nothing_is_refreshed(
    cached: CachedTweets, table: MemoryTable, clock: Clock, client: Any
) -> None:
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    assert json.loads(client.get(key(tweet.tweet_id)))["refresh_at"] == clock() + 80
    clock.advance(79.9)
    assert cached.get(tweet.tweet_id) == tweet
    assert len(table.reads) == 1


def test_all_get_the_old_tweet_at_once_while_one_refreshes_it(
    cached: CachedTweets, table: MemoryTable, clock: Clock, client: Any
) -> None:
    tweet = table.create("Before.")
    cached.get(tweet.tweet_id)
    edited = table.edit(tweet.tweet_id, "After.")  # past the cache
    clock.advance(80)
    client.pexpire(key(tweet.tweet_id), 50_000)  # Redis has a clock of its own
    table.before_answer = gate = Gate()
    threads, results = in_threads(64, lambda: cached.get(tweet.tweet_id))
    join(threads)  # though the table does not answer
    assert results == [tweet] * 64
    assert cached.get_many([tweet.tweet_id]) == {tweet.tweet_id: tweet}
    gate.open()
    wait_until(lambda: cached.stats.refreshes)
    assert cached.get(tweet.tweet_id) == edited
    assert len(table.reads) == 2
    assert (cached.stats.hits, cached.stats.misses, cached.stats.waits) == (66, 1, 0)
    assert 50_000 < client.pttl(key(tweet.tweet_id)) <= 100_000


def test_of_several_processes_one_refreshes(
    cached: CachedTweets, table: MemoryTable, clock: Clock, valkey_url: str
) -> None:
    with connect(valkey_url, 10) as other:
        jobs: list[Callable[[], None]] = []
        there = CachedTweets(
            table, other, ttl=100, refresh_ahead=20, clock=clock, background=jobs.append
        )
        tweet = table.create("Example tweet.")
        cached.get(tweet.tweet_id)
        clock.advance(80)
        table.before_answer = gate = Gate()
        cached.get(tweet.tweet_id)
        gate.wait_for_reader()
        for _ in range(3):
            assert there.get(tweet.tweet_id) == tweet
        [job] = jobs
        job()
        assert there.get(tweet.tweet_id) == tweet
        assert len(jobs) == 1  # it pauses before it asks again
        gate.open()
        wait_until(lambda: cached.stats.refreshes)
        assert len(table.reads) == 2 and there.stats.refreshes == 0


def test_a_refresh_that_fails_leaves_the_tweet_and_is_not_tried_again_at_once(
    cached: CachedTweets, table: MemoryTable, clock: Clock, client: Any
) -> None:
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    clock.advance(80)

    def throttle(tweet_id: Any) -> None:
        raise RuntimeError("throttled")

    table.before_answer = throttle
    cached.get(tweet.tweet_id)
    wait_until(lambda: cached.stats.events)
    assert "throttled" in cached.stats.events[0].what
    for _ in range(10):
        assert cached.get(tweet.tweet_id) == tweet
    assert len(table.reads) == 2
    assert client.exists(lease_of(tweet.tweet_id))  # no other process tries, either


def test_a_refresh_finds_that_the_tweet_is_gone(
    cached: CachedTweets, table: MemoryTable, clock: Clock
) -> None:
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    table.delete(tweet.tweet_id)  # past the cache
    clock.advance(80)
    assert cached.get(tweet.tweet_id) == tweet
    wait_until(lambda: cached.stats.refreshes)
    with pytest.raises(TweetNotFound):
        cached.get(tweet.tweet_id)


def test_a_refresh_that_finds_anothers_value_is_done(
    table: MemoryTable, client: Any, clock: Clock
) -> None:
    """The next one need not wait."""
    jobs: list[Callable[[], None]] = []
    cached = CachedTweets(
        table, client, ttl=100, refresh_ahead=20, clock=clock, background=jobs.append
    )
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    clock.advance(80)
    cached.get(tweet.tweet_id)
    client.set(key(tweet.tweet_id), encode(tweet, clock() - 1))  # another's, which is due as well
    jobs[0]()
    assert cached.stats.refreshes == 0 and len(table.reads) == 1
    cached.get(tweet.tweet_id)
    assert len(jobs) == 2
    jobs[1]()
    assert cached.stats.refreshes == 1 and len(table.reads) == 2


def test_what_threads_share_is_used_under_its_lock() -> None:
    held: list[bool] = []

    def time() -> float:
        held.append(refresher._lock.locked())
        return 0.0

    refresher = Refresher(lambda job: job(), time)
    tweet_id = uuid4()
    refresher.start(tweet_id, lambda: False)
    refresher.start(tweet_id, lambda: False)
    assert held and all(held)


@pytest.mark.parametrize("fails_in", ["the background", "the refresh"])
def test_what_goes_wrong_once_is_tried_again_after_a_pause(clock: Clock, fails_in: str) -> None:
    """A tweet may not be taken for one that is being refreshed, for ever and without a word."""
    refreshed: list[bool] = []
    works = [False]

    def background(job: Callable[[], None]) -> None:
        if fails_in == "the background" and not works[0]:
            raise RuntimeError("can't start new thread")
        with suppress(ZeroDivisionError):
            job()

    def refresh() -> bool:
        refreshed.append(works[0])
        return bool(1 / works[0])

    refresher = Refresher(background, clock)
    tweet_id = uuid4()
    for _ in range(3):
        refresher.start(tweet_id, refresh)
    assert len(refreshed) == (fails_in == "the refresh")
    works[0] = True
    clock.advance(0.999)
    refresher.start(tweet_id, refresh)
    assert True not in refreshed
    clock.advance(0.001)
    refresher.start(tweet_id, refresh)
    refresher.start(tweet_id, refresh)
    assert refreshed[-2:] == [True, True]


def test_threads_that_start_the_same_refresh_run_it_once() -> None:
    gate, runs = threading.Event(), []

    def refresh() -> bool:
        runs.append(gate.wait(30))
        return True

    refresher = Refresher(lambda job: in_threads(1, job))
    tweet_id = uuid4()
    threads, _ = in_threads(16, lambda: refresher.start(tweet_id, refresh))
    join(threads)
    gate.set()
    wait_until(lambda: not refresher._running)
    assert runs == [True]


def test_with_the_switch_off_what_is_due_is_simply_read(
    cached: CachedTweets, table: MemoryTable, client: Client
) -> None:
    """A value that another process marked to be refreshed."""
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    plain = CachedTweets(table, client, clock=lambda: 0.0)
    assert plain.read(tweet.tweet_id).source == "cache"


def test_no_thread_runs_until_something_is_due(cached: CachedTweets, table: MemoryTable) -> None:
    tweet = table.create("Example tweet.")
    before = set(threading.enumerate())
    for _ in range(3):
        cached.get(tweet.tweet_id)
    assert set(threading.enumerate()) <= before


def test_threads_are_replaced_after_the_cache_was_made() -> None:
    """As in a worker of gunicorn -k gevent that was loaded before the fork (--preload)."""
    lines = [
        "from tweetlab.cache.refresh import Refresher",
        "refresher, done = Refresher(), []",
        "import gevent.monkey, uuid",
        "gevent.monkey.patch_all()",
        "def start(): refresher.start(uuid.uuid4(), lambda: not done.append(1))",
        "for _ in range(2):",
        "    gevent.joinall([gevent.spawn(start) for _ in range(8)])",
        "    gevent.sleep(0.01)",
        "while len(done) < 16: gevent.sleep(0.01)",
    ]
    command = [sys.executable, "-W", "ignore", "-c", "\n".join(lines)]
    subprocess.run(command, check=True, timeout=60)


def values(ttl: float, ahead: float = 0, jitter: float = 0, drawn: float = 0.5) -> Values:
    """Values whose clock stands at 5 s, and whose chance has that outcome."""
    return Values(ttl, ahead, jitter, 0, CacheStats(), clock=lambda: 5.0, random=lambda: drawn)


@given(
    ttl=st.floats(1, 1e6),
    ahead=st.floats(0, 0.999),
    jitter=st.floats(0, 0.999),
    drawn=st.floats(0, 1, exclude_max=True),
)
def test_a_lifetime_is_never_longer_than_the_ttl_and_due_within_it(
    ttl: float, ahead: float, jitter: float, drawn: float
) -> None:
    milliseconds, refresh_at = values(ttl, ttl * ahead, jitter, drawn).lifetime()
    assert 1 <= milliseconds <= round(ttl * 1000)
    assert milliseconds >= ttl * (1 - jitter) * 1000 - 1
    if ahead:
        left = milliseconds / 1000 + 5 - refresh_at
        assert left <= min(ttl * ahead, milliseconds / 2000) + 0.002
    else:
        assert refresh_at == math.inf


def test_a_lifetime_is_a_millisecond_at_least() -> None:
    assert values(1, jitter=0.9999, drawn=0.9999).lifetime()[0] == 1


def test_without_jitter_the_lifetime_is_the_ttl() -> None:
    assert values(3600).lifetime() == (3_600_000, math.inf)


@pytest.fixture
def draws() -> Iterator[float]:
    return iter([0.0, 0.5, 1.0 - 2**-53])


def test_jitter_spreads_what_was_cached_together(
    table: MemoryTable, client: Any, draws: Iterator[float]
) -> None:
    cached = CachedTweets(table, client, ttl=1000, jitter=0.2, random=lambda: next(draws))
    tweets = [table.create(str(number)) for number in range(3)]
    before = time.time()
    cached.get_many([tweet.tweet_id for tweet in tweets])
    after = time.time()
    for tweet, seconds in zip(tweets, (1000, 900, 800), strict=True):
        stored = client.pexpiretime(key(tweet.tweet_id)) / 1000 - seconds
        assert before - 0.002 <= stored <= after + 0.002  # in milliseconds
