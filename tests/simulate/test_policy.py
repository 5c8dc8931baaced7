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
from tweetlab.simulate.policy import KeepAll, Policy, Shelf

A, B, C = (UUID(int=number) for number in range(3))


def policy(ttl: Any = 10, **settings: Any) -> Policy:
    """One that keeps each tweet for ``ttl``, with other settings."""
    made = KeepAll(ttl)
    vars(made).update(settings)
    return made


def ask(shelf: Shelf, tweet_id: UUID, now: float) -> bool:
    """Cache-aside: whether it was a hit; a miss is put there."""
    if shelf.look(tweet_id, now):
        return True
    shelf.put(tweet_id, now)
    return False


def test_the_policy_to_start_from_keeps_nothing():
    shelf = Shelf(Policy())
    assert shelf.put(A, 0) == (0, [A])
    assert not shelf.look(A, 1) and shelf.count(1) == 0


def test_a_tweet_is_there_until_its_time_is_over_and_a_hit_does_not_renew_it():
    shelf = Shelf(policy(10))
    assert [ask(shelf, A, now) for now in (0, 5, 9.99, 10)] == [False, True, True, False]
    assert shelf.count(19.99) == 1 and shelf.count(20) == 0


def test_what_a_policy_is_told_of_a_tweet():
    told = []

    class Told(Policy):
        def ttl(self, tweet, now):
            told.append((tweet.tweet_id, tweet.last_read, tweet.gap, tweet.reads, now))
            return 10

    shelf = Shelf(Told())
    for now in (1, 3, 4, 12):
        ask(shelf, A, now)
    # It was stored at 1, read at 3, 4 and 12; the read at 12 misses.
    assert told == [(A, 1, math.inf, 1, 1), (A, 12, 8, 3, 12)]
    found = shelf.look(A, 13)
    assert found and (found.stored, found.expires, found.reads) == (12, 22, 1)


def test_a_full_cache_drops_the_one_not_read_for_longest():
    shelf = Shelf(policy(100, size=2))
    for tweet_id, now in ((A, 0), (B, 1), (A, 2)):
        ask(shelf, tweet_id, now)
    assert shelf.put(C, 3) == (100, [B])
    assert shelf.look(A, 4) and shelf.look(C, 4) and not shelf.look(B, 4)


def test_a_policy_may_say_who_has_to_go():
    class Newest(KeepAll):
        size = 2

        def evict(self, kept, now):
            return max(kept, key=lambda tweet: tweet.stored)

    shelf = Shelf(Newest(100))
    shelf.put(A, 0)
    shelf.put(B, 1)
    assert shelf.put(C, 2)[1] == [B]


def test_what_has_expired_makes_room():
    shelf = Shelf(policy(10, size=1))
    shelf.put(A, 0)
    assert shelf.put(B, 10) == (10, [])


def test_storing_a_tweet_again_takes_no_second_place():
    shelf = Shelf(policy(10, size=1))
    shelf.put(A, 0)
    assert shelf.put(A, 5) == (10, [])
    assert shelf.count(14) == 1 and shelf.look(A, 14)


@pytest.mark.parametrize("drop", [True, False])
def test_an_edit_drops_the_tweet_if_the_policy_says_so(drop):
    shelf = Shelf(policy(10, drop_on_edit=drop))
    shelf.put(A, 0)
    shelf.edited(A)
    shelf.edited(B)  # nobody has asked for it
    assert bool(shelf.look(A, 1)) is not drop


def test_a_run_leaves_no_trace_in_the_policy():
    class Counts(Policy):
        def __init__(self):
            self.seen = []

        def ttl(self, tweet, now):
            self.seen.append(now)
            return len(self.seen)

    mine = Counts()
    for _ in range(2):
        assert Shelf(mine).put(A, 0) == (1, [])
    assert mine.seen == []


@pytest.mark.parametrize("ttl", [None, "10", math.nan, math.inf])
def test_a_time_that_is_none(ttl):
    with pytest.raises(InvalidPolicy, match=r"ttl\(\) gave .* seconds"):
        Shelf(policy(ttl)).put(A, 0)


def test_numbers_of_numpy_are_numbers():
    assert Shelf(policy(np.int64(10))).put(A, 0) == (10, [])


@pytest.mark.parametrize("victim", [None, A])
def test_a_victim_that_is_none(victim):
    class Wrong(KeepAll):
        size = 1

        def evict(self, kept, now):
            return victim

    shelf = Shelf(Wrong(10))
    shelf.put(A, 0)
    with pytest.raises(InvalidPolicy, match=r"evict\(\) gave"):
        shelf.put(B, 1)


def test_a_class_is_no_policy_yet():
    with pytest.raises(InvalidPolicy, match=r"Mine\(\)"):
        Shelf(Policy)  # type: ignore[arg-type]


@given(
    reads=st.lists(st.tuples(st.integers(0, 5), st.floats(0, 4), st.booleans()), max_size=60),
    size=st.integers(0, 4),
    ttl=st.integers(0, 6),
)
def test_no_more_than_its_size_and_nothing_too_old(reads, size, ttl):
    shelf = Shelf(policy(ttl, size=size))
    stored: dict[UUID, float] = {}
    now = 0.0
    for number, later, edit in reads:
        now += later
        tweet_id = UUID(int=number)
        if edit:
            shelf.edited(tweet_id)
            stored.pop(tweet_id, None)
        elif shelf.look(tweet_id, now):
            assert now < stored[tweet_id] + ttl
        else:
            kept, gone = shelf.put(tweet_id, now)
            assert kept in (0, ttl)
            stored[tweet_id] = now
            for dropped in gone:
                stored.pop(dropped)
        assert shelf.count(now) <= size
        assert shelf.count(now) == sum(now < at + ttl for at in stored.values())
