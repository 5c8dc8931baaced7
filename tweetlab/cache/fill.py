"""From a miss to a filled cache: the lease to read the table under, and what to do with the answer.

A reader that missed *claims* the tweet. It gets the lease, or waits for the process that has it and
is given the value that this one leaves in Redis. When the table has answered, the value is *kept*,
if the lease is still good, or else the lease *given back*.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from tweetlab.cache.leases import Claim
from tweetlab.cache.store import Store, Unavailable
from tweetlab.cache.values import Values
from tweetlab.tweets import FoundTweets, Tweet


class Miss(NamedTuple):
    """There was no answer in the cache."""

    seen: bytes | None
    """What Redis held instead of the tweet: nothing, or nonsense."""
    redis: bool
    """Whether Redis answered at all. If not, it is not asked again for this read."""


@dataclass(eq=False)
class Fill:
    """Puts what the table says into Redis, under leases. Where Redis fails, it does without.

    ``patience`` is how long a reader waits, in seconds, for another process that has the lease;
    None is not at all: it reads the table beside the other.
    """

    store: Store
    values: Values
    patience: float | None
    sleep: Callable[[float], None]

    def claim(self, tweet_id: UUID, miss: Miss) -> Claim:
        """The lease, or the value that the one who had it left in Redis.

        Looks every 2 ms at first, then after a tenth of the time waited so far: who waits for a
        slow table asks less often. After ``patience`` seconds it gives up with a claim that has
        neither.
        """
        waited = 0.0
        with suppress(Unavailable):
            while miss.redis:
                claim = self.store.claim(tweet_id, miss.seen)
                if claim.value is not None or claim.mine or waited >= (self.patience or 0):
                    return claim
                pause = min(max(waited / 10, 0.002), 0.05)
                self.sleep(pause)
                waited += pause
        return Claim()

    def claim_many(self, misses: Mapping[UUID, Miss]) -> dict[UUID, Claim]:
        """The same for many tweets, without waiting."""
        with suppress(Unavailable):
            if all(miss.redis for miss in misses.values()):
                return self.store.claim_many({one: miss.seen for one, miss in misses.items()})
        return dict.fromkeys(misses, Claim())

    def keep(self, tweet_id: UUID, claim: Claim, tweet: Tweet | None) -> bool:
        """Store what the table said (None: there is no such tweet); False if a write has come
        between, so that it may be an older tweet.
        """
        packed = self.values.pack(tweet_id, tweet)
        if packed is None:
            self.give_back({tweet_id: claim})
        elif claim.token:
            with suppress(Unavailable):
                return self.store.fill(tweet_id, claim, *packed)
        return True

    def keep_many(self, claims: Mapping[UUID, Claim], found: FoundTweets) -> None:
        """The same for many tweets; there are none but those ``found``, and the unreadable."""
        kept, rest = [], {}
        for tweet_id, claim in claims.items():
            unreadable = tweet_id in found.unreadable
            packed = None if unreadable else self.values.pack(tweet_id, found.get(tweet_id))
            if packed is None:
                rest[tweet_id] = claim
            elif claim.token:
                kept.append((tweet_id, claim, *packed))
        with suppress(Unavailable):
            self.store.fill_many(kept)
            self.store.release(rest)

    def give_back(self, claims: Mapping[UUID, Claim]) -> None:
        """Return leases unused."""
        with suppress(Unavailable):  # they end by themselves, then
            self.store.release(claims)
