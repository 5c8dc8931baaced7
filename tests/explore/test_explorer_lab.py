"""The explorer's servers, which are real here: its tables, and its cache."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import redis

import tweetlab
from tests.support.explorer_fakes import IDS, NOW, QUIET, point, until
from tweetlab.cache import CachedTweets, connect, key
from tweetlab.errors import LabError
from tweetlab.explore import SCENARIOS, Explorer, Settings, words
from tweetlab.explore.explorer_lab import PARTITIONS, ExplorerLab, warm_cache
from tweetlab.explore.run import LiveRun
from tweetlab.explore.settings import MOST_TWEETS
from tweetlab.tweets import Tweet, TweetTable
from tweetlab.workload.open_loop import Reader


@pytest.fixture(scope="module")
def real() -> Iterator[ExplorerLab]:
    with ExplorerLab() as made:
        yield made


@pytest.fixture
def explorer_lab(real: ExplorerLab) -> Iterator[ExplorerLab]:
    yield real
    real.clear()


def description(reader: Reader) -> Any:
    table = reader.table if isinstance(reader, CachedTweets) else reader
    assert isinstance(table, TweetTable)
    return table._dynamodb.describe_table(TableName=table.name)["Table"]


def reads_until_throttled(explorer_lab: ExplorerLab, settings: Settings) -> tuple[int, float]:
    """How often a tweet of a new table can be read, and the seconds since before it was made. More
    than 300 are not tried: a slow machine has the table give as much as is asked for."""
    began = time.monotonic()
    reader = explorer_lab.prepare(settings, warm=False)
    for reads in range(300):
        if reader.read(explorer_lab.tweet_ids[0]).throttles:
            return reads, time.monotonic() - began
    return 300, time.monotonic() - began


def test_a_run_gets_a_table_of_its_own_with_all_the_tweets(explorer_lab):
    reader = explorer_lab.prepare(Settings(read_capacity=100, cache=False), warm=True)
    assert len(set(explorer_lab.tweet_ids)) == MOST_TWEETS + 1
    for tweet_id in (explorer_lab.tweet_ids[0], explorer_lab.tweet_ids[-1]):
        assert reader.read(tweet_id).source == "table"
    assert description(reader)["ProvisionedThroughput"]["ReadCapacityUnits"] == 100
    name = description(reader)["TableName"]
    explorer_lab.clear()
    with pytest.raises(tweetlab.TweetlabError):
        reader.read(explorer_lab.tweet_ids[0])
    assert description(explorer_lab.prepare(Settings(), warm=False))["TableName"] != name


def test_a_table_has_saved_up_nothing_and_throttles(explorer_lab):
    """As many reads as come in since it was made: two at once, and two a second."""
    reads, seconds = reads_until_throttled(explorer_lab, Settings(read_capacity=1, cache=False))
    assert 2 <= reads <= 2 * (1 + seconds) + 1


def test_a_warm_cache_holds_what_it_would_after_a_long_time():
    settings = Settings(ttl=60, tweets=1000, rate=20)
    tweets = [Tweet(tweet_id, "Text.", NOW) for tweet_id in IDS]
    rng = np.random.default_rng(0)
    warm = [dict(warm_cache(tweets, settings, rng)) for _ in range(100)]
    seen = np.array([[tweet in cache for tweet in tweets] for cache in warm]).mean(axis=0)
    chances = settings.hit_chances
    assert np.abs(seen - chances).max() < 5 * np.sqrt(1 / 4 / 100)
    assert seen.sum() == pytest.approx(chances.sum(), rel=0.01)
    left = np.array([left for cache in warm for left in cache.values()])
    assert left.min() >= 1 and left.max() <= 60_000
    tenths, _ = np.histogram(left, 10, (0, 60_000))
    assert tenths == pytest.approx(len(left) / 10, rel=0.1)
    assert tweets[-1] not in set().union(*warm)  # nobody knew the viral one


def test_a_warm_cache_is_put_into_redis_before_the_run(explorer_lab):
    """Redis tells when a key expires, however long it takes to ask for it."""
    settings = Settings(ttl=60, tweets=1000, rate=20)
    explorer_lab._rng = np.random.default_rng(3)
    store = explorer_lab._redis

    def now_ms() -> int:
        seconds, microseconds = store.time()
        return seconds * 1000 + microseconds // 1000

    before = now_ms()
    reader = explorer_lab.prepare(settings, warm=True)
    after = now_ms()
    expires = {
        one: store.pexpiretime(key(one, reader.table.name)) for one in explorer_lab.tweet_ids
    }
    asked = now_ms()
    expected = dict(warm_cache(explorer_lab._tweets, settings, np.random.default_rng(3)))
    for tweet in explorer_lab._tweets:
        at, left = expires[tweet.tweet_id], expected.get(tweet)
        if at == -2:  # not there: never was, or not any more
            assert left is None or before + left <= asked
        else:
            assert left is not None and before + left <= at <= after + left
    longest = max(expected, key=expected.__getitem__)
    hit = reader.read(longest.tweet_id)
    assert (hit.source, hit.tweet) == ("cache", longest)


def test_a_cold_cache_is_empty(explorer_lab):
    reader = explorer_lab.prepare(Settings(), warm=False)
    assert [reader.read(explorer_lab.tweet_ids[0]).source for _ in range(2)] == ["table", "cache"]


def test_new_read_capacity_is_an_update_of_the_table(explorer_lab):
    reader = explorer_lab.prepare(Settings(read_capacity=5), warm=False)
    name = description(reader)["TableName"]
    changed = explorer_lab.change(Settings(read_capacity=120, ttl=9, single_flight=False))
    table = description(changed)
    assert (table["TableName"], table["ProvisionedThroughput"]["ReadCapacityUnits"]) == (name, 120)
    assert isinstance(changed, CachedTweets) and changed.ttl == 9


def test_without_adaptive_capacity_a_popular_tweet_has_a_quarter(explorer_lab):
    """A table of 40 RCU has 80 reads to give at once, its quarter 20, and as many each second."""
    settings = Settings(read_capacity=40, cache=False)
    whole, _ = reads_until_throttled(explorer_lab, settings)
    assert whole >= 80
    explorer_lab.clear()
    quarter, seconds = reads_until_throttled(explorer_lab, replace(settings, adaptive=False))
    assert 20 <= quarter <= 20 * (1 + seconds) + 1
    assert PARTITIONS == 4


def test_both_tables_share_the_tweets_and_the_cache(explorer_lab):
    reader = explorer_lab.prepare(Settings(), warm=False)
    tweet = reader.read(explorer_lab.tweet_ids[3]).tweet
    other = explorer_lab.change(Settings(adaptive=False))
    assert other.read(explorer_lab.tweet_ids[3]).source == "cache"
    past_the_cache = explorer_lab.change(Settings(adaptive=False, cache=False))
    assert past_the_cache.read(explorer_lab.tweet_ids[3]).tweet == tweet


def url_of(client: Any) -> str:
    arguments = client.get_connection_kwargs()
    return f"redis://:{arguments['password']}@127.0.0.1:{arguments['port']}/0"


def test_the_cache_is_lost_and_comes_back_empty(explorer_lab):
    reader = explorer_lab.prepare(Settings(), warm=False)
    known, unknown = explorer_lab.tweet_ids[:2]
    assert [reader.read(known).source for _ in range(2)] == ["table", "cache"]
    with connect(url_of(reader.redis), timeout=0.1) as impatient:

        def hangs() -> bool:
            """Lose it, and ask it at once; again if this process was kept from that."""
            explorer_lab.lose_cache(0.5)
            with suppress(redis.TimeoutError):
                return not impatient.ping()
            return True

        until(hangs, "an outage")
    assert reader.read(unknown).source == "table"
    held = key(known, reader.table.name)
    explorer_lab.clear()
    reader = explorer_lab.prepare(Settings(), warm=False)  # waits until Redis answers
    # It may have got what the read sent it meanwhile; what it had before is gone.
    assert not reader.redis.exists(held)


def test_a_redis_of_the_user_is_never_broken(explorer_lab, monkeypatch):
    reader = explorer_lab.prepare(Settings(), warm=True)
    reader.redis.set("theirs", "precious")
    monkeypatch.setenv("REDIS_URL", url_of(reader.redis))
    other = ExplorerLab()
    with Explorer(other) as explorer:
        assert not other.owns_redis
        with pytest.raises(LabError, match="unset REDIS_URL"):
            other.lose_cache(1)
        assert "Cache outage" not in dict(explorer.scenario.options)
        assert len(explorer.scenario.options) == len(SCENARIOS) - 1
    assert reader.redis.get("theirs") == b"precious"


def test_a_run_knows_whether_redis_answers(monkeypatch):
    monkeypatch.setattr("tweetlab.lab.lab.REDIS_SECONDS", 0.25)  # as in the explorer
    with ExplorerLab() as impatient:
        live = LiveRun(impatient, QUIET, QUIET.settings)
        live.start()
        process = impatient._redis.info("server")["process_id"]
        try:
            until(lambda: live.state == "running" and live.redis_answers, "reading")
            os.kill(process, signal.SIGSTOP)
            until(lambda: not live.redis_answers, "the breaker")
            assert "Redis does not answer: every read" in words.situation(point(table=1), False)
            os.kill(process, signal.SIGCONT)
            until(lambda: live.redis_answers, "the recovery")
        finally:
            os.kill(process, signal.SIGCONT)
            live.stop()
            live.join(60)
