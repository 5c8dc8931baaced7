"""A tweet and its item, and a read of the cache."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tweetlab.tweets import Read, Tweet


@given(st.builds(Tweet, st.uuids(), st.text(), st.datetimes(timezones=st.just(UTC))))
def test_a_tweet_comes_back_from_its_item_as_it_was(tweet):
    item = tweet.item
    assert Tweet.from_item(item) == tweet
    assert {name: list(value) for name, value in item.items()} == {
        "tweet_id": ["S"],
        "text": ["S"],
        "created": ["S"],
    }


def test_a_read_from_the_cache_took_nothing_of_the_table():
    tweet = Tweet(UUID(int=1), "Example tweet.", datetime.now(UTC))
    read = Read.from_cache(tweet)
    assert (read.tweet, read.source) == (tweet, "cache")
    assert (read.seconds, read.retries, read.read_units, read.throttles) == (0, 0, 0, 0)
