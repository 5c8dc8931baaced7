"""A lab for tests of what is read from and written to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tweetlab
from tweetlab.cache import connect


@contextmanager
def patient_lab() -> Iterator[tweetlab.Lab]:
    """A lab whose Redis may take its time, as it does on a busy machine."""
    with tweetlab.start() as lab, connect(lab.redis_url, timeout=10) as patient:
        lab.redis = patient
        yield lab


def roomy_table(lab: tweetlab.Lab) -> tweetlab.TweetTable:
    """The table of tweets, which throttles nobody here."""
    tweets = tweetlab.TweetTable(lab.dynamodb, read_capacity=1000, write_capacity=1000)
    tweets.create_table()
    return tweets
