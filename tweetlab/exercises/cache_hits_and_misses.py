"""Checks of lesson 03."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch
from uuid import UUID

from tweetlab.cache import CachedTweets, Client, key
from tweetlab.exercises.verdict import Remark, check, lifetime
from tweetlab.tweets import Tweet, TweetTable


@check(
    "change the table first and drop the key after it. The other way round, a reader who comes in "
    "between puts the old tweet back."
)
def check_edit_aside(
    answer: Callable[[UUID, str], object], tweets: TweetTable, redis: Client
) -> Iterator[Remark]:
    """An edit that a reader of the cache sees, whenever that reader comes."""
    cached = CachedTweets(tweets, redis)
    tweet_id = cached.create("before").tweet_id
    edit = tweets.edit

    def busy_edit(tweet_id: UUID | str, text: str) -> Tweet:
        cached.get(tweet_id)
        return edit(tweet_id, text)

    try:
        cached.get(tweet_id)
        answer(tweet_id, "after")
        text = tweets.get(tweet_id, consistent=True).text
        yield text == "after", f"the edited tweet is “{text}” in the table"
        text = cached.get(tweet_id).text
        yield text == "after", f"it is “{text}” for who reads it through the cache"
        with patch.object(tweets, "edit", busy_edit):
            answer(tweet_id, "after all")
        text = cached.get(tweet_id).text
        yield text == "after all", f"with a reader in the middle of the edit, it is “{text}”"
    finally:
        cached.delete(tweet_id)


@check("read a tweet, then ask Redis how long it will keep it: `lab.redis.ttl(...)`.")
def check_remember(
    answer: Callable[[UUID], str], tweets: TweetTable, redis: Client
) -> Iterator[Remark]:
    """A cache-aside read that keeps a tweet for an hour."""
    tweet = tweets.create("remember me")
    try:
        yield answer(tweet.tweet_id) == tweet.text, "the first read gives the text of the tweet"
        seconds: Any = redis.ttl(key(tweet.tweet_id))
        yield 3590 <= seconds <= 3600, f"Redis keeps it {lifetime(seconds)}, of the 3,600 s wanted"
        tweets.delete(tweet.tweet_id)
        yield answer(tweet.tweet_id) == tweet.text, "the second read does not need the table"
    finally:
        CachedTweets(tweets, redis).delete(tweet.tweet_id)
