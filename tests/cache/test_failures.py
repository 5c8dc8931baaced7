"""A Redis that fails, in every way it can: readers get the right tweet, and no exception."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest

from tests.support.redises import MemoryTable, Valkey, impatient, wait_until
from tweetlab import CachedTweets, TweetNotFound
from tweetlab.cache import connect, encode, key


@contextmanager
def impostor(answer: bytes) -> Iterator[str]:
    """The URL of a server that answers each request with the same."""

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536) and answer:
                connection.sendall(answer)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(serve, connection), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _quietly(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with suppress(OSError):  # the client has left
        serve(connection)


def use(cached: CachedTweets, table: MemoryTable) -> None:
    """Everything one can do; each answer must be right."""
    tweet, other = cached.create("Before."), cached.create("Other.")
    for _ in range(3):
        assert cached.get(tweet.tweet_id) == tweet
        assert cached.get_many([tweet.tweet_id, other.tweet_id, uuid4()]) == {
            tweet.tweet_id: tweet,
            other.tweet_id: other,
        }
    edited = cached.edit(tweet.tweet_id, "After.")
    for _ in range(3):
        assert cached.read(tweet.tweet_id).tweet == edited
        assert cached.get_many([tweet.tweet_id]) == {tweet.tweet_id: edited}
    cached.delete(tweet.tweet_id)
    for _ in range(3):
        with pytest.raises(TweetNotFound):
            cached.get(tweet.tweet_id)
        assert list(cached.get_many([tweet.tweet_id, other.tweet_id])) == [other.tweet_id]


ANSWERS = {
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "master down": b"-MASTERDOWN Link with MASTER is down\r\n",
    "cluster down": b"-CLUSTERDOWN The cluster is down\r\n",
    "moved": b"-MOVED 1 127.0.0.1:1\r\n",
    "no password": b"-NOAUTH Authentication required.\r\n",
    "no permission": b"-NOPERM this user has no permissions to run EVAL\r\n",
    "unknown": b"-ERR unknown command\r\n",
    "disk full": b"-MISCONF Errors writing to the AOF file\r\n",
    "hangs up": b"",
    "no Redis": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "half a value": b"$12\r\nhalf",
    "nothing": b"$-1\r\n",
    "a value": b"$5\r\nhello\r\n",
    "a number": b":7\r\n",
    "an empty list": b"*0\r\n",
    "no list": b"*-1\r\n",
    "a lease of nobody": b"*3\r\n$5\r\nlease\r\n$-1\r\n$-1\r\n",
    "ok": b"+OK\r\n",
    "noise": random.Random(0).randbytes(100) + b"\r\n",
}


@pytest.mark.parametrize("options", [{}, {"breaker_failures": None}, {"local_ttl": 1000}], ids=str)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_server_that_answers_nonsense(
    table: MemoryTable, answer: str, options: dict[str, Any]
) -> None:
    with impostor(ANSWERS[answer]) as url, connect(url, timeout=0.01) as client:
        cached = CachedTweets(table, client, **options)
        use(cached, table)
        assert cached.stats.errors > 0


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_server_that_answers_nonsense_to_one_who_only_reads(
    table: MemoryTable, answer: str
) -> None:
    """A write that Redis does not confirm ends all reading from it; here there is none."""
    with impostor(ANSWERS[answer]) as url, connect(url, timeout=0.01) as client:
        for options in ({}, {"breaker_failures": None}, {"single_flight": False}):
            cached = CachedTweets(table, client, **options)
            tweet, other = table.create("Example tweet."), table.create("Other.")
            for _ in range(2):
                assert cached.get(tweet.tweet_id) == tweet
                found = cached.get_many([tweet.tweet_id, other.tweet_id, uuid4()])
                assert found == {tweet.tweet_id: tweet, other.tweet_id: other}
                with pytest.raises(TweetNotFound):
                    cached.get(uuid4())


def test_a_server_that_was_never_there(table: MemoryTable, server: Valkey) -> None:
    server.kill()
    with connect(server.url) as client:
        cached = CachedTweets(table, client)
        use(cached, table)
        assert cached.stats.breaker == "open"


def test_a_server_that_hangs_is_left_alone_until_it_answers(
    table: MemoryTable, server: Valkey
) -> None:
    probes: list[Callable[[], None]] = []
    with impatient(server.url) as client:
        cached = CachedTweets(table, client, breaker_pause=0, background=probes.append)
        tweet = table.create("Example tweet.")
        cached.get(tweet.tweet_id)
        server.pause()
        for _ in range(20):
            assert cached.read(tweet.tweet_id).source == "table"
        assert cached.stats.errors == 3
        assert [event.what for event in cached.stats.events][-2:] == [
            "breaker open",
            "breaker half-open",
        ]
        [probe] = probes
        probe()
        assert cached.stats.breaker == "open"
        server.resume()

        def is_back() -> bool:
            cached.get(tweet.tweet_id)  # has it tried again
            probes[-1]()
            return cached.stats.breaker == "closed"

        wait_until(is_back)
        wait_until(lambda: cached.read(tweet.tweet_id).source == "cache")


def test_a_breaker_that_cannot_be_tried_now_is_tried_later(
    table: MemoryTable, server: Valkey
) -> None:
    """There may be no thread left, which is no failure of the reader."""
    probes: list[Callable[[], None]] = []

    def background(job: Callable[[], None]) -> None:
        probes.append(job)
        if len(probes) == 1:
            raise RuntimeError("can't start new thread")

    with connect(server.url, timeout=10) as client:
        cached = CachedTweets(table, client, breaker_pause=0, background=background)
        tweet = table.create("Example tweet.")
        server.kill()
        for _ in range(3):
            cached.get(tweet.tweet_id)
        server.start()
        assert cached.stats.breaker == "open"
        assert cached.get(tweet.tweet_id) == tweet
        assert cached.stats.breaker == "open"
        assert "can't start new thread" in cached.stats.events[-2].what
        assert cached.get(tweet.tweet_id) == tweet
        probes[1]()
        assert cached.stats.breaker == "closed"


@pytest.mark.parametrize("answer", ["master down", "cluster down"])
def test_a_server_that_refuses_to_be_read_is_left_alone(table: MemoryTable, answer: str) -> None:
    with impostor(ANSWERS[answer]) as url, connect(url, timeout=10) as client:
        cached = CachedTweets(table, client, breaker_pause=1000)
        tweet = table.create("Example tweet.")
        for _ in range(5):
            assert cached.get(tweet.tweet_id) == tweet
        assert (cached.stats.errors, cached.stats.breaker) == (3, "open")


def test_a_server_that_was_killed_and_came_back(table: MemoryTable, server: Valkey) -> None:
    with connect(server.url) as client:
        cached = CachedTweets(table, client, breaker_pause=0.001)
        use(cached, table)
        server.kill()
        use(cached, table)
        server.start()
        tweet = table.create("Example tweet.")
        wait_until(lambda: cached.read(tweet.tweet_id).source == "cache")
        assert cached.stats.breaker == "closed"


def test_a_server_that_restarts_costs_no_failure_for_each_open_connection(
    table: MemoryTable, server: Valkey
) -> None:
    with connect(server.url, timeout=10) as client:
        cached = CachedTweets(table, client)
        tweet = table.create("Example tweet.")
        cached.get(tweet.tweet_id)
        for _ in range(5):
            server.kill()
            server.start()
            assert cached.get(tweet.tweet_id) == tweet
        assert (cached.stats.errors, cached.stats.breaker) == (0, "closed")


def test_a_read_only_server_still_answers_reads(table: MemoryTable, server: Valkey) -> None:
    with connect(server.url, timeout=10) as client:
        cached = CachedTweets(table, client)
        tweet, other = table.create("Example tweet."), table.create("Other.")
        cached.get(tweet.tweet_id)
        client.execute_command("REPLICAOF", "127.0.0.1", 1)
        assert cached.read(tweet.tweet_id).source == "cache"
        assert cached.read(other.tweet_id).source == "table"
        assert (
            cached.get_many([tweet.tweet_id, other.tweet_id, uuid4()]).keys() == table.tweets.keys()
        )
        assert cached.stats.breaker == "closed"
        use(cached, table)


def test_a_full_server_still_answers_reads_and_forgets_what_was_edited(
    table: MemoryTable, server: Valkey
) -> None:
    with connect(server.url, timeout=10) as client:
        cached = CachedTweets(table, client)
        tweet, other = table.create("Example tweet."), table.create("Other.")
        cached.get(tweet.tweet_id)
        client.config_set("maxmemory", "1")
        assert cached.read(tweet.tweet_id).source == "cache"
        assert cached.read(other.tweet_id).source == "table"
        cached.edit(tweet.tweet_id, "After.")
        assert not client.exists(key(tweet.tweet_id))
        assert cached.stats.breaker == "closed"
        use(cached, table)


def test_a_server_that_fails_in_the_middle_of_a_read(table: MemoryTable, server: Valkey) -> None:
    """After it said what it has, and before it takes what the table has."""
    with connect(server.url) as client:
        cached = CachedTweets(table, client)
        tweet = table.create("Example tweet.")
        table.before_answer = lambda tweet_id: server.kill()
        assert cached.get(tweet.tweet_id) == tweet
        table.before_answer = lambda tweet_id: None
        server.start()
        assert cached.get_many([tweet.tweet_id]) == {tweet.tweet_id: tweet}
        table.before_answer = lambda tweet_id: server.kill()
        other = table.create("Other.")
        assert cached.get_many([other.tweet_id]) == {other.tweet_id: other}
        server.start()


def test_too_many_connections_are_no_failure_of_the_reader(
    table: MemoryTable, server: Valkey
) -> None:
    with connect(server.url + "?max_connections=1", timeout=10) as client:
        cached = CachedTweets(table, client)
        tweet = table.create("Example tweet.")
        client.set(key(tweet.tweet_id), encode(tweet))
        connection = client.connection_pool.get_connection()
        assert cached.get(tweet.tweet_id) == tweet
        client.connection_pool.release(connection)
        assert cached.read(tweet.tweet_id).source == "cache"


def test_a_cache_that_is_gone_leaves_no_connection_behind(table: MemoryTable, client: Any) -> None:
    tweet = table.create("Example tweet.")
    for _ in range(300):
        cached = CachedTweets(table, client)
        assert cached.get(tweet.tweet_id) == tweet
        del cached
    assert len(client.connection_pool._in_use_connections) == 0
