"""The cache in front of a real table, which throttles, and the lab with a cluster of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

import tweetlab
from tweetlab import CachedTweets, Lab, TweetTable, workload
from tweetlab.cache import Client, connect
from tweetlab.lab.lab import REDIS_VARIABLE


@pytest.fixture(scope="module", params=["valkey_url", "cluster_url"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(REDIS_VARIABLE, request.getfixturevalue(request.param))
        with tweetlab.start() as lab:
            yield lab


@pytest.fixture
def patient(lab: Lab) -> Iterator[Client]:
    """A client that waits longer than the lab's: on a busy machine Redis may take its time."""
    with connect(lab.redis_url, timeout=10) as client:
        yield client


@pytest.fixture
def tweets(lab: Lab) -> Iterator[TweetTable]:
    tweets = TweetTable(lab.dynamodb, read_capacity=100, write_capacity=1000, name="cached")
    tweets.create_table()
    yield tweets
    tweets.delete_table()


def test_redis_url_may_name_a_cluster(lab: Lab, cluster_url: str) -> None:
    assert isinstance(lab.redis, redis.RedisCluster) is (lab.redis_url == cluster_url)


def test_a_tweet_goes_there_and_back(tweets: TweetTable, patient: Client) -> None:
    cached = CachedTweets(tweets, patient)
    tweet = cached.create("Zoë tweets 🐦\0")
    first, second = cached.read(tweet.tweet_id), cached.read(tweet.tweet_id)
    assert (first.tweet, first.source, first.read_units) == (tweet, "table", 1.0)  # consistent
    assert (second.tweet, second.source, second.read_units) == (tweet, "cache", 0.0)
    assert cached.edit(tweet.tweet_id, "After.") == cached.get(tweet.tweet_id)
    cached.delete(tweet.tweet_id)
    with pytest.raises(tweetlab.TweetNotFound):
        cached.get(tweet.tweet_id)


def test_a_timeline_is_read_in_a_few_calls(lab: Lab, tweets: TweetTable, patient: Client) -> None:
    cached = CachedTweets(tweets, patient)
    written = [tweets.create(f"Example tweet {number}.") for number in range(130)]
    calls: list[bytes] = []
    lab.dynamodb.meta.events.register(
        "before-send.dynamodb", lambda request, **_: calls.append(request.headers["X-Amz-Target"])
    )
    ids = [tweet.tweet_id for tweet in written]
    assert list(cached.get_many(ids + ids).values()) == written
    assert list(cached.get_many(ids).values()) == written
    assert [call.split(b".")[1] for call in calls] == [b"BatchGetItem"] * 2
    assert (cached.stats.hits, cached.stats.misses, cached.stats.errors) == (130, 130, 0)


def test_a_replay_through_the_cache_reads_each_tweet_once(
    tweets: TweetTable, patient: Client
) -> None:
    cached = CachedTweets(tweets, patient, lease_seconds=600)  # however slow it is
    ids = [tweets.create(f"Example tweet {number}.").tweet_id for number in range(5)]
    requests = workload.zipf(ids, rate=300, seconds=0.5, seed=1)
    reads = workload.replay(cached, requests, progress=False)
    assert (reads["source"] == "table").sum() == requests["tweet_id"].nunique()
    assert reads["read_units"].sum() == 0.5 * requests["tweet_id"].nunique()
    assert cached.stats.hits + cached.stats.misses == len(requests)
