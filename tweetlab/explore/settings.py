"""What can be set in the explorer, and the scenarios to begin with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tweetlab import workload
from tweetlab.capacity import read_units

MOST_TWEETS = 1000
RANGES = {
    "read_capacity": (1, 150),
    "rate": (10, 300),
    "skew": (0.0, 2.0),
    "tweets": (10, MOST_TWEETS),
    "ttl": (1, 60),
}
"""The least and the most that a slider can be set to."""


@dataclass(frozen=True)
class Settings:
    """What the readers ask for, and what they have to do it with."""

    read_capacity: int = 10
    """Read capacity units a second that the table is provisioned with."""
    rate: int = 100
    """Reads a second, on average."""
    skew: float = 1.0
    """How unequal the tweets are; see ``workload.popularity``."""
    tweets: int = 200
    ttl: int = 60
    """Seconds a tweet stays in the cache."""
    cache: bool = True
    single_flight: bool = True
    adaptive: bool = True
    """Whether a partition may use all of the table's throughput."""
    viral: float = 0.0
    """The share of all reads that one new tweet gets, which nobody had read before."""

    @cached_property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of all reads that each tweet gets; the viral one comes last."""
        others = _popularity(self.tweets, self.skew) * (1 - self.viral)
        return np.append(others, self.viral)

    @cached_property
    def hit_chances(self) -> npt.NDArray[np.float64]:
        """How likely a read of each tweet is to be a hit, once the cache is warm.

        A tweet that is read λ times a second by readers who know nothing of each other, and stays
        in the cache for T seconds from when it got there, has λT hits for each miss (Jung, Berger,
        Balakrishnan, "Modeling TTL-based Internet caches", INFOCOM 2003). This takes the
        table to answer at once: a throttled one lets fewer tweets into the cache.
        """
        expected = self.shares * self.rate * self.ttl
        return expected / (1 + expected)

    @cached_property
    def hit_ratio(self) -> float:
        """The part of all reads that a warm cache answers; 0 without a cache."""
        return float(self.shares @ self.hit_chances) if self.cache else 0.0

    @cached_property
    def needed(self) -> float:
        """Read units a second that these reads take, once the cache is warm, if there is one.

        Each is eventually consistent, of a tweet of up to 4 KB.
        """
        return self.rate * (1 - self.hit_ratio) * read_units(1)


_popularity = cache(workload.popularity)


@dataclass(frozen=True)
class ScenarioEvent:
    """Something that happens in a scenario, ``at`` seconds after the start."""

    at: float
    words: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that change."""
    outage: float = 0.0
    """Seconds for which Redis does not answer; when it is back, it is empty."""


@dataclass(frozen=True)
class Scenario:
    """A situation to start from."""

    name: str
    about: str
    """What it is, and what to try, in a sentence or two."""
    settings: Settings
    warm: bool = True
    """Whether the cache holds already what it would after a long time."""
    events: tuple[ScenarioEvent, ...] = ()


SCENARIOS = (
    Scenario(
        "Steady",
        "The cache has long been warm, and the table is small. Try: switch the cache off.",
        Settings(ttl=20),
    ),
    Scenario(
        "Viral tweet",
        "No cache. After 8 seconds all read one new tweet. Then try: adaptive capacity off; the "
        "cache on.",
        Settings(read_capacity=60, rate=80, cache=False),
        events=(
            ScenarioEvent(
                8,
                "A new tweet goes viral: of three times as many reads, it gets two in three.",
                {"rate": 240, "viral": 2 / 3},
            ),
        ),
    ),
    Scenario(
        "Cold start",
        "The table is as small as a warm cache allows, but the cache is empty. How long does it "
        "take to fill?",
        Settings(read_capacity=5),
        warm=False,
    ),
    Scenario(
        "Cache outage",
        "After 8 seconds Redis hangs, and 6 seconds later it is back, but empty. What do the "
        "readers get?",
        Settings(read_capacity=5),
        events=(
            ScenarioEvent(8, "Redis hangs, for 6 seconds.", outage=6),
            ScenarioEvent(14, "Redis is back, but empty."),
        ),
    ),
    Scenario(
        "Short TTL",
        "A tweet stays in the cache for one second, and then all who want it miss it. Try: a "
        "longer time to live.",
        Settings(ttl=1, single_flight=False),
    ),
)
