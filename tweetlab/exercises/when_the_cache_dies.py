"""Checks of lesson 07."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from tweetlab.cache import connect, key
from tweetlab.exercises.verdict import Remark, check, expect_number
from tweetlab.tweets import TweetTable

if TYPE_CHECKING:
    from tweetlab.lab import BreakableRedis


@check(
    "two things can fail: asking Redis, and telling it. `with suppress(redis.RedisError, "
    "ValueError):` around the first and `with suppress(redis.RedisError):` around the second; "
    "in between, the table is asked."
)
def check_read_anyway(
    answer: Callable[[UUID], str], tweets: TweetTable, doomed: BreakableRedis
) -> Iterator[Remark]:
    """A cache-aside read that gets the tweet whatever happens to ``doomed``."""
    tweet, other = tweets.create("whatever happens"), tweets.create("come what may")
    name = key(other.tweet_id)
    try:
        with connect(doomed.url, timeout=10) as client:
            yield answer(tweet.tweet_id) == tweet.text, "the first read gives the text of the tweet"
            tweets.delete(tweet.tweet_id)
            yield answer(tweet.tweet_id) == tweet.text, "the second read does not need the table"
            client.set(name, '{"text": "come')
            yield answer(other.tweet_id) == other.text, "with half a value in Redis, it is right"
            healed = client.get(name) != b'{"text": "come'
            yield healed, f"after that, Redis holds {'the tweet' if healed else 'still the half'}"
        doomed.kill()
        yield answer(other.tweet_id) == other.text, "with Redis killed, it is right"
    finally:
        doomed.start()
        tweets.delete(other.tweet_id)


@check(
    "reads a second, times the seconds each takes, is how many are under way. One RCU is two reads "
    "a second. Round down (`math.floor`), as more would be throttled; none at all would be no use."
)
def check_reads_at_a_time(answer: Callable[[float, float], int]) -> Iterator[Remark]:
    """Table reads under way at a time, by read capacity (RCU) and seconds a read."""
    # Seconds that are exact in binary: 0.01 would make math.floor's answer a matter of rounding.
    for capacity, seconds in ((500, 0.25), (40, 0.125), (200, 0.03125), (5, 0.0078125)):
        expected = max(1, math.floor(2 * capacity * seconds))
        yield expect_number(answer, (capacity, seconds), expected)
