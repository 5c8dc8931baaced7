"""What the checks of lesson 06 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import json
import random
import threading
import time

from tests.support.verdicts import empty, wrong
from tweetlab import exercises
from tweetlab.cache import key
from tweetlab.errors import TweetNotFound


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
    # A few seconds pass until they are counted: begin in the middle of the ten.
    [together] = wrong(check(keep(lambda: {"ex": 60 * random.randint(54, 59) + 5})))
    assert together.endswith("expire in the same 10 s, of 20 at most")
    assert wrong(check(keep(dict)))[:2] == [
        "it keeps one of them for ever, of 3,240 s at least",
        "it keeps one of them for ever, of 3,600 s at most",
    ]
    [short] = wrong(check(keep(lambda: {"ex": random.randint(1000, 3600)})))
    assert short.endswith("of 3,240 s at least")
    assert check(keep(lambda: {"ex": random.randint(3240, 3600)})).right
    assert not list(lab.redis.scan_iter("tweet:*"))


def test_text_or_nothing(lab, tweets):
    def read(is_hit, remember=True):
        def answer(tweet_id):
            text = lab.redis.get(f"text:{tweet_id}")
            if is_hit(text):
                return text.decode()
            try:
                text = tweets.get(tweet_id).text
            except TweetNotFound:
                text = ""
            if text or remember:
                lab.redis.set(f"text:{tweet_id}", text, ex=60)
            return text

        return answer

    def check(answer):
        return exercises.check_text_or_nothing(answer, tweets, lab.redis)

    def there(text):
        return text is not None

    again = "3 reads of one that is not asked the table 3 times"
    assert len(wrong(check(empty))) == 4
    assert wrong(check(read(bool))) == [again]
    assert wrong(check(read(there, remember=False))) == [again]
    assert wrong(check(lambda tweet_id: tweets.get(tweet_id).text))[0] == (
        "3 reads of a tweet that is there asked the table 3 times"
    )
    assert check(read(there)).right
    assert not list(lab.redis.scan_iter("text:*"))
    assert lab.dynamodb.scan(TableName="tweet")["Count"] == 0


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
        if lab.redis.set(f"{key(tweet_id)}:lock", "mine", nx=True, px=60_000):
            return cached(tweet_id) or store(tweet_id)
        return cached(tweet_id)

    def check(answer):
        return exercises.check_read_once(answer, tweets, lab.redis)

    one_thread = threading.RLock()
    assert len(wrong(check(empty))) == 4
    every, unlocked, late = wrong(check(lambda tweet_id: cached(tweet_id) or store(tweet_id)))
    assert every.startswith("together they read the table ")  # 16 times, if none of them is late
    assert unlocked == "while one reads, Redis keeps the lock not at all"
    assert late.endswith("the two read the table 2 times")
    assert wrong(check(take_turns())) == ["while one reads, Redis keeps the lock for ever"]
    # Without a second look, one of the 16 may be late of itself, too.
    assert late in wrong(check(take_turns(px=60_000, look_again=False)))
    assert "while one reads, Redis keeps the lock not at all" in wrong(check(local_lock))
    got = wrong(check(nobody_waits))[0]
    assert got.startswith("of 16 readers who came together, ")  # 1 got it, if none of them is late
    assert check(take_turns(px=60_000)).right
    assert not list(lab.redis.scan_iter("tweet:*"))
    assert lab.dynamodb.scan(TableName="tweet")["Count"] == 0
