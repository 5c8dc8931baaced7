"""When many miss the same tweet, one reads the table."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.redises import Gate, MemoryTable, in_threads, join, lease_of, wait_until
from tweetlab import CachedTweets, TweetNotFound
from tweetlab.cache import Client, connect, key
from tweetlab.cache.fill import Fill, Miss
from tweetlab.cache.flight import Flights, LookAgain
from tweetlab.cache.leases import Claim, claim, parse_claim
from tweetlab.tweets import Tweet

LONG = 600
"""A lease that does not end while a test goes on, however slow it is."""


@pytest.fixture
def other(valkey_url: str) -> Iterator[Client]:
    with connect(valkey_url, timeout=10) as client:
        yield client


def test_of_64_threads_one_reads_the_table(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, lease_seconds=LONG)
    tweet = table.create("Popular.")
    table.before_answer = gate = Gate()
    threads, results = in_threads(64, lambda: cached.read(tweet.tweet_id))
    wait_until(lambda: cached.stats.misses == 64)
    gate.open()
    join(threads)
    assert table.reads == [tweet.tweet_id]
    assert [read.tweet for read in results] == [tweet] * 64
    assert sorted(read.source for read in results) == ["cache"] * 63 + ["table"]
    assert sum(read.read_units for read in results) == 0.5
    assert (cached.stats.misses, cached.stats.waits) == (64, 63)


def test_switched_off_each_reads_it(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, single_flight=False)
    tweet = table.create("Popular.")
    table.before_answer = gate = Gate()
    threads, _ = in_threads(16, lambda: cached.get(tweet.tweet_id))
    for _ in range(16):
        gate.wait_for_reader()
    gate.open()
    join(threads)
    assert len(table.reads) == 16
    assert cached.read(tweet.tweet_id).source == "cache"


def test_all_who_wait_get_the_error_of_the_one_who_reads(
    table: MemoryTable, client: Client
) -> None:
    cached = CachedTweets(table, client, lease_seconds=LONG)
    tweet = table.create("Popular.")
    gate = Gate()

    def throttle(tweet_id: Any) -> None:
        gate(tweet_id)
        raise RuntimeError("throttled")

    table.before_answer = throttle
    threads, results = in_threads(8, lambda: cached.get(tweet.tweet_id))
    gate.wait_for_reader()
    flights: Any = cached._flights
    [flight] = flights._flights.values()
    wait_until(lambda: len(flight._condition._waiters) == 7)
    gate.open()
    join(threads)
    assert [str(error) for error in results] == ["throttled"] * 8
    assert len(table.reads) == 1
    table.before_answer = lambda tweet_id: None
    assert cached.get(tweet.tweet_id) == tweet  # the lease was given back: nobody waits for it


def test_all_who_wait_learn_that_there_is_no_such_tweet(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, lease_seconds=LONG)
    tweet = table.create("Popular.")
    table.delete(tweet.tweet_id)
    table.before_answer = gate = Gate()
    threads, results = in_threads(8, lambda: cached.get(tweet.tweet_id))
    wait_until(lambda: cached.stats.misses == 8)
    gate.open()
    join(threads)
    assert all(isinstance(error, TweetNotFound) for error in results)
    assert len(table.reads) == 1


def test_another_process_waits_for_the_one_that_reads(
    table: MemoryTable, client: Client, other: Client
) -> None:
    here, there = (CachedTweets(table, each, lease_seconds=LONG) for each in (client, other))
    tweet = table.create("Popular.")
    table.before_answer = gate = Gate()
    leader, _ = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    waiters, results = in_threads(8, lambda: there.read(tweet.tweet_id))
    wait_until(lambda: there.stats.misses == 8)
    gate.open()
    join(leader + waiters)
    assert table.reads == [tweet.tweet_id]
    assert {(read.tweet, read.source) for read in results} == {(tweet, "cache")}
    assert there.stats.waits == 8


def test_a_holder_that_died_delays_the_others_by_the_time_of_its_lease(
    table: MemoryTable, client: Client
) -> None:
    naps: list[float] = []
    cached = CachedTweets(table, client, lease_seconds=60, sleep=naps.append)
    tweet = table.create("Popular.")
    client.set(lease_of(tweet.tweet_id), "of a dead process", px=3_600_000)
    assert cached.read(tweet.tweet_id).source == "table"
    assert 60 <= sum(naps) < 60.1
    assert naps[0] == 0.002 and max(naps) == 0.05


def test_who_waits_sleeps_as_the_process_does_by_then(
    table: MemoryTable, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gevent may replace time.sleep after this is imported: the old one stops all greenlets."""
    naps: list[float] = []
    cached = CachedTweets(table, client, lease_seconds=60)
    tweet = table.create("Popular.")
    client.set(lease_of(tweet.tweet_id), "of a dead process", px=3_600_000)
    monkeypatch.setattr("time.sleep", naps.append)
    assert cached.read(tweet.tweet_id).source == "table"
    assert sum(naps) >= 60


def test_a_lease_that_ends_is_taken_by_who_waits(table: MemoryTable, client: Client) -> None:
    tweet = table.create("Popular.")
    lease = lease_of(tweet.tweet_id)
    client.set(lease, "of a dead process")
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            client.delete(lease)  # as its end would

    cached = CachedTweets(table, client, sleep=sleep)
    assert cached.read(tweet.tweet_id).source == "table"
    assert len(naps) == 3
    assert client.exists(key(tweet.tweet_id)) and not client.exists(lease)


