"""What happened in the cache, in numbers."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Something rare: Redis failed, or the circuit breaker opened or closed."""

    at: float
    """Seconds since 1970."""
    what: str


@dataclass
class CacheStats:
    """What the cache did so far; reads by ``get_many`` count one for each tweet.

    Every read that may be answered by the cache is a hit or a miss.
    """

    hits: int = 0
    """Reads answered at once, from Redis or from the first level."""
    misses: int = 0
    """Reads that found no answer there."""
    negative_hits: int = 0
    """Those of the hits that said: there is no such tweet."""
    local_hits: int = 0
    """Those of the hits that the first level answered, without Redis."""
    waits: int = 0
    """Those of the misses that waited for another reader's table read instead of making one."""
    refreshes: int = 0
    """Tweets read anew before they expired."""
    errors: int = 0
    """Times Redis failed, or held something that is not the tweet; the table answered instead."""
    refused: int = 0
    """Reads that got TableBusy: the table had as many as it may have."""
    breaker: str = "closed"
    """Whether Redis is asked: "closed" yes, "open" no, "half-open" it is being tried."""
    events: deque[Event] = field(
        default_factory=lambda: deque(maxlen=1000), repr=False, compare=False
    )
    """The latest thousand rare ones: failures of Redis, and the breaker's changes."""
    clock: Callable[[], float] = field(default=time.time, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def hit_ratio(self) -> float:
        """Hits among all reads, 0 to 1; 0 before the first read."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else 0.0

    def hit(self) -> None:
        """Count the commonest case, cheaply."""
        with self._lock:
            self.hits += 1

    def local_hit(self) -> None:
        """Count a hit in the first level, more cheaply than what it saves."""
        with self._lock:
            self.hits += 1
            self.local_hits += 1

    def count(self, **counts: int) -> None:
        """Add to the counts of those names; readers in many threads share them."""
        with self._lock:
            for name, more in counts.items():
                setattr(self, name, getattr(self, name) + more)

    def fail(self, what: str) -> None:
        """Count an error, and remember it."""
        self.count(errors=1)
        self.note(what)

    def breaker_is(self, state: str) -> None:
        """The circuit breaker changed its state."""
        self.breaker = state
        self.note(f"breaker {state}")

    def note(self, what: str) -> None:
        """Remember an event."""
        self.events.append(Event(self.clock(), what))
