"""An open loop of readers: each read is made at its own time, whether or not those before it are
done. A bounded load (``workload.replay``) and an endless one (``explore``) share it."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from botocore.exceptions import ClientError

from tweetlab.tweets import THROTTLING_CODES, Read

POLL = 0.1
"""Seconds at most until a worker that waits for a time notices that it should stop."""

Worker = TypeVar("Worker")


class Reader(Protocol):
    """Whatever reads a tweet by its id: a TweetTable, a CachedTweets, ..."""

    def read(self, tweet_id: UUID) -> Read:
        """The tweet, and what reading it took."""


class DueRead(NamedTuple):
    """A read that is due ``at`` seconds from the start; ``place`` is its number in the load."""

    place: int
    at: float
    tweet_id: UUID


class Row(NamedTuple):
    """What became of one read; the columns of ``workload.replay``."""

    at: float
    tweet_id: UUID
    source: str
    seconds: float
    retries: int
    throttled: bool
    read_units: float


class GaveUp(Exception):
    """A reader that waited so long for a worker that it left."""


def begin(
    reader: Reader,
    due_reads: Iterator[DueRead],
    finish: Callable[[DueRead, Row, Exception | None], None],
    *,
    workers: int,
    spawn: Callable[[Callable[[], None]], Worker],
    stop: threading.Event,
    patience: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> set[Worker]:
    """Let ``workers`` threads make the reads, which come in the order of their times.

    ``spawn`` starts a thread; what it returns for each is returned. They end when there are no
    more reads, or soon after ``stop`` is set. Each calls ``finish`` with the read that was due,
    what became of it, and the exception of a failed read that DynamoDB did not throttle. A read
    for which no worker was free within ``patience`` seconds is not made: it fails with GaveUp.
    """
    turn = threading.Lock()
    start = math.inf

    def next_due() -> DueRead | None:
        """Wait until the next read is due: that, or None at the end.

        One worker waits for the time, the others for their turn: together, a queue that is
        served first come, first served.
        """
        with turn:
            due = next(due_reads, None)
            while due is not None and not stop.is_set():
                early = start + due.at - clock()
                if early <= 0:
                    return due
                sleep(min(early, POLL))
            return None

    def work() -> None:
        while (due := next_due()) is not None:
            source, retries, throttled, read_units = "failed", 0, False, 0.0
            failure: Exception | None = None
            try:
                if clock() - (start + due.at) > patience:
                    raise GaveUp(f"No worker was free within {patience:g} s.")
                read = reader.read(due.tweet_id)
            except Exception as error:
                answer = error.response if isinstance(error, ClientError) else {}
                retries = answer.get("ResponseMetadata", {}).get("RetryAttempts", 0)
                throttled = answer.get("Error", {}).get("Code") in THROTTLING_CODES
                failure = None if throttled else error
            else:
                source, retries, read_units = read.source, read.retries, read.read_units
                throttled = read.throttles > 0
            seconds = clock() - (start + due.at)
            row = Row(due.at, due.tweet_id, source, seconds, retries, throttled, read_units)
            finish(due, row, failure)

    with turn:  # nobody begins before all are there
        working = {spawn(work) for _ in range(workers)}
        start = clock()
    return working
