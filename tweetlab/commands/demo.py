"""The headline experiment: the same reads of the same tweets, without the cache and with it."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from tweetlab import charts, workload
from tweetlab.cache import CachedTweets
from tweetlab.lab import Lab, start
from tweetlab.tweets import TweetTable

TWEETS = 20
READ_CAPACITY = 10
"""RCU: 20 eventually consistent reads a second."""
RATE = 100
"""Reads a second: five times that."""
SECONDS = 20
TABLE = "tweetlab_demo"
"""Not ``tweet``: the demo deletes its table, and the DynamoDB may be the user's own."""


def run(lab: Lab, cache: bool) -> pd.DataFrame:
    """Post the tweets to a new table and replay the reads, one row for each.

    Both runs start alike: a new table whose bucket holds one second's worth, a new client whose
    retry quota is full, and a cold cache.
    """
    tweets = TweetTable(lab.client(), READ_CAPACITY, write_capacity=100, name=TABLE)
    tweets.delete_table()
    tweets.create_table()
    try:
        posts = tweets.create_many(f"Example tweet {n}." for n in range(TWEETS))
        tweet_ids = [post.tweet_id for post in posts]
        requests = workload.zipf(tweet_ids, rate=RATE, seconds=SECONDS, skew=1.0, seed=0)
        reader = CachedTweets(tweets, lab.redis) if cache else tweets
        label = "with the cache" if cache else "without the cache"
        return workload.replay(reader, requests, progress=label)
    finally:
        tweets.delete_table()


def main(as_json: bool, out: Path | None) -> int:
    """Run both, print the numbers, and save the chart to ``out``; raises LabError."""
    with start() as lab:
        reads = {"without_cache": run(lab, cache=False), "with_cache": run(lab, cache=True)}
    result: dict[str, Any] = {name: workload.summary(rows) for name, rows in reads.items()}
    result["read_capacity"] = READ_CAPACITY
    print(json.dumps(result) if as_json else _table(result))
    if out:
        figure = charts.throttling(reads["without_cache"], reads["with_cache"], READ_CAPACITY)
        figure.savefig(out)
    return 0


def _table(result: dict[str, Any]) -> str:
    rows = {"without the cache": result["without_cache"], "with the cache": result["with_cache"]}
    title = (
        f"{RATE} reads a second of {TWEETS} tweets for {SECONDS} s; the table has "
        f"{result['read_capacity']} RCU, enough for {result['read_capacity'] * 2} a second."
    )
    return f"{title}\n\n{pd.DataFrame(rows).round(2).to_string()}"
