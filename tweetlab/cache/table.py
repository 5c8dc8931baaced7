"""The table behind the cache, and a bound on its reads under way: what it cannot serve is refused,
soon."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from tweetlab.cache.stats import CacheStats
from tweetlab.errors import TableBusy, TweetNotFound, UnreadableTweet
from tweetlab.tweets import FoundTweets, Read, Tweet
from tweetlab.tweets.forks import begin_in_each_process

PATIENCE = 0.1
"""Seconds that a reader waits for its turn before it is refused."""


class BackingTable(Protocol):
    """What the cache needs of the table behind it: reads and writes by the id of a tweet."""

    def create(self, text: str) -> Tweet: ...
    def create_many(self, texts: Iterable[str]) -> list[Tweet]: ...
    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read: ...
    def get_many(
        self, tweet_ids: Iterable[UUID | str], consistent: bool = False
    ) -> dict[UUID, Tweet]: ...
    def edit(self, tweet_id: UUID | str, text: str) -> Tweet: ...
    def delete(self, tweet_id: UUID | str) -> None: ...


class BoundedReads:
    """A table's reads, at most ``limit`` at a time; None is no bound.

    One more waits 0.1 s for its turn, and then gets TableBusy. Without the bound, a cache that is
    lost turns every read into a table read, each waiting behind all those before it: nobody is
    answered in time, and the table works for readers who have left. It bounds how many there are
    at a time; how many a second that makes is up to the table's latency.
    """

    def __init__(
        self,
        table: BackingTable,
        limit: int | None,
        stats: CacheStats,
        patience: float = PATIENCE,
    ) -> None:
        if limit is not None and limit < 1:
            raise ValueError(f"max_table_reads is at least 1, or None, not {limit!r}")
        self._table = table
        self._limit = limit
        self._stats = stats
        self._patience = patience
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._turns = threading.Semaphore(self._limit or 0)

    def read(self, tweet_id: UUID, consistent: bool) -> Read:
        """One tweet; raises TableBusy, or what the table raises."""
        with self._turn():
            try:
                return self._table.read(tweet_id, consistent)
            except UnreadableTweet:
                self._stats.count(unreadable=1)
                raise

    def find(self, tweet_id: UUID, consistent: bool) -> Read | None:
        """The same, or None if there is no such tweet."""
        try:
            return self.read(tweet_id, consistent)
        except TweetNotFound:
            return None

    def get_many(self, tweet_ids: Iterable[UUID], consistent: bool) -> FoundTweets:
        """Many, which count as one read; raises TableBusy, or what the table raises."""
        with self._turn():
            found = self._table.get_many(tweet_ids, consistent)
        if not isinstance(found, FoundTweets):
            return FoundTweets(found)
        self._stats.count(unreadable=len(found.unreadable))
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._limit is None:
            yield
            return
        if not self._turns.acquire(timeout=self._patience):
            self._stats.count(refused=1)
            raise TableBusy(self._limit)
        try:
            yield
        finally:
            self._turns.release()
