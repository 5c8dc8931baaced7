"""A lab for tests of what is read from and written to it."""

from __future__ import annotations

import tweetlab


def patient_lab() -> tweetlab.Lab:
    """A lab whose Redis may take its time, as it does on a busy machine."""
    return tweetlab.start(redis_timeout=10)


def roomy_table(lab: tweetlab.Lab) -> tweetlab.TweetTable:
    """The table of tweets, which throttles nobody here."""
    tweets = tweetlab.TweetTable(lab.dynamodb, read_capacity=1000, write_capacity=1000)
    tweets.create_table()
    return tweets
