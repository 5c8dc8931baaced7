"""Many labs on one endpoint: each has its own tables, throughput, metrics and drills."""

from __future__ import annotations

import string
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

import tweetlab
from tests.support.asking import throttled
from tests.support.serving import Clock, Server, client
from tweetlab import CachedTweets, LabError, TweetTable, workload
from tweetlab.lab.lab import DYNAMODB_VARIABLE, REDIS_VARIABLE


@pytest.fixture
def shared(separate_server: Server, redis_server: str, monkeypatch: pytest.MonkeyPatch) -> Server:
    """An endpoint, and a Redis, that the labs started in a test share."""
    monkeypatch.setenv(DYNAMODB_VARIABLE, separate_server.url)
    monkeypatch.setenv(REDIS_VARIABLE, redis_server)
    return separate_server


@pytest.fixture
def shared_moto(moto_server: Server, redis_server: str, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv(DYNAMODB_VARIABLE, moto_server.url)
    monkeypatch.setenv(REDIS_VARIABLE, redis_server)
    return moto_server


def tables(lab: tweetlab.Lab) -> list[str]:
    return lab.dynamodb.list_tables()["TableNames"]


def test_two_labs_on_one_endpoint_have_nothing_in_common(shared):
    with tweetlab.start() as mine, tweetlab.start() as theirs:
        tweets = TweetTable(mine.dynamodb, read_capacity=5)
        tweets.create_table()
        tweet = tweets.create("mine")
        assert (tables(mine), tables(theirs)) == (["tweet"], [])
        others = TweetTable(theirs.dynamodb, read_capacity=5)
        others.create_table()
        others.delete_table()
        mine.drill(1, operation="GetItem")
        others.create_table()
        others.create("theirs")
        with pytest.raises(tweetlab.TweetNotFound):
            others.get(tweet.tweet_id)
        # Another program, by the lab's access key.
        elsewhere = client(mine.dynamodb_url, access_key=mine.access_key)
        key = {"tweet_id": {"S": "a"}}
        assert throttled(elsewhere.get_item, TableName="tweet", Key=key)
        elsewhere.close()
        assert mine.metrics()["read_throttled"].sum() == 1
        assert theirs.metrics()["read_throttled"].sum() == 0
        assert set(theirs.metrics()["write_consumed"]) == {1}
        tweets.delete_table()
        assert (tables(mine), tables(theirs)) == ([], ["tweet"])
        others.delete_table()


def test_labs_of_one_learner_have_the_same_tables(shared):
    with (
        tweetlab.start(learner="ana") as one,
        tweetlab.start(learner="Ana") as other,
        tweetlab.start(learner="ben") as another,
    ):
        assert one.access_key == other.access_key == "ana"
        tweets = TweetTable(one.dynamodb, read_capacity=5)
        tweets.create_table()
        tweet = tweets.create("mine")
        assert TweetTable(other.client()).get(tweet.tweet_id) == tweet
        assert len(other.metrics()) == len(one.metrics()) > 0
        assert tables(another) == []
        tweets.delete_table()


def test_each_lab_has_an_access_key_of_its_own_that_dynamodb_local_takes():
    with tweetlab.start() as one, tweetlab.start() as other:
        keys = [one.access_key, other.access_key]
    assert len(set(keys)) == 2
    assert all(set(key) <= set(string.ascii_letters + string.digits) for key in keys)


@pytest.mark.parametrize(
    "learner", ["", "ana maria", "ana-2", "aña", "a" * 65, "ana\n", "ana/b", 5]
)
def test_a_name_that_is_no_access_key_is_refused(learner, leaves_no_process):
    with pytest.raises(ValueError, match=r"1 to 64 letters .* and digits, not"):
        tweetlab.start(learner=learner)


def test_aws_knows_who_one_is(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "theirs")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "theirs")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(LabError, match="leave out learner"):
        tweetlab.start(aws=True, learner="ana")


# --- a class ----------------------------------------------------------------------------------

