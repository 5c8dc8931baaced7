"""Checks of lesson 06."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from tweetlab.cache import Client, key
from tweetlab.exercises.verdict import Remark, check, lifetime
from tweetlab.tweets import Tweet, TweetTable


@check(
    "`ex` takes whole seconds, `px` milliseconds. `random.randint(low, high)` draws a whole "
    "number: draw one for each tweet, and not a number of minutes."
)
def check_keep_about(answer: Callable[[Tweet], object], redis: Client) -> Iterator[Remark]:
    """Tweets kept for 54 to 60 minutes, each for a time of its own."""
    made = [Tweet(uuid4(), "about an hour", datetime.now(UTC)) for _ in range(200)]
    try:
        for tweet in made:
            answer(tweet)
        left: list[Any] = [redis.ttl(key(tweet.tweet_id)) for tweet in made]
        there = sum(seconds != -2 for seconds in left)
        yield there == len(made), f"Redis has {there} of {len(made)} tweets"
        yield min(left) >= 3230, f"it keeps one of them {lifetime(min(left))}, of 3,240 s at least"
        longest = -1 if -1 in left else max(left)
        yield 0 <= longest <= 3600, f"it keeps one of them {lifetime(longest)}, of 3,600 s at most"
        together = max(Counter(seconds // 10 for seconds in left).values())
        yield together <= 20, f"{together} of them expire in the same 10 s, of 20 at most"
    finally:
        for tweet in made:
            redis.delete(key(tweet.tweet_id))


@check(
    "what does `lab.redis.get` give for a key that holds an empty text? And what for one that is "
    "not there? Which of the two does `if text:` take for a hit?"
)
def check_text_or_nothing(
    answer: Callable[[UUID], str], tweets: TweetTable, redis: Client
) -> Iterator[Remark]:
    """A cache-aside read that remembers, too, that there is no tweet."""
    tweet, missing = tweets.create("still here"), uuid4()
    try:
        with patch.object(tweets, "get", wraps=tweets.get) as get:
            for what, tweet_id, text in (
                ("a tweet that is there", tweet.tweet_id, tweet.text),
                ("one that is not", missing, ""),
            ):
                get.reset_mock()
                given = [answer(tweet_id) for _ in range(3)]
                right = given == [text] * 3
                yield right, f"{what} is `{text!r}` each time; you say `{given[-1]!r}`"
                asked = get.call_count
                yield asked == 1, f"3 reads of {what} asked the table {asked} times"
    finally:
        tweets.delete(tweet.tweet_id)
        for tweet_id in (tweet.tweet_id, missing):
            redis.delete(f"text:{tweet_id}")


@check(
    "`if lab.redis.set(lock, 'mine', nx=True, px=5000):` lets one in. It looks once more whether "
    "the tweet is there, reads the table if not, and `finally` deletes the lock. The others "
    "`time.sleep(0.005)` and look again."
)
def check_read_once(
    answer: Callable[[UUID], str], tweets: TweetTable, redis: Client
) -> Iterator[Remark]:
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
            yield 0 < seconds <= 60, f"while one reads, Redis keeps the lock {lifetime(seconds)}"

            redis.delete(key(tweet.tweet_id), lock)
            locked.clear()
            with patch.object(redis, "get", late_look):
                texts = _all_at_once(lambda: answer(tweet.tweet_id), readers=1)
            late = "one looks just before another stores the tweet and returns the lock: the two"
            good = texts == [tweet.text] and len(locked) == 1
            yield good, f"{late} read the table {len(locked)} times"
    finally:
        tweets.delete(tweet.tweet_id)
        redis.delete(key(tweet.tweet_id), lock)


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
