"""An endpoint that a test serves in its own process, on a clock that only the test moves."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tweetlab import endpoint
from tweetlab.endpoint.owners import Owner
from tweetlab.endpoint.upstream import Upstream
from tweetlab.endpoint.wire import Answer

TARGET = "DynamoDB_20120810."
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
"""DynamoDB Local wants a signature, but does not check it."""
STRING_KEY = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Charged:
    """Units taken from a table's or an index's buckets; known when the ``with`` block ends."""

    reads: float = 0.0
    writes: float = 0.0


@dataclass
class Reply:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running endpoint, and what tests do with it. ``dynamodb`` tries each request once."""

    url: str
    clock: Clock
    upstream: Upstream
    dynamodb: Any
    _endpoint: endpoint.Endpoint
    _loop: asyncio.AbstractEventLoop
    _tables: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def create_table(self, read: int = 1000, write: int = 1000, **request: Any) -> str:
        """Create a table with a string key ``id``, unless told otherwise; give its name."""
        name = f"table-{next(self._numbers)}"
        throughput = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
        self.dynamodb.create_table(
            **{"TableName": name, "ProvisionedThroughput": throughput, **STRING_KEY, **request}
        )
        self._tables.append(name)
        return name

    def delete_tables(self) -> None:
        """Delete the tables made with ``create_table`` that are still there."""
        for name in self._tables:
            with suppress(self.dynamodb.exceptions.ResourceNotFoundException):
                self.dynamodb.delete_table(TableName=name)
        self._tables.clear()

    @contextmanager
    def charged(self, table: str, index: str | None = None) -> Iterator[Charged]:
        """Measure what the block takes from the buckets: not what the answers report."""
        charged = Charged()
        before = self.held(table, index)
        yield charged
        after = self.held(table, index)
        charged.reads, charged.writes = before[0] - after[0], before[1] - after[1]

    def held(self, table: str, index: str | None = None) -> tuple[float, float]:
        """The read and write units that the buckets hold now."""
        known = self.known(table)
        assert known
        capacity = (known.indexes[index].resource if index else known).capacity
        assert capacity
        return capacity.reads.units(self.clock()), capacity.writes.units(self.clock())

    @property
    def backend(self) -> Any:
        """What the endpoint knows of the tables of ``dynamodb``'s access key."""
        return self._endpoint.backends.of(Owner("test", "us-east-1"))

    def known(self, table: str) -> Any:
        """The table as the endpoint knows it; None for one that it has not learnt."""
        return self.backend.tables.get(table)

    def around(self, operation: str, **request: Any) -> dict[str, Any]:
        """What the upstream says to a request that goes around the endpoint, and that is well."""
        answer = self.upstream_answers(operation, **request)
        assert answer.ok, answer.body
        return answer.json

    def upstream_answers(self, operation: str, **request: Any) -> Answer:
        """What the upstream says to any request that goes around the endpoint."""
        headers = {name.lower(): value for name, value in SIGNED.items()}
        sending = self.upstream.send(operation, json.dumps(request).encode(), headers)
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def post(self, operation: str, body: bytes | dict[str, Any], **headers: str) -> Reply:
        """Send a request as it is, without a client that would mend or retry it."""
        headers = {"X-Amz-Target": TARGET + operation, **SIGNED, **headers}
        return self.request("POST", body, headers)

    def request(
        self,
        method: str,
        body: bytes | dict[str, Any] = b"",
        headers: dict[str, str] | None = None,
        path: str = "/",
    ) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()


@contextmanager
def serving(
    make_upstream: Callable[[], Upstream],
    request_seconds: float = 30,
    patience: Clock | None = None,
    shared: bool = False,
    **limits: Any,
) -> Iterator[Server]:
    """Serve an endpoint with those limits until the block ends; it leaves no table upstream, which
    may have ``shared`` tables. By the clock ``patience``, if there is one, it waits for its
    clients."""
    clock = Clock()
    loop = asyncio.new_event_loop()
    if patience:
        loop.time = patience  # type: ignore[method-assign]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Any, str, endpoint.Endpoint, Upstream]:
        upstream = make_upstream()
        served = endpoint.Endpoint(upstream, endpoint.Limits(clock=clock, **limits), shared)
        return *await endpoint.start(served, 0, request_seconds), served, upstream

    runner, url, served, upstream = asyncio.run_coroutine_threadsafe(start(), loop).result()
    dynamodb = client(url)
    server = Server(url, clock, upstream, dynamodb, served, loop)
    try:
        yield server
        server.delete_tables()
    finally:
        dynamodb.close()
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def client(
    url: str,
    attempts: int = 1,
    region: str = "us-east-1",
    access_key: str = "test",
    secret_key: str = "test",
    **settings: Any,
) -> Any:
    """An ordinary boto3 client: no code of tweetlab's between a test and the endpoint."""
    return boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=32,
        ),
        **settings,
    )


def item(key: str, size: int, **more: Any) -> dict[str, Any]:
    """An item of a table with the key ``id`` that has exactly ``size`` bytes, names included."""
    used = len("id") + len(key) + len("text")
    used += sum(len(name) + len(value["S"]) for name, value in more.items())
    return {"id": {"S": key}, "text": {"S": "x" * (size - used)}, **more}
