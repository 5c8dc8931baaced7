"""Refresh ahead: a popular tweet is read again before it expires, and nobody waits for that.

In the last ``refresh_ahead`` seconds of a tweet's time in Redis, whoever reads it gets what is
there at once, and one background thread of one process reads the table: it has the lease
(``leases.py``). A popular tweet never expires that way, and is never older than its time to live.

XFetch (Vattani et al., PVLDB 8(8), 2015) draws lots instead of taking a lease. It needs nothing
in common between the readers, and makes two or three table reads where this makes one.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from cachetools import TTLCache

from tweetlab.tweets.forks import begin_in_each_process

THREADS = 4
PAUSE = 1.0
"""Seconds before this process tries the same tweet again, after it could not refresh it."""


class Refresher:
    """Runs refreshes behind the readers' backs, one at a time for each tweet."""

    def __init__(
        self,
        background: Callable[[Callable[[], None]], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given = background
        self._clock = clock
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._background = self._given
        self._running: set[UUID] = set()
        self._tried: TTLCache[UUID, bool] = TTLCache(10_000, PAUSE, timer=self._clock)
        self._lock = threading.Lock()

    def start(self, tweet_id: UUID, refresh: Callable[[], bool]) -> None:
        """Refresh a tweet, unless that is under way; returns at once.

        ``refresh`` says whether it was done. What cannot be begun is tried again after a pause, as
        what was not done: there may be no thread left.
        """
        with self._lock:
            if tweet_id in self._running or tweet_id in self._tried:
                return
            self._running.add(tweet_id)
            if self._background is None:  # not before: gevent may have replaced threads since
                self._background = _in_a_pool()
        try:
            self._background(lambda: self._run(tweet_id, refresh))
        except Exception:
            self._end(tweet_id, done=False)

    def _run(self, tweet_id: UUID, refresh: Callable[[], bool]) -> None:
        done = False
        try:
            done = refresh()
        finally:
            self._end(tweet_id, done)

    def _end(self, tweet_id: UUID, done: bool) -> None:
        with self._lock:
            self._running.discard(tweet_id)
            if not done:
                self._tried[tweet_id] = True


def _in_a_pool() -> Callable[[Callable[[], None]], object]:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="tweetlab-cache").submit
