"""What DynamoDB takes for the same is the same, and its words are said to what it refuses."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.support import hostile
from tests.support.serving import STRING_KEY, TARGET, Server
from tweetlab.endpoint.validation import request_checks
from tweetlab.endpoint.wire import DynamoDBError

KEY = {"id": {"S": "a"}}
STREAMS = "DynamoDBStreams_20120810."
THROUGHPUT = {"ReadCapacityUnits": 1000, "WriteCapacityUnits": 1000}


@pytest.fixture
def table(server):
    return server.create_table()


def refused(server: Server, operation: str, request: dict[str, Any] | bytes) -> str:
    """Why a call is a ValidationException."""
    reply = server.post(operation, request)
    assert reply.status == 400, reply.body
    assert reply.json["__type"].endswith("#ValidationException"), reply.body
    message: str = reply.json["message"]
    return message


def items(server: Server, table: str) -> list[Any]:
    found: list[Any] = server.around("Scan", TableName=table)["Items"]
    return found


# --- null is absent ---------------------------------------------------------------------------


def with_nulls(shape: Any, value: Any) -> Any:
    """A request with all its optional members, at any depth: those that it lacks are null."""
    if shape.name == "AttributeValue":
        (kind,) = value
        content = value[kind]
        if kind == "L":
            content = [with_nulls(shape, inner) for inner in content]
        elif kind == "M":
            content = {name: with_nulls(shape, inner) for name, inner in content.items()}
        return {**dict.fromkeys(shape.members), kind: content}
    if shape.type_name == "structure":
        return {
            name: with_nulls(member, value[name]) if name in value else None
            for name, member in shape.members.items()
            if name in value or name not in shape.required_members
        }
    if shape.type_name == "list":
        return [with_nulls(shape.member, element) for element in value]
    if shape.type_name == "map":
        return {key: with_nulls(shape.value, element) for key, element in value.items()}
    return value


def model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@pytest.mark.parametrize("operation", [*hostile.OPERATIONS, "ListTables", "CreateTable"])
def test_a_member_that_is_null_is_absent(server, table, operation):
    """aiodynamo sends ClientRequestToken: null with every transaction."""
    requests: dict[str, Any] = {
        "ListTables": {},
        "CreateTable": {
            "TableName": "of-nulls",
            "ProvisionedThroughput": THROUGHPUT,
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "all",
                    "KeySchema": STRING_KEY["KeySchema"],
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": THROUGHPUT,
                }
            ],
            **STRING_KEY,
        },
    }
    request = requests[operation] if operation in requests else hostile.request_of(operation)
    request = json.loads(json.dumps(request).replace("fuzzed", table))
    if operation == "UpdateTable":
        request["ProvisionedThroughput"] = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 7}
    shape = model("dynamodb").operation_model(operation).input_shape
    nulls = with_nulls(shape, request)
    assert "null" in json.dumps(nulls) or operation == "DescribeTable"  # which has no options
    reply = server.post(operation, nulls)
    assert reply.status == 200, reply.body
    if operation == "CreateTable":
        server.dynamodb.delete_table(TableName="of-nulls")
    elif operation not in ("UpdateTable", "TransactWriteItems"):
        assert reply.json == server.post(operation, request).json


def test_null_where_something_is_required_is_told_so(server):
    assert refused(server, "GetItem", {"TableName": None, "Key": None}) == (
        "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: "
        "Member must not be null; Value null at 'key' failed to satisfy constraint: Member must "
        "not be null"
    )


@pytest.mark.parametrize(
    ("operation", "request_", "where"),
    [
        ("BatchGetItem", {"RequestItems": {"tbl": None}}, "requestItems.tbl.member"),
        (
            "BatchGetItem",
            {"RequestItems": {"tbl": {"Keys": [KEY, None]}}},
            "requestItems.tbl.member.keys.2.member",
        ),
        ("BatchWriteItem", {"RequestItems": {"tbl": [None]}}, "requestItems.tbl.member.1.member"),
        ("TransactWriteItems", {"TransactItems": [None]}, "transactItems.1.member"),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "tbl", "Item": None}}]},
            "transactItems.1.member.put.item",
        ),
        (
            "Query",
            {"TableName": "tbl", "ExpressionAttributeNames": {"#a": None}},
            "expressionAttributeNames.#a.member",
        ),
    ],
)
def test_an_element_that_is_null_is_none(server, operation, request_, where):
    said = refused(server, operation, request_)
    assert said == (
        f"1 validation error detected: Value null at '{where}' failed to satisfy constraint: "
        "Member must not be null"
    )


@pytest.mark.parametrize("value", [None, {}, {"S": None}, {"X": "?"}, {"SS": None, "Y": 1}])
def test_a_value_with_nothing_in_it_is_none(server, table, value):
    empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    for inner in (value, {"L": [value]}, {"M": {"a": value}}):
        assert (
            refused(server, "PutItem", {"TableName": table, "Item": {**KEY, "v": inner}}) == empty
        )
    assert items(server, table) == []


def test_of_a_value_only_what_is_something_is_kept(server, table):
    value = {"S": "text", "N": None, "Newer": 1}
    item = {**KEY, "v": value, "l": {"L": [value]}, "m": {"M": {"a": value}}}
    assert server.post("PutItem", {"TableName": table, "Item": item}).status == 200
    text = {"S": "text"}
    assert items(server, table) == [{**KEY, "v": text, "l": {"L": [text]}, "m": {"M": {"a": text}}}]


# --- numbers and booleans ---------------------------------------------------------------------


@pytest.mark.parametrize("number", ["10.0", "1e1", "10.5", "10"])
def test_an_integer_may_be_written_with_a_fraction(server, table, number):
    """DynamoDB drops it, by the record of dynalite's tests."""
    for place in range(12):
        server.around("PutItem", TableName=table, Item={"id": {"S": f"{place}"}})
    reply = server.post("Scan", f'{{"TableName": "{table}", "Limit": {number}}}'.encode())
    assert (reply.status, reply.json["Count"]) == (200, 10)


