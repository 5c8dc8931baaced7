"""What the checks of lesson 11 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

from tests.support.verdicts import wrong
from tweetlab import exercises
from tweetlab.simulate import KeepAll, Policy, timeline


def limited(size: float, ttl: float) -> Policy:
    policy = KeepAll(ttl)
    policy.size = size
    return policy


def test_one_ttl():
    [throttled] = wrong(exercises.check_one_ttl(limited(100, 40)))
    assert throttled.startswith("throttled reads: ")
    [old] = wrong(exercises.check_one_ttl(limited(400, 600)))
    assert old.startswith("out of date, 99th percentile: ") and old.endswith("20 s at most")
    dear, _ = wrong(exercises.check_one_ttl(KeepAll(3600)))
    [bill] = timeline.scoreboard(timeline.play({"all": KeepAll(3600)}))["dollars"]
    budget = timeline.TARGETS["dollars"]
    assert bill > budget
    assert dear == f"dollars a month: ${bill:,.0f}, of ${budget:,.0f} at most"
    [no_policy] = wrong(exercises.check_one_ttl(Policy))  # type: ignore[arg-type]
    assert "Mine()" in no_policy
    assert exercises.check_one_ttl(limited(400, 40)).right


def test_shift():
    class Oldest(timeline.Lru):
        """First in, first out."""

        def evict(self, kept, now):
            return min(kept, key=lambda tweet: tweet.stored)

    class Favourites(timeline.Lru):
        """LFU: no newcomer stays for long."""

        def evict(self, kept, now):
            return min(kept, key=lambda tweet: tweet.reads)

    class Rate(timeline.Lru):
        """Reads a second since it was stored, as one may also say what is popular now."""

        def evict(self, kept, now):
            return min(kept, key=lambda tweet: (tweet.reads + 1) / (now - tweet.stored + 20))

    after, last = wrong(exercises.check_shift(Favourites(300)))
    assert after.startswith("in the minute after the shift, ")
    assert last.startswith("in the last minute, ")
    assert len(wrong(exercises.check_shift(Oldest(300)))) == 3
    [too_large] = wrong(exercises.check_shift(timeline.Lru(400)))
    assert too_large == "it keeps 400 tweets at the same time, of 300 at most"
    assert exercises.check_shift(timeline.Lru(300)).right
    assert exercises.check_shift(Rate(300)).right


def test_defended():
    class ByPopularity(Policy):
        size = 400

        def ttl(self, tweet, now):
            return 15 if tweet.gap < 20 else 120

    class Raises(Policy):
        def ttl(self, tweet, now):
            return tweet.popularity

    throttled, slow = wrong(exercises.check_defended(limited(400, 10)))
    assert throttled.startswith("throttled reads: ") and slow.startswith("latency, 99th ")
    [old] = wrong(exercises.check_defended(limited(400, 60)))
    assert old.endswith("of 12 s at most")
    [error] = wrong(exercises.check_defended(Raises()))
    assert error.startswith("`AttributeError` was raised: ")
    assert exercises.check_defended(ByPopularity()).right
