"""What Redis holds for a tweet: JSON under the key ``tweet:{tweet_id}``, and for how long."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from tweetlab.cache.stats import CacheStats
from tweetlab.tweets import Tweet

_TWEET = {"tweet_id", "text", "created"}
_MISSING = {"tweet_id", "missing"}


class Cached(NamedTuple):
    """A value found in the cache."""

    tweet: Tweet | None
    """None: it is known that there is no such tweet."""
    refresh_at: float = math.inf
    """When it should be read again, in seconds since 1970."""


def key(tweet_id: UUID, prefix: str = "tweet") -> str:
    """The Redis key of a tweet."""
    return f"{prefix}:{tweet_id}"


class Keys:
    """The keys of a table's tweets: its name, a colon and the id, as in ``tweet:{tweet_id}``.

    Before the name comes a prefix and a colon, if one is given. So tables that share a Redis do not
    share tweets. A table without a name is taken for ``tweet``.
    """

    def __init__(self, table: object, prefix: str = "") -> None:
        if "{" in prefix or "}" in prefix:
            raise ValueError(f"prefix has no braces: a cluster counts them, not {prefix!r}")
        name = getattr(table, "name", "tweet")
        self._before = f"{prefix}:{name}" if prefix else name

    def __call__(self, tweet_id: UUID) -> str:
        return key(tweet_id, self._before)


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


class Values:
    """Makes a value of a tweet, or of the knowledge that there is none, and the way back.

    A tweet is kept for ``ttl`` seconds, which ``jitter`` shortens at random by up to that share, so
    that tweets which were cached together do not expire together. ``refresh_ahead`` is for how many
    seconds before its end it should be refreshed; at most for half of its time. That there is no
    tweet is kept for ``missing_ttl`` seconds, so that a scan of random ids cannot hammer the table;
    0 does not keep it.
    """

    def __init__(
        self,
        ttl: float,
        refresh_ahead: float,
        jitter: float,
        missing_ttl: float,
        stats: CacheStats,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        if not 0 <= refresh_ahead < ttl:
            raise ValueError(
                f"refresh_ahead is 0 or more seconds, below the ttl, not {refresh_ahead!r}"
            )
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter is a share of the ttl, 0 or more and below 1, not {jitter!r}")
        if missing_ttl < 0:
            raise ValueError(f"missing_ttl is 0 or more seconds, not {missing_ttl!r}")
        self._ttl = ttl
        self._refresh_ahead = refresh_ahead
        self._jitter = jitter
        self._missing_ms = round(missing_ttl * 1000)
        self._stats = stats
        self._clock = clock
        self._random = random

    def pack(self, tweet_id: UUID, tweet: Tweet | None) -> tuple[bytes, int] | None:
        """A value and its time to live in milliseconds; None if it is not to be stored."""
        if tweet is None:
            return (encode_missing(tweet_id), self._missing_ms) if self._missing_ms else None
        ttl_ms, refresh_at = self.lifetime()
        return encode(tweet, refresh_at), ttl_ms

    def unpack(self, tweet_id: UUID, value: bytes | None) -> Cached | None:
        """What a value says; None if there is none, or nonsense, which is counted as an error."""
        if value is None:
            return None
        try:
            return decode(value, tweet_id)
        except ValueError as error:
            self._stats.fail(f"the value of {tweet_id} is no cached tweet: {error}")
            return None

    def lifetime(self) -> tuple[int, float]:
        """A tweet's time to live in milliseconds, and the moment from which to refresh it."""
        ttl, ahead = self._ttl * (1 - self._jitter * self._random()), self._refresh_ahead
        refresh_at = self._clock() + max(ttl - ahead, ttl / 2) if ahead else math.inf
        return max(1, round(ttl * 1000)), float(refresh_at)
