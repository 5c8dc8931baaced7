"""Cache-aside over a table of tweets."""

from __future__ import annotations

import random as randomness
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from tweetlab.cache.bound import BoundedReads, Table
from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.client import Client
from tweetlab.cache.fetch import Fetch
from tweetlab.cache.flight import Flights, LookAgain
from tweetlab.cache.lifetimes import Lifetimes
from tweetlab.cache.local import LocalTweets
from tweetlab.cache.lookup import Lookup, Miss
from tweetlab.cache.refresh import Refresher
from tweetlab.cache.stats import CacheStats
from tweetlab.cache.store import Store
from tweetlab.cache.values import Values
from tweetlab.errors import TweetNotFound
from tweetlab.tweets import Read, Tweet, valid_id, valid_text


class CachedTweets:
    """The methods of a table of tweets, with a Redis in front.

    A read looks in Redis under ``tweet:{tweet_id}``; on a miss it reads the table and keeps the
    tweet in Redis for ``ttl`` seconds. A Redis that is down, slow or holds nonsense never fails a
    read: the table answers, and ``stats.errors`` counts it. Give it a client that gives up soon,
    as ``tweetlab.cache.connect(url)`` makes.

    What may be switched on and off:

    - ``single_flight``: of all who miss the same tweet, in all processes, one reads the table and
      the others wait for it; for ``lease_seconds`` at most, should it die meanwhile.
    - ``missing_ttl``: seconds to remember that there is no tweet of an id; 0 does not.
    - ``refresh_ahead``: in its last so many seconds, a tweet is read anew in the background while
      readers get the cached one; 0 lets it expire. ``jitter``: the share of the ``ttl``, drawn at
      random, by which a tweet expires earlier, lest all do at once.
    - ``local_ttl``: seconds that the ``local_size`` latest tweets are kept in this process, too;
      0 keeps none.
    - ``breaker_failures``: after so many failures in a row Redis is not asked any more, but tried
      in the background every ``breaker_pause`` seconds, until it is back; None never stops asking.
    - ``max_table_reads``: table reads under way at a time; a reader that does not get its turn
      in 0.1 s gets TableBusy. None is no bound.

    Staleness: once ``edit`` or ``delete`` has returned, no read that begins later, in any process,
    gets the older tweet, and no slow reader puts it back, with these exceptions:

    - Redis could not be told of the write. This process then does not read from it until it could
      be told, so its own reads are right; those of other processes may get the older tweet until
      then, and until its ``ttl`` ends if this process dies before, or if Redis itself loses the
      deletion, as in a failover to a replica that did not have it yet.
    - The first level of *another* process has it: for ``local_ttl`` seconds.
    - The table itself answers with it: DynamoDB's eventually consistent reads do, up to a second
      or so after a write. The cache asks consistently for 2 s after a write that Redis knows of.
      A write that goes to the table past this class is seen when the ``ttl`` ends.
    """

    def __init__(
        self,
        table: Table,
        redis: Client,
        ttl: int = 3600,
        *,
        single_flight: bool = True,
        lease_seconds: float = 5,
        missing_ttl: float = 5,
        refresh_ahead: float = 0,
        jitter: float = 0,
        local_ttl: float = 0,
        local_size: int = 1000,
        breaker_failures: int | None = 3,
        breaker_pause: float = 1,
        max_table_reads: int | None = 64,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = randomness.random,
        background: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        if not isinstance(ttl, int) or isinstance(ttl, bool) or ttl < 1:
            raise ValueError(f"ttl is a whole number of seconds, at least 1, not {ttl!r}")
        if lease_seconds <= 0:
            raise ValueError(f"lease_seconds is more than 0, not {lease_seconds!r}")
        self.table = table
        self.redis = redis
        self.ttl = ttl
        self.stats = stats = CacheStats(clock=clock)
        breaker = CircuitBreaker(breaker_failures, breaker_pause, on_change=stats.breaker_is)
        values = Values(Lifetimes(ttl, refresh_ahead, jitter, clock, random), missing_ttl, stats)
        self._store = Store(redis, breaker, stats, lease_seconds, background or _in_a_thread)
        self._reads = BoundedReads(table, max_table_reads, stats)
        patience = lease_seconds if single_flight else None
        self._fetch = Fetch(self._reads, self._store, values, stats, patience, sleep)
        refresher = Refresher(self._fetch.refresh, background)
        self._lookup = Lookup(self._store, values, refresher, stats)
        self._local = LocalTweets(local_ttl, local_size) if local_ttl else None
        self._flights = Flights[Read | None](lease_seconds) if single_flight else None

    def create(self, text: str) -> Tweet:
        """Store a new tweet in the table; it enters the cache when it is first read."""
        tweet = self.table.create(text)
        self._drop(tweet.tweet_id)  # somebody may have looked for it too early
        return tweet

    def get(self, tweet_id: UUID | str, consistent: bool = False) -> Tweet:
        """The tweet, from the cache or else from the table, whose errors it raises.

        Raises TweetNotFound, InvalidTweet if the id is not a UUID, and TableBusy if the table has
        all the reads that it may have. A ``consistent`` read asks the table, past the cache.
        """
        found = self._find(valid_id(tweet_id), consistent)
        return found.tweet if isinstance(found, Read) else found

    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read:
        """The same, with where the tweet came from and what reading it took.

        A read that waited for another reader's table read got its tweet from the cache.
        """
        started = time.perf_counter()
        found = self._find(valid_id(tweet_id), consistent)
        if isinstance(found, Tweet):
            found = Read(found, source="cache", seconds=0.0, retries=0, read_units=0.0)
        return replace(found, seconds=time.perf_counter() - started)

    def get_many(
        self, tweet_ids: Iterable[UUID | str], consistent: bool = False
    ) -> dict[UUID, Tweet]:
        """The tweets of those ids that exist, each id once: one MGET, and one batch read for the
        misses, of 100 keys a call; raises as ``get`` does, but TweetNotFound.
        """
        wanted = list(dict.fromkeys(map(valid_id, tweet_ids)))
        if consistent:
            self.stats.count(misses=len(wanted))
            return self._reads.get_many(wanted, True) if wanted else {}
        found: dict[UUID, Tweet] = {}
        writes = 0
        if self._local:
            writes = self._local.writes
            found = {one: tweet for one in wanted if (tweet := self._local.get(one))}
            self.stats.count(hits=len(found), local_hits=len(found))
        asked = [tweet_id for tweet_id in wanted if tweet_id not in found]
        answers = self._lookup.get_many(asked) if asked else {}
        got = {one: answer for one, answer in answers.items() if isinstance(answer, Tweet)}
        misses = {one: answer for one, answer in answers.items() if isinstance(answer, Miss)}
        if misses:
            got.update(self._fetch.get_many(misses))
        if self._local:
            for tweet in got.values():
                self._local.put(tweet, writes)
        found.update(got)
        return {tweet_id: found[tweet_id] for tweet_id in wanted if tweet_id in found}

    def edit(self, tweet_id: UUID | str, text: str) -> Tweet:
        """Change the text in the table, then drop the cached tweet."""
        tweet_id, text = valid_id(tweet_id), valid_text(text)
        try:
            return self.table.edit(tweet_id, text)
        finally:  # also when it failed: a write that was not answered may have been made
            self._drop(tweet_id)

    def delete(self, tweet_id: UUID | str) -> None:
        """Delete the tweet from the table, then drop the cached one."""
        tweet_id = valid_id(tweet_id)
        try:
            self.table.delete(tweet_id)
        finally:
            self._drop(tweet_id)

    def _find(self, tweet_id: UUID, consistent: bool) -> Tweet | Read:
        """A tweet that was in the cache, or the read that got it."""
        if consistent:
            self.stats.count(misses=1)
            return self._reads.read(tweet_id, True)
        writes = 0
        if self._local:
            tweet = self._local.get(tweet_id)
            if tweet:
                self.stats.local_hit()
                return tweet
            writes = self._local.writes
        answer = self._lookup.get(tweet_id)
        found = self._read_through(tweet_id, answer) if isinstance(answer, Miss) else answer
        if found is None:
            raise TweetNotFound(tweet_id)
        if self._local:
            self._local.put(found.tweet if isinstance(found, Read) else found, writes)
        return found

    def _read_through(self, tweet_id: UUID, miss: Miss) -> Read | None:
        """Read the table, or share another's read of it."""
        if self._flights:
            for _ in range(2):
                with suppress(LookAgain):
                    read, shared = self._flights.share(
                        tweet_id, lambda: self._fetch.get(tweet_id, miss)
                    )
                    if not shared:
                        return read
                    self.stats.count(waits=1)
                    return read and Read(read.tweet, "cache", 0.0, 0, 0.0)
        return self._fetch.get(tweet_id, miss)[0]

    def _drop(self, tweet_id: UUID) -> None:
        """The table was written: forget all that was read before."""
        self._store.drop(tweet_id)
        if self._flights:
            self._flights.forget(tweet_id)
        if self._local:
            self._local.drop(tweet_id)


def _in_a_thread(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="tweetlab-cache-probe", daemon=True).start()