def test_a_throughput_may_be_written_with_a_fraction(server):
    """The buckets are those of the table that the upstream has made."""
    request = {
        "TableName": "fraction",
        "ProvisionedThroughput": {"ReadCapacityUnits": 5.0, "WriteCapacityUnits": 7.9},
        **STRING_KEY,
    }
    described = server.post("CreateTable", request).json["TableDescription"]
    throughput = described["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (5, 7)
    assert server.held("fraction") == (5, 7)
    server.dynamodb.delete_table(TableName="fraction")


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("Limit", "10", "STRING_VALUE cannot be converted to Integer"),
        ("Limit", True, "TRUE_VALUE cannot be converted to Integer"),
        ("Limit", [], "Start of list found where not expected"),
        ("ConsistentRead", 1, "NUMBER_VALUE cannot be converted to Boolean"),
        ("ConsistentRead", 1.5, "DECIMAL_VALUE cannot be converted to Boolean"),
        ("ConsistentRead", "perhaps", "Unexpected token received from parser"),
        ("IndexName", False, "FALSE_VALUE cannot be converted to String"),
    ],
)
def test_a_member_of_another_type_is_told_so(server, table, member, value, said):
    reply = server.post("Scan", {"TableName": table, member: value})
    assert (reply.status, reply.json["message"]) == (400, said)
    assert reply.json["__type"].endswith("#SerializationException")


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63, 2**70, 1e300])
def test_an_integer_that_is_beyond_all_measure_is_refused(server, table, number):
    refused(server, "Scan", {"TableName": table, "Limit": number})


@pytest.mark.parametrize(("said", "units"), [("true", 1), ("YES", 1), ("0", 0.5), ("no", 0.5)])
def test_a_boolean_may_be_written_as_text(server, table, said, units):
    request = {"TableName": table, "Key": KEY, "ConsistentRead": said}
    with server.charged(table) as charged:
        assert server.post("GetItem", request).status == 200
    assert charged.reads == units
    put = {"TableName": table, "Item": {**KEY, "b": {"BOOL": said}}}
    assert server.post("PutItem", put).status == 200
    assert items(server, table) == [{**KEY, "b": {"BOOL": units == 1}}]


# --- empty names ------------------------------------------------------------------------------

