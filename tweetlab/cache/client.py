"""A Redis client fit for a cache: it gives up soon, and has connections at hand."""

import os
import threading
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

Client = redis.Redis | redis.RedisCluster

TIMEOUT = 0.06
"""Seconds a Redis may take to answer before the table is read instead."""

_CONNECTIONS = 1024
"""Each thread that is waiting for Redis holds a connection; redis-py allows 100 unless told."""

_AT_HAND = 64
"""Connections kept at hand at most, and at most a quarter of the pool's."""

_START_SECONDS = 1
"""Patience at the start, when nobody is waiting for a tweet."""


def connect(url: str, timeout: float = TIMEOUT) -> Client:
    """A client of the Redis at ``url``, or of the cluster that this server belongs to.

    It gives up after ``timeout`` seconds and tries only once. redis-py's defaults retry for
    seconds on a server that is down and wait a minute on one that hangs; a cache must be faster
    than the table it stands in front of.

    Any server of a cluster will do: it is asked whether it is one, and for the others. A server
    that does not answer yet is taken for a single one.
    """
    if _is_cluster(url, max(timeout, _START_SECONDS)):
        return redis.RedisCluster.from_url(url, **_options(timeout))
    return redis.Redis.from_url(url, **_options(timeout))


def _is_cluster(url: str, timeout: float) -> bool:
    with redis.Redis.from_url(url, **_options(timeout)) as client:
        try:
            return bool(client.info("cluster").get("cluster_enabled"))
        except Exception:  # whatever it is, it will show when a tweet is read
            return False


def _options(timeout: float) -> dict[str, Any]:
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": _CONNECTIONS,
        # Neither needs a round trip before the first command: when a popular tweet expires,
        # each waiting thread may need a new connection.
        "protocol": 2,
        "driver_info": None,
    }


class Getter:
    """Gets the bytes at a key, which is what a cache does most.

    redis-py takes a connection from its pool for each command, behind a lock, and looks whether it
    is still good: a third of what a hit costs. Here some clients with a connection of their own are
    kept at hand, as ``client.client()`` of redis-py makes them. If one fails, or is interrupted
    between question and answer, its connection is closed, since the answer may still come.

    That goes for a plain pool. A cluster, a pool that blocks and one that follows a Sentinel have
    reasons of their own to choose a connection: there, and where all that may be kept are in use,
    the client is asked in its own way.
    """

    def __init__(self, client: Client) -> None:
        self._client: Any = client
        pool = getattr(client, "connection_pool", None)
        is_plain = type(client) is redis.Redis and type(pool) is redis.ConnectionPool
        self._most = min(_AT_HAND, pool.max_connections // 4) if is_plain and pool else 0
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._at_hand: list[Any] = []
        self._room = threading.Semaphore(self._most)

    def get(self, key: str) -> bytes | None:
        """The value, or None; raises as the client does."""
        if self._process != os.getpid():  # forked: those connections are the parent's
            self._begin()
        try:
            client = self._at_hand.pop()
        except IndexError:
            client = self._new_client()
            if client is None:
                return _get(self._client, key)
        try:
            value = _get(client, key)
        except redis.ResponseError:
            self._at_hand.append(client)
            raise
        except BaseException as error:
            if client.connection:
                client.connection.disconnect()
            client.close()
            self._room.release()
            if not isinstance(error, redis.ConnectionError):
                raise
            return _get(self._client, key)  # the server had closed the connection meanwhile
        self._at_hand.append(client)
        return value

    def _new_client(self) -> Any:
        """One more client with a connection of its own; None if there are enough."""
        if not self._room.acquire(blocking=False):
            return None
        try:
            return self._client.client()
        except BaseException:
            self._room.release()
            raise


def _get(client: Any, key: str) -> bytes | None:
    value: bytes | None = client.execute_command("GET", key, NEVER_DECODE=True)
    return value
