"""The bill, worked by hand from the prices."""

from __future__ import annotations

import pandas as pd
import pytest

from tweetlab.simulate import prices


def test_the_bill_worked_by_hand():
    """A thousand tables of 5 RCU, and a cache with 100 calls in 600 s and 200 tweets for each."""
    reads = pd.DataFrame({"cache_calls": 1, "kept": [200] + [0] * 99})
    tables = 1000 * 5 * prices.RCU_HOUR * 730
    calls = 1000 * 100 / 600 * 3600 * 730 / 1e6 * prices.MILLION_ECPU
    memory = 1000 * 200 * 1024 / 1e9 * prices.GB_HOUR * 730
    assert 1000 * prices.table_dollars(5) == pytest.approx(tables)
    bill = prices.dollars(reads, 5, 600, timelines=1000)
    assert bill == pytest.approx(tables + calls + memory)

    few = reads.assign(kept=97)  # less memory than can be bought
    least = tables + calls + prices.LEAST_GB * prices.GB_HOUR * 730
    assert prices.dollars(few, 5, 600, timelines=1000) == pytest.approx(least)

    no_cache = reads.assign(cache_calls=0, kept=0)
    assert prices.dollars(no_cache, 5, 600, timelines=1000) == pytest.approx(tables)


def test_one_timeline_alone():
    reads = pd.DataFrame({"cache_calls": [0], "kept": [0]})
    assert prices.dollars(reads, 5, 600) == prices.table_dollars(5)