def test_a_lease_is_given_back_by_its_owner_only(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client)
    tweet = table.create("Popular.")
    lease = lease_of(tweet.tweet_id)

    def fail(tweet_id: Any) -> None:
        client.set(lease, "somebody else's")  # ours ended meanwhile
        raise RuntimeError

    table.before_answer = fail
    with pytest.raises(RuntimeError):
        cached.get(tweet.tweet_id)
    assert client.get(lease) == b"somebody else's"
    client.delete(lease)
    with pytest.raises(RuntimeError):
        cached.get_many([tweet.tweet_id])
    assert client.get(lease) == b"somebody else's"


def test_a_reader_that_was_interrupted_does_not_take_the_others_with_it() -> None:
    flights: Flights[str] = Flights(patience=30)
    shared: list[Any] = []

    def interrupted() -> tuple[str, bool]:
        shared.extend(flights._flights.values())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flights.share(uuid4(), interrupted)
    with pytest.raises(LookAgain):
        shared[0].result()
    assert flights._flights == {}


def test_nobody_waits_for_another_without_end() -> None:
    flights: Flights[str] = Flights(patience=0.001)
    tweet_id = uuid4()

    def slow() -> tuple[str, bool]:
        with pytest.raises(LookAgain):
            flights.share(tweet_id, slow)
        return "the tweet", True

    assert flights.share(tweet_id, slow) == ("the tweet", False)


def test_who_gives_up_while_the_other_lands_gets_what_that_has_read() -> None:
    class Landing(Future[str]):
        def result(self, timeout: float | None = None) -> str:
            if timeout is None:
                return super().result()
            self.set_result("the tweet")
            raise TimeoutError

    flights: Flights[str] = Flights(patience=30)
    tweet_id = uuid4()
    flights._flights[tweet_id] = Landing()
    assert flights.share(tweet_id, lambda: ("another", True)) == ("the tweet", True)


def test_who_was_overtaken_twice_reads_for_itself(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client)
    tweet = table.create("Popular.")
    looks: list[UUID] = []

    class Overtaken(Flights[Any]):
        def share(self, tweet_id: UUID, read: object) -> Any:
            looks.append(tweet_id)
            raise LookAgain

    cached._flights = Overtaken(1)
    assert cached.read(tweet.tweet_id).source == "table"
    assert looks == [tweet.tweet_id] * 2
    assert (cached.stats.misses, cached.stats.waits) == (1, 0)


def test_a_lease_that_was_asked_for_twice_is_had_once(table: MemoryTable, client: Any) -> None:
    """The first answer was lost with its connection, and the client asked again."""
    command = claim(key(uuid4()), None, 60_000)
    answers = [parse_claim(client.execute_command(*command)) for _ in range(2)]
    assert answers[0] == answers[1] and answers[0].mine
    other = parse_claim(client.execute_command(*claim(command[3], None, 60_000)))
    assert not other.mine and other.token == answers[0].token


def test_a_timeout_of_the_table_is_the_error_of_all() -> None:
    flights: Flights[str] = Flights(patience=30)
    shared: list[Any] = []

    def times_out() -> tuple[str, bool]:
        shared.extend(flights._flights.values())
        raise TimeoutError

    with pytest.raises(TimeoutError):
        flights.share(uuid4(), times_out)
    tweet_id = uuid4()
    flights._flights[tweet_id] = shared[0]
    with pytest.raises(TimeoutError):
        flights.share(tweet_id, times_out)


def test_a_waiting_process_asks_less_often_the_longer_it_waits() -> None:
    class Held:
        def claim(self, tweet_id: object, seen: object) -> Claim:
            return Claim(token=b"another's")

    store: Any = Held()
    values: Any = None
    naps: list[float] = []
    fill = Fill(store, values, patience=2, sleep=naps.append)
    assert fill.claim(uuid4(), Miss(seen=None, redis=True)) == Claim(token=b"another's")
    assert naps == sorted(naps)
    waited = 0.0
    for nap in naps:
        assert nap == pytest.approx(min(max(0.002, waited / 10), 0.05))
        waited += nap


class SlowTable(MemoryTable):
    """A table in several processes, whose reads are counted in Redis."""

    def __init__(self, url: str, tweet: Tweet) -> None:
        super().__init__()
        self.tweets[tweet.tweet_id] = tweet
        counter = connect(url, 10)

        def slow(tweet_id: object) -> None:
            counter.incr("table reads")
            # Until the readers of every process have missed.
            wait_until(lambda: int(counter.get("missed") or 0) == 64)

        self.before_answer = slow


def _process(url: str, tweet: Tweet, start: Any) -> None:
    client, counter = connect(url, 10), connect(url, 10)
    cached = CachedTweets(SlowTable(url, tweet), client, lease_seconds=LONG)
    start.wait()
    threads, results = in_threads(16, lambda: cached.get(tweet.tweet_id))
    wait_until(lambda: cached.stats.misses == 16)
    counter.incrby("missed", 16)
    join(threads)
    counter.rpush("results", json.dumps([one == tweet for one in results]))


def test_of_4_processes_with_16_threads_one_reads_the_table(
    table: MemoryTable, client: Client, valkey_url: str
) -> None:
    tweet = table.create("Popular.")
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    processes = [
        context.Process(target=_process, args=(valkey_url, tweet, start)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert client.get("table reads") == b"1"
    assert [json.loads(one) for one in client.lrange("results", 0, -1)] == [[True] * 16] * 4
