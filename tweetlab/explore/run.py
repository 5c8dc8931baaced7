"""A live run: readers at work on real servers until they are stopped. It knows no widgets."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import numpy as np

from tweetlab.cache import CachedTweets
from tweetlab.explore.explorer_lab import ExplorerLab
from tweetlab.explore.series import Series
from tweetlab.explore.settings import Scenario, ScenarioEvent, Settings
from tweetlab.tweets import Read
from tweetlab.workload import open_loop
from tweetlab.workload.open_loop import DueRead, Reader, Row

WORKERS = 64
"""Readers at a time; the lab's clients have as many connections."""
PATIENCE = 3.0
"""Seconds after which a reader who is still waiting for a worker leaves."""
LONGEST = 600.0
"""Seconds after which a run that nobody stops ends by itself."""


@dataclass(eq=False)
class LiveRun:
    """One run. ``series`` holds what the reads met, ``settings`` what holds now.

    It has two kinds of threads: the workers read, and a director prepares the servers, lets a
    scenario's events happen, and applies the changes that are asked for. All are daemons: a kernel
    can end at any time. The director calls ``on_event`` when an event changed the settings.
    """

    lab: ExplorerLab
    scenario: Scenario
    settings: Settings
    on_event: Callable[[Settings], None] = lambda settings: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    seed: int | None = None

    def __post_init__(self) -> None:
        self.series = Series()
        self.error: Exception | None = None
        self.news: list[ScenarioEvent] = []
        """What has happened in the scenario so far."""
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._reader: Reader | None = None
        self._started = 0.0
        self._director = threading.Thread(target=self._direct, daemon=True, name="tweetlab-run")

    def start(self) -> None:
        """Begin; returns at once."""
        self._director.start()

    def change(self, settings: Settings) -> None:
        """Go on with other settings; the load changes at once, the servers as soon as they can."""
        self.settings = settings
        self._changed.set()

    def stop(self) -> None:
        """Begin no more reads; returns at once. Those under way end without being counted."""
        self._stop.set()
        self._changed.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the servers are free for another run."""
        self._director.join(timeout)

    @property
    def state(self) -> Literal["preparing", "running", "stopped", "failed"]:
        """Where it is; "failed" has an ``error``."""
        if self.error:
            return "failed"
        if self._stop.is_set():
            return "stopped"
        return "running" if self._started else "preparing"

    @property
    def going(self) -> bool:
        """Whether it still goes on."""
        return not self._stop.is_set()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it ends."""
        self._stop.wait(seconds)

    @property
    def seconds(self) -> float:
        """Seconds since the first read could be made; 0 before."""
        return self.clock() - self._started if self._started else 0.0

    @property
    def redis_answers(self) -> bool:
        """Whether Redis is there to be asked; also where no cache asks it."""
        return not isinstance(self._reader, CachedTweets) or self._reader.stats.breaker == "closed"

    def advance(self) -> None:
        """Bring ``series`` up to now."""
        if self.state == "running":
            self.series.advance(self.seconds, self.settings)

    def _direct(self) -> None:
        try:
            with self.lab.turn:  # the run before may still be clearing up
                try:
                    if self.going:
                        self._read_on()
                finally:
                    self.lab.clear()
        except Exception as error:
            if self.going:  # what fails after the end is nobody's concern
                self.error = error
        finally:
            self.stop()

    def _read_on(self) -> None:
        self._reader = self.lab.prepare(self.settings, self.scenario.warm)
        self._started = self.clock()
        open_loop.begin(
            self,
            endless_reads(
                lambda: self.settings, self.lab.tweet_ids, np.random.default_rng(self.seed)
            ),
            self._finish,
            workers=WORKERS,
            spawn=_daemon,
            stop=self._stop,
            patience=PATIENCE,
            clock=self.clock,
            sleep=self.sleep,
        )
        for event in self.scenario.events:
            self._serve_until(event.at)
            if not self.going:
                return
            self.news.append(event)
            if event.outage:
                self.lab.lose_cache(event.outage)
            if event.changes:
                self.change(replace(self.settings, **event.changes))
                self.on_event(self.settings)
        self._serve_until(LONGEST)

    def _serve_until(self, at: float) -> None:
        """Make the changes that are asked for until that time, or the end of the run."""
        while self.going and (left := at - self.seconds) > 0:
            if self._changed.wait(left) and self.going:
                self._changed.clear()  # before the latest is read: a dragged slider asks for many
                self._reader = self.lab.change(self.settings)

    def read(self, tweet_id: UUID) -> Read:
        """Read by what the settings are now."""
        assert self._reader
        return self._reader.read(tweet_id)

    def _finish(self, _: DueRead, row: Row, error: Exception | None) -> None:
        if self.going:
            self.series.add(row, error)


def endless_reads(
    now: Callable[[], Settings], tweet_ids: Sequence[UUID], rng: np.random.Generator
) -> Iterator[DueRead]:
    """Reads without end, at random times, of tweets as popular as the settings that ``now`` gives.

    The first of ``tweet_ids`` is the most popular; the last is the one that goes viral.
    """
    at = 0.0
    for place in itertools.count():
        settings = now()
        up_to = np.cumsum(settings.shares)
        at += rng.exponential(1 / settings.rate)
        rank = int(np.searchsorted(up_to, rng.random() * up_to[-1], side="right"))
        yield DueRead(place, at, tweet_ids[rank if rank < settings.tweets else -1])


def _daemon(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True, name="tweetlab-reader")
    thread.start()
    return thread
