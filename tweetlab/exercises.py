"""Checks of the lessons' exercises.

A check looks at what an answer *does*: it calls the function, or asks DynamoDB and Redis what is
there now. It never raises because of an answer: it says what is right, what is not yet, and gives a
hint.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec
from unittest.mock import patch
from uuid import UUID, uuid4

import pandas as pd

from tweetlab.cache import CachedTweets, key
from tweetlab.capacity import read_units
from tweetlab.tweets import Tweet, TweetTable, to_item, valid_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tweetlab.cache import Client

P = ParamSpec("P")
Finding = tuple[bool, str]
"""Whether a thing is as it should be, and a sentence (Markdown) that says so, or what is wrong."""


@dataclass(frozen=True)
class Verdict:
    """What a check found: a notebook shows it as a list, ``print`` as lines of text."""

    findings: tuple[Finding, ...]
    hint: str

    @property
    def right(self) -> bool:
        """Whether nothing is missing."""
        return all(good for good, _ in self.findings)

    def __str__(self) -> str:
        lines = [f"{'✓' if good else '✗'} {sentence}" for good, sentence in self.findings]
        if self.right:
            return "\n".join(["Right!", *lines])
        done = sum(good for good, _ in self.findings)
        head = f"Not yet: {done} of {len(lines)} right."
        return "\n".join([head, *lines, f"Hint: {self.hint}"])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        head, *rest = str(self).splitlines()
        return "  \n".join([f"**{head}**", *rest])


def _check(hint: str) -> Callable[[Callable[P, Iterator[Finding]]], Callable[P, Verdict]]:
    """Turn a generator of findings into a check. An exception becomes the last finding: it is the
    answer that raised it.
    """

    def decorate(look: Callable[P, Iterator[Finding]]) -> Callable[P, Verdict]:
        @functools.wraps(look)
        def check(*args: P.args, **kwargs: P.kwargs) -> Verdict:
            findings: list[Finding] = []
            try:
                for finding in look(*args, **kwargs):
                    findings.append(finding)
            except Exception as error:
                message = " ".join(str(error).split())
                findings.append((False, f"`{type(error).__name__}` was raised: {message}"))
            return Verdict(tuple(findings), hint)

        return check

    return decorate


def _says(answer: Callable[..., Any], arguments: tuple[Any, ...], expected: float) -> Finding:
    """Whether a function of numbers gives the number expected of it."""
    call = f"`{answer.__name__}({', '.join(map(str, arguments))})`"
    given = answer(*arguments)
    if isinstance(given, int | float) and math.isclose(given, expected, rel_tol=1e-6):
        return True, f"{call} is {expected:g}"
    return False, f"{call} should be {expected:g}; yours gives `{given}`"


# Lesson 00


@_check("`lab.redis.set(name, value, ex=seconds)`: which name, and how many seconds?")
def check_hello(redis: Client) -> Iterator[Finding]:
    """A key ``hello`` that Redis keeps for 60 seconds."""
    seconds: Any = redis.ttl("hello")
    yield seconds != -2, f"Redis has {'a' if seconds != -2 else 'no'} key `hello`"
    yield 0 <= seconds <= 60, f"it keeps it {_kept(seconds)}"


def _kept(seconds: int) -> str:
    """How long Redis keeps a key, in words; ``seconds`` is its answer to TTL."""
    return {-2: "not at all", -1: "for ever"}.get(seconds, f"for {seconds:,} s")


# Lesson 01


@_check("the request is the one at the top of this lesson, with other names and numbers.")
def check_like_table(dynamodb: DynamoDBClient) -> Iterator[Finding]:
    """A table ``like`` with the partition key ``like_id``, 3 RCU and 2 WCU."""
    if "like" not in dynamodb.list_tables()["TableNames"]:
        yield False, "there is no table `like` yet"
        return
    table = dynamodb.describe_table(TableName="like")["Table"]
    yield True, "there is a table `like`"
    keys = [(part["AttributeName"], part["KeyType"]) for part in table["KeySchema"]]
    wanted = keys == [("like_id", "HASH")]
    yield wanted, f"its key is {', '.join(f'`{name}` ({kind})' for name, kind in keys)}"
    provisioned = table["ProvisionedThroughput"]
    for unit, expected in (("ReadCapacityUnits", 3), ("WriteCapacityUnits", 2)):
        given = provisioned.get(unit, 0)
        yield given == expected, f"it has {given} {unit}, of the {expected} asked for"


@_check(
    "a read takes one block of 4,096 bytes, or more if the item is larger: `import math`, and "
    "`math.ceil(...)`. An eventually consistent read of a block costs half a unit."
)
def check_reads_per_second(answer: Callable[[float, int], float]) -> Iterator[Finding]:
    """Eventually consistent reads a second for a read capacity (RCU) and an item size (bytes)."""
    for capacity, size in ((1, 200), (10, 200), (10, 4096), (10, 4097), (3, 9000)):
        yield _says(answer, (capacity, size), capacity / read_units(size))


# Lesson 02


def _charge(dynamodb: DynamoDBClient, text: str) -> float:
    """Write units that DynamoDB charges for a tweet of that text. It does not stay."""
    # Not now(): a time without microseconds is shorter.
    tweet = Tweet(uuid4(), valid_text(text), datetime(2015, 7, 1, 12, 0, 0, 1, UTC))
    item = to_item(tweet)
    answer = dynamodb.put_item(TableName="tweet", Item=item, ReturnConsumedCapacity="TOTAL")
    dynamodb.delete_item(TableName="tweet", Key={"tweet_id": item["tweet_id"]})
    return answer["ConsumedCapacity"]["CapacityUnits"]


@_check(
    "a write unit pays for 1,024 bytes of the whole item. What is the `item_size` of a tweet with "
    "a text of one letter?"
)
def check_longest_text(longest: int | None, dynamodb: DynamoDBClient) -> Iterator[Finding]:
    """The most letters a tweet may have to be written with one write unit."""
    if not isinstance(longest, int):
        yield False, f"`longest` is `{longest}`, not a number of letters"
        return
    for letters, expected in ((longest, 1), (longest + 1, 2)):
        charged = _charge(dynamodb, "a" * letters)
        sentence = f"for {letters:,} letters DynamoDB charges {charged:g} WCU"
        if charged != expected:
            sentence += f", not {expected}: try {'fewer' if expected == 1 else 'more'}"
        yield charged == expected, sentence


@_check("what does `len` count in a string, and what does DynamoDB count? Try `'🦉'.encode()`.")
def check_write_cost(
    answer: Callable[[dict[str, Any]], float], dynamodb: DynamoDBClient
) -> Iterator[Finding]:
    """The write units an item costs, against what DynamoDB charges."""
    for name, text in (
        ("a short tweet", "Good morning."),
        ("2,000 letters", "a" * 2000),
        ("300 owls", "🦉" * 300),
    ):
        charged = _charge(dynamodb, text)
        given = answer(to_item(Tweet(uuid4(), text, datetime(2015, 7, 1, 12, 0, 0, 1, UTC))))
        yield given == charged, f"{name}: DynamoDB charges {charged:g} WCU, you say `{given}`"


# Lesson 03


@_check(
    "change the table first and drop the key after it. The other way round, a reader who comes in "
    "between puts the old tweet back."
)
def check_edit_aside(
    answer: Callable[[UUID, str], object], tweets: TweetTable, redis: Client
) -> Iterator[Finding]:
    """An edit that a reader of the cache sees, whenever that reader comes."""
    cached = CachedTweets(tweets, redis)
    tweet_id = cached.create("before").tweet_id
    edit = tweets.edit

    def busy_edit(tweet_id: UUID | str, text: str) -> Tweet:
        cached.get(tweet_id)
        return edit(tweet_id, text)

    try:
        cached.get(tweet_id)
        answer(tweet_id, "after")
        text = tweets.get(tweet_id, consistent=True).text
        yield text == "after", f"the edited tweet is “{text}” in the table"
        text = cached.get(tweet_id).text
        yield text == "after", f"it is “{text}” for who reads it through the cache"
        with patch.object(tweets, "edit", busy_edit):
            answer(tweet_id, "after all")
        text = cached.get(tweet_id).text
        yield text == "after all", f"with a reader in the middle of the edit, it is “{text}”"
    finally:
        cached.delete(tweet_id)


@_check("read a tweet, then ask Redis how long it will keep it: `lab.redis.ttl(...)`.")
def check_remember(
    answer: Callable[[UUID], str], tweets: TweetTable, redis: Client
) -> Iterator[Finding]:
    """A cache-aside read that keeps a tweet for an hour."""
    tweet = tweets.create("remember me")
    try:
        yield answer(tweet.tweet_id) == tweet.text, "the first read gives the text of the tweet"
        seconds: Any = redis.ttl(key(tweet.tweet_id))
        yield 3590 <= seconds <= 3600, f"Redis keeps it {_kept(seconds)}, of the 3,600 s wanted"
        tweets.delete(tweet.tweet_id)
        yield answer(tweet.tweet_id) == tweet.text, "the second read does not need the table"
    finally:
        CachedTweets(tweets, redis).delete(tweet.tweet_id)


# Lesson 04


@_check(
    "the table serves only the misses, and a miss costs half a unit. Round up (`import math`, and "
    "`math.ceil(...)`); a table has at least 1 RCU."
)
def check_capacity_needed(answer: Callable[[float, float], float]) -> Iterator[Finding]:
    """RCU needed for reads a second at a hit ratio."""
    # Hit ratios that are exact in binary: 0.9 would make math.ceil's answer a matter of rounding.
    for rate, hit_ratio, expected in (
        (100, 0, 50),
        (100, 0.5, 25),
        (100, 0.75, 13),
        (8000, 0.9375, 250),
        (100, 1, 1),
    ):
        yield _says(answer, (rate, hit_ratio), expected)


@_check(
    "`tweets, ids = new_table(read_capacity=1)` gives new tweets, which no cache knows yet. Put "
    "`CachedTweets` in front of `tweets`, and give that to `trial`."
)
def check_cold_start(reads: pd.DataFrame | None) -> Iterator[Finding]:
    """A replay through an empty cache, on a table of 1 RCU."""
    if not isinstance(reads, pd.DataFrame):
        yield False, f"`cold` is `{reads}`, not the rows of a replay"
        return
    first = reads.sort_values("at")["source"].iloc[0]
    hits = (reads["source"] == "cache").sum()
    throttled = reads["throttled"].mean()
    spent = reads["read_units"].sum() / (reads["at"] + reads["seconds"]).max()
    yield hits > 0, f"the cache answered {hits:,} of {len(reads):,} reads"
    yield first != "cache", f"the first read was answered by: {first} (an empty cache has nothing)"
    yield spent < 3, f"the table spent {spent:.1f} units a second (1 RCU, and a second saved up)"
    yield throttled > 0, f"{throttled:.0%} of the reads were throttled"
