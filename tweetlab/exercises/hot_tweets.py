"""Checks of lesson 05."""

import math
from collections.abc import Callable, Iterator
from uuid import UUID

from tweetlab.capacity import TableCapacity
from tweetlab.exercises.verdict import Remark, check, expect_number


@check(
    "the bucket begins with 300 seconds' worth. Each second, what is provisioned comes in, and what"
    " is consumed goes out: how much does it lose?"
)
def check_burst_lasts(answer: Callable[[float, float], float]) -> Iterator[Remark]:
    """Seconds until a full bucket is empty, for what is provisioned and consumed (units a second).

    The first is AWS' example (knowledge center, "spiky workloads").
    """
    for provisioned, consumed in ((150, 200), (100, 150), (10, 40), (40, 40), (40, 10)):
        lost = consumed - provisioned
        expected = 300 * provisioned / lost if lost > 0 else math.inf
        yield expect_number(answer, (provisioned, consumed), expected)


@check(
    "call `copy_key` ten times for the same tweet, and look at what you get. "
    "`random.randrange(16)` draws a number from 0 to 15."
)
def check_copy_key(answer: Callable[[UUID], str]) -> Iterator[Remark]:
    """The key of one of 16 copies: for a second of 8,000 reads of one tweet, on 10,000 RCU."""
    tweet_id = UUID(int=2015)
    keys = [answer(tweet_id) for _ in range(8000)]
    copies = {f"{tweet_id}#{number}" for number in range(16)}
    strays = [key for key in keys if key not in copies]
    if strays:
        yield False, f"`{strays[0]}` is no copy: they are `{tweet_id}#0` to `{tweet_id}#15`"
    else:
        yield True, "each key is that of a copy"
    read = len(copies.intersection(keys))
    yield read == 16, f"8,000 reads of one tweet took {read} of the 16 copies"
    # No time passes: what a partition may serve in a second is all there is.
    table = TableCapacity(read_capacity=10_000, write_capacity=1, clock=lambda: 0.0)
    refused = sum(table.read(str(key), 1) is not None for key in keys)
    yield refused == 0, f"of 8,000 reads in a second, a table of 10,000 RCU refused {refused:,}"
