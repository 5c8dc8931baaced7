"""ItemCollectionMetrics: of tables with a local index, where they are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.serving import Server

ATTRIBUTES = ("id", "sort", "l")
SIZE = {"ReturnItemCollectionMetrics": "SIZE"}


def key(name: str, sort: str = "1") -> dict[str, Any]:
    return {"id": {"S": name}, "sort": {"S": sort}}


def metrics(name: str) -> dict[str, Any]:
    return {"ItemCollectionKey": {"id": {"S": name}}, "SizeEstimateRangeGB": [0.0, 1.0]}


@pytest.fixture
def collected(server: Server) -> str:
    """A table with a local index."""
    return server.create_table(
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "sort", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ATTRIBUTES],
        LocalSecondaryIndexes=[
            {
                "IndexName": "lsi",
                "KeySchema": [
                    {"AttributeName": "id", "KeyType": "HASH"},
                    {"AttributeName": "l", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def writes(table: str, keys: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("PutItem", {"TableName": table, "Item": keys}),
        ("UpdateItem", {"TableName": table, "Key": keys, "UpdateExpression": "REMOVE x"}),
        ("DeleteItem", {"TableName": table, "Key": keys}),
    ]


def test_a_write_tells_of_its_item_collection(server, collected):
    for operation, request in writes(collected, key("a")):
        answer = server.post(operation, {**request, **SIZE}).json
        assert answer["ItemCollectionMetrics"] == metrics("a"), operation
        for not_asked in ({}, {"ReturnItemCollectionMetrics": "NONE"}):
            answer = server.post(operation, {**request, **not_asked}).json
            assert "ItemCollectionMetrics" not in answer, operation


def test_a_table_without_a_local_index_has_no_item_collections(server):
    table = server.create_table()
    for operation, request in writes(table, {"id": {"S": "a"}}):
        answer = server.post(operation, {**request, **SIZE}).json
        assert "ItemCollectionMetrics" not in answer, operation
    put = {"PutRequest": {"Item": {"id": {"S": "a"}}}}
    answer = server.post("BatchWriteItem", {"RequestItems": {table: [put]}, **SIZE}).json
    assert "ItemCollectionMetrics" not in answer


def test_a_batch_tells_of_each_item_collection_once(server, collected):
    other = server.create_table()
    puts = [{"PutRequest": {"Item": key(name, sort)}} for name, sort in ("a1", "a2", "b1")]
    of_other = [{"PutRequest": {"Item": {"id": {"S": "a"}}}}]
    answer = server.dynamodb.batch_write_item(
        RequestItems={collected: puts, other: of_other}, **SIZE
    )
    assert answer["ItemCollectionMetrics"] == {collected: [metrics("a"), metrics("b")]}


def test_a_batch_tells_of_what_it_has_made_only(server, collected):
    known = [{"PutRequest": {"Item": key("a")}}]
    server.dynamodb.batch_write_item(RequestItems={collected: known})
    server.dynamodb.update_table(
        TableName=collected,
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    held = server.held(collected)[1]
    table = server.known(collected)
    assert table
    table.capacity.charge("write", "a", held - 1)
    puts = [{"PutRequest": {"Item": key(name)}} for name in "abc"]
    answer = server.dynamodb.batch_write_item(RequestItems={collected: puts}, **SIZE)
    assert answer["UnprocessedItems"] == {collected: puts[1:]}
    assert answer["ItemCollectionMetrics"] == {collected: [metrics("a")]}


def test_a_transaction_tells_of_what_it_writes_and_not_of_what_it_checks(server, collected):
    check = {"ConditionExpression": "attribute_not_exists(id)"}
    actions = [
        {"Put": {"TableName": collected, "Item": key("a")}},
        {"Delete": {"TableName": collected, "Key": key("b")}},
        {"Update": {"TableName": collected, "Key": key("a", "2"), "UpdateExpression": "REMOVE x"}},
        {"ConditionCheck": {"TableName": collected, "Key": key("c"), **check}},
    ]
    for _ in range(2):  # the second time it is not made, and answered as before
        answer = server.dynamodb.transact_write_items(
            TransactItems=actions, ClientRequestToken=collected, **SIZE
        )
        assert answer["ItemCollectionMetrics"] == {collected: [metrics("a"), metrics("b")]}
    answer = server.dynamodb.transact_write_items(TransactItems=actions[:1])
    assert not answer.get("ItemCollectionMetrics")
