"""A policy on the lab's servers: Redis holds what the policy says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import tweetlab
from tests.support.labs import patient_lab, roomy_table
from tests.support.serving import Clock
from tweetlab.cache import key
from tweetlab.errors import TweetNotFound
from tweetlab.simulate.policy import KeepAll, Policy
from tweetlab.simulate.policy_reader import PolicyReader


@pytest.fixture(scope="module")
def lab() -> Iterator[tweetlab.Lab]:
    with patient_lab() as lab:
        yield lab


@pytest.fixture(scope="module")
def tweets(lab):
    return roomy_table(lab)


def small(size: float, ttl: float = 100) -> Policy:
    policy = KeepAll(ttl)
    policy.size = size
    return policy


def test_redis_holds_what_the_policy_keeps(lab, tweets):
    first, second = (tweets.create(text) for text in ("first", "second"))
    reader = PolicyReader(small(size=1), tweets, lab.redis)
    reads = [reader.read(tweet.tweet_id) for tweet in (first, first, second, first)]
    assert [read.source for read in reads] == ["table", "cache", "table", "table"]
    assert [read.tweet for read in reads] == [first, first, second, first]
    assert [read.read_units for read in reads] == [0.5, 0, 0.5, 0.5]
    assert 99_000 < lab.redis.pttl(key(first.tweet_id)) <= 100_000
    assert not lab.redis.exists(key(second.tweet_id))
    lab.redis.delete(key(first.tweet_id))


def test_a_policy_that_keeps_nothing_puts_nothing_there(lab, tweets):
    tweet = tweets.create("not kept")
    reader = PolicyReader(Policy(), tweets, lab.redis)
    assert [reader.read(tweet.tweet_id).source for _ in range(2)] == ["table", "table"]
    assert not lab.redis.exists(key(tweet.tweet_id))


def test_it_tells_the_policy_when(lab, tweets):
    seen = []

    class Watching(Policy):
        def ttl(self, tweet, now):
            seen.append((tweet.gap, now))
            return 0

        def __deepcopy__(self, memo):
            return self

    clock, tweet = Clock(), tweets.create("when")
    reader = PolicyReader(Watching(), tweets, lab.redis, clock)
    for seconds in (3, 4):
        clock.advance(seconds)
        reader.read(tweet.tweet_id)
    assert seen == [(float("inf"), 3), (4, 7)]


def test_of_those_who_miss_together_one_reads_the_table(lab, tweets):
    tweet = tweets.create("together")
    reader = PolicyReader(small(size=10), tweets, lab.redis)
    with ThreadPoolExecutor(16) as pool:
        reads = list(pool.map(lambda _: reader.read(tweet.tweet_id), range(16)))
    assert [read.source for read in reads].count("table") == 1
    assert all(read.tweet == tweet for read in reads)
    lab.redis.delete(key(tweet.tweet_id))


def test_what_is_not_there_is_an_error_each_time(lab, tweets):
    tweet = tweets.create("deleted")
    tweets.delete(tweet.tweet_id)
    reader = PolicyReader(small(size=10), tweets, lab.redis)
    for _ in range(2):
        with pytest.raises(TweetNotFound):
            reader.read(tweet.tweet_id)
