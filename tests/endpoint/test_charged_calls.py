"""A call that runs is charged; what the endpoint does not understand does not run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.serving import Server, item
from tweetlab.capacity.units import _SIZES
from tweetlab.endpoint import members
from tweetlab.endpoint.operations import CONTROL_PLANE, OPERATIONS, operation_of
from tweetlab.endpoint.wire import DynamoDBError

KB = 1024
S = {"S": "a"}
KEY = {"id": S}
EQUAL = {"AttributeValueList": [S], "ComparisonOperator": "EQ"}
OTHER = {"AttributeValueList": [{"S": "other"}], "ComparisonOperator": "EQ"}
ABSENT = {"id": {"Exists": False}}

LEGACY: dict[str, tuple[str, dict[str, Any], float, float]] = {
    "KeyConditions": ("Query", {"KeyConditions": {"id": EQUAL}}, 1.5, 0),
    "QueryFilter": (
        "Query",
        {"KeyConditions": {"id": EQUAL}, "QueryFilter": {"text": OTHER}},
        1.5,
        0,
    ),
    "QueryFilter and ConditionalOperator": (
        "Query",
        {
            "KeyConditions": {"id": EQUAL},
            "QueryFilter": {"text": OTHER, "n": OTHER},
            "ConditionalOperator": "OR",
        },
        1.5,
        0,
    ),
    "ScanFilter": ("Scan", {"ScanFilter": {"text": OTHER}}, 1.5, 0),
    "AttributesToGet of a scan": ("Scan", {"AttributesToGet": ["id"]}, 1.5, 0),
    "AttributesToGet of a query": (
        "Query",
        {"KeyConditions": {"id": EQUAL}, "AttributesToGet": ["id"]},
        1.5,
        0,
    ),
    "AttributesToGet of an item": ("GetItem", {"Key": KEY, "AttributesToGet": ["id"]}, 1.5, 0),
    "Expected of a put": ("PutItem", {"Item": KEY, "Expected": {"id": {"Value": S}}}, 0, 10),
    "Expected of a put, which fails": ("PutItem", {"Item": KEY, "Expected": ABSENT}, 0, 10),
    "Expected of a delete": ("DeleteItem", {"Key": KEY, "Expected": {"id": {"Value": S}}}, 0, 10),
    "Expected of a delete, which fails": ("DeleteItem", {"Key": KEY, "Expected": ABSENT}, 0, 10),
    "AttributeUpdates": (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"n": {"Value": {"S": "x" * 500}, "Action": "PUT"}}},
        0,
        11,
    ),
    "AttributeUpdates that delete": (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"text": {"Action": "DELETE"}}},
        0,
        10,
    ),
    "AttributeUpdates and Expected, which fails": (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"n": {"Value": S}}, "Expected": ABSENT},
        0,
        10,
    ),
}


@pytest.mark.parametrize(("operation", "request_", "reads", "writes"), LEGACY.values(), ids=LEGACY)
def test_legacy_members_are_charged_like_any_others(server, operation, request_, reads, writes):
    """An item of 10 KB."""
    table = server.create_table(write=600)
    server.around("PutItem", TableName=table, Item=item("a", 10 * KB, n=S))
    server.post("GetItem", {"TableName": table, "Key": {"id": {"S": "learns it"}}})
    with server.charged(table) as charged:
        reply = server.post(operation, {"TableName": table, **request_})
    fails = request_.get("Expected") is ABSENT
    # moto takes no notice of what a delete expects, and makes it.
    assert reply.status == 200 or (fails and b"ConditionalCheckFailed" in reply.body), reply.body
    assert (charged.reads, charged.writes) == (reads, writes)


def test_a_batch_with_attributes_to_get_is_charged_for_whole_items(server):
    table = server.create_table()
    server.around("PutItem", TableName=table, Item=item("a", 10 * KB))
    request = {table: {"Keys": [KEY], "AttributesToGet": ["id"]}}
    answer = server.dynamodb.batch_get_item(RequestItems=request, ReturnConsumedCapacity="TOTAL")
    assert answer["Responses"] == {table: [KEY]}
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 1.5


# What the endpoint does not know


NOT_RUN = {
    "BatchExecuteStatement",
    "ExecuteStatement",
    "ExecuteTransaction",
    "SearchVectors",
    "StartBulkPutItems",
}


def test_every_operation_of_dynamodb_is_charged_or_free_or_refused():
    """When botocore's model grows, one has to be decided on here."""
    known = OPERATIONS.keys() | CONTROL_PLANE | NOT_RUN
    assert set(members.model().operation_names) == known
    assert not OPERATIONS.keys() & CONTROL_PLANE


