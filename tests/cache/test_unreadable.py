"""Items that another program wrote: a tweet is cached whatever zone its date has, and what is no
tweet is an error each time, never a tweet that there is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.redises import MemoryTable
from tests.support.serving import Server
from tweetlab import CachedTweets, Tweet, TweetNotFound, TweetTable, UnreadableTweet
from tweetlab.cache import Client


@pytest.fixture
def tweets(moto_server: Server) -> Iterator[TweetTable]:
    tweets = TweetTable(moto_server.dynamodb, 1000, 1000, name="foreign")
    tweets.create_table()
    yield tweets
    tweets.delete_table()


@pytest.fixture
def cached(tweets: TweetTable, client: Client) -> CachedTweets:
    return CachedTweets(tweets, client)


def put(tweets: TweetTable, tweet_id: UUID | None = None, **attributes: Any) -> UUID:
    tweet_id = tweet_id or uuid4()
    item = {"tweet_id": {"S": str(tweet_id)}, **attributes}
    tweets._dynamodb.put_item(TableName=tweets.name, Item=item)
    return tweet_id


DATES = ["2015-05-17 14:17:10.531644", "2015-05-17T16:17:10.531644+02:00"]


@pytest.mark.parametrize("created", DATES)
@pytest.mark.parametrize("many", [False, True])
def test_a_tweet_is_cached_whatever_zone_its_date_has(
    cached: CachedTweets, tweets: TweetTable, created: str, many: bool
) -> None:
    tweet_id = put(tweets, text={"S": "First!"}, created={"S": created}, likes={"N": "7"})
    wanted = Tweet(tweet_id, "First!", datetime(2015, 5, 17, 14, 17, 10, 531644, UTC))
    if many:
        assert cached.get_many([tweet_id]) == {tweet_id: wanted}
    else:
        assert cached.read(tweet_id).tweet == wanted
    again = cached.read(tweet_id)
    assert (again.tweet, again.source) == (wanted, "cache")
    assert (cached.stats.hits, cached.stats.misses, cached.stats.errors) == (1, 1, 0)


def test_a_date_without_a_zone_is_cached_from_any_table(table: MemoryTable, client: Client) -> None:
    tweet = Tweet(uuid4(), "Example tweet.", datetime(2015, 5, 17))
    table.tweets[tweet.tweet_id] = tweet
    cached = CachedTweets(table, client)
    assert [cached.read(tweet.tweet_id).source for _ in range(2)] == ["table", "cache"]


def test_what_is_no_tweet_is_an_error_each_time_and_is_counted(
    cached: CachedTweets, tweets: TweetTable, client: Client
) -> None:
    broken = put(tweets, text={"S": "When?"}, created={"N": "1431872230"})
    for consistent in (False, False, True):
        with pytest.raises(UnreadableTweet, match=f"{broken} .* 'created' is of type N"):
            cached.get(broken, consistent)
    assert client.keys("*") == []  # neither a value nor a lease is left
    assert (cached.stats.unreadable, cached.stats.errors) == (3, 0)


def test_get_many_leaves_out_what_is_no_tweet_and_counts_it(
    cached: CachedTweets, tweets: TweetTable, client: Client
) -> None:
    good, missing = tweets.create("Example tweet."), uuid4()
    broken = put(tweets, created={"S": "2015-05-17"})
    ids = [missing, broken, good.tweet_id]
    for consistent, unreadable in ((False, 1), (False, 2), (True, 3)):
        found = cached.get_many(ids, consistent)
        assert found == {good.tweet_id: good}
        assert [error.attribute for error in found.unreadable.values()] == ["text"]
        assert cached.stats.unreadable == unreadable
        # It is not remembered as a tweet that there is not.
        with pytest.raises(TweetNotFound):
            cached.get(missing)
    assert not list(client.scan_iter(f"*{broken}*"))
    with pytest.raises(UnreadableTweet):
        cached.get(broken)
    put(tweets, broken, text={"S": "Mended."}, created={"S": "2015-05-17"})
    assert cached.get_many(ids)[broken].text == cached.get(broken).text == "Mended."


def test_a_tweet_that_is_broken_later_is_served_until_its_time_is_up(
    tweets: TweetTable, client: Client
) -> None:
    """The refresh ahead fails, which nobody has to wait for."""
    now, jobs = [1000.0], list[Any]()
    cached = CachedTweets(
        tweets, client, 60, refresh_ahead=20, clock=lambda: now[0], background=jobs.append
    )
    tweet = tweets.create("Example tweet.")
    cached.get(tweet.tweet_id)
    put(tweets, tweet.tweet_id, text={"S": "When?"})
    now[0] += 50
    assert cached.get(tweet.tweet_id) == tweet
    for job in jobs:
        job()
    assert cached.get(tweet.tweet_id) == tweet
    assert cached.stats.unreadable == 1
    assert any("was not refreshed" in event.what for event in cached.stats.events)


def test_creating_many_clears_what_was_known_of_their_ids(
    table: MemoryTable, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = CachedTweets(table, client)
    tweets = [Tweet(uuid4(), str(number), datetime.now(UTC)) for number in range(3)]
    for tweet in tweets:
        with pytest.raises(TweetNotFound):
            cached.get(tweet.tweet_id)

    def create_many(texts: list[str]) -> list[Tweet]:
        assert texts == ["0", "1", "2"]
        table.tweets = {tweet.tweet_id: tweet for tweet in tweets}
        return tweets

    monkeypatch.setattr(table, "create_many", create_many)
    assert cached.create_many(["0", "1", "2"]) == tweets
    assert [cached.get(tweet.tweet_id) for tweet in tweets] == tweets
