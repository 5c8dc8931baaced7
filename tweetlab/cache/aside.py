"""Cache-aside over a table of tweets: the way of each read and write, from top to bottom."""

import random as randomness
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.client import Client
from tweetlab.cache.fill import Fill, Miss
from tweetlab.cache.flight import Flights, LookAgain
from tweetlab.cache.local import LocalTweets
from tweetlab.cache.refresh import Refresher
from tweetlab.cache.stats import CacheStats
from tweetlab.cache.store import Refused, Store, Unavailable
from tweetlab.cache.table import BackingTable, BoundedReads
from tweetlab.cache.values import Cached, Keys, Values
from tweetlab.errors import TweetNotFound
from tweetlab.tweets import FoundTweets, Read, Tweet, valid_id, valid_text


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
    - ``refresh_ahead``: in its last so many seconds, a tweet is read again in the background while
      readers get the cached one; 0 lets it expire. ``jitter``: the share of the ``ttl``, drawn at
      random, by which a tweet expires earlier, so that not all do at once.
    - ``local_ttl``: seconds that the ``local_size`` latest tweets are kept in this process, too;
      0 keeps none.
    - ``breaker_failures``: after so many failures in a row Redis is not asked any more, but tried
      in the background every ``breaker_pause`` seconds, until it is back; None never stops asking.
    - ``max_table_reads``: table reads under way at a time; a reader that does not get its turn
      in 0.1 s gets TableBusy. None is no bound.

    Keys begin with the table's name, as in ``tweet:{tweet_id}``, behind the ``prefix`` and a colon
    if one is given, so that tables may share a Redis. Its user needs only the rights
    ``~tweet:* +get +mget +set +del +exists +eval``; in a cluster ``+info +cluster|slots +command``.

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
        table: BackingTable,
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
        sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds),  # or gevent's
        random: Callable[[], float] = randomness.random,
        background: Callable[[Callable[[], None]], object] | None = None,
        prefix: str = "",
    ) -> None:
        if not isinstance(ttl, int) or isinstance(ttl, bool) or ttl < 1:
            raise ValueError(f"ttl is a whole number of seconds, at least 1, not {ttl!r}")
        self.table = table
        self.redis = redis
        self.ttl = ttl
        self.stats = stats = CacheStats(clock=clock)
        breaker = CircuitBreaker(breaker_failures, breaker_pause, on_change=stats.breaker_is)
        self._clock = clock
        self._values = Values(ttl, refresh_ahead, jitter, missing_ttl, stats, clock, random)
        keys = Keys(table, prefix)
        self._store = Store(redis, breaker, stats, keys, lease_seconds, background)
        patience = lease_seconds if single_flight else None
        self._fill = Fill(self._store, self._values, patience, sleep)
        self._bounded = BoundedReads(table, max_table_reads, stats)
        self._flights = Flights[Read | None](lease_seconds) if single_flight else None
        self._refresher = Refresher(background)
        self._local = LocalTweets(local_ttl, local_size) if local_ttl else None

    def create(self, text: str) -> Tweet:
        """Store a new tweet in the table; it enters the cache when it is first read."""
        tweet = self.table.create(text)
        self._drop(tweet.tweet_id)  # somebody may have looked for it too early
        return tweet

    def create_many(self, texts: Iterable[str]) -> list[Tweet]:
        """The same for many, by the table's ``create_many``."""
        tweets = self.table.create_many(texts)
        for tweet in tweets:
            self._drop(tweet.tweet_id)
        return tweets

    def get(self, tweet_id: UUID | str, consistent: bool = False) -> Tweet:
        """The tweet, from the cache or else from the table, whose errors it raises.

        Raises TweetNotFound, UnreadableTweet, InvalidTweet if the id is no UUID, and TableBusy if
        the table has all reads that it may have. A ``consistent`` read asks it, past the cache.
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
            found = Read.from_cache(found)
        return replace(found, seconds=time.perf_counter() - started)

    def get_many(self, tweet_ids: Iterable[UUID | str], consistent: bool = False) -> FoundTweets:
        """The tweets of those ids that exist, each id once: one MGET, and one batch read for the
        misses, of 100 keys a call; raises as ``get`` does, but for what is missing or no tweet.
        """
        wanted = list(dict.fromkeys(map(valid_id, tweet_ids)))
        if consistent:
            self.stats.count(misses=len(wanted))
            return self._bounded.get_many(wanted, True) if wanted else FoundTweets()
        found = FoundTweets()
        writes = 0
        if self._local:
            writes = self._local.writes
            found.add({one: tweet for one in wanted if (tweet := self._local.get(one))})
            self.stats.count(hits=len(found), local_hits=len(found))
        asked = [tweet_id for tweet_id in wanted if tweet_id not in found]
        got = self._look_up_many(asked) if asked else FoundTweets()
        if self._local:
            self._local.put_many(got.values(), writes)
        return found.add(got).in_order(wanted)

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
        """A read, from top to bottom: a tweet that was in the cache, or the read that got it."""
        if consistent:
            self.stats.count(misses=1)
            return self._bounded.read(tweet_id, True)
        writes = 0
        if self._local:
            if tweet := self._local.get(tweet_id):
                self.stats.local_hit()
                return tweet
            writes = self._local.writes
        found = self._look_up(tweet_id)
        if found is None:
            raise TweetNotFound(tweet_id)
        if self._local:
            self._local.put(found.tweet if isinstance(found, Read) else found, writes)
        return found

    def _look_up(self, tweet_id: UUID) -> Tweet | Read | None:
        """Look in Redis and, on a miss, in the table; None if there is no such tweet."""
        value, redis = None, True
        try:
            value = self._store.get(tweet_id)
        except Unavailable as reason:
            redis = isinstance(reason, Refused)
        cached = self._unpack(tweet_id, value)
        if cached is None:
            self.stats.count(misses=1)
            return self._share(tweet_id, Miss(value, redis))
        if cached.tweet:
            self.stats.hit()
        else:
            self.stats.count(hits=1, negative_hits=1)
        return cached.tweet

    def _unpack(self, tweet_id: UUID, value: bytes | None) -> Cached | None:
        """The answer in a value; one that is due is read again behind the reader's back."""
        cached = self._values.unpack(tweet_id, value)
        if cached and value and cached.refresh_at <= self._clock():
            self._refresher.start(tweet_id, lambda: self._refresh(tweet_id, value))
        return cached

    def _share(self, tweet_id: UUID, miss: Miss) -> Read | None:
        """Of the threads that miss the same tweet, have one read the table for all."""
        if self._flights:
            for _ in range(2):
                with suppress(LookAgain):
                    read, shared = self._flights.share(
                        tweet_id, lambda: self._read_table(tweet_id, miss)
                    )
                    if not shared:
                        return read
                    self.stats.count(waits=1)
                    return read and Read.from_cache(read.tweet)
        return self._read_table(tweet_id, miss)[0]

    def _read_table(self, tweet_id: UUID, miss: Miss) -> tuple[Read | None, bool]:
        """Take the lease, read the table, and store what it says.

        Gives the read, or None if there is no such tweet; and whether no write has overtaken it.
        """
        claim = self._fill.claim(tweet_id, miss)
        arrived = self._values.unpack(tweet_id, claim.value)
        if arrived:  # another process had the lease, and is done
            self.stats.count(waits=1)
            return (Read.from_cache(arrived.tweet) if arrived.tweet else None), True
        try:
            read = self._bounded.find(tweet_id, claim.consistent)
        except BaseException:
            self._fill.give_back({tweet_id: claim})
            raise
        return read, self._fill.keep(tweet_id, claim, read.tweet if read else None)

    def _refresh(self, tweet_id: UUID, seen: bytes) -> bool:
        """Read a tweet again whose value is ``seen``; whether it was up to this process to do it.

        If the table fails, the lease stays until its end, so that nobody tries again before.
        """
        try:
            claim = self._store.claim(tweet_id, seen)
            if claim.mine:
                read = self._bounded.find(tweet_id, claim.consistent)
                self._fill.keep(tweet_id, claim, read.tweet if read else None)
                self.stats.count(refreshes=1)
        except Exception as error:
            self.stats.note(f"{tweet_id} was not refreshed: {error!r}")
            return False
        return claim.mine or claim.value is not None

    def _look_up_many(self, tweet_ids: Sequence[UUID]) -> FoundTweets:
        """The tweets of those ids that exist: by one MGET and, for the misses, one batch read."""
        values, redis = dict[UUID, bytes | None].fromkeys(tweet_ids), True
        try:
            values.update(zip(tweet_ids, self._store.get_many(tweet_ids), strict=True))
        except Unavailable as reason:
            redis = isinstance(reason, Refused)
        cached = {one: self._unpack(one, value) for one, value in values.items()}
        found = FoundTweets({one: hit.tweet for one, hit in cached.items() if hit and hit.tweet})
        misses = {one: Miss(values[one], redis) for one, hit in cached.items() if hit is None}
        hits = len(cached) - len(misses)
        self.stats.count(hits=hits, misses=len(misses), negative_hits=hits - len(found))
        return found.add(self._read_table_many(misses) if misses else {})

    def _read_table_many(self, misses: dict[UUID, Miss]) -> FoundTweets:
        """The same as ``_read_table`` for many tweets, without waiting for another reader."""
        claims = self._fill.claim_many(misses)
        arrived = {one: self._values.unpack(one, claim.value) for one, claim in claims.items()}
        found = FoundTweets({one: hit.tweet for one, hit in arrived.items() if hit and hit.tweet})
        unknown = {one: claim for one, claim in claims.items() if arrived[one] is None}
        self.stats.count(waits=len(claims) - len(unknown))
        try:
            for consistent in (False, True):
                some = [one for one, claim in unknown.items() if claim.consistent is consistent]
                if some:
                    found.add(self._bounded.get_many(some, consistent))
        except BaseException:
            self._fill.give_back(unknown)
            raise
        self._fill.keep_many(unknown, found)
        return found

    def _drop(self, tweet_id: UUID) -> None:
        """The table was written: forget all that was read before."""
        self._store.drop(tweet_id)
        if self._flights:
            self._flights.forget(tweet_id)
        if self._local:
            self._local.drop(tweet_id)
