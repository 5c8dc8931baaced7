"""The explorer without servers, and what the tests of its parts share.

Where time passes for real, no test waits for a set time, only for what it asks for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tweetlab.explore import Scenario, Settings
from tweetlab.explore.explorer_lab import ExplorerLab
from tweetlab.explore.run import LiveRun
from tweetlab.explore.series import Point
from tweetlab.explore.settings import MOST_TWEETS
from tweetlab.tweets import Read, Tweet
from tweetlab.workload.open_loop import Reader

IDS = [UUID(int=number) for number in range(1, MOST_TWEETS + 2)]
QUIET = Scenario("Quiet", "Nothing happens.", Settings())
NOW = datetime.now(UTC)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that other threads do, as long as a busy machine may take."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.01)


class FakeReader:
    """Answers from nowhere, unless a test holds it up."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reads = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def read(self, tweet_id: UUID) -> Read:
        self.reads += 1
        self.may_answer.wait(120)
        source: Any = "cache" if self.settings.cache else "table"
        return Read(Tweet(tweet_id, "Text.", NOW), source, 0.0, 0, 0.0)


class FakeLab(ExplorerLab):
    """Has no servers; notes what a run asks of it."""

    owns_redis = True

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.tweet_ids = IDS
        self.calls: list[Any] = []
        self.prepared: list[Settings] = []
        self.readers: list[FakeReader] = []
        self.fails: Exception | None = None

    def prepare(self, settings: Settings, warm: bool) -> Reader:
        self.calls.append(("prepare", warm))
        self.prepared.append(settings)
        if self.fails:
            raise self.fails
        return self._reader(settings)

    def change(self, settings: Settings) -> Reader:
        self.calls.append(("change", settings))
        return self._reader(settings)

    def lose_cache(self, seconds: float) -> None:
        self.calls.append(("lose_cache", seconds))

    def clear(self) -> None:
        self.calls.append("clear")

    def close(self) -> None:
        self.calls.append("close")

    def _reader(self, settings: Settings) -> FakeReader:
        self.readers.append(FakeReader(settings))
        return self.readers[-1]


def has_read(live: LiveRun) -> bool:
    """Whether a read was counted by now."""
    live.advance()
    return live.series.total.total() > 0


def point(settings: Settings = QUIET.settings, **values: Any) -> Point:
    """A second of a run by those settings in which nothing happened but what is given."""
    nothing = Point.blank(10.0, settings)
    none = {"failed": 0.0, "late": 0.0, "table": 0.0, "cache": 0.0, "consumed": 0.0}
    return nothing._replace(**(none | values))
