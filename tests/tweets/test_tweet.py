"""A tweet and its item, and a read of the cache."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tweetlab import TweetlabError, UnreadableTweet, sample_texts
from tweetlab.tweets import FoundTweets, Read, Tweet, valid_text


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


# --- items that another program wrote ---------------------------------------------------------

ID = UUID(int=1)
CREATED = datetime(2015, 5, 17, 14, 17, 10, 531644, UTC)
GOOD = {
    "tweet_id": {"S": str(ID)},
    "text": {"S": "Example tweet."},
    "created": {"S": "2015-05-17 14:17:10.531644"},
}


@pytest.mark.parametrize(
    ("created", "meant"),
    [
        ("2015-05-17 14:17:10.531644", CREATED),  # Python's str() of a date, by the first example
        ("2015-05-17T14:17:10.531644", CREATED),
        ("2015-05-17T14:17:10.531644Z", CREATED),
        ("2015-05-17T14:17:10.531644+00:00", CREATED),
        ("2015-05-17T14:17:10.531644-00:00", CREATED),
        ("2015-05-17T19:47:10.531644+05:30", CREATED),
        ("2015-05-16T21:17:10.531644-17:00", CREATED),
        ("2015-05-17T14:17:10.531644999Z", CREATED),
        ("2015-05-17", datetime(2015, 5, 17, tzinfo=UTC)),
        ("0001-01-01T00:00:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_a_date_is_in_utc_whatever_zone_it_was_written_in(created, meant):
    tweet = Tweet.from_item({**GOOD, "created": {"S": created}})
    assert (tweet.created, tweet.created.tzinfo) == (meant, UTC)
    assert Tweet.from_item(tweet.item) == tweet


@pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=-17))])
def test_a_tweet_however_it_is_made_is_dated_in_utc(zone):
    tweet = Tweet(ID, "Example tweet.", CREATED.astimezone(zone) if zone else CREATED)
    assert (tweet.created, tweet.created.tzinfo) == (CREATED, UTC)
    assert Tweet(ID, "Example tweet.", CREATED.replace(tzinfo=None)) == tweet


@pytest.mark.parametrize("text", ["", " ", "x" * 30_000, "\0", "🦉"])
def test_a_text_is_read_as_it_is_also_one_that_could_not_be_posted(text):
    assert Tweet.from_item({**GOOD, "text": {"S": text}}).text == text


def test_what_else_an_item_has_is_left_out():
    more = {"author": {"S": "Ann"}, "likes": {"N": "7"}, "seen": {"NULL": True}}
    assert Tweet.from_item({**GOOD, **more}) == Tweet(ID, "Example tweet.", CREATED)


NO_STRINGS = [
    ({"N": "1431872230"}, "is of type N, not S"),
    ({"NULL": True}, "is of type NULL, not S"),
    ({"BOOL": True}, "is of type BOOL, not S"),
    ({"B": b"bytes"}, "is of type B, not S"),
    ({"M": {}}, "is of type M, not S"),
    ({"L": [{"S": "x"}]}, "is of type L, not S"),
    ({"SS": ["x"]}, "is of type SS, not S"),
    ({"S": "half \ud83d a pair"}, "holds half of a surrogate pair"),
    (None, "is missing"),
]
NO_DATES = ["", "yesterday", "1431872230", "17.05.2015", "14:17", "2015-02-30", "2015-05-17T25:00"]
NO_DATES += ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "+10000-01-01", "x" * 9999]
NO_TWEETS = [
    *[("text", value, why) for value, why in NO_STRINGS],
    *[("created", value, why) for value, why in NO_STRINGS],
    *[("created", {"S": date}, "is not a date and a time: '") for date in NO_DATES],
]


@pytest.mark.parametrize(("name", "value", "why"), NO_TWEETS)
def test_an_item_that_is_no_tweet_is_an_error_that_names_it(name, value, why):
    item = {other: v for other, v in {**GOOD, name: value}.items() if v is not None}
    with pytest.raises(UnreadableTweet) as raised:
        Tweet.from_item(item)
    error = raised.value
    assert (error.tweet_id, error.attribute) == (ID, name)
    assert str(error).startswith(f"The item {ID} is not a tweet's: '{name}' {why}")
    assert "tweets.delete(tweet_id)" in str(error) and len(str(error)) < 400
    assert str(copy.copy(error)) == str(error)  # as when it comes from another process
    assert isinstance(error, TweetlabError) and isinstance(error, ValueError)


@pytest.mark.parametrize("key", [{"S": "42"}, {"N": "42"}, None])
def test_an_item_of_another_table_is_an_error_too(key):
    item = {**GOOD, "tweet_id": key} if key else {"text": {"S": "x"}}
    with pytest.raises(UnreadableTweet, match="'tweet_id' is"):
        Tweet.from_item(item)


def test_what_was_found_and_what_was_left_out_are_kept_together():
    tweet = Tweet.from_item(GOOD)
    error, other = UnreadableTweet(UUID(int=2), "text", "is missing"), UUID(int=3)
    found = FoundTweets({other: tweet})
    found.add(FoundTweets({ID: tweet}, {UUID(int=2): error}))
    found.add({UUID(int=4): tweet})
    assert list(found) == [other, ID, UUID(int=4)]
    in_order = found.in_order([ID, UUID(int=2), other])
    assert list(in_order) == [ID, other]
    assert in_order.unreadable == found.unreadable == {UUID(int=2): error}
    assert FoundTweets() == {} and FoundTweets().unreadable == {}


# --- samples ----------------------------------------------------------------------------------


def test_the_sample_tweets():
    texts = sample_texts()
    assert len(texts) == len(set(texts)) == 200
    assert all(valid_text(text) for text in texts)
    sizes = sorted(len(text.encode()) for text in texts)
    assert sizes[-1] > 1024 and sizes[100] < 100
    assert any(len(text) < len(text.encode()) for text in texts)
