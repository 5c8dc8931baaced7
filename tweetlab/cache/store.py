"""The tweets in Redis, and the writes that it could not be told of yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

import redis

from tweetlab.cache import leases
from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.calls import Calls, Unavailable, in_full
from tweetlab.cache.client import Client
from tweetlab.cache.codec import key
from tweetlab.cache.leases import Claim
from tweetlab.cache.stats import CacheStats


class Store(Calls):
    """Values under the keys of tweets. Each method but ``drop`` raises Unavailable, and nothing
    else, when Redis fails.
    """

    def __init__(
        self,
        client: Client,
        breaker: CircuitBreaker,
        stats: CacheStats,
        lease_seconds: float,
        background: Callable[[Callable[[], None]], None],
    ) -> None:
        super().__init__(client, breaker, stats, background)
        self._is_cluster = isinstance(client, redis.RedisCluster)
        self._lease_ms = max(1, round(lease_seconds * 1000))
        self._latest: UUID | None = None
        self._owed: set[UUID] = set()
        self._owing = threading.Lock()

    def get(self, tweet_id: UUID) -> bytes | None:
        """The value, or None."""
        self._latest = tweet_id
        return self.get_value(key(tweet_id))

    def get_many(self, tweet_ids: Sequence[UUID]) -> list[bytes | None]:
        """The values of those ids, in their order: one MGET; in a cluster, one GET each."""
        self._latest = tweet_ids[0]
        keys = list(map(key, tweet_ids))
        if self._is_cluster:
            return self.run_all([("GET", one) for one in keys], _value)
        values = self.run(("MGET", *keys), lambda answers: in_full(answers, len(keys)))
        return list(map(_value, values))

    def claim(self, tweet_id: UUID, seen: bytes | None = None) -> Claim:
        """Ask for the lease, having found nothing, or nothing of use: the value ``seen``."""
        return self.run(leases.claim(tweet_id, seen, self._lease_ms), leases.claimed)

    def claim_many(self, seen: Mapping[UUID, bytes | None]) -> dict[UUID, Claim]:
        """The same for many tweets; those that Redis refuses get an empty claim."""
        commands = [leases.claim(one, value, self._lease_ms) for one, value in seen.items()]
        return dict(zip(seen, self.run_all(commands, leases.claimed), strict=True))

    def fill(self, tweet_id: UUID, claim: Claim, value: bytes, ttl_ms: int) -> bool:
        """Store a value for ``ttl_ms`` if the lease is still good; whether it was."""
        return self.run(leases.fill(tweet_id, claim, value, ttl_ms), bool)

    def fill_many(self, values: Iterable[tuple[UUID, Claim, bytes, int]]) -> None:
        """The same for many tweets."""
        self.run_all([leases.fill(*value) for value in values], bool)

    def release(self, claims: Mapping[UUID, Claim]) -> None:
        """Give leases back unused, so that others need not wait until they end."""
        own = [leases.release(one, claim) for one, claim in claims.items() if claim.mine]
        self.run_all(own, bool)

    def drop(self, tweet_id: UUID) -> None:
        """The tweet was written: delete it, and with it all right to store an older one.

        If Redis fails, the breaker opens and stays open until that is made up for: a cache that
        could not be told of a write is not read from by the process that knows.
        """
        try:
            self.run(leases.drop(tweet_id), int)
        except Unavailable:
            with self._owing:
                self._owed.add(tweet_id)
                self._breaker.trip()

    def catch_up(self) -> None:
        """Try Redis, tell it of the writes it has missed, and close the breaker; raises if not."""
        if self._latest:
            self.execute(("EXISTS", key(self._latest)))
        while True:
            with self._owing:
                owed, self._owed = self._owed, set()
                if not owed:
                    self._breaker.close()
                    return
            try:
                for answer in self.execute_all([leases.drop(one) for one in owed]):
                    int(answer)  # an exception is none, and nor is nonsense
            except BaseException:
                with self._owing:
                    self._owed |= owed
                raise


def _value(answer: object) -> bytes | None:
    return answer if isinstance(answer, bytes) else None
