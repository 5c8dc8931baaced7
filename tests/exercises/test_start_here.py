"""What the checks of lesson 00 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import pytest
import redis

from tests.support.verdicts import wrong
from tweetlab import exercises


@pytest.mark.parametrize(
    ("seconds", "missing"),
    [(None, "it keeps it for ever"), (3600, "it keeps it for 3,")],  # what is left of an hour
)
def test_hello_needs_a_time_to_live_of_a_minute(lab, seconds, missing):
    lab.redis.set("hello", "world", ex=seconds)
    [found] = wrong(exercises.check_hello(lab.redis))
    assert found.startswith(missing)


def test_hello(lab):
    lab.redis.delete("hello")
    assert "Redis has no key `hello`" in wrong(exercises.check_hello(lab.redis))
    lab.redis.set("hello", "", ex=60)
    assert exercises.check_hello(lab.redis).right


def test_own_client(lab):
    def check(mine):
        return exercises.check_own_client(mine, lab.redis)

    assert wrong(check(None)) == ["`mine` is `None`, not a client of Redis"]
    with redis.Redis.from_url(lab.redis_url) as raw:
        assert wrong(check(raw)) == ["it answers `b'soup'`, which is `bytes`"]
    with redis.Redis.from_url(f"{lab.redis_url[:-1]}1", decode_responses=True) as another:
        assert wrong(check(another))[0] == "it does not find what the lab's Redis holds"
    with redis.Redis.from_url(lab.redis_url, decode_responses=True) as right:
        assert check(right).right
    assert not list(lab.redis.scan_iter("check:*"))
