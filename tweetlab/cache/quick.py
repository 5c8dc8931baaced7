"""A short way to ``GET``, which is what a cache does most."""

from __future__ import annotations

import os
import socket
import struct
import sys
import weakref
from typing import Any

import redis

from tweetlab.cache.client import Client

READY = 64
"""Connections kept at most, and at most a quarter of the pool's; more go back to it each time."""
_KERNEL_TAKES_SECONDS = sys.platform in ("linux", "darwin")
"""Whether SO_RCVTIMEO is a ``struct timeval``, as POSIX has it."""


class QuickGet:
    """Gets the bytes at a key, by connections of the client's pool that are kept at hand.

    redis-py looks at a connection each time it is taken from the pool, by a system call, and wraps
    each command in its retries: half of what a hit costs. Here a connection is used as it is, and
    only if the server has closed it meanwhile, the client is asked in its own way. Its time-out is
    kept by the kernel: Python's takes a system call more each way, and before and after each of
    them threads queue for the interpreter.

    That goes for a plain pool. A cluster, a pool that blocks and one that follows a Sentinel have
    reasons of their own to choose a connection: there the client is always asked.
    """

    def __init__(self, client: Client) -> None:
        self._client: Any = client
        pool = getattr(client, "connection_pool", None)
        self._pool = pool if type(pool) is redis.ConnectionPool else None
        self._room = min(READY, self._pool.max_connections // 4) if self._pool else 0
        self._ready: list[Any] = []
        self._process = os.getpid()
        weakref.finalize(self, _give_back, self._pool, self._ready)

    def __call__(self, key: str) -> bytes | None:
        """The value, or None; raises as the client does."""
        if self._pool is None:
            return self._ask_client(key)
        if self._process != os.getpid():  # forked: the connections are the parent's
            self._ready.clear()
            self._process = os.getpid()
        try:
            connection = self._ready.pop()
        except IndexError:
            connection = self._pool.get_connection()
            _time_out_in_kernel(connection)
        try:
            connection.send_command("GET", key)
            value: bytes | None = connection.read_response(disable_decoding=True)
        except redis.ResponseError:
            self._put_back(connection)
            raise
        except redis.ConnectionError as error:
            self._discard(connection)
            if isinstance(error.__context__, BlockingIOError):  # the kernel's time-out
                raise redis.TimeoutError("Timeout reading from socket") from error
            return self._ask_client(key)
        except BaseException:
            self._discard(connection)
            raise
        self._put_back(connection)
        return value

    def _put_back(self, connection: Any) -> None:
        if len(self._ready) < self._room:
            self._ready.append(connection)
        else:
            _give_back(self._pool, [connection])

    def _discard(self, connection: Any) -> None:
        connection.disconnect()
        _give_back(self._pool, [connection])

    def _ask_client(self, key: str) -> bytes | None:
        value: bytes | None = self._client.execute_command("GET", key, NEVER_DECODE=True)
        return value


def _time_out_in_kernel(connection: Any) -> None:
    plain, seconds = _plain_socket(connection), connection.socket_timeout
    if plain and seconds:
        whole, part = divmod(seconds, 1)
        timeval = struct.pack("ll", int(whole), max(1, int(part * 1e6)))
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        plain.settimeout(None)


def _give_back(pool: Any, connections: list[Any]) -> None:
    while connections:
        connection = connections.pop()
        if plain := _plain_socket(connection):
            plain.settimeout(connection.socket_timeout)
        pool.release(connection)


def _plain_socket(connection: Any) -> socket.socket | None:
    """The connection's socket; not one with TLS, whose time is Python's to keep."""
    found = getattr(connection, "_sock", None)
    return found if type(found) is socket.socket and _KERNEL_TAKES_SECONDS else None
