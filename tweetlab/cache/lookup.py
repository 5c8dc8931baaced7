"""What Redis has for a read: the tweet, the knowledge that there is none, or nothing of use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from tweetlab.cache.calls import Refused, Unavailable
from tweetlab.cache.refresh import Refresher
from tweetlab.cache.stats import CacheStats
from tweetlab.cache.store import Store
from tweetlab.cache.values import Values
from tweetlab.tweets import Tweet


class Miss(NamedTuple):
    """There was no answer in the cache."""

    seen: bytes | None = None
    """What Redis held instead of the tweet: nothing, or nonsense."""
    redis: bool = True
    """Whether Redis answered at all. If not, it is not asked again for this read."""


class Lookup:
    """Looks for tweets in Redis, and counts a hit or a miss for each.

    The answer for an id is the tweet, None where it is known that there is none, or a Miss.
    """

    def __init__(
        self,
        store: Store,
        values: Values,
        refresher: Refresher,
        stats: CacheStats,
    ) -> None:
        self._store = store
        self._values = values
        self._refresher = refresher
        self._stats = stats

    def get(self, tweet_id: UUID) -> Tweet | Miss | None:
        """The answer for one id."""
        try:
            value = self._store.get(tweet_id)
        except Refused:
            answer: Tweet | Miss | None = Miss()
        except Unavailable:
            answer = Miss(redis=False)
        else:
            answer = self._judge(tweet_id, value)
        if isinstance(answer, Tweet):
            self._stats.hit()
        elif answer is None:
            self._stats.count(hits=1, negative_hits=1)
        else:
            self._stats.count(misses=1)
        return answer

    def get_many(self, tweet_ids: Sequence[UUID]) -> dict[UUID, Tweet | Miss | None]:
        """The answer for each id."""
        answers: dict[UUID, Tweet | Miss | None]
        try:
            values = self._store.get_many(tweet_ids)
        except Unavailable as reason:
            miss = Miss(redis=isinstance(reason, Refused))
            answers = {tweet_id: miss for tweet_id in tweet_ids}  # noqa: C420  (types)
        else:
            answers = {
                one: self._judge(one, value) for one, value in zip(tweet_ids, values, strict=True)
            }
        misses = sum(isinstance(answer, Miss) for answer in answers.values())
        missing = sum(answer is None for answer in answers.values())
        self._stats.count(hits=len(answers) - misses, misses=misses, negative_hits=missing)
        return answers

    def _judge(self, tweet_id: UUID, value: bytes | None) -> Tweet | Miss | None:
        cached = self._values.unpack(tweet_id, value)
        if cached is None:
            return Miss(seen=value)
        if value is not None and self._values.is_due(cached):
            self._refresher.start(tweet_id, value)
        return cached.tweet
