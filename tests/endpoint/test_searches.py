"""Searches that find nothing, and those of a local index that must look in the table as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.serving import Server, item, serving
from tweetlab.endpoint import Moto

KB = 1024


@pytest.fixture(scope="module")
def parted() -> Iterator[Server]:
    """An endpoint whose tables have five partitions."""
    with serving(Moto, partitions=5) as server:
        yield server


SCANS = [
    ({}, 5 * 0.5),
    ({"ConsistentRead": True}, 5),
    ({"Select": "COUNT"}, 5 * 0.5),
    ({"ProjectionExpression": "id"}, 5 * 0.5),
    ({"FilterExpression": "attribute_not_exists(id)"}, 5 * 0.5),
    ({"TotalSegments": 5, "Segment": 0}, 0.5),
    ({"TotalSegments": 2, "Segment": 0}, 3 * 0.5),
    ({"TotalSegments": 100, "Segment": 7}, 0.5),
    ({"Limit": 10}, 5 * 0.5),
    ({"ExclusiveStartKey": {"id": {"S": "a"}}}, 0.5),
]


@pytest.mark.parametrize("items", [0, 1, 3])
@pytest.mark.parametrize(("search", "units"), SCANS, ids=repr)
def test_a_scan_costs_at_least_the_minimum_of_each_partition_that_it_searches(
    parted, search, units, items
):
    table = parted.create_table()
    for number in range(items):
        parted.around("PutItem", TableName=table, Item=item(f"{number}", 100))
    with parted.charged(table) as charged:
        answer = parted.dynamodb.scan(TableName=table, ReturnConsumedCapacity="TOTAL", **search)
    assert answer["ConsumedCapacity"]["CapacityUnits"] == units
    assert charged.reads == pytest.approx(units)


def test_a_page_of_a_scan_has_not_searched_all_partitions(parted):
    table = parted.create_table()
    for number in range(3):
        parted.around("PutItem", TableName=table, Item=item(f"{number}", 100))
    start: dict[str, Any] = {}
    for _ in range(3):
        answer = parted.dynamodb.scan(
            TableName=table, Limit=1, ReturnConsumedCapacity="TOTAL", **start
        )
        assert answer["ConsumedCapacity"]["CapacityUnits"] == 0.5
        start = {"ExclusiveStartKey": {"id": answer["Items"][0]["id"]}}


def test_a_scan_of_much_costs_what_it_has_read(parted):
    table = parted.create_table()
    for number in range(6):
        parted.around("PutItem", TableName=table, Item=item(f"{number}", 10 * KB))
    answer = parted.dynamodb.scan(TableName=table, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 15 / 2


@pytest.mark.parametrize("items", [0, 1])
def test_a_scan_of_a_new_on_demand_table_costs_four_minima(server, items):
    """Of the table and of an index alike: each has four partitions of its own."""
    server.dynamodb.create_table(
        TableName="scanned",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-author",
                "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for number in range(items):
        author: Any = {"author": {"S": "ann"}}
        server.around("PutItem", TableName="scanned", Item=item(f"{number}", 100, **author))
    for search in ({}, {"IndexName": "by-author"}):
        answer = server.dynamodb.scan(TableName="scanned", ReturnConsumedCapacity="TOTAL", **search)
        assert answer["Count"] == items
        assert answer["ConsumedCapacity"]["CapacityUnits"] == 4 * 0.5
    server.dynamodb.delete_table(TableName="scanned")


def test_a_query_that_finds_nothing_costs_the_minimum_of_one_partition(parted):
    table = parted.create_table()
    answer = parted.dynamodb.query(
        TableName=table,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "a"}},
        ConsistentRead=True,
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 1


DAYS = {
    "IndexName": "by-day",
    "KeySchema": [
        {"AttributeName": "id", "KeyType": "HASH"},
        {"AttributeName": "day", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["likes"]},
}


@pytest.mark.parametrize(
    ("search", "units"),
    [
        pytest.param({}, 1, id="what it holds"),
        pytest.param({"ProjectionExpression": "likes"}, 1, id="one of what it holds"),
        pytest.param({"AttributesToGet": ["likes", "id"]}, 1, id="two, the old way"),
        pytest.param({"Select": "COUNT"}, 1, id="how many"),
        pytest.param({"ProjectionExpression": "likes, words"}, 1 + 4 * 2, id="one that it lacks"),
        pytest.param({"ProjectionExpression": "words.a[0]"}, 1 + 4 * 2, id="part of one"),
        pytest.param({"AttributesToGet": ["words"]}, 1 + 4 * 2, id="one, the old way"),
        pytest.param(
            {"ProjectionExpression": "#t", "ExpressionAttributeNames": {"#t": "text"}},
            1 + 4 * 2,
            id="one by another name",
        ),
        pytest.param({"Select": "ALL_ATTRIBUTES"}, 1 + 4 * 2, id="all"),
        pytest.param({"Select": "ALL_ATTRIBUTES", "Limit": 3}, 1 + 3 * 2, id="all of three"),
    ],
)
def test_a_local_index_fetches_whole_items_for_what_it_lacks(proxy_server, search, units):
    """Four items of 5 KB, strongly consistent: two units each, and one for the index."""
    table = proxy_server.create_table(
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "number", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "number", "day")
        ],
        LocalSecondaryIndexes=[DAYS],
    )
    for number in range(4):
        more = {"number": {"S": f"{number}"}, "day": {"S": "mon"}, "likes": {"S": "1"}}
        proxy_server.around("PutItem", TableName=table, Item=item("a", 5 * KB, **more))
    names = {"#i": "id", **search.pop("ExpressionAttributeNames", {})}
    if "AttributesToGet" in search:
        equal = {"AttributeValueList": [{"S": "a"}], "ComparisonOperator": "EQ"}
        search = {"KeyConditions": {"id": equal}, **search}
    else:
        search = {
            "KeyConditionExpression": "#i = :id",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":id": {"S": "a"}},
            **search,
        }
    with proxy_server.charged(table) as charged:
        answer = proxy_server.dynamodb.query(
            TableName=table,
            IndexName="by-day",
            ConsistentRead=True,
            ReturnConsumedCapacity="INDEXES",
            **search,
        )
    proxy_server.delete_tables()
    consumed = answer["ConsumedCapacity"]
    assert consumed["CapacityUnits"] == charged.reads == units
    assert consumed["Table"]["CapacityUnits"] == units - 1
    assert consumed["LocalSecondaryIndexes"] == {"by-day": {"CapacityUnits": 1}}


@pytest.mark.parametrize("condition", ["id = :n AND contains(id, :s)", "day = :s"])
def test_of_what_is_no_condition_of_a_key_the_upstream_says_what_is_wrong(
    parted: Server, condition: str
) -> None:
    """Though there is a value of a wrong type in it as well."""
    values = {":n": {"N": "1"}, ":s": {"S": "a"}}
    request = {
        "TableName": parted.create_table(
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "day", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "day", "AttributeType": "N"},
            ],
        ),
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {k: v for k, v in values.items() if k in condition},
    }
    reply = parted.post("Query", request)
    answer = parted.upstream_answers("Query", **request)
    assert not answer.ok
    assert reply.json.get("message") == answer.json.get("message")