X = {"S": "x"}
NAMELESS = {"M": {"": X}}
NESTED = {"L": [X, {"M": {"a": {"L": [NAMELESS]}}}]}
LEGACY = {"ComparisonOperator": "NE", "AttributeValueList": [NESTED]}


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        *(("PutItem", {"Item": {**KEY, **more}}) for more in ({"": X}, {"m": NAMELESS})),
        ("PutItem", {"Item": {**KEY, "l": NESTED}}),
        ("PutItem", {"Item": KEY, "Expected": {"": {"Exists": False}}}),
        ("PutItem", {"Item": KEY, "Expected": {"a": {"Value": NESTED}}}),
        ("PutItem", {"Item": KEY, "Expected": {"a": LEGACY}}),
        ("GetItem", {"Key": {**KEY, "": X}}),
        ("GetItem", {"Key": KEY, "AttributesToGet": [""]}),
        ("DeleteItem", {"Key": {"": X}}),
        ("UpdateItem", {"Key": KEY, "AttributeUpdates": {"": {"Value": X}}}),
        ("UpdateItem", {"Key": KEY, "AttributeUpdates": {"a": {"Value": NAMELESS}}}),
        (
            "UpdateItem",
            {
                "Key": KEY,
                "UpdateExpression": "SET a = :v",
                "ExpressionAttributeValues": {":v": NESTED},
            },
        ),
        (
            "UpdateItem",
            {
                "Key": KEY,
                "UpdateExpression": "SET #a = :v",
                "ExpressionAttributeNames": {"#a": ""},
                "ExpressionAttributeValues": {":v": X},
            },
        ),
        ("Query", {"KeyConditions": {"": {**LEGACY, "ComparisonOperator": "EQ"}}}),
        ("Query", {"KeyConditions": {"id": LEGACY}}),
        ("Query", {"QueryFilter": {"": LEGACY}}),
        ("Scan", {"ScanFilter": {"": LEGACY}}),
        ("Scan", {"ExclusiveStartKey": {"": X}}),
    ],
)
def test_an_attribute_without_a_name_is_none(server, table, operation, request_):
    assert refused(server, operation, {"TableName": table, **request_}) == "Empty attribute name"
    assert items(server, table) == []


@pytest.mark.parametrize("bad", [{**KEY, "": X}, {**KEY, "m": NAMELESS}], ids=["top", "nested"])
def test_an_attribute_without_a_name_is_none_among_others(server, table, bad):
    good = {"id": {"S": "good"}}
    puts = [{"PutRequest": {"Item": item}} for item in (good, bad)]
    actions = [{"Put": {"TableName": table, "Item": item}} for item in (good, bad)]
    for operation, request in (
        ("BatchWriteItem", {"RequestItems": {table: puts}}),
        ("TransactWriteItems", {"TransactItems": actions}),
        ("BatchGetItem", {"RequestItems": {table: {"Keys": [good, bad]}}}),
    ):
        assert refused(server, operation, request) == "Empty attribute name"
    assert items(server, table) == []


# --- constraints, and how they are told -------------------------------------------------------


def error(value: str, member: str, limit: str) -> str:
    return f"Value {value} at '{member}' failed to satisfy constraint: Member must {limit}"


RCC = error("'BOGUS'", "returnConsumedCapacity", "satisfy enum value set: [INDEXES, TOTAL, NONE]")
RICM = error("'BOGUS'", "returnItemCollectionMetrics", "satisfy enum value set: [SIZE, NONE]")


def data_plane(table: str) -> dict[str, dict[str, Any]]:
    put = {"TableName": table, "Item": KEY}
    return {
        "GetItem": {"TableName": table, "Key": KEY},
        "PutItem": put,
        "UpdateItem": {"TableName": table, "Key": KEY},
        "DeleteItem": {"TableName": table, "Key": KEY},
        "Query": {
            "TableName": table,
            "KeyConditionExpression": "id = :v",
            "ExpressionAttributeValues": {":v": X},
        },
        "Scan": {"TableName": table},
        "BatchGetItem": {"RequestItems": {table: {"Keys": [KEY]}}},
        "BatchWriteItem": {"RequestItems": {table: [{"PutRequest": {"Item": KEY}}]}},
        "TransactGetItems": {"TransactItems": [{"Get": {"TableName": table, "Key": KEY}}]},
        "TransactWriteItems": {"TransactItems": [{"Put": put}]},
    }


