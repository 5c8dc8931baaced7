"""What the checks of lesson 05 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import itertools
import math
import random
import zlib

from tests.support.verdicts import empty, wrong
from tweetlab import exercises
from tweetlab.capacity import TableCapacity


def test_burst_lasts():
    def nothing_comes_in(provisioned, consumed):
        return 300 * provisioned / consumed

    def as_if_always_too_much(provisioned, consumed):
        return 300 * provisioned / (consumed - provisioned)

    def right(provisioned, consumed):
        if consumed <= provisioned:
            return math.inf
        return as_if_always_too_much(provisioned, consumed)

    def lasts(provisioned, consumed):
        """By the endpoint's own rules, on a clock that is turned a tenth of a second at a time."""
        now = 0.0
        table = TableCapacity(provisioned, 1, initial_burst_seconds=300, clock=lambda: now)
        while table.read("key", consumed / 10) is None:
            now = round(now + 0.1, 1)
            if now > 1000:
                return math.inf
        # It is overdrawn by a call at most.
        return round(now)

    assert len(wrong(exercises.check_burst_lasts(empty))) == 5
    assert wrong(exercises.check_burst_lasts(nothing_comes_in))[0] == (
        "`nothing_comes_in(150, 200)` should be 900; yours gives `225.0`"
    )
    assert [good for good, _ in exercises.check_burst_lasts(as_if_always_too_much).remarks] == [
        *[True] * 3,
        False,
    ]
    assert exercises.check_burst_lasts(right).right
    assert exercises.check_burst_lasts(lasts).right


def test_copy_key():
    count = itertools.count()

    def by_hash(tweet_id):
        return f"{tweet_id}#{zlib.crc32(str(tweet_id).encode()) % 16}"

    def half_of_them(tweet_id):
        return f"{tweet_id}#{next(count) % 8}"

    def one_too_many(tweet_id):
        return f"{tweet_id}#{next(count) % 17}"

    def mostly_the_first(tweet_id):
        return f"{tweet_id}#{max(0, next(count) % 32 - 16)}"

    def in_turn(tweet_id):
        return f"{tweet_id}#{next(count) % 16}"

    def at_random(tweet_id):
        return f"{tweet_id}#{random.randrange(16)}"

    assert len(wrong(exercises.check_copy_key(empty))) == 3
    assert wrong(exercises.check_copy_key(by_hash)) == [
        "8,000 reads of one tweet took 1 of the 16 copies",
        "of 8,000 reads in a second, a table of 10,000 RCU refused 5,000",
    ]
    assert wrong(exercises.check_copy_key(half_of_them)) == [
        "8,000 reads of one tweet took 8 of the 16 copies"
    ]
    assert wrong(exercises.check_copy_key(one_too_many))[0].endswith("#15`")
    [refused] = wrong(exercises.check_copy_key(mostly_the_first))
    assert refused.startswith("of 8,000 reads in a second, a table of 10,000 RCU refused ")
    assert exercises.check_copy_key(in_turn).right
    assert exercises.check_copy_key(at_random).right
