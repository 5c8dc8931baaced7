"""A lab that all the exercises' tests share: each leaves the table and Redis as it found them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tweetlab
from tweetlab.cache import connect


@pytest.fixture(scope="session")
def lab() -> Iterator[tweetlab.Lab]:
    with tweetlab.start() as lab, connect(lab.redis_url, timeout=10) as patient:
        lab.redis = patient  # on a busy machine it may take its time
        yield lab


@pytest.fixture(scope="session")
def tweets(lab: tweetlab.Lab) -> tweetlab.TweetTable:
    tweets = tweetlab.TweetTable(lab.dynamodb, read_capacity=1000, write_capacity=1000)
    tweets.create_table()
    return tweets
