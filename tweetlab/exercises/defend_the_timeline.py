"""Checks of lesson 11. Each plays the lesson's load through the policy that it is given."""

from collections.abc import Iterator

import pandas as pd

from tweetlab.charts import defend_the_timeline as charts
from tweetlab.exercises.verdict import Remark, check
from tweetlab.simulate import Policy, timeline

STALE_SECONDS = 20
"""What the first exercise allows: more than the lesson's target."""
BUG_SIZE = 300
NEARLY = 0.02


def _score(policy: Policy) -> pd.DataFrame:
    """A scoreboard of one."""
    return timeline.scoreboard(timeline.play({"yours": policy}))


def _meets(score: pd.DataFrame, name: str, target: float) -> Remark:
    what, words = charts.COLUMNS[name]
    value = float(score[name].iloc[0])
    return value <= target, f"{what.lower()}: {words(value)}, of {words(target)} at most"


@check(
    "the longer the time, the fewer the reads of the table and the older the answers: try some "
    "between 10 and 100 s. And a cache that is too small has dropped a tweet before it expires."
)
def check_one_ttl(policy: Policy) -> Iterator[Remark]:
    """A policy with one time to live, neither too long nor too short, in a cache large enough."""
    score = _score(policy)
    for name in ("throttled", "dollars"):
        yield _meets(score, name, timeline.TARGETS[name])
    yield _meets(score, "stale_s", STALE_SECONDS)


@check(
    "who has been read often may be out of fashion, and who came a moment ago has had no time to "
    "be read. What else does the policy know of a tweet?"
)
def check_shift(policy: Policy) -> Iterator[Remark]:
    """A policy for a small cache that survives the shift as LRU does."""
    yours, lru = timeline.play({"yours": policy, "LRU": timeline.Lru(BUG_SIZE)}).values()
    most = int(yours["kept"].max())
    yield most <= BUG_SIZE, f"it keeps {most} tweets at the same time, of {BUG_SIZE} at most"
    for when, begin in charts.minutes().items():
        ratio, needed = (
            (reads.loc[reads["at"].between(begin, begin + 60, "left"), "source"] == "cache").mean()
            for reads in (yours, lru)
        )
        needed -= NEARLY
        sentence = f"{when}, the cache answers {ratio:.0%} of the reads, of {needed:.0%} at least"
        yield ratio >= needed, sentence


@check(
    "one time for all is either too long for the popular tweets, whose old answers many people "
    "get, or too short for the others, which use up the table's capacity. `tweet.gap` tells them "
    "apart: it is short for popular ones. What does it cost to keep those for 15 s only?"
)
def check_defended(policy: Policy) -> Iterator[Remark]:
    """A policy that meets all four targets."""
    score = _score(policy)
    for name, target in timeline.TARGETS.items():
        yield _meets(score, name, target)
