"""After a failover, and when connections die without a word, those that are old are not kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from redis.connection import DefaultParser

from tests.support.forwarder import Forwarder
from tests.support.redises import MemoryTable, Valkey, in_threads, join, wait_until
from tests.support.serving import Clock
from tweetlab import CachedTweets
from tweetlab.cache import Client, connect, key
from tweetlab.cache.connections import Connections


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Valkey]:
    directory = tmp_path / "another"
    directory.mkdir()
    server = Valkey(directory)
    yield server
    server.kill()


@pytest.fixture
def name(server: Valkey) -> Iterator[Forwarder]:
    with Forwarder(server) as forwarder:
        yield forwarder


@pytest.fixture
def client(name: Forwarder) -> Iterator[Client]:
    with connect(name.url, timeout=10) as client:
        yield client


def together(count: int, work: Callable[[], Any]) -> list[Any]:
    """Do it in so many threads, by a connection each."""
    all_there, ask = threading.Barrier(count), redis.Redis.execute_command

    def late(self: Any, *args: Any, **options: Any) -> Any:
        if self.connection:
            all_there.wait(30)
        return ask(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.Redis, "execute_command", late)
        threads, results = in_threads(count, work)
        join(threads)
    return results


def fail_over(name: Forwarder, old: Valkey, new: Valkey) -> None:
    """The old primary becomes the new one's replica, and the name leads to the new one."""
    with redis.Redis.from_url(old.url) as demoted, redis.Redis.from_url(new.url) as promoted:
        demoted.execute_command("REPLICAOF", "127.0.0.1", new.port)
        wait_until(lambda: promoted.info("replication")["connected_slaves"] == 1)
        wait_until(lambda: demoted.info("replication")["master_link_status"] == "up")
    name.leads_to = new


def test_a_reader_finds_the_new_primary_after_the_first_refusal(
    table: MemoryTable, client: Client, name: Forwarder, server: Valkey, another: Valkey
) -> None:
    cached = CachedTweets(table, client)
    tweet, other = table.create("Example tweet."), table.create("Other.")
    cached.get(tweet.tweet_id)
    together(8, lambda: cached.get(tweet.tweet_id))
    fail_over(name, server, another)
    assert cached.read(tweet.tweet_id).source == "table"  # the new one is empty
    assert cached.stats.errors == 1
    for _ in range(20):
        cached.get(other.tweet_id)
    assert cached.read(tweet.tweet_id).source == "table"
    assert cached.read(tweet.tweet_id).source == cached.read(other.tweet_id).source == "cache"
    assert cached.stats.errors == 1
    with redis.Redis.from_url(another.url) as promoted:
        assert promoted.exists(key(tweet.tweet_id), key(other.tweet_id)) == 2


def test_a_batch_finds_the_new_primary_after_the_first_refusal(
    table: MemoryTable, client: Client, name: Forwarder, server: Valkey, another: Valkey
) -> None:
    cached = CachedTweets(table, client)
    tweets = [table.create(str(number)).tweet_id for number in range(3)]
    cached.get_many([uuid4()])
    together(8, lambda: cached.get_many([uuid4()]))
    fail_over(name, server, another)
    cached.get_many(tweets)
    cached.get_many(tweets)
    assert cached.get_many(tweets).keys() == set(tweets)
    assert len(cached.stats.events) == 3  # three claims in one batch were refused
    assert cached.stats.hits == 3


def test_a_writer_is_heard_by_the_new_primary(
    table: MemoryTable, client: Client, name: Forwarder, server: Valkey, another: Valkey
) -> None:
    jobs: list[Callable[[], None]] = []
    cached = CachedTweets(table, client, breaker_pause=0, background=jobs.append)
    tweet = table.create("Before.")
    cached.get(tweet.tweet_id)
    together(8, lambda: cached.get(tweet.tweet_id))
    fail_over(name, server, another)
    cached.edit(tweet.tweet_id, "After.")
    assert cached.stats.breaker == "open"
    assert cached.get(tweet.tweet_id).text == "After."
    jobs.pop()()
    assert cached.stats.breaker == "closed"
    assert cached.get(tweet.tweet_id).text == "After."
    assert cached.read(tweet.tweet_id).source == "cache"
    cached.edit(tweet.tweet_id, "At last.")
    assert cached.stats.breaker == "closed"


@pytest.mark.parametrize(
    "error",
    [
        "READONLY You can't write against a read only replica.",
        "LOADING Redis is loading the dataset in memory",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "CLUSTERDOWN The cluster is down",
        "NOREPLICAS Not enough good replicas to write.",
        "NOAUTH Authentication required.",
        # as Redis 6 tells what a script met
        "ERR Error running script (call to f_1): @user_script:3: -READONLY You can't write.",
    ],
)
def test_an_answer_that_condemns_the_connection(client: Client, error: str) -> None:
    connections = Connections(client)
    for _ in range(3):
        before = _connection_of(connections)
        with pytest.raises(redis.RedisError), _answering(error):
            connections.ask(("GET", "key"))
        assert _connection_of(connections) != before


