"""What a cache holds that follows a policy: times are numbers, and nothing waits."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tweetlab.errors import InvalidPolicy
from tweetlab.simulate.policy import KeepAll, Policy, PolicyState

A, B, C = (UUID(int=number) for number in range(3))


def policy(ttl: Any = 10, **settings: Any) -> Policy:
    """One that keeps each tweet for ``ttl``, with other settings."""
    made = KeepAll(ttl)
    vars(made).update(settings)
    return made


def ask(state: PolicyState, tweet_id: UUID, now: float) -> bool:
    """Cache-aside: whether it was a hit; a miss is put there."""
    if state.look(tweet_id, now):
        return True
    state.put(tweet_id, now)
    return False


def test_the_policy_to_start_from_keeps_nothing():
    state = PolicyState(Policy())
    assert state.put(A, 0) == (0, [A])
    assert not state.look(A, 1) and state.count(1) == 0


def test_a_tweet_is_there_until_its_time_is_over_and_a_hit_does_not_renew_it():
    state = PolicyState(policy(10))
    assert [ask(state, A, now) for now in (0, 5, 9.99, 10)] == [False, True, True, False]
    assert state.count(19.99) == 1 and state.count(20) == 0


def test_what_a_policy_may_know_of_a_tweet():
    seen = []

    class Watching(Policy):
        def ttl(self, tweet, now):
            seen.append((tweet.tweet_id, tweet.last_read, tweet.gap, tweet.reads, now))
            return 10

    state = PolicyState(Watching())
    for now in (1, 3, 4, 12):
        ask(state, A, now)
    # It was stored at 1, read at 3, 4 and 12; the read at 12 misses.
    assert seen == [(A, 1, math.inf, 1, 1), (A, 12, 8, 3, 12)]
    found = state.look(A, 13)
    assert found and (found.stored, found.expires, found.reads) == (12, 22, 1)


def test_a_full_cache_drops_the_one_not_read_for_longest():
    state = PolicyState(policy(100, size=2))
    for tweet_id, now in ((A, 0), (B, 1), (A, 2)):
        ask(state, tweet_id, now)
    assert state.put(C, 3) == (100, [B])
    assert state.look(A, 4) and state.look(C, 4) and not state.look(B, 4)


def test_a_policy_may_say_who_has_to_go():
    class Newest(KeepAll):
        size = 2

        def evict(self, kept, now):
            return max(kept, key=lambda tweet: tweet.stored)

    state = PolicyState(Newest(100))
    state.put(A, 0)
    state.put(B, 1)
    assert state.put(C, 2)[1] == [B]


def test_what_has_expired_makes_room():
    state = PolicyState(policy(10, size=1))
    state.put(A, 0)
    assert state.put(B, 10) == (10, [])


def test_storing_a_tweet_again_takes_no_second_place():
    state = PolicyState(policy(10, size=1))
    state.put(A, 0)
    assert state.put(A, 5) == (10, [])
    assert state.count(14) == 1 and state.look(A, 14)


@pytest.mark.parametrize("drop", [True, False])
def test_an_edit_drops_the_tweet_if_the_policy_says_so(drop):
    state = PolicyState(policy(10, drop_on_edit=drop))
    state.put(A, 0)
    state.hear_of_edit(A)
    state.hear_of_edit(B)  # nobody has asked for it
    assert bool(state.look(A, 1)) is not drop


def test_a_run_leaves_no_trace_in_the_policy():
    class Counts(Policy):
        def __init__(self):
            self.seen = []

        def ttl(self, tweet, now):
            self.seen.append(now)
            return len(self.seen)

    mine = Counts()
    for _ in range(2):
        assert PolicyState(mine).put(A, 0) == (1, [])
    assert mine.seen == []


@pytest.mark.parametrize("ttl", [None, "10", math.nan, math.inf])
def test_a_time_that_is_none(ttl):
    with pytest.raises(InvalidPolicy, match=r"ttl\(\) gave .* seconds"):
        PolicyState(policy(ttl)).put(A, 0)


def test_numbers_of_numpy_are_numbers():
    assert PolicyState(policy(np.int64(10))).put(A, 0) == (10, [])


@pytest.mark.parametrize("victim", [None, A])
def test_a_victim_that_is_none(victim):
    class Wrong(KeepAll):
        size = 1

        def evict(self, kept, now):
            return victim

    state = PolicyState(Wrong(10))
    state.put(A, 0)
    with pytest.raises(InvalidPolicy, match=r"evict\(\) gave"):
        state.put(B, 1)


def test_a_class_is_no_policy_yet():
    with pytest.raises(InvalidPolicy, match=r"Mine\(\)"):
        PolicyState(Policy)  # type: ignore[arg-type]


@given(
    reads=st.lists(st.tuples(st.integers(0, 5), st.floats(0, 4), st.booleans()), max_size=60),
    size=st.integers(0, 4),
    ttl=st.integers(0, 6),
)
def test_no_more_than_its_size_and_nothing_too_old(reads, size, ttl):
    state = PolicyState(policy(ttl, size=size))
    stored: dict[UUID, float] = {}
    now = 0.0
    for number, later, edit in reads:
        now += later
        tweet_id = UUID(int=number)
        if edit:
            state.hear_of_edit(tweet_id)
            stored.pop(tweet_id, None)
        elif state.look(tweet_id, now):
            assert now < stored[tweet_id] + ttl
        else:
            kept, gone = state.put(tweet_id, now)
            assert kept in (0, ttl)
            stored[tweet_id] = now
            for dropped in gone:
                stored.pop(dropped)
        assert state.count(now) <= size
        assert state.count(now) == sum(now < at + ttl for at in stored.values())
