"""A cache whose Redis hangs until all of its calls have ended, also those of a child.

    python -m tests.support.hung_redis DIRECTORY

Raises, or does not end, if something is wrong.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tests.support.redises import MemoryTable, Valkey, in_threads, join, wait_until
from tweetlab import CachedTweets
from tweetlab.cache import connect

READERS = 32


def main(directory: str) -> None:
    """Break a Redis, and use it."""
    server = Valkey(Path(directory))
    try:
        with connect(server.url) as client:
            _use(server, client)
    finally:
        server.resume()
        server.kill()


def _use(server: Valkey, client: Any) -> None:
    table = MemoryTable()
    cached = CachedTweets(table, client, breaker_failures=None, breaker_pause=0.001)
    tweet, other = table.create("Before."), table.create("Other.")

    def read() -> None:
        assert cached.get(tweet.tweet_id) == tweet
        assert cached.get_many([tweet.tweet_id, other.tweet_id]).keys() == table.tweets.keys()

    def read_at_once() -> None:
        threads, results = in_threads(READERS, read)
        join(threads)
        assert results == [None] * READERS, results

    read_at_once()
    assert cached.read(tweet.tweet_id).source == "cache"
    server.pause()
    read_at_once()
    assert cached.stats.errors >= READERS
    _in_child(read_at_once)
    cached.edit(tweet.tweet_id, "After.")
    assert cached.get(tweet.tweet_id).text == "After."
    server.resume()
    wait_until(lambda: cached.read(tweet.tweet_id).source == "cache")
    assert cached.get(tweet.tweet_id).text == "After."


def _in_child(work: Any) -> None:
    child = os.fork()
    if not child:
        done = False
        try:
            work()
            done = True
        finally:
            os._exit(0 if done else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


if __name__ == "__main__":
    main(sys.argv[1])
