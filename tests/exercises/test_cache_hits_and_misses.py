"""What the checks of lesson 03 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import json
import re

from tests.support.verdicts import empty, wrong
from tweetlab import exercises
from tweetlab.cache import key


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
    assert [good for good, _ in check(table_only).remarks] == [True, False, False]
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
    # As px=3600 is, which a slow machine finds gone.
    [milliseconds] = wrong(check(keep(px=360_000)))
    assert re.fullmatch(r"Redis keeps it for \d\d\d s, of the 3,600 s wanted", milliseconds)
    assert wrong(check(keep())) == ["Redis keeps it for ever, of the 3,600 s wanted"]
    assert wrong(check(lambda tweet_id: tweets.get(tweet_id).text))[0].startswith(
        "Redis keeps it not at all"
    )
    assert check(keep(ex=3600)).right
