"""The short way to GET: connections that the kernel times, and that are the pool's again after."""

from __future__ import annotations

import socket
import struct
from typing import Any
from unittest.mock import patch

import pytest
import redis

from tests.support.redises import Server
from tweetlab.cache import Client, connect
from tweetlab.cache.quick import QuickGet


def test_the_kernel_keeps_the_time_while_a_connection_is_at_hand(client: Client) -> None:
    get = QuickGet(client)
    assert get("nothing") is None
    sock: Any = get._ready[0]._sock
    assert sock.gettimeout() is None
    size = struct.calcsize("ll")
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        seconds, micros = struct.unpack("ll", sock.getsockopt(socket.SOL_SOCKET, option, size))
        assert seconds + micros / 1e6 == pytest.approx(10, abs=0.1)  # the kernel rounds it


def test_a_connection_that_goes_back_to_the_pool_is_timed_as_before(client: Client) -> None:
    get = QuickGet(client)
    get("nothing")
    sock: Any = get._ready[0]._sock
    del get
    pool: Any = client.connection_pool  # type: ignore[union-attr]
    connection = pool.get_connection()
    assert connection._sock is sock
    assert sock.gettimeout() == 10
    pool.release(connection)
    assert client.ping()


def test_a_server_that_hangs_is_waited_for_once(server: Server) -> None:
    with connect(server.url, timeout=0.3) as client:
        get = QuickGet(client)
        get("nothing")
        server.pause()
        with patch.object(client, "execute_command") as asked_again:
            with pytest.raises(redis.TimeoutError):
                get("nothing")
            asked_again.assert_not_called()
        assert not get._ready
        server.resume()


def test_a_server_that_closed_the_connection_is_asked_again(server: Server) -> None:
    with connect(server.url, timeout=10) as client:
        client.set("key", "value")
        get = QuickGet(client)
        assert get("key") == b"value"
        client.client_kill_filter(_type="normal", skipme=True)
        assert get("key") == b"value"
