"""How long a value stays in Redis, and when it is due to be read anew."""

from __future__ import annotations

import math
import random as randomness
import time
from collections.abc import Callable


class Lifetimes:
    """Draws the time to live of each value that is stored: ``ttl`` seconds, less the jitter.

    ``jitter`` shortens it at random by up to that share, so that tweets which were cached together
    do not expire together. ``ahead`` is for how many seconds before its end a value is due to be
    refreshed; at most for half of its time.
    """

    def __init__(
        self,
        ttl: float,
        ahead: float = 0,
        jitter: float = 0,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        if not 0 <= ahead < ttl:
            raise ValueError(f"refresh_ahead is 0 or more seconds, below the ttl, not {ahead!r}")
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter is a share of the ttl, 0 or more and below 1, not {jitter!r}")
        self._ttl = ttl
        self._ahead = ahead
        self._jitter = jitter
        self._clock = clock
        self._random = random

    def draw(self) -> tuple[int, float]:
        """A time to live in milliseconds, and the moment from which to refresh."""
        ttl = self._ttl * (1 - self._jitter * self._random())
        refresh_at = self._clock() + max(ttl - self._ahead, ttl / 2) if self._ahead else math.inf
        return max(1, round(ttl * 1000)), float(refresh_at)

    def is_over(self, moment: float) -> bool:
        """Whether it is that time, or later."""
        return moment <= self._clock()
