"""Who is throttled, when, and what then happens to the request."""

from __future__ import annotations

import pytest

from tests.support.asking import read, reads_served, throttled, write
from tests.support.serving import Server, item

KB = 1024
KEY = {"id": {"S": "a"}}
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")]
BY_AUTHOR = {
    "IndexName": "by-author",
    "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
}


def arn(server: Server, table: str) -> str:
    return server.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]


# --- the table --------------------------------------------------------------------------------


def test_a_table_serves_its_burst_and_then_its_rate(server):
    table = server.create_table(read=3, write=1)
    server.clock.advance(4)
    assert reads_served(server, table) == 3 * 5
    for _ in range(3):
        server.clock.advance(1)
        assert reads_served(server, table) == 3
    server.clock.advance(2)
    assert reads_served(server, table, consistent=False) == 2 * 6


def test_the_error_is_the_one_that_boto3_knows(server):
    table = server.create_table(read=1)
    reads_served(server, table)
    with pytest.raises(server.dynamodb.exceptions.ProvisionedThroughputExceededException) as raised:
        server.dynamodb.get_item(TableName=table, Key=KEY)
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Message"].startswith("The level of configured provisioned throughput")
    assert response["ThrottlingReasons"] == [
        {"reason": "TableReadProvisionedThroughputExceeded", "resource": arn(server, table)}
    ]


def test_a_throttled_write_is_not_made(server):
    table = server.create_table(write=1)
    assert write(server, table) is None
    reason = write(server, table, size=200)
    assert reason == {
        "reason": "TableWriteProvisionedThroughputExceeded",
        "resource": arn(server, table),
    }
    assert throttled(server.dynamodb.delete_item, TableName=table, Key=KEY)
    assert throttled(
        server.dynamodb.update_item,
        TableName=table,
        Key=KEY,
        AttributeUpdates={"likes": {"Value": {"S": "1"}}},
    )
    assert server.dynamodb.get_item(TableName=table, Key=KEY)["Item"] == item("a", 100)


@pytest.mark.parametrize("operation", ["query", "scan", "batch_get_item"])
def test_every_read_is_throttled_by_the_same_bucket(server, operation):
    table = server.create_table(read=1)
    reads_served(server, table)
    query = {
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "a"}},
    }
    request = {
        "query": {"TableName": table, **query},
        "scan": {"TableName": table},
        "batch_get_item": {"RequestItems": {table: {"Keys": [KEY]}}},
    }
    reason = throttled(getattr(server.dynamodb, operation), **request[operation])
    assert reason and reason["reason"] == "TableReadProvisionedThroughputExceeded"


def test_a_large_item_on_a_small_table_waits_and_is_read(server):
    """A read of 10 units from a table of 1 unit a second."""
    table = server.create_table(read=1)
    server.around("PutItem", TableName=table, Item=item("a", 40 * KB))
    assert read(server, table) is None
    server.clock.advance(9)
    assert read(server, table)
    server.clock.advance(0.5)
    assert read(server, table) is None


def test_a_throttled_call_is_not_charged(server):
    table = server.create_table(read=1, write=1)
    reads_served(server, table)
    write(server, table)
    with server.charged(table) as charged:
        assert read(server, table)
        assert write(server, table, size=300 * KB)
    assert (charged.reads, charged.writes) == (0, 0)


# --- batches ----------------------------------------------------------------------------------


def test_the_throttled_keys_of_a_batch_come_back_unprocessed(server):
    table = server.create_table(read=2)
    for key in "abcde":
        server.around("PutItem", TableName=table, Item=item(key, 100))
    keys = [{"id": {"S": key}} for key in "abcde"]
    with server.charged(table) as charged:
        answer = server.dynamodb.batch_get_item(
            RequestItems={
                table: {
                    "Keys": keys,
                    "ConsistentRead": True,
                    "ProjectionExpression": "#id",
                    "ExpressionAttributeNames": {"#id": "id"},
                }
            },
            ReturnConsumedCapacity="TOTAL",
        )
    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": charged.reads}]
    assert charged.reads == 2
    read = answer["Responses"][table]
    left = answer["UnprocessedKeys"][table]
    assert len(read) == 2 and len(left["Keys"]) == 3
    assert {found["id"]["S"] for found in read + left["Keys"]} == set("abcde")
    # What comes back can be sent as it is.
    server.clock.advance(5)
    again = server.dynamodb.batch_get_item(RequestItems=answer["UnprocessedKeys"])
    assert again["UnprocessedKeys"] == {}
    assert all(found.keys() == {"id"} for found in again["Responses"][table])
    assert {found["id"]["S"] for found in read + again["Responses"][table]} == set("abcde")


