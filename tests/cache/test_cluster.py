"""Many commands in a cluster: each server has its own in one go, and none is waited for again and
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.support.redises import MemoryTable
from tweetlab import CachedTweets
from tweetlab.cache import connect
from tweetlab.cache.connections import Connections

KEYS = [f"key {number}" for number in range(30)]
GETS = [("GET", key) for key in KEYS]


@pytest.fixture
def cluster(cluster_url: str) -> Iterator[Any]:
    with connect(cluster_url, timeout=10) as client:
        for key in KEYS:
            client.set(key, f"value of {key}")
        yield client
        client.flushall()


@pytest.fixture
def asked(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that the client is asked for one by one."""
    keys: list[str] = []
    ask = redis.RedisCluster.execute_command

    def note(self: Any, *command: Any, **options: Any) -> Any:
        if command[0] == "GET":
            keys.append(command[1])
        return ask(self, *command, **options)

    monkeypatch.setattr(redis.RedisCluster, "execute_command", note)
    return keys


def port_of(client: Any) -> int:
    return int(client.connection_pool.connection_kwargs["port"])


def test_answers_come_in_the_order_of_the_commands(cluster: Any, asked: list[str]) -> None:
    assert Connections(cluster).ask_all(GETS) == [f"value of {key}".encode() for key in KEYS]
    assert asked == []


@pytest.mark.parametrize("error", [redis.TimeoutError, redis.ConnectionError])
def test_a_server_that_does_not_answer_is_asked_once_more(
    cluster: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    bad = cluster.get_node_from_key(KEYS[0])
    execute, sends = redis.client.Pipeline.execute, cluster.execute_command

    def fail(self: Any, raise_on_error: bool = True) -> Any:
        if port_of(self) == bad.port:
            raise error
        return execute(self, raise_on_error)

    def hang(*command: Any, **options: Any) -> Any:
        sends(*command, **options)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(redis.client.Pipeline, "execute", fail)
        patch.setattr(cluster, "execute_command", hang)
        answers = Connections(cluster).ask_all(GETS)
    for key, answer in zip(KEYS, answers, strict=True):
        if cluster.get_node_from_key(key) == bad:
            assert isinstance(answer, error)
        else:
            assert answer == f"value of {key}".encode()
    assert asked == KEYS[:1]


def test_a_key_that_moved_is_asked_for_where_it_is(
    cluster: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = cluster.get_nodes()
    where = cluster.get_node_from_key

    def elsewhere(key: str) -> Any:
        """As before a slot moved to another server."""
        return nodes[(nodes.index(where(key)) + (key in KEYS[:5])) % 3]

    monkeypatch.setattr(cluster, "get_node_from_key", elsewhere)
    assert Connections(cluster).ask_all(GETS) == [f"value of {key}".encode() for key in KEYS]
    assert sorted(asked) == KEYS[:5]


def test_a_batch_gets_what_the_other_servers_have(
    table: MemoryTable, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = CachedTweets(table, cluster)
    tweets = [table.create(str(number)).tweet_id for number in range(30)]
    cached.get_many(tweets)
    bad = cluster.get_node_from_key(f"tweet:{tweets[0]}")
    its = [one for one in tweets if cluster.get_node_from_key(f"tweet:{one}") == bad]
    execute = redis.client.Pipeline.execute

    def fail(self: Any, raise_on_error: bool = True) -> Any:
        if port_of(self) == bad.port:
            raise redis.TimeoutError
        return execute(self, raise_on_error)

    monkeypatch.setattr(redis.client.Pipeline, "execute", fail)
    assert cached.get_many(tweets).keys() == set(tweets)
    assert table.batches[1:] == [its[2:]]  # one was asked for once more, by GET and by EVAL each
