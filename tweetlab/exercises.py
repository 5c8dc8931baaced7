"""Checks of the lessons' exercises.

A check looks at what an answer *does*: it calls the function, or asks DynamoDB and Redis what is
there now. It never raises because of an answer: it says what is right, what is not yet, and gives a
hint.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec
from unittest.mock import patch
from uuid import UUID, uuid4

import pandas as pd

from tweetlab.cache import CachedTweets, connect, key
from tweetlab.capacity import TableCapacity, read_units
from tweetlab.tweets import Tweet, TweetTable, to_item, valid_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tweetlab.breakable import BreakableRedis
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


# Lesson 05


@_check(
    "the bucket begins with 300 seconds' worth. Each second, what is provisioned comes in, and what"
    " is consumed goes out: how much does it lose?"
)
def check_burst_lasts(answer: Callable[[float, float], float]) -> Iterator[Finding]:
    """Seconds until a full bucket is empty, for what is provisioned and consumed (units a second).

    The first is AWS' example (knowledge center, "spiky workloads").
    """
    for provisioned, consumed in ((150, 200), (100, 150), (10, 40), (40, 40), (40, 10)):
        lost = consumed - provisioned
        expected = 300 * provisioned / lost if lost > 0 else math.inf
        yield _says(answer, (provisioned, consumed), expected)


@_check(
    "call `copy_key` ten times for the same tweet, and look at what you get. "
    "`random.randrange(16)` draws a number from 0 to 15."
)
def check_copy_key(answer: Callable[[UUID], str]) -> Iterator[Finding]:
    """The key of one of 16 copies: for a second of 8,000 reads of one tweet, on 10,000 RCU."""
    tweet_id = UUID(int=2015)
    reads = 8000
    keys = [answer(tweet_id) for _ in range(reads)]
    copies = {f"{tweet_id}#{number}" for number in range(16)}
    strays = [key for key in keys if key not in copies]
    if strays:
        yield False, f"`{strays[0]}` is no copy: they are `{tweet_id}#0` to `{tweet_id}#15`"
    else:
        yield True, "each key is that of a copy"
    read = len(copies.intersection(keys))
    yield (
        read == len(copies),
        f"{reads:,} reads of one tweet took {read} of the {len(copies)} copies",
    )
    # No time passes: what a partition may serve in a second is all there is.
    table = TableCapacity(read_capacity=10_000, write_capacity=1, clock=lambda: 0.0)
    refused = sum(table.read(str(key), 1) is not None for key in keys)
    yield refused == 0, f"of 8,000 reads in a second, a table of 10,000 RCU refused {refused:,}"


# Lesson 06


@_check(
    "`ex` takes whole seconds, `px` milliseconds. `random.randint(low, high)` draws a whole "
    "number: draw one for each tweet, and not a number of minutes."
)
def check_keep_about(answer: Callable[[Tweet], object], redis: Client) -> Iterator[Finding]:
    """Tweets kept for 54 to 60 minutes, each for a time of its own."""
    made = [Tweet(uuid4(), "about an hour", datetime.now(UTC)) for _ in range(200)]
    try:
        for tweet in made:
            answer(tweet)
        left: list[Any] = [redis.ttl(key(tweet.tweet_id)) for tweet in made]
        kept = sum(seconds != -2 for seconds in left)
        yield kept == len(made), f"Redis has {kept} of {len(made)} tweets"
        yield min(left) >= 3230, f"it keeps one of them {_kept(min(left))}, of 3,240 s at least"
        longest = -1 if -1 in left else max(left)
        yield 0 <= longest <= 3600, f"it keeps one of them {_kept(longest)}, of 3,600 s at most"
        together = max(Counter(seconds // 10 for seconds in left).values())
        yield together <= 20, f"{together} of them expire in the same 10 s, of 20 at most"
    finally:
        for tweet in made:
            redis.delete(key(tweet.tweet_id))


@_check(
    "`if lab.redis.set(lock, 'mine', nx=True, px=5000):` lets one in. It looks once more whether "
    "the tweet is there, reads the table if not, and `finally` deletes the lock. The others "
    "`time.sleep(0.005)` and look again."
)
def check_read_once(
    answer: Callable[[UUID], str], tweets: TweetTable, redis: Client
) -> Iterator[Finding]:
    """A cache-aside read with a lock in Redis: of those who miss together, one reads the table."""
    tweet = tweets.create("one at a time")
    lock = f"{key(tweet.tweet_id)}:lock"
    get, look, second = tweets.get, redis.get, threading.Event()
    locked: list[Any] = []
    overtaken: list[bool] = []

    def slow_get(tweet_id: UUID | str, consistent: bool = False) -> Tweet:
        """The first read takes until there is a second one, or long enough for one to come."""
        locked.append(redis.pttl(lock))
        if len(locked) > 1:
            second.set()
        second.wait(0.3)
        return get(tweet_id, consistent)

    def late_look(name: Any) -> Any:
        """After the first look another reader comes, and is done before it goes on."""
        value = look(name)
        if not overtaken:
            overtaken.append(True)
            answer(tweet.tweet_id)
        return value

    try:
        with patch.object(tweets, "get", slow_get):
            texts = _all_at_once(lambda: answer(tweet.tweet_id), readers=16)
            right = texts.count(tweet.text)
            yield right == 16, f"of 16 readers who came together, {right} got the text within 10 s"
            yield len(locked) == 1, f"together they read the table {len(locked)} times"
            held = max(locked, default=-2)
            seconds = held if held < 0 else math.ceil(held / 1000)
            yield 0 < seconds <= 60, f"while one reads, Redis keeps the lock {_kept(seconds)}"

            redis.delete(key(tweet.tweet_id), lock)
            locked.clear()
            with patch.object(redis, "get", late_look):
                texts = _all_at_once(lambda: answer(tweet.tweet_id), readers=1)
            late = "one looks just before another stores the tweet and returns the lock: the two"
            good = texts == [tweet.text] and len(locked) == 1
            yield good, f"{late} read the table {len(locked)} times"
    finally:
        CachedTweets(tweets, redis).delete(tweet.tweet_id)
        redis.delete(lock)


def _all_at_once(read: Callable[[], object], readers: int) -> list[object]:
    """What readers get who begin together and are done within 10 s; raises what one of them does.

    Threads of an answer that waits for ever must not keep the kernel from ending: no pool.
    """
    gate = threading.Barrier(readers)
    got: list[object] = []
    errors: list[Exception] = []

    def one() -> None:
        gate.wait()
        try:
            got.append(read())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one, daemon=True) for _ in range(readers)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 10
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    if errors:
        raise errors[0]
    return list(got)


# Lesson 07


@_check(
    "two things can fail: asking Redis, and telling it. `with suppress(redis.RedisError, "
    "ValueError):` around the first and `with suppress(redis.RedisError):` around the second; "
    "in between, the table is asked."
)
def check_read_anyway(
    answer: Callable[[UUID], str], tweets: TweetTable, doomed: BreakableRedis
) -> Iterator[Finding]:
    """A cache-aside read that gets the tweet whatever happens to ``doomed``."""
    tweet, other = tweets.create("whatever happens"), tweets.create("come what may")
    name = key(other.tweet_id)
    try:
        with connect(doomed.url, timeout=10) as client:
            yield answer(tweet.tweet_id) == tweet.text, "the first read gives the text of the tweet"
            tweets.delete(tweet.tweet_id)
            yield answer(tweet.tweet_id) == tweet.text, "the second read does not need the table"
            client.set(name, '{"text": "come')
            yield answer(other.tweet_id) == other.text, "with half a value in Redis, it is right"
            healed = client.get(name) != b'{"text": "come'
            yield healed, f"after that, Redis holds {'the tweet' if healed else 'still the half'}"
        doomed.kill()
        yield answer(other.tweet_id) == other.text, "with Redis killed, it is right"
    finally:
        doomed.start()
        tweets.delete(other.tweet_id)


@_check(
    "reads a second, times the seconds each takes, is how many are under way. One RCU is two reads "
    "a second. Round down (`math.floor`), as more would be throttled; none at all would be no use."
)
def check_reads_at_a_time(answer: Callable[[float, float], int]) -> Iterator[Finding]:
    """Table reads under way at a time, by read capacity (RCU) and seconds a read."""
    # Seconds that are exact in binary: 0.01 would make math.floor's answer a matter of rounding.
    for capacity, seconds, expected in (
        (500, 0.25, 250),
        (40, 0.125, 10),
        (200, 0.03125, 12),
        (5, 0.0078125, 1),
    ):
        yield _says(answer, (capacity, seconds), expected)