def test_a_batch_is_an_error_only_if_no_table_could_serve_any_of_it(server):
    empty, full = server.create_table(read=1), server.create_table(read=10)
    reads_served(server, empty)
    request = {empty: {"Keys": [KEY]}, full: {"Keys": [KEY]}}
    answer = server.dynamodb.batch_get_item(RequestItems=request)
    assert answer["UnprocessedKeys"] == {empty: {"Keys": [KEY]}}
    reads_served(server, full)
    assert throttled(server.dynamodb.batch_get_item, RequestItems=request)


# --- indexes ----------------------------------------------------------------------------------


def test_an_exhausted_index_throttles_writes_that_touch_it_and_no_others(server):
    table = server.create_table(AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexes=[BY_AUTHOR])
    author = {"S": "ann"}
    assert write(server, table, "a", author=author) is None
    with server.charged(table) as charged:
        reason = write(server, table, "b", author=author)
    assert reason == {
        "reason": "IndexWriteProvisionedThroughputExceeded",
        "resource": arn(server, table) + "/index/by-author",
    }
    assert charged.writes == 0
    assert write(server, table, "c") is None
    found = server.dynamodb.scan(TableName=table, ProjectionExpression="id")["Items"]
    assert {item["id"]["S"] for item in found} == {"a", "c"}


def test_an_exhausted_index_throttles_its_own_reads_only(server):
    table = server.create_table(AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexes=[BY_AUTHOR])
    query = {
        "TableName": table,
        "IndexName": "by-author",
        "KeyConditionExpression": "author = :author",
        "ExpressionAttributeValues": {":author": {"S": "ann"}},
    }
    assert throttled(server.dynamodb.query, **query) is None
    assert throttled(server.dynamodb.query, **query) is None
    reason = throttled(server.dynamodb.query, **query)
    assert reason and reason["reason"] == "IndexReadProvisionedThroughputExceeded"
    assert read(server, table) is None


# --- the control plane ------------------------------------------------------------------------


def test_the_control_plane_is_never_throttled(server):
    table = server.create_table(read=1, write=1)
    reads_served(server, table)
    write(server, table)
    for _ in range(20):
        assert server.dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"
        assert table in server.dynamodb.list_tables()["TableNames"]
    server.dynamodb.delete_table(TableName=table)


@pytest.mark.parametrize("capacity", [1, 40])
def test_update_table_changes_the_rate_and_refills_nothing(server, capacity):
    table = server.create_table(read=5, write=5)
    reads_served(server, table)
    throughput = {"ReadCapacityUnits": capacity, "WriteCapacityUnits": 6}
    server.dynamodb.update_table(TableName=table, ProvisionedThroughput=throughput)
    assert reads_served(server, table) == 0
    server.clock.advance(1)
    assert reads_served(server, table) == capacity


def test_a_table_deleted_and_made_again_starts_anew(server):
    table = server.create_table(read=2)
    reads_served(server, table)
    description = server.dynamodb.describe_table(TableName=table)["Table"]
    server.dynamodb.delete_table(TableName=table)
    with pytest.raises(server.dynamodb.exceptions.ResourceNotFoundException):
        server.dynamodb.get_item(TableName=table, Key=KEY)
    server.dynamodb.create_table(
        TableName=table,
        KeySchema=description["KeySchema"],
        AttributeDefinitions=description["AttributeDefinitions"],
        ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 1},
    )
    assert reads_served(server, table) == 7


def test_a_table_made_behind_the_endpoint_is_throttled_too(server):
    server.around(
        "CreateTable",
        TableName="behind",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 4, "WriteCapacityUnits": 1},
    )
    try:
        assert reads_served(server, "behind") == 4
    finally:
        server.dynamodb.delete_table(TableName="behind")


@pytest.fixture
def moto(moto_server):
    """For what DynamoDB Local knows nothing of: ARNs and regions."""
    yield moto_server
    moto_server.delete_tables()


def test_a_tables_arn_names_the_same_table(moto):
    table = moto.create_table(read=4)
    assert read(moto, arn(moto, table)) is None
    assert reads_served(moto, table) == 3


def test_tables_of_two_regions_are_two_tables(moto):
    table = moto.create_table(read=1)
    reads_served(moto, table)
    request = {"TableName": table, "Key": KEY}
    elsewhere = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/x"}
    answer = moto.post("GetItem", request, **elsewhere)
    assert answer.json["__type"].endswith("#ResourceNotFoundException")
