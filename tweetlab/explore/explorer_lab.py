"""The explorer's servers: those of a lab, with a table for each run."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np
import redis

from tweetlab import lab
from tweetlab.cache import CachedTweets, encode, key
from tweetlab.errors import LabError
from tweetlab.explore.settings import MOST_TWEETS, Settings
from tweetlab.lab.closing import Closing
from tweetlab.tweets import Tweet, TweetTable
from tweetlab.workload.open_loop import Reader

PARTITIONS = 4
"""With one, as DynamoDB itself gives so small a table, adaptive capacity would have nothing to do.
A table that was once larger has more, since they never merge."""
WRITE_CAPACITY = 3000
"""Write units to fill the table at once, and no more partitions for them."""
PIPELINE = 100
"""Commands sent to Redis in one go: few enough for the time that the lab's client gives it."""
REDIS_SECONDS = 10


class ExplorerLab(Closing):
    """A lab with adaptive capacity and, when it is asked for, one without; one cache for both.

    Raises LabError if they cannot be started.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        """Held by the one run that uses the servers."""
        self.tweet_ids: list[UUID] = []
        """The most popular first; the last is the one that goes viral."""
        self._rng = np.random.default_rng()
        self._labs = {True: lab.start(partitions=PARTITIONS)}
        self._redis = self._labs[True].redis
        self.owns_redis = self._labs[True].owns_redis
        """Whether the lab started its Redis, which then may be broken."""
        self._tweets: list[Tweet] = []
        self._name = ""
        """Of a run's tables, in both labs, and so of its keys in the cache. No other has it: a read
        that outlives its run must not be charged to the next one."""
        self._tables: dict[bool, TweetTable] = {}
        self._run = ExitStack()
        """What a run has of its own: clients, and tables."""

    def prepare(self, settings: Settings, warm: bool) -> Reader:
        """A reader of a new table of new tweets, which has saved up no capacity.

        ``warm`` puts the tweets into the cache that would be there after a long time. Raises
        LabError when Redis does not answer.
        """
        self._wait_for_redis()
        created = datetime.now(UTC)
        count = MOST_TWEETS + 1
        self._tweets = [Tweet(uuid4(), f"Tweet {n}.", created) for n in range(1, count + 1)]
        self.tweet_ids = [tweet.tweet_id for tweet in self._tweets]
        self._name = f"tweet_explorer_{uuid4()}"
        if warm and settings.cache:
            self._warm(settings)
        return self.change(settings)

    def change(self, settings: Settings) -> Reader:
        """A reader of the same tweets by other settings; the cache keeps what it has."""
        table = self._tables.get(settings.adaptive)
        if table is None:
            table = self._new_table(settings)
        elif table.read_capacity != settings.read_capacity:
            table.read_capacity = settings.read_capacity
            table.create_table()  # it exists: this is UpdateTable
        if not settings.cache:
            return table
        return CachedTweets(
            table, self._redis, ttl=settings.ttl, single_flight=settings.single_flight
        )

    def lose_cache(self, seconds: float) -> None:
        """Empty Redis and let it hang for so long, which comes to the same as a restart; only the
        lab's own. Raises LabError for any other.
        """
        if not self.owns_redis:
            raise LabError("Only a Redis that the lab started is made to fail: unset REDIS_URL.")
        self._redis.flushdb()
        self._redis.client_pause(round(1000 * seconds))

    def clear(self) -> None:
        """Delete the tables; what is in the cache goes when its time is up."""
        self._tables = {}
        self._run.close()

    def close(self) -> None:
        """Stop the servers."""
        for one in self._labs.values():
            one.close()

    def _new_table(self, settings: Settings) -> TweetTable:
        adaptive = settings.adaptive
        if adaptive not in self._labs:
            self._labs[adaptive] = lab.start(partitions=PARTITIONS, adaptive=adaptive)
        # A client has a quota of retries: each run begins with a full one, as a program does.
        client = self._run.enter_context(closing(self._labs[adaptive].client()))
        table = TweetTable(client, settings.read_capacity, WRITE_CAPACITY, name=self._name)
        self._tables[adaptive] = table
        self._run.callback(table.delete_table)
        table.create_table()
        table.put_many(self._tweets)
        return table

    def _warm(self, settings: Settings) -> None:
        warm = list(warm_cache(self._tweets, settings, self._rng))
        for start in range(0, len(warm), PIPELINE):
            with self._redis.pipeline(transaction=False) as pipeline:
                for tweet, left_ms in warm[start : start + PIPELINE]:
                    pipeline.set(key(tweet.tweet_id, self._name), encode(tweet), px=left_ms)
                pipeline.execute()

    def _wait_for_redis(self) -> None:
        """A run that was stopped while Redis hung leaves it so for some seconds."""
        deadline = time.monotonic() + REDIS_SECONDS
        while True:
            try:
                self._redis.ping()
                return
            except (redis.RedisError, OSError) as error:
                if time.monotonic() > deadline:
                    raise LabError(
                        f"Redis has not answered for {REDIS_SECONDS} seconds ({error}). "
                        "Restart the kernel, and run the notebook again."
                    ) from error
                time.sleep(0.1)


def warm_cache(
    tweets: Sequence[Tweet], settings: Settings, rng: np.random.Generator
) -> Iterator[tuple[Tweet, int]]:
    """The tweets that are in a warm cache, each with the milliseconds that it still has.

    Each is there as likely as it would be after a long time. One that is looked at at any moment
    has between nothing and all of its time left, and any of that as likely.
    """
    there = rng.random(settings.tweets) < settings.hit_chances[:-1]
    left_ms = np.ceil((1 - rng.random(settings.tweets)) * settings.ttl * 1000)
    for tweet, is_there, left in zip(tweets[: settings.tweets], there, left_ms, strict=True):
        if is_there:
            yield tweet, int(left)
