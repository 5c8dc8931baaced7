"""The exercises' checks: what they say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import itertools
import json
import math
import random
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest
import redis

import tweetlab
from tweetlab import exercises
from tweetlab.breakable import BreakableRedis
from tweetlab.cache import connect, encode, key
from tweetlab.capacity import TableCapacity, write_units
from tweetlab.exercises import Verdict


@pytest.fixture(scope="module")
def lab() -> Iterator[tweetlab.Lab]:
    with tweetlab.start() as lab:
        yield lab


@pytest.fixture(scope="module")
def tweets(lab) -> tweetlab.TweetTable:
    tweets = tweetlab.TweetTable(lab.dynamodb, read_capacity=1000, write_capacity=1000)
    tweets.create_table()
    return tweets


def empty(*_: object) -> Any:
    """The answer of a learner who has not begun."""


def wrong(verdict: Verdict) -> list[str]:
    """What a check finds missing in an answer that is not right."""
    assert not verdict.right
    assert str(verdict).startswith("Not yet: ")
    return [sentence for good, sentence in verdict.findings if not good]


def test_a_verdict_says_the_same_as_text_and_in_a_notebook():
    verdict = Verdict(((True, "one is `1`"), (False, "two is missing")), "count on")
    text = "Not yet: 1 of 2 right.\n✓ one is `1`\n✗ two is missing\nHint: count on"
    assert str(verdict) == repr(verdict) == text
    assert verdict._repr_markdown_().replace("**", "").split("  \n") == text.splitlines()


def test_a_right_verdict_gives_no_hint():
    verdict = Verdict(((True, "one is `1`"),), "count on")
    assert str(verdict) == "Right!\n✓ one is `1`"


def test_an_answer_that_raises_is_told_so_and_not_raised():
    def answer(read_capacity: float, item_bytes: int) -> float:
        if item_bytes > 200:
            raise TypeError("no\nidea")
        return read_capacity * 2

    verdict = exercises.check_reads_per_second(answer)
    assert [good for good, _ in verdict.findings] == [True, True, False]
    assert wrong(verdict) == ["`TypeError` was raised: no idea"]


# Lesson 00


@pytest.mark.parametrize(
    ("seconds", "missing"),
    [(None, "it keeps it for ever"), (3600, "it keeps it for 3,600 s")],
)
def test_hello_needs_a_time_to_live_of_a_minute(lab, seconds, missing):
    lab.redis.set("hello", "world", ex=seconds)
    assert wrong(exercises.check_hello(lab.redis)) == [missing]


def test_hello(lab):
    lab.redis.delete("hello")
    assert "Redis has no key `hello`" in wrong(exercises.check_hello(lab.redis))
    lab.redis.set("hello", "", ex=60)
    assert exercises.check_hello(lab.redis).right


# Lesson 01


def make_like_table(dynamodb, key_name="like_id", read_capacity=3, write_capacity=2):
    dynamodb.create_table(
        TableName="like",
        KeySchema=[{"AttributeName": key_name, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key_name, "AttributeType": "S"}],
        ProvisionedThroughput={
            "ReadCapacityUnits": read_capacity,
            "WriteCapacityUnits": write_capacity,
        },
    )


@pytest.fixture
def dynamodb(lab):
    """DynamoDB without a table for likes, before and after."""
    yield lab.dynamodb
    if "like" in lab.dynamodb.list_tables()["TableNames"]:
        lab.dynamodb.delete_table(TableName="like")


@pytest.mark.parametrize(
    ("mistake", "missing"),
    [
        ({"key_name": "id"}, "its key is `id` (HASH)"),
        ({"read_capacity": 2}, "it has 2 ReadCapacityUnits, of the 3 asked for"),
        ({"write_capacity": 3}, "it has 3 WriteCapacityUnits, of the 2 asked for"),
    ],
)
def test_like_table_with_a_mistake(dynamodb, mistake, missing):
    make_like_table(dynamodb, **mistake)
    assert wrong(exercises.check_like_table(dynamodb)) == [missing]


def test_like_table(dynamodb):
    assert wrong(exercises.check_like_table(dynamodb)) == ["there is no table `like` yet"]
    make_like_table(dynamodb)
    assert exercises.check_like_table(dynamodb).right


def test_reads_per_second():
    assert len(wrong(exercises.check_reads_per_second(empty))) == 5

    def without_blocks(read_capacity, item_bytes):
        return read_capacity * 2 * 4096 / item_bytes

    def strongly_consistent(read_capacity, item_bytes):
        return read_capacity / math.ceil(item_bytes / 4096)

    def right(read_capacity, item_bytes):
        return read_capacity / (math.ceil(item_bytes / 4096) / 2)

    assert len(wrong(exercises.check_reads_per_second(without_blocks))) == 4
    assert len(wrong(exercises.check_reads_per_second(strongly_consistent))) == 5
    assert exercises.check_reads_per_second(right).right


# Lesson 02


@pytest.mark.parametrize(
    ("longest", "missing"),
    [
        (None, "`longest` is `None`, not a number of letters"),
        (936, "for 937 letters DynamoDB charges 1 WCU, not 2: try more"),
        (938, "for 938 letters DynamoDB charges 2 WCU, not 1: try fewer"),
    ],
)
def test_longest_text_that_is_not(lab, tweets, longest, missing):
    assert wrong(exercises.check_longest_text(longest, lab.dynamodb)) == [missing]


def test_longest_text(lab, tweets):
    assert exercises.check_longest_text(937, lab.dynamodb).right
    assert lab.dynamodb.scan(TableName="tweet")["Count"] == 0


def test_write_cost(lab, tweets):
    def characters(item):
        return write_units(sum(len(name) + len(value["S"]) for name, value in item.items()))

    def text_alone(item):
        return write_units(len(item["text"]["S"].encode()))

    def right(item):
        size = sum(len((name + value["S"]).encode()) for name, value in item.items())
        return math.ceil(size / 1024)

    def check(answer):
        return exercises.check_write_cost(answer, lab.dynamodb)

    assert len(wrong(check(empty))) == 3
    assert wrong(check(characters)) == ["300 owls: DynamoDB charges 2 WCU, you say `1.0`"]
    assert wrong(check(text_alone)) == ["2,000 letters: DynamoDB charges 3 WCU, you say `2.0`"]
    assert check(right).right


# Lesson 03


def test_edit_aside(lab, tweets):
    def table_only(tweet_id, text):
        tweets.edit(tweet_id, text)

    def key_first(tweet_id, text):
        lab.redis.delete(key(tweet_id))
        tweets.edit(tweet_id, text)

    def right(tweet_id, text):
        tweets.edit(tweet_id, text)
        lab.redis.delete(key(tweet_id))

    def check(answer):
        return exercises.check_edit_aside(answer, tweets, lab.redis)

    assert len(wrong(check(empty))) == 3
    assert [good for good, _ in check(table_only).findings] == [True, False, False]
    assert wrong(check(key_first)) == ["with a reader in the middle of the edit, it is “after”"]
    assert check(right).right
    assert lab.dynamodb.scan(TableName="tweet")["Count"] == 0


def test_remember(lab, tweets):
    def keep(**how_long):
        def read(tweet_id):
            value = lab.redis.get(key(tweet_id))
            if value is None:
                value = json.dumps({"text": tweets.get(tweet_id).text})
                lab.redis.set(key(tweet_id), value, **how_long)
            return json.loads(value)["text"]

        return read

    def check(answer):
        return exercises.check_remember(answer, tweets, lab.redis)

    assert len(wrong(check(empty))) == 3
    assert wrong(check(keep(px=3600))) == ["Redis keeps it for 4 s, of the 3,600 s wanted"]
    assert wrong(check(keep())) == ["Redis keeps it for ever, of the 3,600 s wanted"]
    assert wrong(check(lambda tweet_id: tweets.get(tweet_id).text))[0].startswith(
        "Redis keeps it not at all"
    )
    assert check(keep(ex=3600)).right


# Lesson 04


def test_capacity_needed():
    def for_the_hits(reads_per_second, hit_ratio):
        return math.ceil(reads_per_second * hit_ratio * 0.5)

    def below_one(reads_per_second, hit_ratio):
        return math.ceil(reads_per_second * (1 - hit_ratio) * 0.5)

    def rounded_down(reads_per_second, hit_ratio):
        return max(1, int(reads_per_second * (1 - hit_ratio) * 0.5))

    def right(reads_per_second, hit_ratio):
        return max(1, below_one(reads_per_second, hit_ratio))

    assert len(wrong(exercises.check_capacity_needed(empty))) == 5
    assert len(wrong(exercises.check_capacity_needed(for_the_hits))) == 4
    assert wrong(exercises.check_capacity_needed(below_one)) == [
        "`below_one(100, 1)` should be 1; yours gives `0`"
    ]
    assert wrong(exercises.check_capacity_needed(rounded_down)) == [
        "`rounded_down(100, 0.75)` should be 13; yours gives `12`"
    ]
    assert exercises.check_capacity_needed(right).right


def rows(*reads: tuple[str, bool, float]) -> pd.DataFrame:
    """A replay of a read every 0.1 s: who answered, whether it was throttled, its read units."""
    frame = pd.DataFrame(reads, columns=["source", "throttled", "read_units"])
    return frame.assign(at=frame.index / 10, seconds=0.1)


TABLE, CACHE = ("table", False, 0.5), ("cache", False, 0.0)
THROTTLED, FAILED = ("table", True, 0.5), ("failed", True, 0.0)


@pytest.mark.parametrize(
    ("cold", "missing"),
    [
        (None, "`cold` is `None`, not the rows of a replay"),
        (rows(TABLE, FAILED, FAILED), "the cache answered 0 of 3 reads"),
        (
            rows(CACHE, THROTTLED, CACHE),
            "the first read was answered by: cache (an empty cache has nothing)",
        ),
        (
            rows(TABLE, TABLE, TABLE, THROTTLED, CACHE),
            "the table spent 4.0 units a second (1 RCU, and a second saved up)",
        ),
        (rows(TABLE, CACHE, CACHE), "0% of the reads were throttled"),
    ],
)
def test_cold_start_that_is_not(cold, missing):
    assert wrong(exercises.check_cold_start(cold)) == [missing]


def test_cold_start():
    assert exercises.check_cold_start(rows(THROTTLED, FAILED, CACHE, CACHE)).right


# Lesson 05


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
    assert [good for good, _ in exercises.check_burst_lasts(as_if_always_too_much).findings] == [
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


# Lesson 06


def test_keep_about(lab):
    def keep(draw):
        def answer(tweet):
            value = json.dumps(vars(tweet), default=str)
            lab.redis.set(key(tweet.tweet_id), value, **draw())

        return answer

    def check(answer):
        return exercises.check_keep_about(answer, lab.redis)

    assert len(wrong(check(empty))) == 4
    [all_alike] = wrong(check(keep(lambda: {"ex": 3600})))
    assert all_alike.endswith("expire in the same 10 s, of 20 at most")
    [together] = wrong(check(keep(lambda: {"ex": 60 * random.randint(54, 60)})))
    assert together.endswith("expire in the same 10 s, of 20 at most")
    assert wrong(check(keep(dict)))[:2] == [
        "it keeps one of them for ever, of 3,240 s at least",
        "it keeps one of them for ever, of 3,600 s at most",
    ]
    [short] = wrong(check(keep(lambda: {"ex": random.randint(1000, 3600)})))
    assert short.endswith("of 3,240 s at least")
    assert check(keep(lambda: {"ex": random.randint(3240, 3600)})).right
    assert not list(lab.redis.scan_iter("tweet:*"))


def test_read_once(lab, tweets):
    def cached(tweet_id):
        value = lab.redis.get(key(tweet_id))
        return None if value is None else json.loads(value)["text"]

    def store(tweet_id):
        text = tweets.get(tweet_id).text
        lab.redis.set(key(tweet_id), json.dumps({"text": text}), ex=3600)
        return text

    def take_turns(look_again=True, **limit):
        def answer(tweet_id):
            lock = f"{key(tweet_id)}:lock"
            while (text := cached(tweet_id)) is None:
                if lab.redis.set(lock, "mine", nx=True, **limit):
                    try:
                        return (look_again and cached(tweet_id)) or store(tweet_id)
                    finally:
                        lab.redis.delete(lock)
                time.sleep(0.005)
            return text

        return answer

    def local_lock(tweet_id):
        with one_thread:
            return cached(tweet_id) or store(tweet_id)

    def nobody_waits(tweet_id):
        if lab.redis.set(f"{key(tweet_id)}:lock", "mine", nx=True, px=5000):
            return cached(tweet_id) or store(tweet_id)
        return cached(tweet_id)

    def check(answer):
        return exercises.check_read_once(answer, tweets, lab.redis)

    one_thread = threading.RLock()
    assert len(wrong(check(empty))) == 4
    every, unlocked, late = wrong(check(lambda tweet_id: cached(tweet_id) or store(tweet_id)))
    assert every.startswith("together they read the table 1")  # threads may come a little late
    assert unlocked == "while one reads, Redis keeps the lock not at all"
    assert late.endswith("the two read the table 2 times")
    assert wrong(check(take_turns())) == ["while one reads, Redis keeps the lock for ever"]
    # Without a second look, one of the 16 may be late of itself, too.
    assert late in wrong(check(take_turns(px=5000, look_again=False)))
    assert "while one reads, Redis keeps the lock not at all" in wrong(check(local_lock))
    assert "of 16 readers who came together, 1 got the text within 10 s" in wrong(
        check(nobody_waits)
    )
    assert check(take_turns(px=5000)).right
    assert not list(lab.redis.scan_iter("tweet:*"))
    assert lab.dynamodb.scan(TableName="tweet")["Count"] == 0


# Lesson 07


@pytest.fixture(scope="module")
def doomed() -> Iterator[BreakableRedis]:
    with BreakableRedis() as doomed:
        yield doomed


def test_a_read_that_does_not_survive(doomed, tweets):
    missing = wrong(exercises.check_read_anyway(empty, tweets, doomed))
    assert missing == [
        "the first read gives the text of the tweet",
        "the second read does not need the table",
        "with half a value in Redis, it is right",
        "after that, Redis holds still the half",
        "with Redis killed, it is right",
    ]

    def by_hand(tweet_id):
        with connect(doomed.url, timeout=10) as client:
            value = client.get(key(tweet_id))
            if value is not None:
                return json.loads(value)["text"]
            tweet = tweets.get(tweet_id)
            client.set(key(tweet_id), encode(tweet))
            return tweet.text

    [reason] = wrong(exercises.check_read_anyway(by_hand, tweets, doomed))
    assert reason.startswith("`JSONDecodeError` was raised")


@pytest.mark.parametrize(
    ("heals", "survives", "missing"),
    [
        (True, True, []),
        (False, True, ["after that, Redis holds still the half"]),
        (True, False, ["`ConnectionError` was raised"]),
    ],
)
def test_a_read_that_survives(doomed, tweets, heals, survives, missing):
    def answer(tweet_id):
        with connect(doomed.url, timeout=10) as client:
            value = None
            try:
                value = client.get(key(tweet_id))
                if value is not None:
                    return json.loads(value)["text"]
            except redis.RedisError:
                if not survives:
                    raise
            except ValueError:
                pass
            tweet = tweets.get(tweet_id)
            if heals or value is None:
                with suppress(redis.RedisError):
                    client.set(key(tweet_id), encode(tweet))
            return tweet.text

    verdict = exercises.check_read_anyway(answer, tweets, doomed)
    found = [sentence.split(":")[0] for good, sentence in verdict.findings if not good]
    assert found == missing
    with connect(doomed.url, timeout=10) as client:
        assert client.ping()  # it was started again


def test_reads_at_a_time():
    assert len(wrong(exercises.check_reads_at_a_time(empty))) == 4

    def consistent(read_capacity, seconds):
        return max(1, math.floor(read_capacity * seconds))

    def none_at_all(read_capacity, seconds):
        return math.floor(read_capacity * 2 * seconds)

    def right(read_capacity, seconds):
        return max(1, math.floor(read_capacity * 2 * seconds))

    assert len(wrong(exercises.check_reads_at_a_time(consistent))) == 3
    assert wrong(exercises.check_reads_at_a_time(none_at_all)) == [
        "`none_at_all(5, 0.0078125)` should be 1; yours gives `0`"
    ]
    assert exercises.check_reads_at_a_time(right).right
