"""Connections at hand, which are the pool's again when they fail, or nobody needs them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import redis

from tests.support.redises import MemoryTable, Valkey, impatient, in_threads, join
from tweetlab import CachedTweets
from tweetlab.cache import Client, connect
from tweetlab.cache.connections import Connections


def get(connections: Connections, key: str) -> Any:
    return connections.ask(("GET", key))


@pytest.fixture
def connections(client: Client) -> Connections:
    client.set("key", "value")
    return Connections(client)


@pytest.fixture
def observer(valkey_url: str) -> Iterator[Any]:
    """A client that sees the others' connections from the server's side."""
    with redis.Redis.from_url(valkey_url) as client:
        yield client


def commands_by(observer: Any) -> dict[str, int]:
    """How many commands came by each connection that is open."""
    return {one["id"]: int(one["tot-cmds"]) for one in observer.client_list(_type="normal")}


def test_a_reader_asks_by_the_same_connection_each_time(
    connections: Connections, observer: Any
) -> None:
    before = commands_by(observer)
    for _ in range(20):
        assert get(connections, "key") == b"value"
        assert get(connections, "nothing") is None
    more = [count - before.get(one, 0) for one, count in commands_by(observer).items()]
    assert more.count(40) == 1


def test_one_reader_after_another_uses_the_same_connection(
    connections: Connections, observer: Any
) -> None:
    before = commands_by(observer)
    for _ in range(20):
        threads, results = in_threads(1, lambda: get(connections, "key"))
        join(threads)
        assert results == [b"value"]
    assert len(commands_by(observer).keys() - before) <= 2


def test_at_most_a_quarter_of_the_pool_is_kept(valkey_url: str) -> None:
    with connect(valkey_url + "?max_connections=16", timeout=10) as client:
        connections, made, ask = Connections(client), client.client, redis.Redis.execute_command
        together = threading.Barrier(8)

        def late(self: Any, *args: Any, **options: Any) -> Any:
            """Nobody asks before all have a client to ask."""
            together.wait(30)
            return ask(self, *args, **options)

        with (
            patch.object(client, "client", side_effect=made) as taken,
            patch.object(redis.Redis, "execute_command", late),
        ):
            for _ in range(3):
                threads, results = in_threads(8, lambda: get(connections, "nothing"))
                join(threads)
                assert results == [None] * 8
        assert taken.call_count == 4


def test_a_connection_that_failed_makes_room_for_another(valkey_url: str) -> None:
    with connect(valkey_url + "?max_connections=4", timeout=10) as client:
        connections = Connections(client)
        with patch.object(client, "client", side_effect=client.client) as taken:
            for _ in range(3):
                assert get(connections, "nothing") is None
                with (
                    patch.object(redis.Redis, "parse_response", side_effect=redis.TimeoutError),
                    pytest.raises(redis.TimeoutError),
                ):
                    get(connections, "nothing")
        assert taken.call_count == 3


def test_a_server_that_hangs_is_waited_for_once(server: Valkey) -> None:
    with impatient(server.url) as client:
        connections = Connections(client)
        assert get(connections, "nothing") is None
        server.pause()
        with patch.object(client, "execute_command") as asked_again:
            with pytest.raises(redis.TimeoutError):
                get(connections, "nothing")
            asked_again.assert_not_called()
        server.resume()


def test_a_server_that_closed_the_connection_is_asked_again(server: Valkey) -> None:
    with connect(server.url, timeout=10) as client:
        client.set("key", "value")
        connections = Connections(client)
        assert get(connections, "key") == b"value"
        client.client_kill_filter(_type="normal", skipme=True)
        assert get(connections, "key") == b"value"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_answer_that_nobody_waited_for_is_not_the_next_ones(
    server: Valkey, interrupt: type[BaseException]
) -> None:
    """Interrupted after the question was sent, and before a busy Redis answers it."""
    with connect(server.url, timeout=60) as client:
        client.mset({"key": "value", "other": "another value"})
        connections = Connections(client)
        assert get(connections, "key") == b"value"
        server.pause()
        with (
            patch.object(redis.Redis, "parse_response", side_effect=interrupt),
            pytest.raises(interrupt),
        ):
            get(connections, "other")
        threads, results = in_threads(1, lambda: get(connections, "key"))
        threads[0].join(0.1)  # it asks meanwhile
        server.resume()
        join(threads)
        assert results == [b"value"]
        assert get(connections, "key") == b"value"


def test_an_error_that_redis_answers_costs_no_connection(
    connections: Connections, client: Any, observer: Any
) -> None:
    get(connections, "key")
    client.rpush("list", 1)
    before = commands_by(observer)
    for _ in range(3):
        with pytest.raises(redis.ResponseError):
            get(connections, "list")
    assert commands_by(observer).keys() == before.keys()


def test_a_forked_process_has_connections_of_its_own(connections: Connections, client: Any) -> None:
    assert get(connections, "key") == b"value"
    child = os.fork()
    if not child:
        right = False
        try:
            right = all(get(connections, "key") == b"value" for _ in range(100))
        finally:
            os._exit(0 if right else 1)
    right = all(get(connections, "nothing") is None for _ in range(100))
    _, status = os.waitpid(child, 0)
    assert right
    assert os.waitstatus_to_exitcode(status) == 0
    assert get(connections, "key") == b"value"


def test_a_pool_that_chooses_its_connections_is_asked_each_time(valkey_url: str) -> None:
    pool = redis.BlockingConnectionPool.from_url(valkey_url)
    with redis.Redis(connection_pool=pool) as client, patch.object(client, "client") as taken:
        assert get(Connections(client), "nothing") is None
        taken.assert_not_called()
    pool.disconnect()


def test_each_server_of_a_cluster_is_asked_for_its_own_keys(cluster_url: str) -> None:
    """None has to say that a key is another's."""
    with connect(cluster_url, timeout=10) as client:
        cluster: Any = client  # some methods have no types
        cached = CachedTweets(table := MemoryTable(), client)
        servers = [cluster.get_redis_connection(node) for node in cluster.get_primaries()]
        for server in servers:
            server.config_resetstat()
        ids = [table.create(str(number)).tweet_id for number in range(30)]
        assert len(cached.get_many(ids)) == len(cached.get_many(ids)) == 30
        assert [server.info("errorstats") for server in servers] == [{}, {}, {}]
        assert cached.stats.hits == 30
        cluster.flushall()


@pytest.mark.parametrize("answers", [[], [1], [1, 2, 3], None])
def test_answers_to_many_are_as_many(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, answers: Any
) -> None:
    monkeypatch.setattr(redis.client.Pipeline, "execute", lambda self, raise_on_error: answers)
    with pytest.raises(redis.InvalidResponse, match=r"^Expected 2 answers$"):
        connections.ask_all([("GET", "key"), ("GET", "other")])
