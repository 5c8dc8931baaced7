"""Cache policies: which tweets a cache keeps, for how long, and which one goes when it is full.

A policy only decides. ``PolicyState`` does the bookkeeping for it, without a cache and without a
clock, so the same policy runs in virtual time (``virtual_time``) and on real servers
(``policy_reader``).
"""

import copy
import heapq
import math
from dataclasses import dataclass
from numbers import Real
from uuid import UUID

from tweetlab.errors import InvalidPolicy


@dataclass(eq=False)
class TweetHistory:
    """What a policy may know of a tweet that was asked for. Times are in seconds from the start.

    - last_read: when it was asked for last
    - gap: seconds between the last two times that it was asked for; infinite after the first
    - reads: how often it was asked for since it was last stored in the cache
    - stored: when it was last stored in the cache
    - expires: when it leaves the cache, or left it
    """

    tweet_id: UUID
    last_read: float = -math.inf
    gap: float = math.inf
    reads: int = 0
    stored: float = -math.inf
    expires: float = -math.inf


class Policy:
    """Caches nothing: the policy to start from. Change what you like in a class of your own.

    Whatever the policy, of those who miss the same tweet at once only one reads the table, and the
    others wait for its answer.
    """

    size: float = math.inf
    """Tweets that the cache holds at most."""
    drop_on_edit: bool = True
    """Whether an edit takes the tweet out of the cache, if the program that has the cache makes it.
    Edits that other programs make reach no cache: there only the time to live helps."""

    def ttl(self, tweet: TweetHistory, now: float) -> float:
        """Seconds to keep a tweet that was just read from the table; 0 does not keep it."""
        return 0

    def evict(self, kept: list[TweetHistory], now: float) -> TweetHistory:
        """The cache is full: the tweet to drop. This is LRU: the one not read for longest."""
        return min(kept, key=lambda tweet: tweet.last_read)


class KeepAll(Policy):
    """Everything for ``seconds``: cache-aside as simple as it gets, in a cache without a limit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def ttl(self, tweet: TweetHistory, now: float) -> float:
        """The same for all."""
        return self.seconds


class PolicyState:
    """Which tweets are in a cache that follows a policy. ``now`` is in seconds, and never falls.

    It works on a copy of the policy, so that what a run changes in it does not reach the next run.
    Raises InvalidPolicy where the policy gives what cannot be used.
    """

    def __init__(self, policy: Policy) -> None:
        if not isinstance(policy, Policy):
            raise InvalidPolicy(
                f"{policy!r} is not a policy. With `class Mine(Policy): ...`, it is `Mine()`."
            )
        self.policy = copy.deepcopy(policy)
        self._histories: dict[UUID, TweetHistory] = {}
        self._kept: dict[UUID, TweetHistory] = {}
        self._ends: list[tuple[float, UUID]] = []

    def look(self, tweet_id: UUID, now: float) -> TweetHistory | None:
        """Somebody asks for a tweet: its history if it is in the cache, or else None."""
        tweet = self._histories.setdefault(tweet_id, TweetHistory(tweet_id))
        tweet.reads += 1
        tweet.gap, tweet.last_read = now - tweet.last_read, now
        return tweet if tweet_id in self._kept and now < tweet.expires else None

    def put(self, tweet_id: UUID, now: float) -> tuple[float, list[UUID]]:
        """The table gave a tweet: the seconds to keep it, and which tweets go to make room.

        0 seconds is not at all, and then the tweet itself is among those that go.
        """
        tweet = self._histories.setdefault(tweet_id, TweetHistory(tweet_id))
        ttl = self.policy.ttl(tweet, now)
        if not isinstance(ttl, Real) or not math.isfinite(ttl):
            raise InvalidPolicy(f"ttl() gave {ttl!r}: it should give seconds, or 0 for not at all.")
        self._kept.pop(tweet_id, None)
        if ttl <= 0 or self.policy.size < 1:
            return 0, [tweet_id]
        gone = []
        while self.count(now) + 1 > self.policy.size:
            victim = self.policy.evict(list(self._kept.values()), now)
            kept = isinstance(victim, TweetHistory) and self._kept.pop(victim.tweet_id, None)
            if not kept:
                raise InvalidPolicy(f"evict() gave {victim!r}: it should give one of those kept.")
            gone.append(victim.tweet_id)
        tweet.reads, tweet.stored, tweet.expires = 0, now, now + ttl
        self._kept[tweet_id] = tweet
        heapq.heappush(self._ends, (tweet.expires, tweet_id))
        return ttl, gone

    def hear_of_edit(self, tweet_id: UUID) -> None:
        """The cache hears that a tweet was edited."""
        if self.policy.drop_on_edit:
            self._kept.pop(tweet_id, None)

    def count(self, now: float) -> int:
        """Tweets in the cache: those that have not expired."""
        while self._ends and self._ends[0][0] <= now:
            _, tweet_id = heapq.heappop(self._ends)
            if tweet_id in self._kept and self._kept[tweet_id].expires <= now:
                del self._kept[tweet_id]
        return len(self._kept)
