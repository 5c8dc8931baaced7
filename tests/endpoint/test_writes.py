"""What writes are charged on each upstream: to the table, and to the indexes they touch."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError

from tests.support.serving import Server, item

KB = 1024
KEY = {"id": {"S": "a"}}


def index(name: str, projection: str, **more):
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": projection, **more},
        "ProvisionedThroughput": {"ReadCapacityUnits": 100, "WriteCapacityUnits": 100},
    }


ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")]


@pytest.fixture
def table(server):
    return server.create_table()


@pytest.fixture
def indexed(server):
    """A table with an index of everything, and one that holds ``likes`` beside the keys."""
    return server.create_table(
        AttributeDefinitions=ATTRIBUTES,
        GlobalSecondaryIndexes=[
            index("all", "ALL"),
            index("likes", "INCLUDE", NonKeyAttributes=["likes"]),
        ],
    )


@contextmanager
def charges(server: Server, table: str, units: float, index: str | None = None):
    """Check what the block takes from the write bucket; and that it takes nothing to read."""
    with server.charged(table, index) as charged:
        yield
    assert (charged.reads, charged.writes) == (0, units)


def stored(server: Server, table: str, key: str = "a"):
    answer = server.around("GetItem", TableName=table, Key={"id": {"S": key}}, ConsistentRead=True)
    return answer.get("Item")


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        pytest.param(None, 512, 1, id="E11, 512 bytes"),
        pytest.param(None, KB, 1, id="exactly 1 KB"),
        pytest.param(None, int(1.6 * KB), 2, id="E11, 1.6 KB"),
        pytest.param(5 * KB, 100, 5, id="smaller than what it replaces"),
        pytest.param(100, 5 * KB, 5, id="larger than what it replaces"),
        pytest.param(5 * KB, 5 * KB, 5, id="the same again"),
    ],
)
def test_put_item_costs_the_larger_of_before_and_after(server, table, before, after, units):
    if before:
        server.around("PutItem", TableName=table, Item=item("a", before))
    with charges(server, table, units):
        answer = server.dynamodb.put_item(
            TableName=table, Item=item("a", after), ReturnConsumedCapacity="TOTAL"
        )
    assert answer["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": units}
    assert stored(server, table) == item("a", after)


@pytest.mark.parametrize(
    ("update", "units"),
    [
        pytest.param("SET likes = :value", 6, id="a little added"),
        pytest.param("REMOVE #text", 5, id="most removed"),
        pytest.param("SET #text = :value", 5, id="most replaced"),
    ],
)
def test_update_item_costs_the_whole_item_however_little_changes(server, table, update, units):
    server.around("PutItem", TableName=table, Item=item("a", 5 * KB))
    request = {"UpdateExpression": update}
    if ":value" in update:
        request["ExpressionAttributeValues"] = {":value": {"S": "1"}}
    if "#text" in update:
        request["ExpressionAttributeNames"] = {"#text": "text"}
    with charges(server, table, units):
        answer = server.dynamodb.update_item(
            TableName=table, Key=KEY, ReturnConsumedCapacity="TOTAL", **request
        )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == units


def test_an_update_that_makes_the_item_costs_what_it_made(server, table):
    with charges(server, table, 2):
        answer = server.dynamodb.update_item(
            TableName=table,
            Key=KEY,
            AttributeUpdates={"likes": {"Value": {"S": "x" * 1100}, "Action": "PUT"}},
            ReturnValues="ALL_NEW",
        )
    assert answer["Attributes"] == {**KEY, "likes": {"S": "x" * 1100}}


@pytest.mark.parametrize(("size", "units"), [(None, 1), (100, 1), (int(1.6 * KB), 2)])
def test_delete_item_costs_what_was_deleted_and_at_least_a_unit(server, table, size, units):
    if size:
        server.around("PutItem", TableName=table, Item=item("a", size))
    with charges(server, table, units):
        answer = server.dynamodb.delete_item(
            TableName=table, Key=KEY, ReturnConsumedCapacity="TOTAL", ReturnValues="ALL_OLD"
        )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == units
    assert answer.get("Attributes") == (item("a", size) if size else None)
    assert stored(server, table) is None


# A failed condition


@pytest.mark.parametrize(
    ("write", "units"),
    [
        pytest.param(
            lambda client, **request: client.put_item(Item=item("a", 2 * KB), **request),
            3,
            id="put: the item that is there",
        ),
        pytest.param(
            lambda client, **request: client.update_item(
                Key=KEY,
                UpdateExpression="SET likes = :likes",
                ExpressionAttributeValues={":likes": {"S": "1"}},
                **request,
            ),
            3,
            id="update: the item",
        ),
        pytest.param(
            lambda client, **request: client.delete_item(Key=KEY, **request),
            3,
            id="delete: the item",
        ),
    ],
)
def test_a_failed_condition_costs_and_changes_nothing(server, table, write, units):
    server.around("PutItem", TableName=table, Item=item("a", 3 * KB))
    with (
        charges(server, table, units),
        pytest.raises(server.dynamodb.exceptions.ConditionalCheckFailedException),
    ):
        write(server.dynamodb, TableName=table, ConditionExpression="attribute_not_exists(id)")
    assert stored(server, table) == item("a", 3 * KB)


def test_a_failed_condition_on_a_new_item_costs_one_unit(server, table):
    with (
        charges(server, table, 1),
        pytest.raises(server.dynamodb.exceptions.ConditionalCheckFailedException),
    ):
        server.dynamodb.put_item(
            TableName=table, Item=item("a", 2 * KB), ConditionExpression="attribute_exists(id)"
        )


def test_a_write_that_dynamodb_does_not_take_costs_nothing(server, table):
    with charges(server, table, 0), pytest.raises(ClientError, match="ValidationException"):
        server.dynamodb.update_item(TableName=table, Key=KEY, UpdateExpression="NONSENSE")


# Indexes


def put_indexed(server: Server, table: str, size: int = 3 * KB, **more: str) -> None:
    attributes = {name: {"S": value} for name, value in more.items()}
    server.around("PutItem", TableName=table, Item=item("a", size, **attributes))


@pytest.mark.parametrize(
    ("request_", "on_table", "on_all", "on_likes"),
    [
        pytest.param(
            {"UpdateExpression": "SET #text = :v"}, 3, 3, 0, id="what one of them does not hold"
        ),
        pytest.param({"UpdateExpression": "SET likes = :v"}, 4, 4, 1, id="what both hold"),
        pytest.param(
            {"UpdateExpression": "SET author = :v"}, 3, 6, 2, id="their key: out and in again"
        ),
        pytest.param({"UpdateExpression": "REMOVE author"}, 3, 3, 1, id="their key: out"),
    ],
)
def test_an_update_costs_each_index_what_changes_in_it(
    server, indexed, request_, on_table, on_all, on_likes
):
    put_indexed(server, indexed, author="ann")
    expression = request_["UpdateExpression"]
    if ":v" in expression:
        request_ = {**request_, "ExpressionAttributeValues": {":v": {"S": "new"}}}
    if "#text" in expression:
        request_ = {**request_, "ExpressionAttributeNames": {"#text": "text"}}
    with (
        charges(server, indexed, on_table),
        charges(server, indexed, on_all, index="all"),
        charges(server, indexed, on_likes, index="likes"),
    ):
        answer = server.dynamodb.update_item(
            TableName=indexed, Key=KEY, ReturnConsumedCapacity="INDEXES", **request_
        )
    touched = {"all": on_all, "likes": on_likes}
    assert answer["ConsumedCapacity"] == {
        "TableName": indexed,
        "CapacityUnits": on_table + on_all + on_likes,
        "Table": {"CapacityUnits": on_table},
        "GlobalSecondaryIndexes": {
            name: {"CapacityUnits": units} for name, units in touched.items() if units
        },
    }


@pytest.mark.parametrize("author", [True, False], ids=["in the index", "not in the index"])
def test_a_put_and_a_delete_cost_the_index_if_the_item_is_in_it(server, indexed, author):
    more = {"author": {"S": "ann"}} if author else {}
    units = 2 if author else 0
    with charges(server, indexed, 2), charges(server, indexed, units, index="all"):
        server.dynamodb.put_item(TableName=indexed, Item=item("a", 2 * KB, **more))
    with charges(server, indexed, 2), charges(server, indexed, units, index="all"):
        server.dynamodb.delete_item(TableName=indexed, Key=KEY)


def test_the_same_item_again_costs_its_indexes_nothing(server, indexed):
    put_indexed(server, indexed, author="ann")
    with charges(server, indexed, 3), charges(server, indexed, 0, index="all"):
        server.dynamodb.put_item(TableName=indexed, Item=item("a", 3 * KB, author={"S": "ann"}))


def test_a_local_index_is_written_at_its_tables_cost(server):
    table = server.create_table(
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "posted", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "posted", "author")
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "local",
                "KeySchema": [
                    {"AttributeName": "id", "KeyType": "HASH"},
                    {"AttributeName": "author", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    written = item("a", 2 * KB, posted={"S": "today"}, author={"S": "ann"})
    with charges(server, table, 2 + 2):
        answer = server.dynamodb.put_item(
            TableName=table, Item=written, ReturnConsumedCapacity="INDEXES"
        )
    assert answer["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 4,
        "Table": {"CapacityUnits": 2},
        "LocalSecondaryIndexes": {"local": {"CapacityUnits": 2}},
    }
