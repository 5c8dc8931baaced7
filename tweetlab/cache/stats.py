"""What happened in the cache, in numbers."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from tweetlab.cache.forks import begin_in_each_process


@dataclass(frozen=True)
class Event:
    """Something rare: Redis failed, or the circuit breaker opened or closed."""

    at: float
    """Seconds since 1970."""
    what: str


def _count(help_text: str) -> int:
    """A count that begins at 0; whoever shows it can say what it counts."""
    count: int = field(default=0, metadata={"help": help_text})
    return count


@dataclass
class CacheStats:
    """What the cache did so far; reads by ``get_many`` count one for each tweet.

    Every read that may be answered by the cache is a hit or a miss. A forked process goes on from
    the counts of its parent.
    """

    hits: int = _count("Reads answered at once, from Redis or from the first level")
    misses: int = _count("Reads that found no answer there")
    negative_hits: int = _count("Those of the hits that said: there is no such tweet")
    local_hits: int = _count("Those of the hits that the first level answered, without Redis")
    waits: int = _count("Those of the misses that waited for another reader's table read")
    refreshes: int = _count("Tweets read again before they expired")
    errors: int = _count("Times Redis failed, or held what is not the tweet; the table answered")
    unreadable: int = _count("Items read from the table that another program wrote: no tweets")
    refused: int = _count("Reads that got TableBusy: the table had as many as it may have")
    breaker: str = "closed"
    """Whether Redis is asked: "closed" yes, "open" no, "half-open" it is being tried."""
    events: deque[Event] = field(
        default_factory=lambda: deque(maxlen=1000), repr=False, compare=False
    )
    """The latest thousand rare ones: failures of Redis, and the breaker's changes."""
    clock: Callable[[], float] = field(default=time.time, repr=False, compare=False)

    def __post_init__(self) -> None:
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()

    @property
    def hit_ratio(self) -> float:
        """Hits among all reads, 0 to 1; 0 before the first read."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else 0.0

    @classmethod
    def counts(cls) -> dict[str, str]:
        """The names of all counts, and what each counts."""
        return {one.name: one.metadata["help"] for one in fields(cls) if "help" in one.metadata}

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