@pytest.mark.parametrize("operation", data_plane(""))
def test_a_report_of_no_known_kind_is_refused_and_nothing_is_written(server, table, operation):
    request = {**data_plane(table)[operation], "ReturnConsumedCapacity": "BOGUS"}
    assert refused(server, operation, request) == f"1 validation error detected: {RCC}"
    shape: Any = model("dynamodb").operation_model(operation).input_shape
    if "ReturnItemCollectionMetrics" in shape.members:
        request["ReturnItemCollectionMetrics"] = "BOGUS"
        assert refused(server, operation, request) == (
            f"2 validation errors detected: {RCC}; {RICM}"
        )
        del request["ReturnConsumedCapacity"]
        assert refused(server, operation, request) == f"1 validation error detected: {RICM}"
    assert items(server, table) == []


@pytest.mark.parametrize(
    ("operation", "request_", "said"),
    [
        ("Scan", {"Limit": 0}, error("'0'", "limit", "have value greater than or equal to 1")),
        ("Query", {"Limit": -1}, error("'-1'", "limit", "have value greater than or equal to 1")),
        (
            "Scan",
            {"Segment": -1, "TotalSegments": 1},
            error("'-1'", "segment", "have value greater than or equal to 0"),
        ),
        (
            "Query",
            {"Select": "SOME"},
            error(
                "'SOME'",
                "select",
                "satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, "
                "ALL_PROJECTED_ATTRIBUTES]",
            ),
        ),
        (
            "PutItem",
            {"Item": KEY, "ReturnValues": "ALL"},
            error(
                "'ALL'",
                "returnValues",
                "satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
            ),
        ),
        (
            "PutItem",
            {"Item": KEY, "ConditionalOperator": "XOR"},
            error("'XOR'", "conditionalOperator", "satisfy enum value set: [OR, AND]"),
        ),
        (
            "UpdateItem",
            {"Key": KEY, "AttributeUpdates": {"a": {"Action": "MOVE", "Value": X}}},
            error(
                "'MOVE'",
                "attributeUpdates.a.member.action",
                "satisfy enum value set: [ADD, DELETE, PUT]",
            ),
        ),
        (
            "Scan",
            {"ScanFilter": {"a": {"ComparisonOperator": "LIKE"}}},
            error(
                "'LIKE'",
                "scanFilter.a.member.comparisonOperator",
                "satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, "
                "NE, LE, BEGINS_WITH, GE, CONTAINS]",
            ),
        ),
        (
            "GetItem",
            {"Key": KEY, "AttributesToGet": []},
            error("'[]'", "attributesToGet", "have length greater than or equal to 1"),
        ),
        (
            "Query",
            {"IndexName": "ab"},
            error("'ab'", "indexName", "have length greater than or equal to 3"),
        ),
    ],
)
def test_a_constraint_names_the_member(server, table, operation, request_, said):
    assert refused(server, operation, {"TableName": table, **request_}) == (
        f"1 validation error detected: {said}"
    )
    assert items(server, table) == []


def test_a_constraint_within_a_batch_or_a_transaction_names_the_place(server, table):
    put = {"TableName": table, "Item": KEY, "ReturnValuesOnConditionCheckFailure": "BOGUS"}
    good = {"TableName": table, "Item": {"id": {"S": "b"}}}
    request = {"TransactItems": [{"Put": good}, {"Put": put}]}
    said = error(
        "'BOGUS'",
        "transactItems.2.member.put.returnValuesOnConditionCheckFailure",
        "satisfy enum value set: [ALL_OLD, NONE]",
    )
    assert refused(server, "TransactWriteItems", request) == f"1 validation error detected: {said}"
    said = error(
        "'[]'", f"requestItems.{table}.member.keys", "have length greater than or equal to 1"
    )
    assert refused(server, "BatchGetItem", {"RequestItems": {table: {"Keys": []}}}) == (
        f"1 validation error detected: {said}"
    )
    assert items(server, table) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"KeySchema": [{"AttributeName": "id", "KeyType": "INVALID"}]},
            error(
                "'INVALID'", "keySchema.1.member.keyType", "satisfy enum value set: [HASH, RANGE]"
            ),
        ),
        (
            {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "INVALID"}]},
            error(
                "'INVALID'",
                "attributeDefinitions.1.member.attributeType",
                "satisfy enum value set: [B, N, S]",
            ),
        ),
        (
            {"BillingMode": "FREE"},
            error(
                "'FREE'", "billingMode", "satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
            ),
        ),
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 1}},
            error(
                "'0'",
                "provisionedThroughput.readCapacityUnits",
                "have value greater than or equal to 1",
            ),
        ),
    ],
)
def test_a_table_that_breaks_a_constraint_is_not_made(server, change, said):
    request = {"TableName": "broken", "ProvisionedThroughput": THROUGHPUT, **STRING_KEY, **change}
    assert refused(server, "CreateTable", request) == f"1 validation error detected: {said}"
    assert "broken" not in server.around("ListTables")["TableNames"]


