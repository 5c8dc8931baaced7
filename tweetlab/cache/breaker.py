"""A circuit breaker: whoever fails again and again is left alone for a while."""

import math
import threading
import time
from collections.abc import Callable

from tweetlab.cache.forks import begin_in_each_process


class CircuitBreaker:
    """Says whether Redis should be asked. It holds no thread and does nothing by itself.

    - *closed*: yes. ``failures`` failures in a row open it, or one ``trip()``. Of those that were
      under way at the same time one counts: they have a reason in common, and it may be past.
    - *open*: no. After ``pause`` seconds the next caller is told to probe, and it is half-open.
    - *half-open*: no, for all but the probe. It ends in ``close()`` or in ``trip()``.

    The default notices within one second of traffic that Redis is back. ``failures=None`` never
    opens it for a failure.
    """

    def __init__(
        self,
        failures: int | None = 3,
        pause: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[str], None] = lambda state: None,
    ) -> None:
        if failures is not None and failures < 1:
            raise ValueError(f"breaker_failures is at least 1, or None, not {failures!r}")
        self.state = "closed"
        self._failures = failures
        self._pause = pause
        self.clock = clock
        self._on_change = on_change
        self._in_a_row = 0
        self._failed_at = -math.inf
        self._probe_at = 0.0
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        if self.state == "half-open":  # the parent's thread has the probe: this process needs one
            self._open(pause=0)

    def worked(self) -> None:
        """A call was answered."""
        self._in_a_row = 0

    def failed(self, asked_at: float = math.inf) -> None:
        """A call was not answered that began at ``asked_at``, in seconds of the clock."""
        with self._lock:
            if asked_at < self._failed_at:
                return
            self._failed_at = self.clock()
            self._in_a_row += 1
            if self.state == "closed" and self._in_a_row == self._failures:
                self._open(self._pause)

    def trip(self) -> None:
        """Open it, or keep it open for another pause."""
        with self._lock:
            self._open(self._pause)

    def should_probe(self) -> bool:
        """Whether the caller is the one to find out, in its own time, if Redis is back."""
        with self._lock:
            if self.state != "open" or self.clock() < self._probe_at:
                return False
            self._become("half-open")
            return True

    def close(self) -> None:
        """Redis is back."""
        with self._lock:
            self._in_a_row = 0
            self._become("closed")

    def _open(self, pause: float) -> None:
        self._probe_at = self.clock() + pause
        self._become("open")

    def _become(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._on_change(state)