@pytest.mark.parametrize(
    "error",
    [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MISCONF Errors writing to the AOF file",
        "NOPERM this user has no permissions",
        "BUSY Redis is busy running a script.",
        "TRYAGAIN Multiple keys request during rehashing of slot",
    ],
)
def test_an_answer_that_would_be_the_same_by_another_connection(client: Client, error: str) -> None:
    connections = Connections(client)
    before = _connection_of(connections)
    with pytest.raises(redis.RedisError), _answering(error):
        connections.ask(("GET", "key"))
    assert _connection_of(connections) == before


def _connection_of(connections: Connections) -> int:
    """Which connection it asks by, as Redis counts them."""
    return int(connections.ask(("CLIENT", "ID")))


@contextmanager
def _answering(error: str) -> Iterator[None]:
    """Redis gives this error for an answer."""
    parse = redis.Redis.parse_response

    def refuse(*args: Any, **options: Any) -> Any:
        parse(*args, **options)
        raise DefaultParser.parse_error(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.Redis, "parse_response", refuse)
        yield


def test_all_connections_that_led_to_a_replica_go_even_those_in_use(client: Client) -> None:
    connections = Connections(client)
    before = set(together(4, lambda: _connection_of(connections)))
    assert len(before) == 4
    asked = redis.Redis.execute_command

    def in_use(self: Any, *args: Any, **options: Any) -> Any:
        """While one connection is asked, another is told that it leads to a replica."""
        answer = asked(self, *args, **options)
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(redis.Redis, "execute_command", asked)
            with pytest.raises(redis.ReadOnlyError), _answering("READONLY No."):
                connections.ask(("GET", "key"))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.Redis, "execute_command", in_use)
        assert _connection_of(connections) in before
    after = set(together(4, lambda: _connection_of(connections)))
    assert not before & after


def test_a_name_that_goes_on_leading_to_a_replica_is_asked_anew_once_a_second(
    client: Client,
) -> None:
    clock = Clock()
    connections = Connections(client, clock)
    clock.advance(10)

    def refused_one_of_two() -> int:
        """How many of two connections are still the same after one was refused."""
        before = set(together(2, lambda: _connection_of(connections)))
        with pytest.raises(redis.ReadOnlyError), _answering("READONLY No."):
            connections.ask(("GET", "key"))
        return len(before & set(together(2, lambda: _connection_of(connections))))

    kept = []
    for _ in range(4):
        kept.append(refused_one_of_two())
        clock.advance(0.5)
    assert kept == [0, 1, 0, 1]


def test_connections_that_died_without_a_word_cost_one_failure(
    table: MemoryTable, name: Forwarder
) -> None:
    with connect(name.url, timeout=1) as client:
        cached = CachedTweets(table, client)
        tweet, other = table.create("Example tweet."), table.create("Other.")
        cached.get(tweet.tweet_id)
        together(32, lambda: cached.get(tweet.tweet_id))
        pool = client.connection_pool
        for connection in [pool.get_connection() for _ in range(8)]:
            pool.release(connection)
        name.silence()
        assert cached.read(tweet.tweet_id).source == "table"
        for _ in range(40):
            assert cached.read(tweet.tweet_id).source == "cache"
        assert cached.read(other.tweet_id).source == "table"
        assert cached.get_many([uuid4()]) == {}
        assert cached.stats.errors == 1
        assert cached.stats.breaker == "closed"


def test_when_all_die_at_once_under_many_readers_redis_is_still_asked(
    table: MemoryTable, name: Forwarder
) -> None:
    with connect(name.url, timeout=1) as client:
        cached = CachedTweets(table, client)
        tweet = table.create("Example tweet.")
        cached.get(tweet.tweet_id)
        together(32, lambda: cached.get(tweet.tweet_id))
        name.silence()
        assert together(32, lambda: cached.get(tweet.tweet_id)) == [tweet] * 32
        assert cached.stats.errors == 32
        assert cached.stats.breaker == "closed"
        assert cached.read(tweet.tweet_id).source == "cache"


def test_connections_used_since_are_trusted(client: Client) -> None:
    clock = Clock()
    connections = Connections(client, clock)
    before = set(together(3, lambda: _connection_of(connections)))
    used: list[int] = []
    clock.advance(1)

    def times_out(*_: Any, **__: Any) -> Any:
        """It waits for its answer while another connection is used."""
        patch.undo()
        clock.advance(1)
        used.append(_connection_of(connections))
        raise redis.TimeoutError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.Redis, "execute_command", times_out)
        with pytest.raises(redis.TimeoutError):
            connections.ask(("GET", "key"))
    after = set(together(3, lambda: _connection_of(connections)))
    assert before & after == set(used)


def test_an_interrupted_batch_leaves_no_connection_with_an_answer_to_come(
    server: Valkey,
) -> None:
    with connect(server.url, timeout=60) as client:
        client.mset({"key": "value", "other": "another value"})
        connections = Connections(client)
        connections.ask_all([("GET", "key")])
        server.pause()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(redis.client.Pipeline, "parse_response", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                connections.ask_all([("GET", "other")])
        threads, results = in_threads(1, lambda: connections.ask_all([("GET", "key")]))
        threads[0].join(0.1)  # it asks meanwhile
        server.resume()
        join(threads)
        assert results == [[b"value"]]


def _interrupt(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt
