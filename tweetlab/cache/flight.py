"""One flight per miss: of all who miss the same tweet, one reads the table.

When a popular tweet expires, everybody misses it at once. Among the threads of a process, the
first one leads a *flight*, and those who come while it is under way share its result. Among
processes, the leaders compete for a *lease* in Redis (``leases.py``); one gets it, and the others
look again and again until the tweet is there (``fill.py``).
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar
from uuid import UUID

from tweetlab.tweets.forks import begin_in_each_process

T = TypeVar("T")


class LookAgain(Exception):
    """What the other reader got is not for this one: it came too late, or a write overtook it."""


class Flights(Generic[T]):
    """The flights of this process, one for each tweet that is being read.

    Nobody waits longer than ``patience`` seconds for another.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._flights: dict[UUID, Future[T]] = {}
        self._lock = threading.Lock()

    def share(self, tweet_id: UUID, read: Callable[[], tuple[T, bool]]) -> tuple[T, bool]:
        """The result of ``read``, or of another caller's that is under way; and whether it is
        another's.

        ``read`` says with its result whether it may be shared; if not, the others get LookAgain.
        They get its error, too.
        """
        with self._lock:
            flight = self._flights.get(tweet_id)
            if flight is None:
                own = self._flights[tweet_id] = Future()
        if flight is not None:
            try:
                return flight.result(self._patience), True
            except TimeoutError:
                if flight.done():  # it is the table's, or the flight has just landed
                    return flight.result(), True
                raise LookAgain from None
        try:
            result, shareable = read()
        except BaseException as error:
            self._land(tweet_id, own)
            # A learner who pressed Stop stopped one reader, not the others.
            own.set_exception(error if isinstance(error, Exception) else LookAgain())
            raise
        self._land(tweet_id, own)
        if shareable:
            own.set_result(result)
        else:
            own.set_exception(LookAgain())
        return result, False

    def forget(self, tweet_id: UUID) -> None:
        """The tweet was written: who comes now must not share a read that began before."""
        with self._lock:
            self._flights.pop(tweet_id, None)

    def _land(self, tweet_id: UUID, flight: Future[T]) -> None:
        with self._lock:
            if self._flights.get(tweet_id) is flight:
                del self._flights[tweet_id]
