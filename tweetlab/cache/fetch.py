"""What happens on a miss: take the lease, read the table, store what it says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from tweetlab.cache.bound import BoundedReads
from tweetlab.cache.calls import Unavailable
from tweetlab.cache.flight import wait_for_turn
from tweetlab.cache.leases import Claim
from tweetlab.cache.lookup import Miss
from tweetlab.cache.stats import CacheStats
from tweetlab.cache.store import Store
from tweetlab.cache.values import Values
from tweetlab.errors import TweetNotFound
from tweetlab.tweets import Read, Tweet


class Fetch:
    """Gets tweets from the table, and into Redis.

    ``patience`` is how long it waits, in seconds, for another process that has the lease; None is
    not at all: it reads the table beside the other.
    """

    def __init__(
        self,
        table: BoundedReads,
        store: Store,
        values: Values,
        stats: CacheStats,
        patience: float | None,
        sleep: Callable[[float], None],
    ) -> None:
        self._table = table
        self._store = store
        self._values = values
        self._stats = stats
        self._patience = patience
        self._sleep = sleep

    def get(self, tweet_id: UUID, miss: Miss) -> tuple[Read | None, bool]:
        """The tweet, None if there is none; and whether no write has overtaken this read.

        Raises what the table raises, and TableBusy.
        """
        claim = self._claim(tweet_id, miss)
        arrived = self._values.unpack(tweet_id, claim.value)
        if arrived:
            self._stats.count(waits=1)
            tweet = arrived.tweet
            return (Read(tweet, "cache", 0.0, 0, 0.0) if tweet else None), True
        try:
            read = self._read(tweet_id, claim)
        except BaseException:
            self._give_back({tweet_id: claim})
            raise
        return read, self._keep(tweet_id, claim, read.tweet if read else None)

    def get_many(self, misses: dict[UUID, Miss]) -> dict[UUID, Tweet]:
        """The tweets that exist, by one batch read. It waits for no other reader."""
        claims = self._claim_many(misses)
        arrived = {one: self._values.unpack(one, claim.value) for one, claim in claims.items()}
        found = {one: cached.tweet for one, cached in arrived.items() if cached and cached.tweet}
        unknown = {one: claim for one, claim in claims.items() if arrived[one] is None}
        self._stats.count(waits=len(claims) - len(unknown))
        try:
            for consistent in (False, True):
                some = [one for one, claim in unknown.items() if claim.consistent is consistent]
                if some:
                    found.update(self._table.get_many(some, consistent))
        except BaseException:
            self._give_back(unknown)
            raise
        self._keep_many(unknown, found)
        return found

    def refresh(self, tweet_id: UUID, seen: bytes) -> bool:
        """Read a tweet anew whose value is ``seen``; whether it was up to this process to do it.

        If the table fails, the lease stays until its end, so that nobody tries again before.
        """
        try:
            claim = self._store.claim(tweet_id, seen)
            if claim.mine:
                read = self._read(tweet_id, claim)
                self._keep(tweet_id, claim, read.tweet if read else None)
                self._stats.count(refreshes=1)
        except Exception as error:
            self._stats.note(f"{tweet_id} was not refreshed: {error!r}")
            return False
        return claim.mine or claim.value is not None

    def _claim(self, tweet_id: UUID, miss: Miss) -> Claim:
        if not miss.redis:
            return Claim()
        try:
            if self._patience is None:
                return self._store.claim(tweet_id, miss.seen)
            return wait_for_turn(self._store, tweet_id, miss.seen, self._patience, self._sleep)
        except Unavailable:
            return Claim()

    def _claim_many(self, misses: dict[UUID, Miss]) -> dict[UUID, Claim]:
        with suppress(Unavailable):
            if all(miss.redis for miss in misses.values()):
                return self._store.claim_many({one: miss.seen for one, miss in misses.items()})
        return dict.fromkeys(misses, Claim())

    def _read(self, tweet_id: UUID, claim: Claim) -> Read | None:
        try:
            return self._table.read(tweet_id, claim.consistent)
        except TweetNotFound:
            return None

    def _keep(self, tweet_id: UUID, claim: Claim, tweet: Tweet | None) -> bool:
        """Store what the table said; False if a write has come between."""
        packed = self._values.pack(tweet_id, tweet)
        if packed is None:
            self._give_back({tweet_id: claim})
        elif claim.token:
            try:
                return self._store.fill(tweet_id, claim, *packed)
            except Unavailable:
                pass
        return True

    def _keep_many(self, claims: dict[UUID, Claim], found: dict[UUID, Tweet]) -> None:
        kept, rest = [], {}
        for tweet_id, claim in claims.items():
            packed = self._values.pack(tweet_id, found.get(tweet_id))
            if packed is None:
                rest[tweet_id] = claim
            elif claim.token:
                kept.append((tweet_id, claim, *packed))
        try:
            self._store.fill_many(kept)
        except Unavailable:
            return
        self._give_back(rest)

    def _give_back(self, claims: dict[UUID, Claim]) -> None:
        with suppress(Unavailable):  # the leases end by themselves, then
            self._store.release(claims)
