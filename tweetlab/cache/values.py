"""The values in Redis, with their times."""

from __future__ import annotations

from uuid import UUID

from tweetlab.cache.codec import Cached, decode, encode, encode_missing
from tweetlab.cache.lifetimes import Lifetimes
from tweetlab.cache.stats import CacheStats
from tweetlab.tweets import Tweet


class Values:
    """Makes a value of a tweet, or of the knowledge that there is none, and the way back.

    The latter is kept for ``missing_ttl`` seconds, so that a scan of random ids cannot hammer the
    table; 0 does not keep it.
    """

    def __init__(self, lifetimes: Lifetimes, missing_ttl: float, stats: CacheStats) -> None:
        if missing_ttl < 0:
            raise ValueError(f"missing_ttl is 0 or more seconds, not {missing_ttl!r}")
        self._lifetimes = lifetimes
        self._missing_ms = round(missing_ttl * 1000)
        self._stats = stats

    def pack(self, tweet_id: UUID, tweet: Tweet | None) -> tuple[bytes, int] | None:
        """A value and its time to live in milliseconds; None if it is not to be stored."""
        if tweet is None:
            return (encode_missing(tweet_id), self._missing_ms) if self._missing_ms else None
        ttl_ms, refresh_at = self._lifetimes.draw()
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

    def is_due(self, cached: Cached) -> bool:
        """Whether the value is due to be refreshed."""
        return self._lifetimes.is_over(cached.refresh_at)