@pytest.mark.parametrize("operation", sorted(NOT_RUN))
def test_an_operation_whose_cost_nobody_knows_is_refused(operation):
    with pytest.raises(DynamoDBError, match=f"tweetlab's endpoint.*{operation}"):
        operation_of(operation)


def test_an_operation_that_only_the_model_knows_is_refused(server):
    table = server.create_table()
    reply = server.post("StartBulkPutItems", {"TableArn": table})
    assert reply.status == 400
    assert b"StartBulkPutItems" in reply.body or b"failed to satisfy" in reply.body


def test_every_member_of_dynamodbs_model_is_understood_or_refused():
    """When botocore's model grows, one has to be decided on in ``members``."""
    operations = [*OPERATIONS, "CreateTable", "UpdateTable"]
    grown = {
        (shape.name, name)
        for operation in operations
        for shape in members.structures(members.model().operation_model(operation).input_shape)
        if operation in OPERATIONS or shape.name in members.UNDERSTOOD
        for name in shape.members
        if name not in members.UNDERSTOOD[shape.name]
    }
    assert grown == {
        ("CreateTableInput", "VectorIndexes"),
        ("UpdateTableInput", "VectorIndexUpdates"),
    }
    all_members = {
        (shape.name, name)
        for operation in operations
        for shape in members.structures(members.model().operation_model(operation).input_shape)
        for name in shape.members
    }
    told = {(shape, name) for shape, names in members.UNDERSTOOD.items() for name in names}
    assert told <= all_members


CHOICES = {
    "Select": "ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES SPECIFIC_ATTRIBUTES COUNT",
    "ReturnConsumedCapacity": "INDEXES TOTAL NONE",
    "ReturnItemCollectionMetrics": "SIZE NONE",
    "AttributeAction": "ADD PUT DELETE",
    "KeyType": "HASH RANGE",
    "ProjectionType": "ALL KEYS_ONLY INCLUDE",
    "BillingMode": "PROVISIONED PAY_PER_REQUEST",
    "ScalarAttributeType": "S N B",
}


@pytest.mark.parametrize(("name", "values"), CHOICES.items())
def test_every_value_is_understood_of_the_members_that_change_what_a_call_costs(name, values):
    shape: Any = members.model().shape_for(name)
    assert set(shape.enum) == set(values.split())


