"""The first level: fast, bounded in size and in age, and never behind this process' own writes."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.support.redises import Gate, MemoryTable, Valkey, in_threads, join
from tests.support.serving import Clock
from tweetlab import CachedTweets, TweetNotFound
from tweetlab.cache import Client, connect
from tweetlab.cache.local import LocalTweets


@pytest.fixture
def cached(table: MemoryTable, client: Client) -> CachedTweets:
    return CachedTweets(table, client, local_ttl=1000)


def test_it_is_off_unless_asked_for(table: MemoryTable, client: Any) -> None:
    cached = CachedTweets(table, client)
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    client.flushall()
    assert cached.read(tweet.tweet_id).source == "table"


def test_it_answers_without_redis(cached: CachedTweets, table: MemoryTable, client: Any) -> None:
    tweet, other = table.create("Example tweet."), table.create("Other.")
    cached.get(tweet.tweet_id)
    cached.get_many([other.tweet_id])
    client.flushall()
    assert cached.read(tweet.tweet_id).source == "cache"
    assert cached.get(other.tweet_id) == other
    assert len(cached.get_many([tweet.tweet_id, other.tweet_id])) == 2
    assert (cached.stats.hits, cached.stats.local_hits, cached.stats.misses) == (4, 4, 2)


def test_it_is_filled_from_redis_too(cached: CachedTweets, table: MemoryTable, client: Any) -> None:
    tweet, other = table.create("Example tweet."), table.create("Other.")
    CachedTweets(table, client).get_many([tweet.tweet_id, other.tweet_id])
    cached.get(tweet.tweet_id)
    cached.get_many([other.tweet_id])
    client.flushall()
    assert cached.get(tweet.tweet_id) == tweet and cached.get(other.tweet_id) == other
    assert cached.stats.local_hits == 2


def test_own_writes_are_seen_at_once(cached: CachedTweets, table: MemoryTable) -> None:
    tweet = table.create("Before.")
    cached.get(tweet.tweet_id)
    cached.edit(tweet.tweet_id, "After.")
    assert cached.get(tweet.tweet_id).text == "After."
    cached.delete(tweet.tweet_id)
    with pytest.raises(TweetNotFound):
        cached.get(tweet.tweet_id)


@pytest.mark.parametrize("many", [False, True])
def test_a_slow_reader_does_not_put_back_what_this_process_edited(
    cached: CachedTweets, table: MemoryTable, many: bool
) -> None:
    tweet = table.create("Before.")
    table.before_answer = gate = Gate()
    read: Any = (
        (lambda: cached.get_many([tweet.tweet_id]))
        if many
        else (lambda: cached.get(tweet.tweet_id))
    )
    threads, _ = in_threads(1, read)
    gate.wait_for_reader()
    cached.edit(tweet.tweet_id, "After.")
    gate.open()
    join(threads)
    assert cached.get(tweet.tweet_id).text == "After."


def test_it_helps_when_redis_is_dead(table: MemoryTable, server: Valkey) -> None:
    server.kill()
    with connect(server.url) as client:
        cached = CachedTweets(table, client, local_ttl=1000)
        tweet = table.create("Example tweet.")
        for _ in range(5):
            assert cached.get(tweet.tweet_id) == tweet
        assert len(table.reads) == 1
        cached.edit(tweet.tweet_id, "After.")
        assert cached.get(tweet.tweet_id).text == "After."


def test_a_tweet_is_kept_for_its_time_however_often_it_is_read(table: MemoryTable) -> None:
    clock = Clock()
    local = LocalTweets(ttl=2, size=10, clock=clock)
    tweet = table.create("Example tweet.")
    local.put(tweet, local.writes)
    for _ in range(4):
        assert local.get(tweet.tweet_id) == tweet
        clock.advance(0.5)
    assert local.get(tweet.tweet_id) is None


def test_the_least_recently_read_makes_room(table: MemoryTable) -> None:
    local = LocalTweets(ttl=2, size=2, clock=Clock())
    first, second, third = (table.create(str(number)) for number in range(3))
    local.put(first, 0)
    local.put(second, 0)
    local.get(first.tweet_id)
    local.put(third, 0)
    assert [local.get(one.tweet_id) for one in (first, second, third)] == [first, None, third]


def test_what_threads_share_is_used_under_its_lock(table: MemoryTable) -> None:
    """Also to look: a TTLCache notes then what was used last, and what has expired."""
    held: list[bool] = []

    def clock() -> float:
        held.append(local._lock.locked())
        return 0.0

    local = LocalTweets(ttl=2, size=2, clock=clock)
    tweet = table.create("Example tweet.")
    for use in (
        lambda: local.put(tweet, local.writes),
        lambda: local.get(tweet.tweet_id),
        lambda: local.drop(tweet.tweet_id),
    ):
        held.clear()
        use()
        assert held and all(held)


def test_threads_that_read_and_drop_lose_nothing(table: MemoryTable) -> None:
    """Each tweet has expired at once, or makes room for others, while others look for it."""
    local = LocalTweets(ttl=0.0001, size=4)
    tweets = [table.create(str(number)) for number in range(8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work() -> bool:
        for tweet in tweets * 200:
            local.put(tweet, local.writes)
            assert local.get(tweet.tweet_id) in (None, tweet)
            local.drop(tweet.tweet_id)
        return True

    try:
        threads, results = in_threads(8, work)
        join(threads)
    finally:
        sys.setswitchinterval(before)
    assert results == [True] * 8
    assert len(local._tweets) == 0
