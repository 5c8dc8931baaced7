"""Redis servers for the cache's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.redises import MemoryTable, Valkey, cluster
from tweetlab.cache import Client, connect
from tweetlab.lab.servers import valkey


@pytest.fixture(autouse=True)
def written_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow a test is, its writes are no older than the two seconds after which the table
    is consistent by itself."""
    monkeypatch.setattr("tweetlab.cache.leases.SETTLING_MS", 600_000)


@pytest.fixture(scope="session", autouse=True)
def a_cluster_closes_its_connections() -> Iterator[None]:
    """redis-py's client leaves that to the garbage collector, which may find a socket first."""
    close = redis.RedisCluster.close

    def close_all(self: Any) -> None:
        self.disconnect_connection_pools()
        close(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.RedisCluster, "close", close_all)
        yield


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture
def client(valkey_url: str) -> Iterator[Client]:
    """A patient client of the lab's Valkey: on a busy machine it may take its time."""
    with connect(valkey_url, timeout=10) as redis:
        yield redis
        redis.flushall()


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey to be broken."""
    server = Valkey(tmp_path)
    yield server
    server.kill()
