"""Ten thousand random steps, with Redis failing at random: no tweet is ever lost or wrong.

(Ten thousand in CI, where it takes a minute; a tenth of that on a laptop.)

Two processes share a table and a Redis. Each reads and writes; between them Redis refuses, times
out before or after it did as told, answers nonsense, loses everything, holds nonsense, hangs, or
is killed and comes back. A dict is the model of what must be read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.support.redises import MemoryTable, Valkey, wait_until
from tests.support.serving import Clock
from tweetlab import CachedTweets, TweetNotFound
from tweetlab.cache import connect, encode, key
from tweetlab.tweets import Tweet

FAULTS = ["none", "before", "after", "refused", "cut", "nothing", "number"]
PROCESSES = st.integers(0, 1)


class FaultyClient:
    """A Redis client whose next commands go wrong as planned."""

    def __init__(self, url: str) -> None:
        self._client = connect(url, timeout=0.02)
        self.plan: list[str] = []

    def execute_command(self, *command: Any, **options: Any) -> Any:
        return self._with_fault(lambda: self._client.execute_command(*command, **options))

    @contextmanager
    def pipeline(self, transaction: bool) -> Iterator[FaultyPipeline]:
        with self._client.pipeline(transaction=transaction) as pipeline:
            yield FaultyPipeline(pipeline, self._with_fault)

    def close(self) -> None:
        self._client.close()

    def _with_fault(self, call: Callable[[], Any]) -> Any:
        fault = self.plan.pop() if self.plan else "none"
        if fault == "before":
            raise redis.ConnectionError("planned")
        if fault == "refused":
            raise redis.ResponseError("planned")
        answer = call()
        if fault == "after":
            raise redis.TimeoutError("planned")
        if fault == "cut":
            return answer[: len(answer) // 2] if isinstance(answer, (bytes, list)) else b"?"
        return {"nothing": None, "number": 7}.get(fault, answer)


class FaultyPipeline:
    """One whose execution may go wrong."""

    def __init__(self, pipeline: Any, with_fault: Callable[[Callable[[], Any]], Any]) -> None:
        self._pipeline = pipeline
        self._with_fault = with_fault

    def execute_command(self, *command: Any, **options: Any) -> None:
        self._pipeline.execute_command(*command, **options)

    def execute(self, raise_on_error: bool) -> Any:
        return self._with_fault(lambda: self._pipeline.execute(raise_on_error=raise_on_error))


class Cache(RuleBasedStateMachine):
    """Every answer is compared with the model."""

    server: Valkey
    ids = Bundle("ids")

    @initialize(
        single_flight=st.booleans(), refresh_ahead=st.sampled_from([0, 50]), local=st.booleans()
    )
    def start(self, single_flight: bool, refresh_ahead: int, local: bool) -> None:
        self.table = MemoryTable()
        self.model: dict[UUID, Tweet] = {}
        self.past: dict[UUID, list[Tweet | None]] = {}
        self.clock = Clock()
        self.clients = [FaultyClient(self.server.url) for _ in range(2)]
        # A first level does not hear of the other's writes: then only the first process writes.
        self.local = local
        self.caches = [
            CachedTweets(
                self.table,
                client,  # type: ignore[arg-type]
                ttl=100,
                single_flight=single_flight,
                lease_seconds=0.05,
                refresh_ahead=refresh_ahead,
                local_ttl=1000 if local and number == 0 else 0,
                breaker_pause=0,
                clock=self.clock,
                background=lambda job: job(),
            )
            for number, client in enumerate(self.clients)
        ]

    @rule(target=ids, process=PROCESSES)
    def create(self, process: int) -> UUID:
        tweet = self.writer(process).create("Created.")
        self.write(tweet.tweet_id, tweet)
        return tweet.tweet_id

    @rule(target=ids, count=st.integers(1, 3))
    def make_up_an_id(self, count: int) -> Any:
        return multiple(*(uuid4() for _ in range(count)))

    @rule(process=PROCESSES, tweet_id=ids, text=st.sampled_from(["One.", "Two.", "Three 🐦."]))
    def edit(self, process: int, tweet_id: UUID, text: str) -> None:
        if tweet_id in self.model:
            edited = self.writer(process).edit(tweet_id, text)
            assert edited.text == text
            self.write(tweet_id, edited)
        else:
            with pytest.raises(TweetNotFound):
                self.writer(process).edit(tweet_id, text)

    @rule(process=PROCESSES, tweet_id=ids)
    def delete(self, process: int, tweet_id: UUID) -> None:
        self.writer(process).delete(tweet_id)
        self.write(tweet_id, None)

    @rule(process=PROCESSES, tweet_id=ids)
    def get(self, process: int, tweet_id: UUID) -> None:
        try:
            found: Tweet | None = self.caches[process].get(tweet_id)
        except TweetNotFound:
            found = None
        self.check(process, tweet_id, found)

    @rule(process=PROCESSES, tweet_ids=st.lists(ids, max_size=6), consistent=st.booleans())
    def get_many(self, process: int, tweet_ids: list[UUID], consistent: bool) -> None:
        found = self.caches[process].get_many(tweet_ids, consistent)
        assert list(found) == [one for one in dict.fromkeys(tweet_ids) if one in found]
        for tweet_id in tweet_ids:
            self.check(process, tweet_id, found.get(tweet_id))

    @rule(process=PROCESSES, faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=6))
    def let_commands_fail(self, process: int, faults: list[str]) -> None:
        self.clients[process].plan = faults

    @rule(tweet_id=ids, cut=st.integers(0, 50), other=ids)
    def corrupt(self, tweet_id: UUID, cut: int, other: UUID) -> None:
        whose = self.model.get(other)
        value = encode(whose)[: -cut or None] if whose and (cut or other != tweet_id) else b"\xff"
        with redis.Redis.from_url(self.server.url) as client:
            client.set(key(tweet_id), value)

    @rule(tweet_id=ids)
    def change_the_type(self, tweet_id: UUID) -> None:
        with redis.Redis.from_url(self.server.url) as client:
            client.delete(key(tweet_id))
            client.rpush(key(tweet_id), "a list")

    @rule(tweet_id=ids)
    def expire(self, tweet_id: UUID) -> None:
        with redis.Redis.from_url(self.server.url) as client:
            client.delete(key(tweet_id))

    @rule(seconds=st.integers(10, 60))
    def grow_old(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(process=PROCESSES, tweet_id=consumes(ids))
    def hang(self, process: int, tweet_id: UUID) -> None:
        self.server.pause()
        try:
            self.get(process, tweet_id)
            self.edit(process, tweet_id, "Hung.")
            self.get(process, tweet_id)
        finally:
            self.server.resume()

    @rule(process=PROCESSES, tweet_id=consumes(ids))
    def restart(self, process: int, tweet_id: UUID) -> None:
        self.server.kill()
        try:
            self.get(process, tweet_id)
            self.edit(process, tweet_id, "Killed.")
            self.get(process, tweet_id)
        finally:
            self.server.start()

    def writer(self, process: int) -> CachedTweets:
        return self.caches[0 if self.local else process]

    def write(self, tweet_id: UUID, tweet: Tweet | None) -> None:
        self.past.setdefault(tweet_id, [None]).append(tweet)
        if tweet:
            self.model[tweet_id] = tweet
        else:
            self.model.pop(tweet_id, None)

    def check(self, process: int, tweet_id: UUID, found: Tweet | None) -> None:
        if tweet_id in self.caches[1 - process]._store._owed:
            # The other process wrote it, and could not tell Redis: what Redis has may be older.
            assert found in self.past.get(tweet_id, [None])
        else:
            assert found == self.model.get(tweet_id)

    def teardown(self) -> None:
        if not hasattr(self, "caches"):
            return
        for client in self.clients:
            client.plan = []
        for cached in self.caches:  # a read or two, and Redis is trusted again

            def is_trusted(cached: CachedTweets = cached) -> bool:
                cached.get_many([UUID(int=0)])
                return cached.stats.breaker == "closed"

            wait_until(is_trusted)
        for process, cached in enumerate(self.caches):
            for tweet_id in self.past:
                assert not cached._store._owed
                self.get(process, tweet_id)
            assert cached.get_many(self.past) == self.model
        for client in self.clients:
            client.close()


def test_no_tweet_is_lost_or_wrong(tmp_path: Path) -> None:
    Cache.server = server = Valkey(tmp_path)
    try:
        run_state_machine_as_test(
            Cache,
            settings=settings(
                max_examples=120 if os.environ.get("CI") else 15,
                stateful_step_count=100,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                # Killing servers again and again to find a shorter story would take an hour.
                phases=[Phase.generate],
            ),
        )
    finally:
        server.kill()
