"""What the checks of lesson 04 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from tests.support.verdicts import empty, wrong
from tweetlab import exercises


def test_capacity_needed():
    def for_the_hits(reads_per_second, hit_ratio):
        return math.ceil(reads_per_second * hit_ratio * 0.5)

    def below_one(reads_per_second, hit_ratio):
        return math.ceil(reads_per_second * (1 - hit_ratio) * 0.5)

    def rounded_down(reads_per_second, hit_ratio):
        return max(1, int(reads_per_second * (1 - hit_ratio) * 0.5))

    def right(reads_per_second, hit_ratio):
        return max(1, below_one(reads_per_second, hit_ratio))

    assert len(wrong(exercises.check_capacity_needed(empty))) == 5
    assert len(wrong(exercises.check_capacity_needed(for_the_hits))) == 4
    assert wrong(exercises.check_capacity_needed(below_one)) == [
        "`below_one(100, 1)` should be 1; yours gives `0`"
    ]
    assert wrong(exercises.check_capacity_needed(rounded_down)) == [
        "`rounded_down(100, 0.75)` should be 13; yours gives `12`"
    ]
    assert exercises.check_capacity_needed(right).right


def test_hit_ratio():
    def not_from_the_table(reads):
        return 1 - (reads["source"] == "table").mean()

    def of_all_reads(reads):
        return (reads["source"] == "cache").mean()

    def right(reads):
        answered = reads[reads["source"] != "failed"]
        return (answered["source"] == "cache").mean()

    def of_those_not_throttled(reads):
        return (reads.loc[~reads["throttled"], "source"] == "cache").mean()

    assert len(wrong(exercises.check_hit_ratio(empty))) == 4
    assert wrong(exercises.check_hit_ratio(not_from_the_table)) == [
        "of 2 table, 2 failed, the hit ratio is 0; yours is `0.5`",
        "of 2 cache, 1 table, 1 failed, the hit ratio is 0.67; yours is `0.75`",
    ]
    assert wrong(exercises.check_hit_ratio(of_all_reads)) == [
        "of 2 cache, 1 table, 1 failed, the hit ratio is 0.67; yours is `0.5`"
    ]
    assert exercises.check_hit_ratio(right).right


def rows(*reads: tuple[str, bool, float]) -> pd.DataFrame:
    """A replay of a read every 0.1 s: who answered, whether it was throttled, its read units."""
    frame = pd.DataFrame(reads, columns=["source", "throttled", "read_units"])
    return frame.assign(at=frame.index / 10, seconds=0.1)


TABLE, CACHE = ("table", False, 0.5), ("cache", False, 0.0)
THROTTLED, FAILED = ("table", True, 0.5), ("failed", True, 0.0)


@pytest.mark.parametrize(
    ("cold", "missing"),
    [
        (None, "`cold` is `None`, not the rows of a replay"),
        (rows(TABLE, FAILED, FAILED), "the cache answered 0 of 3 reads"),
        (
            rows(CACHE, THROTTLED, CACHE),
            "the first read was answered by: cache (an empty cache has nothing)",
        ),
        (
            rows(TABLE, TABLE, TABLE, THROTTLED, CACHE),
            "the table spent 4.0 units a second (1 RCU, and a second saved up)",
        ),
        (rows(TABLE, CACHE, CACHE), "0% of the reads were throttled"),
    ],
)
def test_cold_start_that_is_not(cold, missing):
    assert wrong(exercises.check_cold_start(cold)) == [missing]


def test_cold_start():
    assert exercises.check_cold_start(rows(THROTTLED, FAILED, CACHE, CACHE)).right
