"""What a run's reads met, eight times a second."""

import math
from collections import Counter, deque
from typing import NamedTuple, Self

import numpy as np

from tweetlab.explore.settings import Settings
from tweetlab.tweets import ATTEMPTS
from tweetlab.workload.open_loop import Row

STEP = 0.125
"""Seconds from one point to the next."""
SPAN = 1.0
"""Seconds before it that a point covers."""


class Point(NamedTuple):
    """The second that ended ``at``, and the settings at its end; nan where there is nothing."""

    at: float
    failed: float
    """Reads a second that got no tweet."""
    late: float
    """Those that got it from the table, after a throttle."""
    table: float
    """Those that got it from the table at once."""
    cache: float
    """Those that got it from the cache."""
    consumed: float
    """Read units."""
    hit_ratio: float
    p50: float
    """Milliseconds, of the answered reads, from when they were due."""
    p99: float
    errors: Counter[str]
    """Failed reads by the kind of their error, throttled ones left out."""
    unretried: int
    """Throttled reads that failed because boto3's retry quota was spent."""
    settings: Settings

    @classmethod
    def blank(cls, at: float, settings: Settings) -> Self:
        """A point of which nothing but the settings is known."""
        nothing = (math.nan,) * 8
        return cls(at, *nothing, errors=Counter(), unretried=0, settings=settings)


class _Done(NamedTuple):
    at: float
    outcome: str
    row: Row
    error: Exception | None


class Series:
    """A run's points. Any thread may ``add`` rows; one thread calls ``advance``."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.total: Counter[str] = Counter()
        """Reads by outcome since the start, and how many were "throttled"."""
        self._inbox: deque[_Done] = deque()
        self._recent: list[_Done] = []

    def add(self, row: Row, error: Exception | None = None) -> None:
        """Take in a read that was just done."""
        outcome = "late" if row.throttled and row.source == "table" else row.source
        self._inbox.append(_Done(row.at + row.seconds, outcome, row, error))

    def advance(self, now: float, settings: Settings) -> None:
        """Add the points up to ``now``, in seconds since the start."""
        while (at := (len(self.points) + 1) * STEP) <= now:
            self._receive(at)
            self.points.append(self._point(at, settings))

    def _receive(self, at: float) -> None:
        """Make the reads that were done in the second before the recent ones."""
        for _ in range(len(self._inbox)):
            done = self._inbox.popleft()
            if done.at > at:
                self._inbox.append(done)
                continue
            # A read that is added too late counts from now on, so that none is lost.
            self._recent.append(done._replace(at=max(done.at, at - STEP)))
            self.total[done.outcome] += 1
            self.total["throttled"] += done.row.throttled
        self._recent = [done for done in self._recent if done.at > at - SPAN]

    def _point(self, at: float, settings: Settings) -> Point:
        span = min(SPAN, at)
        counts = Counter(done.outcome for done in self._recent)
        answered = [done.row.seconds for done in self._recent if done.outcome != "failed"]
        p50, p99 = np.quantile(answered or [math.nan], (0.5, 0.99)).tolist()
        return Point(
            at,
            failed=counts["failed"] / span,
            late=counts["late"] / span,
            table=counts["table"] / span,
            cache=counts["cache"] / span,
            consumed=sum(done.row.read_units for done in self._recent) / span,
            hit_ratio=counts["cache"] / len(answered) if answered and settings.cache else math.nan,
            p50=1000 * p50,
            p99=1000 * p99,
            errors=Counter(type(done.error).__name__ for done in self._recent if done.error),
            unretried=sum(_quota_spent(done.row) for done in self._recent),
            settings=settings,
        )


def _quota_spent(row: Row) -> bool:
    return row.source == "failed" and row.throttled and row.retries < ATTEMPTS - 1
