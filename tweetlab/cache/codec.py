"""What Redis holds for a tweet: JSON, under the key ``tweet:{tweet_id}``."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from tweetlab.tweets import Tweet

_TWEET = {"tweet_id", "text", "created"}
_MISSING = {"tweet_id", "missing"}


class Cached(NamedTuple):
    """A value found in the cache."""

    tweet: Tweet | None
    """None: it is known that there is no such tweet."""
    refresh_at: float = math.inf
    """When it should be read anew, in seconds since 1970."""


def key(tweet_id: UUID) -> str:
    """The Redis key of a tweet."""
    return f"tweet:{tweet_id}"


def encode(tweet: Tweet, refresh_at: float = math.inf) -> bytes:
    """The JSON that Redis holds for a tweet."""
    fields: dict[str, Any] = {
        "tweet_id": str(tweet.tweet_id),
        "text": tweet.text,
        "created": tweet.created.isoformat(),
    }
    if refresh_at < math.inf:
        fields["refresh_at"] = refresh_at
    return orjson.dumps(fields)


def encode_missing(tweet_id: UUID) -> bytes:
    """The JSON that Redis holds where there is no tweet of that id."""
    return orjson.dumps({"tweet_id": str(tweet_id), "missing": True})


def decode(value: bytes | str, tweet_id: UUID) -> Cached:
    """What that JSON says of the tweet of that id.

    Raises ValueError for anything else: half a value, another tweet's, or fields that this version
    does not know, whose meaning it could only guess.
    """
    fields = orjson.loads(value)
    try:
        refresh_at = fields.pop("refresh_at", math.inf)
        if fields["tweet_id"] != str(tweet_id):
            raise ValueError("another tweet")
        if fields.keys() == _TWEET:
            text, created = fields["text"], datetime.fromisoformat(fields["created"])
            if type(text) is str and created.tzinfo is UTC and type(refresh_at) is float:
                return Cached(Tweet(tweet_id, text, created), refresh_at)
        if fields.keys() == _MISSING and fields["missing"] is True:
            return Cached(None)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("not a cached tweet") from error
    raise ValueError("not a cached tweet")
