"""A global index admits by itself; a local one shares what its table has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.asking import reads_served, throttled, write
from tests.support.serving import Server, item

ONE_UNIT = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
MANY_UNITS = {"ReadCapacityUnits": 50, "WriteCapacityUnits": 50}
BY_AUTHOR = {
    "IndexName": "by-author",
    "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["likes"]},
    "ProvisionedThroughput": ONE_UNIT,
}
BY_DAY = {
    "IndexName": "by-day",
    "KeySchema": [
        {"AttributeName": "id", "KeyType": "HASH"},
        {"AttributeName": "day", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "ALL"},
}


def attributes(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def tweet(key: str, author: str | None = None) -> dict[str, Any]:
    return item(key, 100, **({"author": {"S": author}} if author else {}))


def exhaust(server: Server, table: str) -> None:
    """Use up what the index has for writes, and nothing of the table's."""
    known = server.known(table)
    assert known
    known.indexes["by-author"].resource.charge("write", "somebody", 1)


@pytest.fixture
def indexed(server) -> str:
    """A table whose index is exhausted; it holds "in", which is in the index, and "out"."""
    table: str = server.create_table(
        AttributeDefinitions=attributes("id", "author"), GlobalSecondaryIndexes=[BY_AUTHOR]
    )
    for each in (tweet("in", "ann"), tweet("out")):
        server.around("PutItem", TableName=table, Item=each)
    # It learns the table, and is not charged.
    server.dynamodb.get_item(TableName=table, Key={"id": {"S": "in"}})
    exhaust(server, table)
    return table


def put(table: str, key: str, author: str | None = None) -> tuple[str, dict[str, Any]]:
    return "put_item", {"TableName": table, "Item": tweet(key, author)}


def update(table: str, key: str, expression: str) -> tuple[str, dict[str, Any]]:
    return "update_item", {
        "TableName": table,
        "Key": {"id": {"S": key}},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": {":v": {"S": "x"}},
    }


def old_update(table: str, key: str, name: str) -> tuple[str, dict[str, Any]]:
    """As it was asked before there were expressions."""
    changed = {name: {"Value": {"S": "x"}, "Action": "PUT"}}
    key_ = {"id": {"S": key}}
    return "update_item", {"TableName": table, "Key": key_, "AttributeUpdates": changed}


def delete(table: str, key: str) -> tuple[str, dict[str, Any]]:
    return "delete_item", {"TableName": table, "Key": {"id": {"S": key}}}


TOUCHING = {
    "put a new item": lambda table: put(table, "new", "bob"),
    "put another author": lambda table: put(table, "in", "bob"),
    "put out of it": lambda table: put(table, "in"),
    "update its key": lambda table: update(table, "in", "SET author = :v"),
    "update what it holds": lambda table: update(table, "in", "SET likes = :v"),
    "update it in the old way": lambda table: old_update(table, "in", "likes"),
    "update into it": lambda table: update(table, "out", "SET author = :v"),
    "update makes an item in it": lambda table: update(table, "new", "SET author = :v"),
    "delete": lambda table: delete(table, "in"),
}
PASSING_BY = {
    "put a new item": lambda table: put(table, "new"),
    "put the same again": lambda table: put(table, "in", "ann"),
    "update what it does not hold": lambda table: update(table, "in", "SET other1 = :v"),
    "update something else in the old way": lambda table: old_update(table, "in", "other1"),
    "update an item that is not in it": lambda table: update(table, "out", "SET likes = :v"),
    "delete an item that is not in it": lambda table: delete(table, "out"),
    "delete nothing": lambda table: delete(table, "new"),
}
Writing = Callable[[str], tuple[str, dict[str, Any]]]


@pytest.mark.parametrize("writing", TOUCHING.values(), ids=TOUCHING)
def test_an_exhausted_index_throttles_what_writes_to_it_and_nothing_is_made(
    server: Server, indexed: str, writing: Writing
):
    stored = server.around("Scan", TableName=indexed)["Items"]
    method, request = writing(indexed)
    with server.charged(indexed) as charged, server.charged(indexed, "by-author") as in_index:
        reason = throttled(getattr(server.dynamodb, method), **request)
    assert reason and reason["reason"] == "IndexWriteProvisionedThroughputExceeded"
    assert reason["resource"].endswith(f"table/{indexed}/index/by-author")
    assert (charged.writes, in_index.writes) == (0, 0)
    assert server.around("Scan", TableName=indexed)["Items"] == stored

    server.clock.advance(2)
    assert throttled(getattr(server.dynamodb, method), **request) is None
    assert server.around("Scan", TableName=indexed)["Items"] != stored


