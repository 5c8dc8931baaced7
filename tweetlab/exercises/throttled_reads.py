"""Checks of lesson 04."""

import math
from collections.abc import Callable, Iterator

import pandas as pd

from tweetlab.exercises.verdict import Remark, check, expect_number


@check(
    "the table serves only the misses, and a miss costs half a unit. Round up (`import math`, and "
    "`math.ceil(...)`); a table has at least 1 RCU."
)
def check_capacity_needed(answer: Callable[[float, float], float]) -> Iterator[Remark]:
    """RCU needed for reads a second at a hit ratio."""
    # Hit ratios that are exact in binary: 0.9 would make math.ceil's answer a matter of rounding.
    for rate, hit_ratio in ((100, 0), (100, 0.5), (100, 0.75), (8000, 0.9375), (100, 1)):
        expected = max(1, math.ceil(rate * (1 - hit_ratio) / 2))
        yield expect_number(answer, (rate, hit_ratio), expected)


@check(
    "`tweets, ids = new_table(read_capacity=1)` gives new tweets, which no cache knows yet. Put "
    "`CachedTweets` in front of `tweets`, and give that to `trial`."
)
def check_cold_start(reads: pd.DataFrame | None) -> Iterator[Remark]:
    """A replay through an empty cache, on a table of 1 RCU."""
    if not isinstance(reads, pd.DataFrame):
        yield False, f"`cold` is `{reads}`, not the rows of a replay"
        return
    first = reads.sort_values("at")["source"].iloc[0]
    hits = (reads["source"] == "cache").sum()
    throttled = reads["throttled"].mean()
    spent = reads["read_units"].sum() / (reads["at"] + reads["seconds"]).max()
    yield hits > 0, f"the cache answered {hits:,} of {len(reads):,} reads"
    yield first != "cache", f"the first read was answered by: {first} (an empty cache has nothing)"
    yield spent < 3, f"the table spent {spent:.1f} units a second (1 RCU, and a second saved up)"
    yield throttled > 0, f"{throttled:.0%} of the reads were throttled"


@check(
    "a read is answered by the `cache`, answered by the `table`, or has `failed`. Which of these "
    "is a hit? And of which is it a part?"
)
def check_hit_ratio(answer: Callable[[pd.DataFrame], float]) -> Iterator[Remark]:
    """The part of the answered reads that the cache answered, from the rows of a replay."""
    for sources, expected in (
        ({"table": 4}, 0),
        ({"cache": 3, "table": 1}, 3 / 4),
        ({"table": 2, "failed": 2}, 0),
        ({"cache": 2, "table": 1, "failed": 1}, 2 / 3),
    ):
        rows = [(source, source == "failed") for source, n in sources.items() for _ in range(n)]
        given = answer(pd.DataFrame(rows, columns=["source", "throttled"]))
        number = isinstance(given, int | float)
        good = number and math.isclose(given, expected, abs_tol=1e-6)
        yours = f"{given:.2g}" if number else given
        reads = ", ".join(f"{n} {source}" for source, n in sources.items())
        yield good, f"of {reads}, the hit ratio is {expected:.2g}; yours is `{yours}`"
