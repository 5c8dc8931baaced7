"""Which tweet is read when: in order, at random, and as often as Zipf's law says."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tweetlab import workload

IDS = [UUID(int=number) for number in range(10)]


def test_the_same_seed_gives_the_same_reads_and_another_seed_others():
    first, again = workload.zipf(IDS, seed=7), workload.zipf(IDS, seed=7)
    pd.testing.assert_frame_equal(first, again)
    assert not first["at"].equals(workload.zipf(IDS, seed=8)["at"])


def test_skew_changes_what_is_read_and_not_when():
    even, skewed = workload.zipf(IDS, skew=0), workload.zipf(IDS, skew=2)
    assert even["at"].equals(skewed["at"])
    assert not even["tweet_id"].equals(skewed["tweet_id"])


@given(
    tweets=st.integers(1, 30),
    rate=st.floats(0.01, 200),
    seconds=st.floats(0.01, 20),
    skew=st.floats(0, 60),
    seed=st.integers(0, 2**32),
)
def test_reads_are_in_order_in_time_and_of_these_tweets(tweets, rate, seconds, skew, seed):
    ids = [UUID(int=n) for n in range(tweets)]
    load = workload.zipf(iter(ids), rate, seconds, skew, seed)
    assert list(load.columns) == ["at", "tweet_id"]
    assert load["at"].is_monotonic_increasing
    assert load["at"].between(0, seconds, inclusive="left").all()
    assert set(load["tweet_id"]) <= set(ids)


def test_arrivals_are_a_poisson_process():
    load = workload.zipf(IDS, rate=100, seconds=1000)
    assert len(load) == pytest.approx(100_000, abs=4 * 100_000**0.5)
    gaps = np.diff(load["at"])
    assert gaps.mean() == pytest.approx(1 / 100, rel=0.02)
    # Evenly spaced reads would have no deviation at all; of a Poisson process it is the mean.
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)
    in_each_second = np.bincount(load["at"].astype(int))
    assert in_each_second.var() == pytest.approx(in_each_second.mean(), rel=0.2)


@pytest.mark.parametrize("skew", [0, 0.5, 1, 2])
def test_the_tweet_of_rank_r_is_read_in_proportion_to_r_to_the_minus_skew(skew):
    load = workload.zipf(IDS, rate=1000, seconds=100, skew=skew)
    weights = np.arange(1, 11) ** -float(skew)
    for tweet_id, expected in zip(IDS, weights / weights.sum(), strict=True):
        share = (load["tweet_id"] == tweet_id).mean()
        assert share == pytest.approx(expected, abs=4 * (expected / len(load)) ** 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tweet_ids": []}, "empty"),
        ({"rate": 0}, "rate must be a number above 0"),
        ({"rate": -1}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": float("inf")}, "rate"),
        ({"seconds": 0}, "seconds must be a number above 0"),
        ({"seconds": float("inf")}, "seconds"),
        ({"skew": -0.1}, "skew must be 0"),
        ({"skew": float("nan")}, "skew"),
        ({"skew": float("inf")}, "skew"),
    ],
)
def test_a_load_that_is_none_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        workload.zipf(**({"tweet_ids": IDS} | arguments))
