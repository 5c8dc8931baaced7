"""A first level in the process: the hottest tweets, without the way to Redis."""

import threading
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from cachetools import TTLCache

from tweetlab.cache.forks import begin_in_each_process
from tweetlab.tweets import Tweet


class LocalTweets:
    """The latest ``size`` tweets that were read, each for ``ttl`` seconds.

    Redis has hot keys too: one server holds a key, whatever the size of the cluster. This process'
    own writes drop the tweet at once. An edit by another process is seen after ``ttl`` seconds.
    """

    def __init__(self, ttl: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        if ttl <= 0 or size < 1:
            raise ValueError(
                f"local_ttl is more than 0 seconds, or 0 for no first level, and local_size is at "
                f"least 1, not {ttl!r} and {size!r}"
            )
        self._ttl = ttl
        self._size = size
        self._clock = clock
        self.writes = 0
        """How many this process made; a reader notes it before it reads."""
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._tweets: TTLCache[UUID, Tweet] = TTLCache(self._size, self._ttl, timer=self._clock)
        self._lock = threading.Lock()

    def get(self, tweet_id: UUID) -> Tweet | None:
        """The tweet, or None."""
        with self._lock:  # also to look: a TTLCache notes what was used last
            try:
                return self._tweets[tweet_id]
            except KeyError:
                return None

    def put(self, tweet: Tweet, writes: int) -> None:
        """Keep a tweet, unless this process wrote any since ``writes``: it may be an older one."""
        with self._lock:
            if writes == self.writes:
                self._tweets[tweet.tweet_id] = tweet

    def put_many(self, tweets: Iterable[Tweet], writes: int) -> None:
        """Keep them, unless this process wrote any since."""
        for tweet in tweets:
            self.put(tweet, writes)

    def drop(self, tweet_id: UUID) -> None:
        """Forget a tweet that was written."""
        with self._lock:
            self.writes += 1
            self._tweets.pop(tweet_id, None)