@pytest.mark.parametrize(
    ("target", "request_"),
    [
        (TARGET + "DescribeExport", {"ExportArn": "short"}),
        (TARGET + "ListBackups", {"ExclusiveStartBackupArn": "short"}),
        (TARGET + "ListImports", {"NextToken": "short"}),
        (TARGET + "ListGlobalTables", {"ExclusiveStartGlobalTableName": "ab"}),
        (STREAMS + "DescribeStream", {"StreamArn": "s", "ExclusiveStartShardId": "s"}),
        (
            STREAMS + "GetShardIterator",
            {
                "StreamArn": "s",
                "ShardId": "s",
                "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "SequenceNumber": "1",
            },
        ),
    ],
)
def test_what_the_upstream_gave_out_itself_is_for_it_to_judge(target, request_):
    request_checks()[target](request_)


def test_what_the_caller_thought_of_is_not():
    with pytest.raises(DynamoDBError, match="'backupName' failed to satisfy constraint"):
        request_checks()[TARGET + "CreateBackup"]({"TableName": "tbl", "BackupName": "ab"})


def test_at_most_ten_errors_are_told():
    actions: list[Any] = [{"Put": {}} for _ in range(20)]
    check = request_checks()[TARGET + "TransactWriteItems"]
    with pytest.raises(Exception, match="10 validation errors") as raised:
        check({"TransactItems": actions})
    assert str(raised.value).count("Member must not be null") == 10


def test_types_are_looked_at_before_constraints(server, table):
    reply = server.post("Scan", {"TableName": table, "Limit": 0, "ConsistentRead": 5})
    assert reply.json["__type"].endswith("#SerializationException")


def test_a_listing_may_go_on_from_any_name(server):
    """moto takes one of two letters; DynamoDB Local says itself that it does not."""
    reply = server.post("ListTables", {"ExclusiveStartTableName": "ab"})
    around = server.upstream_answers("ListTables", ExclusiveStartTableName="ab")
    assert (reply.status, reply.json) == (around.status, around.json)


# --- what is sent on --------------------------------------------------------------------------


def test_the_upstream_is_sent_what_was_understood(server, table):
    """And not what the parsers of two programs may each understand in their own way."""
    body = (
        f'{{"TableName": "no-such-table", "TableName": "{table}", "Item": {json.dumps(KEY)}, '
        f'"Nonsense": 1, "ReturnConsumedCapacity": null, "ReturnConsumedCapacity": "TOTAL"}}'
    )
    reply = server.post("PutItem", body.encode())
    assert (reply.status, reply.json["ConsumedCapacity"]["CapacityUnits"]) == (200, 1)
    assert items(server, table) == [KEY]


@pytest.mark.parametrize("service", ["dynamodb", "dynamodbstreams"])
def test_every_operation_is_known(service):
    prefix = {"dynamodb": TARGET, "dynamodbstreams": STREAMS}[service]
    names = {f"{prefix}{name}" for name in model(service).operation_names}
    assert names <= request_checks().keys()


def test_a_check_changes_nothing_of_a_good_request():
    for operation in itertools.chain(hostile.OPERATIONS):
        request = hostile.request_of(operation)
        before = copy.deepcopy(request)
        request_checks()[TARGET + operation](request)
        assert request == before
