"""Reads in virtual time, held against the rules they claim to follow."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from botocore.retries import quota, standard
from hypothesis import given, settings
from hypothesis import strategies as st

from tweetlab import simulate, workload
from tweetlab.capacity import TableCapacity
from tweetlab.simulate import virtual_time
from tweetlab.simulate.policy import KeepAll, Policy
from tweetlab.tweets import ATTEMPTS

IDS = [UUID(int=number) for number in range(10)]
A, B = IDS[:2]
TABLE, CACHE = virtual_time.TABLE_SECONDS, virtual_time.CACHE_SECONDS
COLUMNS = ["at", "tweet_id", "source", "seconds", "retries", "throttled", "read_units"]


def reads_of(*made: tuple[float, UUID]) -> pd.DataFrame:
    return pd.DataFrame(made, columns=["at", "tweet_id"])


def edits_of(*made: tuple[float, UUID, bool]) -> pd.DataFrame:
    return pd.DataFrame(made, columns=["at", "tweet_id", "heard"])


def crowd(number: int, at: float = 0) -> pd.DataFrame:
    """So many reads at the same moment, each of a tweet of its own."""
    return reads_of(*[(at, UUID(int=n)) for n in range(number)])


def test_the_columns_are_those_of_a_real_replay_and_three_more():
    rows = simulate.replay(workload.zipf(IDS, seconds=1), 100)
    assert rows.columns.tolist() == [*COLUMNS, "kept", "cache_calls", "stale"]
    kinds = {str(column): rows[column].dtype.kind for column in rows}
    assert all(kinds[column] == "f" for column in ("at", "seconds", "read_units", "stale"))
    assert kinds["throttled"] == "b" and kinds["retries"] == "i"
    assert workload.summary(rows)["table_reads"] == len(rows)


def test_a_hand_worked_second():
    """5 RCU that have saved up nothing are 5 units: 10 of 12 reads. After 0.05 s there is a quarter
    of a unit, which is above zero, so that a read is admitted and leaves a debt of a quarter; after
    0.08 s a tenth is still owed, after 0.11 s it is paid back.
    """
    later = reads_of((0.05, A), (0.08, A), (0.11, A))
    requests = pd.concat([crowd(12), later], ignore_index=True)
    rows = simulate.replay(requests, 5, attempts=1, burst_seconds=0)
    assert rows["throttled"].tolist() == [False] * 10 + [True] * 2 + [False, True, False]
    assert rows["read_units"].sum() == 6


def test_it_admits_what_the_endpoint_would():
    requests = workload.zipf(IDS, rate=40, seconds=20, seed=3)
    rows = simulate.replay(requests, 7, attempts=1, workers=1000)
    now = 0.0
    table = TableCapacity(7, 1, clock=lambda: now)
    refused = []
    for now in requests["at"] + TABLE:  # noqa: B007
        refused.append(table.read("key", 0.5) is not None)
    assert rows["throttled"].tolist() == refused
    assert 50 < sum(refused) < len(refused) - 50


@settings(max_examples=60)
@given(
    gaps=st.lists(st.tuples(st.floats(0, 0.5), st.sampled_from(IDS)), min_size=1, max_size=80),
    read_capacity=st.integers(1, 9),
    burst=st.sampled_from([0, 2, 300]),
    ttl=st.sampled_from([None, 0.5, 5]),
    workers=st.sampled_from([1, 32]),
)
def test_the_table_never_gives_more_than_it_has(gaps, read_capacity, burst, ttl, workers):
    """No more units than rate x time, and what it held, and one call that may overdraw it."""
    at = np.cumsum([gap for gap, _ in gaps])
    requests = pd.DataFrame({"at": at, "tweet_id": [one for _, one in gaps]})
    rows = simulate.replay(requests, read_capacity, ttl, burst_seconds=burst, workers=workers)
    done = (rows["at"] + rows["seconds"]).max()
    assert rows["read_units"].sum() <= read_capacity * (1 + done) + virtual_time.READ_UNITS + 1e-9
    answered = rows["source"] == "table"
    assert (rows["read_units"] == answered * virtual_time.READ_UNITS).all()
    assert (rows["seconds"] >= 0).all()
    assert (rows["retries"] < ATTEMPTS).all()


def test_the_same_arguments_give_the_same_result_and_another_seed_another():
    requests = workload.zipf(IDS, rate=40, seconds=5)
    first, again = (simulate.replay(requests, 3, 1) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert (simulate.replay(requests, 3, 1, seed=1)["seconds"] != first["seconds"]).any()


def test_the_order_of_the_rows_is_that_of_the_requests():
    requests = workload.zipf(IDS, rate=40, seconds=5)
    shuffled = requests.sample(frac=1, random_state=1)
    rows = simulate.replay(shuffled, 3, 1)
    assert rows["tweet_id"].tolist() == shuffled["tweet_id"].tolist()
    expected = simulate.replay(requests, 3, 1)
    pd.testing.assert_frame_equal(rows.sort_values("at", ignore_index=True), expected)


def test_the_retry_rules_are_botocores():
    assert virtual_time.RETRY_TOKENS == quota.RetryQuota.INITIAL_CAPACITY
    checker: Any = standard.RetryQuotaChecker
    assert checker._THROTTLING_RETRY_COST == virtual_time.RETRY_COST
    backoff: Any = standard.ExponentialBackoff
    assert backoff._DEFAULT_BACKOFF_CONFIG["throttling_base_scale"] == 1


def test_when_the_quota_is_spent_a_refused_read_fails_at_once():
    """Two retries of 5 tokens each: 500 tokens last for 50 reads."""
    rows = simulate.replay(crowd(60), 1e-9, workers=1)
    assert rows["retries"].tolist() == [0] + [2] * 50 + [0] * 9
    assert rows["source"].tolist() == ["table"] + ["failed"] * 59
    assert rows["throttled"].tolist() == [False] + [True] * 59


def test_a_retry_waits_for_a_random_part_of_a_second_then_of_two():
    rows = simulate.replay(reads_of((0, A), *[(0.1, B)] * 40), 1e-9, workers=100)
    waits = rows["seconds"].iloc[1:] - 3 * TABLE
    assert waits.between(0, 3).all() and waits.mean() == pytest.approx(1.5, abs=0.3)
    assert waits.max() > 2


def test_what_a_success_gives_back_to_the_quota():
    """A bucket of 1 unit: two reads at once, the third is refused and pays 5 tokens, which its
    success gives back. So the quota never runs out, however often that happens."""
    moments = [(10.0 * n, one) for n in range(300) for one in IDS[:3]]
    rows = simulate.replay(reads_of(*moments), 1, burst_seconds=0)
    assert (rows["source"] == "table").all()
    assert rows["retries"].sum() >= 300 > virtual_time.RETRY_TOKENS / virtual_time.RETRY_COST


def test_a_read_counts_from_when_it_was_due():
    rows = simulate.replay(crowd(3), 100, workers=1)
    assert rows["seconds"].tolist() == pytest.approx([TABLE, 2 * TABLE, 3 * TABLE])


def test_a_hit_and_a_miss():
    rows = simulate.replay(reads_of((0, A), (1, A), (10.5, A)), 100, ttl=10)
    assert rows["source"].tolist() == ["table", "cache", "table"]
    assert rows["seconds"].tolist() == pytest.approx([CACHE + TABLE, CACHE, CACHE + TABLE])
    assert rows["cache_calls"].tolist() == [2, 1, 2]
    assert rows["kept"].tolist() == [1, 1, 1]


def test_without_a_cache_none_is_asked():
    rows = simulate.replay(reads_of((0, A), (1, A)), 100)
    assert rows["source"].tolist() == ["table", "table"]
    assert rows["cache_calls"].sum() == rows["kept"].sum() == 0


def test_the_hit_ratio_is_that_of_theory():
    """Poisson arrivals, L a second, and a fixed TTL T that no hit renews: LT / (1 + LT)."""
    requests = workload.zipf([A], rate=0.5, seconds=20_000)
    rows = simulate.replay(requests, 100, ttl=8)
    assert workload.summary(rows)["hit_ratio"] == pytest.approx(0.8, abs=0.01)


def test_of_those_who_miss_together_one_reads_the_table():
    rows = simulate.replay(reads_of((0, A), (0.001, A), (0.002, A)), 100, ttl=10)
    assert rows["source"].tolist() == ["table", "cache", "cache"]
    assert rows["seconds"].tolist() == pytest.approx(
        [CACHE + TABLE, CACHE + TABLE - 0.001, CACHE + TABLE - 0.002]
    )


def test_and_if_that_one_fails_all_do():
    rows = simulate.replay(reads_of((0, B), (1, A), (1.001, A)), 1e-9, ttl=10, attempts=2)
    assert rows["source"].tolist() == ["table", "failed", "failed"]
    assert rows["throttled"].tolist() == [False, True, True]
    assert rows["retries"].tolist() == [0, 1, 1]
    assert rows["stale"].isna().tolist() == [False, True, True]


def test_who_comes_after_an_edit_does_not_share_a_read_from_before():
    requests = reads_of((0, A), (0.0032, A))
    edits = edits_of((0.003, A, True))
    rows = simulate.replay(requests, 100, ttl=10, edits=edits)
    assert rows["source"].tolist() == ["table", "table"]


def test_how_long_an_answer_had_been_out_of_date():
    requests = reads_of((0, A), (2, A), (5, A), (5, B), (11, A), (12, A))
    edits = edits_of((1, A, False), (3, A, False))
    rows = simulate.replay(requests, 100, ttl=10, edits=edits)
    # From the first of the edits that it does not have; at 11 s it is read anew.
    expected = [0, 1 + CACHE, 4 + CACHE, 0, 0, 0]
    assert rows["stale"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("heard", "drop", "source"), [(1, 1, "table"), (1, 0, "cache"), (0, 1, "cache")]
)
def test_an_edit_that_the_cache_hears_of_drops_the_tweet(heard, drop, source):
    policy = KeepAll(10)
    policy.drop_on_edit = bool(drop)
    edits = edits_of((1, A, bool(heard)))
    rows = simulate.replay(reads_of((0, A), (2, A)), 100, policy=policy, edits=edits)
    assert rows["source"].tolist() == ["table", source]
    assert rows["stale"].iloc[1] == pytest.approx(0 if source == "table" else 1 + CACHE)


def test_a_policy_that_keeps_nothing_still_looks():
    rows = simulate.replay(reads_of((0, A), (1, A)), 100, policy=Policy())
    assert rows["source"].tolist() == ["table", "table"]
    assert rows["cache_calls"].tolist() == [1, 1]


def test_no_requests_no_rows():
    empty = reads_of((0, A)).iloc[:0]
    assert len(simulate.replay(empty, 5, 10)) == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ttl": 1, "policy": Policy()}, "not both"),
        ({"attempts": 0}, "at least 1"),
        ({"workers": 0}, "at least 1"),
        ({"burst_seconds": -1}, "negative"),
    ],
)
def test_numbers_that_make_no_sense(wrong: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        simulate.replay(crowd(1), 5, **wrong)


def test_requests_that_are_none():
    with pytest.raises(ValueError, match="requests lack"):
        simulate.replay(pd.DataFrame({"at": [0.0]}), 5)