@pytest.mark.parametrize("writing", PASSING_BY.values(), ids=PASSING_BY)
def test_an_exhausted_index_does_not_hinder_what_passes_it_by(
    server: Server, indexed: str, writing: Writing
):
    method, request = writing(indexed)
    with server.charged(indexed, "by-author") as in_index:
        assert throttled(getattr(server.dynamodb, method), **request) is None
    assert in_index.writes == 0


def test_a_batch_makes_the_writes_that_the_exhausted_index_allows(server: Server, indexed: str):
    puts = [{"PutRequest": {"Item": tweet(*each)}} for each in (("a", "bob"), ("b",), ("c", "bob"))]
    answer = server.dynamodb.batch_write_item(
        RequestItems={indexed: puts}, ReturnConsumedCapacity="INDEXES"
    )
    assert answer["UnprocessedItems"] == {indexed: [puts[0], puts[2]]}
    (consumed,) = answer["ConsumedCapacity"]
    assert consumed["CapacityUnits"] == 1 and "GlobalSecondaryIndexes" not in consumed


def test_a_transaction_is_cancelled_by_an_exhausted_index(server: Server, indexed: str):
    actions = [
        {"Put": {"TableName": indexed, "Item": tweet("b")}},
        {"Put": {"TableName": indexed, "Item": tweet("a", "bob")}},
    ]
    with server.charged(indexed) as charged, pytest.raises(ClientError) as raised:
        server.dynamodb.transact_write_items(TransactItems=actions)
    codes = [reason["Code"] for reason in raised.value.response["CancellationReasons"]]
    assert codes == ["None", "ProvisionedThroughputExceeded"]
    assert charged.writes == 0
    assert server.around("Scan", TableName=indexed)["Count"] == 2


def test_an_exhausted_table_does_not_exhaust_its_index(server: Server):
    table = server.create_table(
        read=1, AttributeDefinitions=attributes("id", "author"), GlobalSecondaryIndexes=[BY_AUTHOR]
    )
    reads_served(server, table)
    search = {"TableName": table, "IndexName": "by-author"}
    assert throttled(server.dynamodb.scan, **search) is None
    assert throttled(server.dynamodb.scan, **search) is None
    reason = throttled(server.dynamodb.scan, **search)
    assert reason and reason["reason"] == "IndexReadProvisionedThroughputExceeded"


def test_the_throughput_of_an_index_is_updated_without_a_refill(server: Server, indexed: str):
    def provision(throughput: dict[str, int]) -> None:
        change = {"Update": {"IndexName": "by-author", "ProvisionedThroughput": throughput}}
        server.dynamodb.update_table(TableName=indexed, GlobalSecondaryIndexUpdates=[change])

    provision(MANY_UNITS)
    assert throttled(server.dynamodb.put_item, TableName=indexed, Item=tweet("a", "bob"))
    server.clock.advance(1)
    assert server.held(indexed, "by-author")[1] == 50
    provision(ONE_UNIT)
    assert server.held(indexed, "by-author")[1] == 50
    server.clock.advance(300)
    assert server.held(indexed, "by-author")[1] == 300


def test_an_index_that_is_added_admits_from_then_on_and_no_longer_when_deleted(moto_server):
    """In front of moto: DynamoDB Local takes a second to make an index."""
    server: Server = moto_server
    table = server.create_table()
    change = {"Create": BY_AUTHOR}
    server.dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=attributes("id", "author"),
        GlobalSecondaryIndexUpdates=[change],
    )
    assert write(server, table, "a", author={"S": "ann"}) is None
    reason = write(server, table, "b", author={"S": "ann"})
    assert reason and reason["reason"] == "IndexWriteProvisionedThroughputExceeded"
    server.dynamodb.update_table(
        TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-author"}}]
    )
    assert write(server, table, "b", author={"S": "ann"}) is None
    server.delete_tables()


def test_a_local_index_shares_what_its_table_has(server: Server):
    table = server.create_table(
        read=2,
        write=3,
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "author", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=attributes("id", "author", "day"),
        LocalSecondaryIndexes=[BY_DAY],
    )
    query = {
        "TableName": table,
        "IndexName": "by-day",
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "a"}},
        "ConsistentRead": True,
    }
    for _ in range(2):
        assert throttled(server.dynamodb.query, **query) is None
    in_table = {name: value for name, value in query.items() if name != "IndexName"}
    for search in (query, in_table):
        reason = throttled(server.dynamodb.query, **search)
        assert reason and reason["reason"] == "TableReadProvisionedThroughputExceeded"
        assert "/index/" not in reason["resource"]
    # Each put costs the table two units: its own, and the index's.
    more: dict[str, Any] = {"author": {"S": "ann"}, "day": {"S": "mon"}}
    assert write(server, table, "a", **more) is None
    assert write(server, table, "b", **more) is None
    reason = write(server, table, "c", **more)
    assert reason and reason["reason"] == "TableWriteProvisionedThroughputExceeded"