def test_every_type_of_attribute_value_has_a_size():
    shape: Any = members.model().shape_for("AttributeValue")
    assert set(shape.members) == set(_SIZES)


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the model knew members that the endpoint does not."""
    for shape, name in (
        ("GetItemInput", "ConsistentRead"),
        ("KeysAndAttributes", "ConsistentRead"),
        ("Put", "ReturnValuesOnConditionCheckFailure"),
        ("PutRequest", "Item"),
    ):
        less = members.UNDERSTOOD[shape] - {name}
        monkeypatch.setitem(members.UNDERSTOOD, shape, less)
    members._input_with_others.cache_clear()
    yield
    monkeypatch.undo()
    members._input_with_others.cache_clear()


def test_a_member_that_only_the_model_knows_is_refused_by_its_name(server, grown):
    table = server.create_table()
    for operation, request, name in (
        ("GetItem", {"TableName": table, "Key": KEY, "ConsistentRead": True}, "ConsistentRead"),
        (
            "BatchGetItem",
            {"RequestItems": {table: {"Keys": [KEY], "ConsistentRead": True}}},
            "ConsistentRead",
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {
                        "Put": {
                            "TableName": table,
                            "Item": KEY,
                            "ReturnValuesOnConditionCheckFailure": "NONE",
                        }
                    }
                ]
            },
            "ReturnValuesOnConditionCheckFailure",
        ),
        ("BatchWriteItem", {"RequestItems": {table: [{"PutRequest": {"Item": KEY}}]}}, "Item"),
    ):
        reply = server.post(operation, request)
        assert reply.status == 400
        assert f"does not know {name} of {operation}" in reply.json["message"]
    assert server.post("GetItem", {"TableName": table, "Key": KEY}).status == 200
    assert server.around("Scan", TableName=table)["Count"] == 0


def test_an_index_that_nobody_would_charge_is_not_made(server):
    request = {
        "TableName": "vectors",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "VectorIndexes": [],
    }
    reply = server.post("CreateTable", request)
    assert (reply.status, "VectorIndexes" in reply.json["message"]) == (400, True)
    assert "vectors" not in server.around("ListTables")["TableNames"]


# What reaches the upstream uncharged


def malformed(table: str) -> list[tuple[str, dict[str, Any]]]:
    """Requests that name no table or no key, or that are none; some upstream would run one."""
    two = {"Put": {"TableName": table, "Item": KEY}, "Delete": {"TableName": table, "Key": KEY}}
    query = {"KeyConditionExpression": "id = :a", "ExpressionAttributeValues": {":a": S}}
    put = {"PutRequest": {"Item": KEY}}
    return [
        ("GetItem", {"TableName": "missing", "Key": KEY}),
        ("PutItem", {"TableName": "missing", "Item": KEY}),
        ("UpdateItem", {"TableName": "missing", "Key": KEY}),
        ("DeleteItem", {"TableName": "missing", "Key": KEY}),
        ("Query", {"TableName": "missing", **query}),
        ("Scan", {"TableName": "missing"}),
        ("BatchGetItem", {"RequestItems": {"missing": {"Keys": [KEY]}, table: {"Keys": [KEY]}}}),
        ("BatchWriteItem", {"RequestItems": {table: [put], "missing": [put]}}),
        ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "missing", "Key": KEY}}]}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "missing", "Item": KEY}}]}),
        ("TransactWriteItems", {"TransactItems": [two]}),
        ("TransactWriteItems", {"TransactItems": [{}]}),
        ("TransactGetItems", {"TransactItems": [{}]}),
        ("TransactWriteItems", {"TransactItems": []}),
        ("BatchWriteItem", {"RequestItems": {}}),
        ("BatchWriteItem", {"RequestItems": {table: []}}),
        ("BatchWriteItem", {"RequestItems": {table: [{}]}}),
        ("BatchWriteItem", {"RequestItems": {table: [{**put, "DeleteRequest": {"Key": KEY}}]}}),
        ("BatchWriteItem", {"RequestItems": {table: [put, put]}}),
        ("BatchGetItem", {"RequestItems": {}}),
        ("BatchGetItem", {"RequestItems": {table: {"Keys": []}}}),
        ("BatchGetItem", {"RequestItems": {table: {"Keys": [KEY, KEY]}}}),
        ("Query", {"TableName": table, "IndexName": "missing", **query}),
        ("Scan", {"TableName": table, "IndexName": "missing"}),
        ("Query", {"TableName": table}),
        ("Query", {"TableName": table, "KeyConditionExpression": ""}),
    ]


@pytest.mark.parametrize("number", range(len(malformed("table"))))
def test_what_names_no_table_or_no_key_does_not_run(server, number):
    table = server.create_table()
    operation, request = malformed(table)[number]
    server.post("GetItem", {"TableName": table, "Key": KEY})
    with server.charged(table) as charged:
        reply = server.post(operation, request)
    assert reply.status == 400, reply.body
    assert server.around("Scan", TableName=table)["Count"] == 0
    assert (charged.reads, charged.writes) == (0, 0)


def test_a_table_that_is_named_by_its_arn_is_charged(moto_server):
    """DynamoDB Local takes no ARNs."""
    server: Server = moto_server
    table = server.create_table()
    arn = server.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    server.dynamodb.put_item(TableName=table, Item=item("a", 10 * KB))
    answer = server.dynamodb.batch_get_item(
        RequestItems={arn: {"Keys": [KEY]}}, ReturnConsumedCapacity="TOTAL"
    )
    assert len(answer["Responses"][arn]) == 1
    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 1.5}]
    server.delete_tables()


def test_an_index_made_behind_the_endpoint_is_learnt_when_it_is_asked_for(moto_server):
    """In front of moto: DynamoDB Local takes a second to make an index."""
    server: Server = moto_server
    table = server.create_table()
    server.dynamodb.put_item(TableName=table, Item={**KEY, "author": S})
    index = {
        "IndexName": "by-author",
        "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    }
    server.around(
        "UpdateTable",
        TableName=table,
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")
        ],
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
    search = {"TableName": table, "IndexName": "by-author", "ReturnConsumedCapacity": "INDEXES"}
    answer = server.dynamodb.scan(**search)
    assert answer["ConsumedCapacity"]["GlobalSecondaryIndexes"] == {
        "by-author": {"CapacityUnits": 0.5}
    }
    server.delete_tables()


# What another program has written


ODD: list[tuple[str, dict[str, Any]]] = [
    ("moto_server", {"": {"S": "an empty name"}}),
    ("moto_server", {"m": {"M": {"": {"S": "an empty name"}}}}),
    ("proxy_server", {"text": {"S": 5 * KB * "." + "\ud83d"}}),
    ("proxy_server", {"author": {"S": "\ud83d"}}),
    ("proxy_server", {"\ud83d": {"S": "half a name"}}),
]


@pytest.mark.parametrize(("upstream", "odd"), ODD, ids=lambda value: ascii(value)[:40])
def test_an_item_that_has_no_size_can_be_read_and_written(request, upstream, odd):
    """Each upstream stores some that the other does not; moto answers such items in ways of its
    own."""
    server: Server = request.getfixturevalue(upstream)
    table = server.create_table(
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-author",
                "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 9, "WriteCapacityUnits": 99},
            }
        ],
    )
    server.around("PutItem", TableName=table, Item={**item("a", 5 * KB, author=S), **odd})
    update = {
        "Key": KEY,
        "UpdateExpression": "SET likes = :v",
        "ExpressionAttributeValues": {":v": S},
    }
    query = {"KeyConditionExpression": "id = :v", "ExpressionAttributeValues": {":v": S}}
    of_table = {"TableName": table}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("GetItem", {**of_table, "Key": KEY}),
        ("Scan", of_table),
        ("Query", {**of_table, **query}),
        ("Scan", {**of_table, "IndexName": "by-author"}),
        ("BatchGetItem", {"RequestItems": {table: {"Keys": [KEY]}}}),
        ("TransactGetItems", {"TransactItems": [{"Get": {**of_table, "Key": KEY}}]}),
        ("UpdateItem", {**of_table, **update}),
        ("DeleteItem", {**of_table, "Key": KEY}),
    ]
    for operation, call in calls:
        reply = server.post(operation, {**call, "ReturnConsumedCapacity": "TOTAL"})
        assert reply.status == 200, (operation, reply.body)
        consumed = reply.json["ConsumedCapacity"]
        consumed = consumed[0] if isinstance(consumed, list) else consumed
        assert consumed["CapacityUnits"] >= 1, operation
    server.around("PutItem", TableName=table, Item={**item("a", 5 * KB), **odd})
    assert server.post("PutItem", {**of_table, "Item": KEY}).status == 200
    server.delete_tables()
