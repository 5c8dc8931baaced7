"""A Redis client fit for a cache: it gives up soon."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

Client = redis.Redis | redis.RedisCluster

TIMEOUT = 0.06
"""Seconds a Redis may take to answer before the table is read instead."""

_CONNECTIONS = 1024
"""Each thread that is waiting for Redis holds a connection; redis-py allows 100 unless told."""

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
