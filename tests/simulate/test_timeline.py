"""The load to defend the timeline against, what its score is, and who gets which."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tweetlab import simulate
from tweetlab.simulate import KeepAll, Policy, prices, timeline, virtual_time

TARGETS = timeline.TARGETS


@pytest.fixture(scope="module")
def runs():
    return timeline.play(timeline.REFERENCES)


@pytest.fixture(scope="module")
def board(runs):
    return timeline.scoreboard(runs)


def rows(**columns: object) -> pd.DataFrame:
    """A run of 100 quick hits, but for some columns."""
    plain = {
        "source": "cache",
        "seconds": 0.001,
        "throttled": False,
        "read_units": 0.0,
        "stale": 0.0,
        "kept": 0,
        "cache_calls": 0,
    }
    return pd.DataFrame({**plain, **columns}, index=range(100))


def test_the_load_is_the_same_each_time_and_another_with_another_seed():
    first, again = timeline.scenario(), timeline.scenario.__wrapped__(0)
    pd.testing.assert_frame_equal(first.requests, again.requests)
    pd.testing.assert_frame_equal(first.edits, again.edits)
    other = timeline.scenario(1)
    assert set(first.requests["tweet_id"]).isdisjoint(other.requests["tweet_id"])


def test_the_load_is_too_much_for_the_table_and_shifts_half_of_the_way_through():
    requests, edits = timeline.scenario().requests, timeline.scenario().edits
    assert requests["at"].is_monotonic_increasing
    assert requests["at"].between(0, timeline.SECONDS, "left").all()
    needed = len(requests) / timeline.SECONDS * virtual_time.READ_UNITS
    assert needed == pytest.approx(2 * timeline.READ_CAPACITY, rel=0.03)
    late = requests["at"] >= timeline.SHIFT
    top, next_top = (
        set(requests.loc[half, "tweet_id"].value_counts().index[:50]) for half in (~late, late)
    )
    assert len(top & next_top) < 10
    assert edits["heard"].mean() == pytest.approx(timeline.HEARD, abs=0.05)
    # Popular tweets are edited more, too.
    assert edits.loc[edits["at"] < timeline.SHIFT, "tweet_id"].isin(top).mean() > 0.3


def test_points_and_their_limits():
    board = timeline.scoreboard(
        {
            "fine": rows(),
            "throttled": rows(throttled=[True] * 3 + [False] * 97),
            "slow": rows(seconds=0.2),
            "old": rows(stale=[np.nan] + [48.0] * 99),
            "nothing": rows(source="failed", stale=np.nan),
        }
    )
    assert board.columns.tolist() == [*TARGETS, "points"]
    assert board.loc["fine", "points"] == 100
    assert board.loc["throttled", "points"] == pytest.approx(75 + 25 * 0.015 / 0.03)
    assert board.loc["slow", "points"] == pytest.approx(75 + 25 * 50 / 200)
    assert board.loc["old", "points"] == pytest.approx(75 + 25 * 12 / 48)
    assert (board.loc["nothing", "p99_ms"], board.loc["nothing", "points"]) == (np.inf, 75)
    assert board["points"].is_monotonic_decreasing


def test_of_equal_points_the_cheaper_one_is_first():
    board = timeline.scoreboard({"dear": rows(cache_calls=1), "cheap": rows()})
    assert board.index.tolist() == ["cheap", "dear"]
    assert board["points"].tolist() == [100, 100]


def test_the_bill_is_for_all_timelines():
    [bill] = timeline.scoreboard({"some": rows(cache_calls=1, kept=200)})["dollars"]
    assert bill == prices.dollars(rows(cache_calls=1, kept=200), 5, 600, timelines=1000)


def test_each_of_the_four_misses_a_target_and_none_is_better_than_another_in_all(board):
    assert len(board) == 4
    values = board[list(TARGETS)]
    assert (values > pd.Series(TARGETS)).any(axis=1).all()
    for name, policy in values.iterrows():
        others = values.drop(index=name)
        assert not ((others <= policy).all(axis=1) & (others < policy).any(axis=1)).any(), name


def test_what_each_of_the_four_is_good_and_bad_at(board):
    assert board["dollars"].idxmin() == "no cache"
    assert board["throttled"].idxmax() == "no cache"
    assert board["throttled"].idxmin() == "TTL of an hour"
    assert board["stale_s"].idxmax() == board["dollars"].idxmax() == "TTL of an hour"
    assert board.drop(index="no cache")["stale_s"].idxmin() == "TTL of 10 s"
    assert board["points"].idxmax() == "LRU of 400"


def test_the_table_saves_nothing_up_for_the_shift(runs):
    reads = runs["LRU of 400"]
    done = reads["at"] + reads["seconds"]
    spent = reads["read_units"].groupby(done // 10).sum()
    assert spent.max() <= timeline.READ_CAPACITY * (10 + 1) + virtual_time.READ_UNITS
    assert spent.mean() < timeline.READ_CAPACITY * 10 * 0.9


def test_the_shift_hurts(runs):
    reads = runs["LRU of 400"]
    hits = reads["source"] == "cache"
    before, after = (
        hits[reads["at"].between(begin, begin + 30, "left")].mean()
        for begin in (timeline.SHIFT - 30, timeline.SHIFT)
    )
    assert after < before - 0.05


def test_another_load_is_played_if_given():
    load = timeline.scenario(1)
    [reads] = timeline.play({"nothing kept": Policy()}, load).values()
    assert reads["tweet_id"].tolist() == load.requests["tweet_id"].tolist()


def test_who_hears_of_no_edit_is_out_of_date_for_longer():
    load = timeline.scenario()
    heard, not_heard = (
        simulate.replay(load.requests, 100, policy=policy, edits=load.edits)["stale"].mean()
        for policy in (KeepAll(30), timeline.Expiry(30))
    )
    assert heard < not_heard / 2
