"""The errors of tweetlab: each says what to do next, and none shows a password."""

from __future__ import annotations

import re
from uuid import UUID


def public_url(url: str) -> str:
    """A URL as it may be shown: nothing that stands left of its last @, and no query, may a
    password stand there with all the signs that belong elsewhere in a URL.
    """
    scheme = re.match(r"((rediss?|unix|https?)://)?", url).group()  # type: ignore[union-attr]
    user, _, place = url[len(scheme) :].rpartition("@")
    if "?" in user and "=" in user:  # the @ is one of a query
        place = "..."
    return scheme + re.split(r"[?#]", place)[0]


class TweetlabError(Exception):
    """The base of all errors raised by tweetlab itself.

    One that makes its own words keeps what it was given as ``args``: a process that hands it to
    another one, as ``multiprocessing`` does, makes it anew from those.
    """


class InvalidTweet(TweetlabError, ValueError):
    """The text, or the id, is not one a tweet can have; nothing was stored."""


class InvalidCapacity(TweetlabError, ValueError):
    """A provisioned throughput must be a whole number of units, at least 1."""


class TweetNotFound(TweetlabError, LookupError):
    """The table holds no tweet of that id."""

    def __init__(self, tweet_id: UUID) -> None:
        super().__init__(tweet_id)
        self.tweet_id = tweet_id

    def __str__(self) -> str:
        return f"There is no tweet {self.tweet_id}: it was never created, or it was deleted."


class UnreadableTweet(TweetlabError, ValueError):
    """The item of that id is no tweet: another program wrote it. It is in the table all the same.

    ``attribute`` is the one that is missing, or that is not what a tweet has there.
    """

    def __init__(self, tweet_id: UUID | str, attribute: str, why: str) -> None:
        super().__init__(tweet_id, attribute, why)
        self.tweet_id = tweet_id
        self.attribute = attribute
        self.why = why

    def __str__(self) -> str:
        return (
            f"The item {self.tweet_id} is not a tweet's: {self.attribute!r} {self.why}. Another "
            "program wrote it: have that give it what a tweet has, the strings 'text' and "
            "'created' (as 2015-05-17T14:17:10+00:00), or delete it: tweets.delete(tweet_id)."
        )


class TableNotFound(TweetlabError):
    """The table does not exist yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def __str__(self) -> str:
        return f"There is no table {self.args[0]!r} yet: call tweets.create_table() first."


class TableMismatch(TweetlabError):
    """A table of that name exists, but it is not a table of tweets."""


class TableUnavailable(TweetlabError):
    """DynamoDB does not answer."""

    def __init__(self, url: str) -> None:
        super().__init__(public_url(url))

    def __str__(self) -> str:
        return (
            f"DynamoDB does not answer at {self.args[0]}. If the lab was closed, start a new one "
            "with tweetlab.start(); if the server is yours, check that it is running."
        )


class TableBusy(TweetlabError):
    """The cache already makes as many table reads as it may; this read was not begun."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)

    def __str__(self) -> str:
        return (
            f"The cache already has {self.args[0]} reads of the table under way, as many as it "
            "may. Try again in a moment; to let more through, give CachedTweets a larger "
            "max_table_reads."
        )


class LabError(TweetlabError):
    """The lab could not start, or refused to do something dangerous."""


class NothingAnswered(TweetlabError):
    """Every read of a run failed for a reason other than throttling: there is no result to show."""


class InvalidPolicy(TweetlabError, ValueError):
    """A cache policy gave something that cannot be used, or is not a ``simulate.Policy``."""
