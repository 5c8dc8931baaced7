"""BatchWriteItem in part, and batches that are none; BatchGetItem's part is in test_throttling."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.asking import reads_served, throttled, write
from tests.support.serving import Server, item, serving
from tweetlab.endpoint.wire import Answer, dump

KB = 1024


def puts(*items: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": item}} for item in items]


def stored(server: Server, table: str) -> set[str]:
    return {found["id"]["S"] for found in server.around("Scan", TableName=table)["Items"]}


def test_the_throttled_writes_of_a_batch_are_not_made_and_come_back(server):
    table = server.create_table(write=3)
    server.around("PutItem", TableName=table, Item=item("gone", 100))
    requests = [{"DeleteRequest": {"Key": {"id": {"S": "gone"}}}}]
    requests += puts(*(item(key, 100) for key in "abcd"))
    with server.charged(table) as charged:
        answer = server.dynamodb.batch_write_item(
            RequestItems={table: requests}, ReturnConsumedCapacity="TOTAL"
        )
    assert charged.writes == 3
    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 3}]
    assert stored(server, table) == {"a", "b"}
    left = answer["UnprocessedItems"]
    assert left == {table: requests[3:]}

    server.clock.advance(1)
    assert server.dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"] == {}
    assert stored(server, table) == set("abcd")


def test_each_write_of_a_batch_costs_what_it_changes(server):
    table = server.create_table()
    server.around("PutItem", TableName=table, Item=item("a", 5 * KB))
    requests = puts(item("a", 100), item("b", int(1.5 * KB)))
    with server.charged(table) as charged:
        server.dynamodb.batch_write_item(RequestItems={table: requests})
    assert charged.writes == 5 + 2


def test_one_large_write_overdraws_once_and_those_after_it_come_back(server):
    table = server.create_table(write=1)
    requests = puts(item("large", 10 * KB), item("small", 100))
    answer = server.dynamodb.batch_write_item(RequestItems={table: requests})
    assert answer["UnprocessedItems"] == {table: requests[1:]}
    server.clock.advance(9)
    assert write(server, table, "small")
    server.clock.advance(0.5)
    assert write(server, table, "small") is None


def test_a_batch_of_writes_is_an_error_only_if_no_table_takes_any_of_it(server):
    empty, full = server.create_table(write=1), server.create_table(write=10)
    assert write(server, empty, "x") is None
    request = {empty: puts(item("a", 100)), full: puts(item("a", 100), item("b", 100))}
    answer = server.dynamodb.batch_write_item(RequestItems=request, ReturnConsumedCapacity="TOTAL")
    assert answer["UnprocessedItems"] == {empty: request[empty]}
    assert answer["ConsumedCapacity"] == [{"TableName": full, "CapacityUnits": 2}]
    assert stored(server, full) == {"a", "b"}

    while not write(server, full):
        pass
    reason = throttled(server.dynamodb.batch_write_item, RequestItems=request)
    assert reason and reason["reason"] == "TableWriteProvisionedThroughputExceeded"
    assert stored(server, empty) == {"x"}


def test_what_the_upstream_refuses_costs_nothing(server):
    table = server.create_table(write=5)
    wrong = {"id": {"N": "1"}}
    with (
        server.charged(table) as charged,
        pytest.raises(ClientError, match="ValidationException"),
    ):
        server.dynamodb.batch_write_item(RequestItems={table: puts(item("a", 100), wrong)})
    assert charged.writes == 0


@pytest.mark.parametrize("exhausted", [False, True], ids=["served", "throttled"])
@pytest.mark.parametrize(
    ("operation", "entries", "message"),
    [
        pytest.param(
            "batch_get_item",
            {"Keys": [{"id": {"S": str(n)}} for n in range(101)]},
            "Too many items",
            id="101 keys",
        ),
        pytest.param(
            "batch_get_item", {"Keys": [{"id": {"S": "a"}}] * 2}, "duplicates", id="a key twice"
        ),
        pytest.param(
            "batch_write_item",
            puts(*({"id": {"S": str(n)}} for n in range(26))),
            "Too many items",
            id="26 writes",
        ),
        pytest.param(
            "batch_write_item",
            [*puts({"id": {"S": "a"}}), {"DeleteRequest": {"Key": {"id": {"S": "a"}}}}],
            "duplicates",
            id="an item written twice",
        ),
        pytest.param("batch_write_item", [{}], "write request", id="a write of nothing"),
    ],
)
def test_a_batch_that_is_none_is_refused_before_it_is_throttled(
    server, operation, entries, message, exhausted
):
    """What is left of it when some is throttled might pass for one."""
    table = server.create_table(read=1, write=1)
    if exhausted:
        reads_served(server, table)
        write(server, table)
    with server.charged(table) as charged, pytest.raises(ClientError, match=message) as raised:
        getattr(server.dynamodb, operation)(RequestItems={table: entries})
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    assert (charged.reads, charged.writes) == (0, 0)


class Hesitant:
    """An upstream with a full table that reads two keys of a batch at most."""

    async def send(self, operation: str, body: bytes, headers: Any) -> Answer:
        request = json.loads(body)
        if operation == "DescribeTable":
            throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
            description = {
                "TableName": request["TableName"],
                "TableArn": "arn",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "ProvisionedThroughput": throughput,
            }
            return Answer(200, dump({"Table": description}))
        ((name, entry),) = request["RequestItems"].items()
        keys = entry["Keys"]
        answer: dict[str, Any] = {"Responses": {name: keys[:2]}, "UnprocessedKeys": {}}
        if keys[2:]:
            answer["UnprocessedKeys"] = {name: {"Keys": keys[2:]}}
        return Answer(200, dump(answer))

    async def close(self) -> None:
        pass


def test_what_the_upstream_leaves_is_not_charged_and_comes_back_with_the_throttled():
    keys = [{"id": {"S": key}} for key in "abcd"]
    with serving(Hesitant) as server:
        answer = server.dynamodb.batch_get_item(
            RequestItems={"table": {"Keys": keys}}, ReturnConsumedCapacity="TOTAL"
        )
        assert answer["Responses"] == {"table": keys[:2]}
        assert answer["UnprocessedKeys"] == {"table": {"Keys": keys[2:]}}
        assert answer["ConsumedCapacity"] == [{"TableName": "table", "CapacityUnits": 1}]

        server.clock.advance(0.5)
        answer = server.dynamodb.batch_get_item(RequestItems={"table": {"Keys": keys}})
        assert answer["Responses"] == {"table": keys[:1]}
        assert answer["UnprocessedKeys"] == {"table": {"Keys": keys[1:]}}
