"""What the checks of lesson 07 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis

from tests.support.verdicts import empty, wrong
from tweetlab import exercises
from tweetlab.cache import connect, encode, key
from tweetlab.lab.breakable import BreakableRedis


@pytest.fixture(scope="module")
def doomed() -> Iterator[BreakableRedis]:
    with BreakableRedis() as doomed:
        yield doomed


def test_a_read_that_does_not_survive(doomed, tweets):
    missing = wrong(exercises.check_read_anyway(empty, tweets, doomed))
    assert missing == [
        "the first read gives the text of the tweet",
        "the second read does not need the table",
        "with half a value in Redis, it is right",
        "after that, Redis holds still the half",
        "with Redis killed, it is right",
    ]

    def by_hand(tweet_id):
        with connect(doomed.url, timeout=10) as client:
            value = client.get(key(tweet_id))
            if value is not None:
                return json.loads(value)["text"]
            tweet = tweets.get(tweet_id)
            client.set(key(tweet_id), encode(tweet))
            return tweet.text

    [reason] = wrong(exercises.check_read_anyway(by_hand, tweets, doomed))
    assert reason.startswith("`JSONDecodeError` was raised")


@pytest.mark.parametrize(
    ("heals", "survives", "missing"),
    [
        (True, True, []),
        (False, True, ["after that, Redis holds still the half"]),
        (True, False, ["`ConnectionError` was raised"]),
    ],
)
def test_a_read_that_survives(doomed, tweets, heals, survives, missing):
    def answer(tweet_id):
        with connect(doomed.url, timeout=10) as client:
            value = None
            try:
                value = client.get(key(tweet_id))
                if value is not None:
                    return json.loads(value)["text"]
            except redis.RedisError:
                if not survives:
                    raise
            except ValueError:
                pass
            tweet = tweets.get(tweet_id)
            if heals or value is None:
                with suppress(redis.RedisError):
                    client.set(key(tweet_id), encode(tweet))
            return tweet.text

    verdict = exercises.check_read_anyway(answer, tweets, doomed)
    found = [sentence.split(":")[0] for good, sentence in verdict.remarks if not good]
    assert found == missing
    with connect(doomed.url, timeout=10) as client:
        assert client.ping()  # it was started again


def test_reads_at_a_time():
    assert len(wrong(exercises.check_reads_at_a_time(empty))) == 4

    def consistent(read_capacity, seconds):
        return max(1, math.floor(read_capacity * seconds))

    def none_at_all(read_capacity, seconds):
        return math.floor(read_capacity * 2 * seconds)

    def right(read_capacity, seconds):
        return max(1, math.floor(read_capacity * 2 * seconds))

    assert len(wrong(exercises.check_reads_at_a_time(consistent))) == 3
    assert wrong(exercises.check_reads_at_a_time(none_at_all)) == [
        "`none_at_all(5, 0.0078125)` should be 1; yours gives `0`"
    ]
    assert exercises.check_reads_at_a_time(right).right
