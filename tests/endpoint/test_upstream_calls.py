"""What a call asks of the upstream beside itself, and what may not come between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.redises import in_threads, join, wait_until
from tests.support.serving import Server, item

KEY = {"id": {"S": "a"}}


@pytest.fixture
def server(moto_server: Server) -> Iterator[Server]:
    """What is asked does not depend on the upstream."""
    yield moto_server
    moto_server.delete_tables()


@pytest.fixture
def sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations that went upstream."""
    operations: list[str] = []
    send = server.upstream.send

    async def note(operation: str, *request: Any) -> Any:
        operations.append(operation)
        return await send(operation, *request)

    monkeypatch.setattr(server.upstream, "send", note)
    return operations


@pytest.fixture
def table(server: Server) -> str:
    name = server.create_table()
    server.dynamodb.put_item(TableName=name, Item=item("a", 100))
    return name


def requests(table: str, **shown: Any) -> dict[str, dict[str, Any]]:
    """Reads of one item."""
    batch = {"Keys": [KEY], **shown}
    values = {"ExpressionAttributeValues": {":a": {"S": "a"}}}
    return {
        "get_item": {"TableName": table, "Key": KEY, **shown},
        "batch_get_item": {"RequestItems": {table: batch}},
        "transact_get_items": {
            "TransactItems": [{"Get": {"TableName": table, "Key": KEY, **shown}}]
        },
        "scan": {"TableName": table, **shown},
        "query": {"TableName": table, "KeyConditionExpression": "id = :a", **values, **shown},
    }


@pytest.mark.parametrize("method", requests(""))
def test_a_read_that_shows_all_asks_the_upstream_once(
    server: Server, table: str, sent: list[str], method: str
) -> None:
    getattr(server.dynamodb, method)(**requests(table)[method])
    assert sent == ["".join(word.title() for word in method.split("_"))]


@pytest.mark.parametrize("method", requests(""))
def test_a_read_that_shows_less_asks_once_more_for_what_was_read(
    server: Server, table: str, sent: list[str], method: str
) -> None:
    request = requests(table, ProjectionExpression="id")[method]
    getattr(server.dynamodb, method)(**request)
    own = "".join(word.title() for word in method.split("_"))
    assert sent == [own, own if method in ("scan", "query") else "GetItem"]


def test_a_write_asks_what_was_there_and_an_update_what_it_left(
    server: Server, table: str, sent: list[str]
) -> None:
    server.dynamodb.put_item(TableName=table, Item=item("a", 200))
    server.dynamodb.delete_item(TableName=table, Key=KEY)
    assert sent == ["GetItem", "PutItem", "GetItem", "DeleteItem"]
    sent.clear()
    update = {"UpdateExpression": "SET b = :b", "ExpressionAttributeValues": {":b": {"S": "c"}}}
    server.dynamodb.update_item(TableName=table, Key=KEY, **update)
    assert sent == ["GetItem", "UpdateItem", "GetItem"]


@dataclass
class Held:
    """What went upstream, where the first call of one operation waits until it may go on."""

    sent: list[str]
    go_on: threading.Event

    def wait_for(self, *operations: str) -> None:
        wait_until(lambda: self.sent == list(operations))


@pytest.fixture
def hold(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Held]]:
    held = Held([], threading.Event())
    send = server.upstream.send

    def begin(which: str) -> Held:
        async def wait(operation: str, *request: Any) -> Any:
            held.sent.append(operation)
            if operation == which and held.sent.count(which) == 1:
                await asyncio.get_running_loop().run_in_executor(None, held.go_on.wait, 60)
            return await send(operation, *request)

        monkeypatch.setattr(server.upstream, "send", wait)
        return held

    yield begin
    held.go_on.set()


def put(server: Server, table: str, kilobytes: int) -> Any:
    return server.dynamodb.put_item(TableName=table, Item=item("a", kilobytes * 1024))


def is_throttled(answer: Any) -> bool:
    assert isinstance(answer, ClientError)
    code = answer.response["Error"]["Code"]
    return code in ("ProvisionedThroughputExceededException", "TransactionCanceledException")


def test_writes_to_a_table_go_through_one_at_a_time(
    server: Server, table: str, hold: Callable[[str], Held]
) -> None:
    """So that each is charged for what it finds, and for what it leaves."""
    held = hold("PutItem")
    lock: Any = server.known(table).lock
    with server.charged(table) as charged:
        first, _ = in_threads(1, lambda: put(server, table, 5))
        held.wait_for("GetItem", "PutItem")
        second, _ = in_threads(1, lambda: server.dynamodb.delete_item(TableName=table, Key=KEY))
        wait_until(lambda: lock._waiters)
        assert held.sent == ["GetItem", "PutItem"]
        held.go_on.set()
        join(first + second)
    assert held.sent == ["GetItem", "PutItem", "GetItem", "DeleteItem"]
    assert charged.writes == 5 + 5


def test_a_write_that_is_refused_does_not_wait_for_others(
    server: Server, table: str, hold: Callable[[str], Held]
) -> None:
    held = hold("PutItem")
    first, _ = in_threads(1, lambda: put(server, table, 1))
    held.wait_for("GetItem", "PutItem")
    server.known(table).capacity.charge("write", None, 2000)
    second, results = in_threads(1, lambda: put(server, table, 2))
    wait_until(lambda: results)
    assert is_throttled(results[0])
    held.go_on.set()
    join(first + second)
    assert held.sent == ["GetItem", "PutItem"]


def test_a_write_that_is_refused_when_its_turn_comes_asks_nothing(
    server: Server, table: str, hold: Callable[[str], Held]
) -> None:
    held = hold("PutItem")
    lock: Any = server.known(table).lock
    first, _ = in_threads(1, lambda: put(server, table, 1))
    held.wait_for("GetItem", "PutItem")
    second, results = in_threads(1, lambda: put(server, table, 2))
    wait_until(lambda: lock._waiters)
    server.known(table).capacity.charge("write", None, 2000)
    held.go_on.set()
    join(first + second)
    assert is_throttled(results[0])
    assert held.sent == ["GetItem", "PutItem"]


@pytest.mark.parametrize("method", requests(""))
def test_of_reads_under_way_those_that_find_the_bucket_empty_are_throttled(
    server: Server, table: str, hold: Callable[[str], Held], method: str
) -> None:
    own = "".join(word.title() for word in method.split("_"))
    held = hold(own)
    read = getattr(server.dynamodb, method)
    threads, results = in_threads(1, lambda: read(**requests(table)[method]))
    held.wait_for(own)
    server.known(table).capacity.charge("read", None, 2000)
    with server.charged(table) as charged:
        held.go_on.set()
        join(threads)
    assert is_throttled(results[0])
    assert charged.reads == 0


@pytest.mark.parametrize("method", requests(""))
def test_a_read_that_is_refused_asks_nothing(
    server: Server, table: str, sent: list[str], method: str
) -> None:
    server.known(table).capacity.charge("read", None, 2000)
    with pytest.raises(ClientError) as raised:
        getattr(server.dynamodb, method)(**requests(table)[method])
    assert is_throttled(raised.value)
    assert sent == []


def test_a_write_that_the_table_or_an_index_refuses_is_not_made(
    server: Server, table: str, sent: list[str]
) -> None:
    server.known(table).capacity.charge("write", None, 2000)
    with pytest.raises(ClientError) as raised:
        put(server, table, 1)
    assert is_throttled(raised.value)
    assert sent == []
