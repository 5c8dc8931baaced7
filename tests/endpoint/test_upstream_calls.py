"""What a call asks of the upstream beside itself, and what may not come between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

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


def test_writes_to_a_table_go_through_one_at_a_time(
    server: Server, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that each is charged for what it finds, and for what it leaves."""
    sent: list[str] = []
    go_on = threading.Event()
    send = server.upstream.send

    async def hold_the_first(operation: str, *request: Any) -> Any:
        sent.append(operation)
        if sent == ["GetItem", "PutItem"]:
            await asyncio.get_running_loop().run_in_executor(None, go_on.wait, 60)
        return await send(operation, *request)

    monkeypatch.setattr(server.upstream, "send", hold_the_first)
    lock: Any = server.known(table).lock
    with server.charged(table) as charged:
        first, _ = in_threads(
            1, lambda: server.dynamodb.put_item(TableName=table, Item=item("a", 5 * 1024))
        )
        wait_until(lambda: len(sent) == 2)
        second, _ = in_threads(1, lambda: server.dynamodb.delete_item(TableName=table, Key=KEY))
        wait_until(lambda: lock._waiters)
        assert sent == ["GetItem", "PutItem"]
        go_on.set()
        join(first + second)
    assert sent == ["GetItem", "PutItem", "GetItem", "DeleteItem"]
    assert charged.writes == 5 + 5