LABS = 30
SECONDS = 2
TWEETS = 12
READS = 24
"""Of each lab in each second, without the cache and then with it: more than any table serves."""


def test_thirty_labs_at_once_have_their_own_tables_and_their_own_throttling(
    shared_moto, monkeypatch
):
    """The module's part of lesson 04, by thirty labs at the same time, in tables of 1 to 10 RCU
    that are all named ``tweet``. The endpoint's clock goes on by a second when all have made the
    reads of one; so it is known how many each table serves."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    capacities = [1 + number % 10 for number in range(LABS)]
    together = threading.Barrier(LABS, lambda: shared_moto.clock.advance(1), timeout=600)

    def lesson(number: int) -> dict[str, Any]:
        try:
            with tweetlab.start() as lab:
                return run(lab, number)
        except BaseException:
            together.abort()
            raise

    def run(lab: tweetlab.Lab, number: int) -> dict[str, Any]:
        read_capacity = capacities[number]

        def new_table() -> tuple[TweetTable, list[Any]]:
            tweets = TweetTable(lab.dynamodb, read_capacity=1, write_capacity=200)
            tweets.delete_table()
            tweets.create_table()
            ids = [tweets.create(f"{n} of {number}").tweet_id for n in range(TWEETS)]
            tweets = TweetTable(lab.dynamodb, read_capacity=read_capacity, write_capacity=200)
            tweets.create_table()
            return tweets, ids

        def second(reader: workload.Reader, ids: list[Any]) -> Any:
            together.wait()
            requests = workload.zipf(ids, rate=3 * READS, seconds=1, skew=1).head(READS)
            now = Clock()  # no reader waits for the time of a read
            return workload.replay(
                reader, requests, workers=4, progress=False, clock=now, sleep=now.advance
            )

        tweets, ids = new_table()
        without = [second(tweets, ids) for _ in range(SECONDS)]
        held = lab.metrics()
        names = tables(lab)
        together.wait()  # for units to scan with
        items = lab.dynamodb.scan(TableName="tweet", ConsistentRead=True)["Items"]
        tweets, ids = new_table()
        cached = CachedTweets(tweets, lab.redis)
        with_cache = [second(cached, ids) for _ in range(SECONDS)]
        tweets.delete_table()
        return {
            "served": sum((reads["source"] == "table").sum() for reads in without),
            "attempts_throttled": held["read_throttled"].sum(),
            "failed": sum((reads["source"] == "failed").sum() for reads in without),
            "retries": sum(reads["retries"].sum() for reads in without),
            "consumed": held["read_consumed"].sum(),
            "keys": set().union(*(dict(row) for row in held["hottest_keys"])),
            "names": names,
            "texts": {item["text"]["S"] for item in items},
            "provisioned": held["read_provisioned"].max(),
            "from_table": sum((reads["source"] == "table").sum() for reads in with_cache),
            "hits": sum((reads["source"] == "cache").sum() for reads in with_cache),
            "ids": set(map(str, ids)) | {item["tweet_id"]["S"] for item in items},
        }

    with ThreadPoolExecutor(LABS) as pool:
        results = list(pool.map(lesson, range(LABS)))
    for number, result in enumerate(results):
        read_capacity = capacities[number]
        assert result["names"] == ["tweet"]
        assert result["texts"] == {f"{n} of {number}" for n in range(TWEETS)}
        # Half a unit a read; one unit was there before the first second.
        assert result["served"] == 2 * (1 + SECONDS * read_capacity)
        assert result["consumed"] == 1 + SECONDS * read_capacity
        assert result["provisioned"] == read_capacity
        assert result["failed"] == SECONDS * READS - result["served"]
        # Each failed at its last attempt, and each retry follows a refusal.
        assert result["attempts_throttled"] == result["failed"] + result["retries"]
        assert result["keys"] <= result["ids"]
        assert 0 < result["from_table"] <= 2 * (1 + SECONDS * read_capacity)
        assert result["hits"] > 0
