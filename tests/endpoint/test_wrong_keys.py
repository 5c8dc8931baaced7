"""Keys that are none of the table's, and values that cannot be an index's: DynamoDB's errors, the
same in front of each upstream, and nothing is written or charged."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.serving import Server
from tweetlab.endpoint.wire import DynamoDBError

MISMATCH = "The provided key element does not match the schema"
EMPTY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
    "contain an empty {} value. Key: {}"
)
TYPE = "One or more parameter values were invalid: Type mismatch for key {} expected: {} actual: {}"
MISSING = "One or more parameter values were invalid: Missing the key {} in the item"
INDEX_TYPE = (
    "One or more parameter values were invalid: Type mismatch for Index Key {} "
    "Expected: S Actual: {} IndexName: {}"
)
INDEX_EMPTY = (
    "One or more parameter values are not valid. A value specified for a secondary index key is "
    "not supported. The AttributeValue for a key attribute cannot contain an empty string value. "
    "IndexName: {}, IndexKey: {}"
)
UPDATE_EMPTY = (
    "One or more parameter values are not valid. The update expression attempted to update a "
    "secondary index key to a value that is not supported. The AttributeValue for a key attribute "
    "cannot contain an empty string value."
)
S, N, L = {"S": "a"}, {"N": "5"}, {"L": [{"S": "a"}]}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"id": N, "sort": N}, TYPE.format("id", "S", "N"), MISMATCH),
    ({"id": L, "sort": N}, TYPE.format("id", "S", "L"), MISMATCH),
    ({"id": {"NULL": True}, "sort": N}, TYPE.format("id", "S", "NULL"), MISMATCH),
    ({"id": {"SS": ["a"]}, "sort": N}, TYPE.format("id", "S", "SS"), MISMATCH),
    ({"id": {"B": "AAAA"}, "sort": N}, TYPE.format("id", "S", "B"), MISMATCH),
    ({"id": S, "sort": S}, TYPE.format("sort", "N", "S"), MISMATCH),
    ({"id": S}, MISSING.format("sort"), MISMATCH),
    ({"sort": N}, MISSING.format("id"), MISMATCH),
    ({}, MISSING.format("id"), MISMATCH),
]
"""Keys, and what is said of them in an item and as a key."""
NO_KEYS = [({"id": S, "sort": N, "more": S}, MISMATCH), ({"other": S, "sort": N}, MISMATCH)]
EMPTY_KEYS = [{"id": {"S": ""}, "sort": N}]


@pytest.fixture
def table(server: Server) -> str:
    return server.create_table(
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "sort", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (("id", "S"), ("sort", "N"), ("g", "S"), ("l", "S"))
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 9, "WriteCapacityUnits": 9},
            }
        ],
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


def refusal(server: Server, operation: str, **request: Any) -> tuple[str, str]:
    """The error that a call is answered, and its message; it is not charged."""
    table = next(iter(server._tables))
    server.dynamodb.describe_table(TableName=table)
    server.post("GetItem", {"TableName": table, "Key": {"id": S, "sort": N}})
    with server.charged(table) as charged, server.charged(table, "gsi") as in_index:
        reply = server.post(operation, request)
    assert (charged.reads, charged.writes, in_index.writes) == (0, 0, 0)
    assert reply.status == 400, reply.body
    assert server.around("Scan", TableName=table)["Count"] == 0
    said = reply.json.get("message") or reply.json.get("Message")
    return reply.json["__type"].rpartition("#")[2], said


def update_of(key: Any) -> dict[str, Any]:
    return {
        "Key": key,
        "UpdateExpression": "SET x = :x",
        "ExpressionAttributeValues": {":x": S},
    }


@pytest.mark.parametrize(("key", "of_item", "of_key"), WRONG, ids=repr)
def test_a_key_of_the_wrong_type_or_without_an_attribute(server, table, key, of_item, of_key):
    on_table = {"TableName": table}
    assert refusal(server, "PutItem", Item=key, **on_table) == ("ValidationException", of_item)
    for operation, request in (
        ("GetItem", {"Key": key}),
        ("GetItem", {"Key": key, "ProjectionExpression": "x"}),
        ("DeleteItem", {"Key": key}),
        ("UpdateItem", update_of(key)),
    ):
        found = refusal(server, operation, **request, **on_table)
        assert found == ("ValidationException", of_key), operation


@pytest.mark.parametrize(("key", "message"), NO_KEYS, ids=repr)
def test_a_key_with_other_attributes(server, table, key, message):
    for operation, request in (
        ("GetItem", {"Key": key}),
        ("DeleteItem", {"Key": key}),
        ("UpdateItem", update_of(key)),
    ):
        found = refusal(server, operation, **request, TableName=table)
        assert found == ("ValidationException", message)


@pytest.mark.parametrize("key", EMPTY_KEYS, ids=repr)
def test_a_key_that_is_empty(server, table, key):
    """Also in a transaction it is a ValidationException (as observed on AWS)."""
    expected = ("ValidationException", EMPTY.format("string", "id"))
    actions: list[dict[str, Any]] = [{"Put": {"Item": key}}, {"Delete": {"Key": key}}]
    assert refusal(server, "PutItem", TableName=table, Item=key) == expected
    for operation in ("GetItem", "DeleteItem"):
        assert refusal(server, operation, TableName=table, Key=key) == expected
    for action in actions:
        ((verb, request),) = action.items()
        items = [{verb: {"TableName": table, **request}}]
        assert refusal(server, "TransactWriteItems", TransactItems=items) == expected


def test_an_empty_binary_is_no_key_either(server):
    table = server.create_table(
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "B"}]
    )
    reply = server.post("PutItem", {"TableName": table, "Item": {"id": {"B": ""}}})
    assert reply.json["message"] == EMPTY.format("binary", "id")


def test_a_transaction_is_cancelled_by_it_with_a_reason_at_its_place(server, table):
    good, wrong = {"id": S, "sort": N}, {"id": N, "sort": N}
    check = {"ConditionExpression": "attribute_not_exists(id)"}
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"Put": {"Item": wrong}}, TYPE.format("id", "S", "N")),
        ({"Put": {"Item": {"id": L, "sort": N}}}, TYPE.format("id", "S", "L")),
        ({"Put": {"Item": {**good, "g": N}}}, INDEX_TYPE.format("g", "N", "gsi")),
        ({"Update": update_of(wrong)}, MISMATCH),
        ({"Delete": {"Key": wrong}}, MISMATCH),
        ({"ConditionCheck": {"Key": wrong, **check}}, MISMATCH),
    ]
    for action, message in wrongs:
        ((verb, request),) = action.items()
        first = {"Put": {"TableName": table, "Item": {"id": {"S": "z"}, "sort": N}}}
        items = [first, {verb: {"TableName": table, **request}}]
        kind, text = refusal(server, "TransactWriteItems", TransactItems=items)
        assert (kind, text.rpartition(" [")[2]) == (
            "TransactionCanceledException",
            "None, ValidationError]",
        )
        reply = server.post("TransactWriteItems", {"TransactItems": items})
        reasons = reply.json["CancellationReasons"]
        assert reasons == [{"Code": "None"}, {"Code": "ValidationError", "Message": message}]
    items = [{"Get": {"TableName": table, "Key": key}} for key in (wrong, good, wrong)]
    reply = server.post("TransactGetItems", {"TransactItems": items})
    reasons = [reason["Code"] for reason in reply.json["CancellationReasons"]]
    assert reasons == ["ValidationError", "None", "ValidationError"]


@pytest.mark.parametrize("update", [{"Value": {"S": "z"}, "Action": "PUT"}, {"Action": "DELETE"}])
def test_a_key_is_not_updated(server, table, update):
    """moto would move the item."""
    key = {"id": S, "sort": N}
    found = refusal(server, "UpdateItem", TableName=table, Key=key, AttributeUpdates={"id": update})
    assert found == (
        "ValidationException",
        "One or more parameter values were invalid: Cannot update attribute id. "
        "This attribute is part of the key",
    )


def test_a_batch_with_one_is_not_made(server, table):
    good, wrong = {"id": S, "sort": N}, {"id": N, "sort": N}
    puts = [{"PutRequest": {"Item": item}} for item in (good, wrong)]
    found = refusal(server, "BatchWriteItem", RequestItems={table: puts})
    assert found == ("ValidationException", TYPE.format("id", "S", "N"))
    deletes = [{"DeleteRequest": {"Key": wrong}}]
    found = refusal(server, "BatchWriteItem", RequestItems={table: deletes})
    assert found == ("ValidationException", MISMATCH)
    found = refusal(server, "BatchGetItem", RequestItems={table: {"Keys": [good, wrong]}})
    assert found == ("ValidationException", MISMATCH)


@pytest.mark.parametrize(
    ("attribute", "index"), [("g", "gsi"), ("l", "lsi")], ids=["global", "local"]
)
def test_a_value_that_cannot_be_the_key_of_an_index(server, table, attribute, index):
    key = {"id": S, "sort": N}
    for value, kind in ((N, "N"), (L, "L"), ({"BOOL": True}, "BOOL")):
        expected = ("ValidationException", INDEX_TYPE.format(attribute, kind, index))
        assert (
            refusal(server, "PutItem", TableName=table, Item={**key, attribute: value}) == expected
        )
        for request in (
            {
                "UpdateExpression": f"SET {attribute} = :v",
                "ExpressionAttributeValues": {":v": value},
            },
            {
                "UpdateExpression": "SET x = :x, #a=:v",
                "ExpressionAttributeNames": {"#a": attribute},
                "ExpressionAttributeValues": {":v": value, ":x": S},
            },
            {"AttributeUpdates": {attribute: {"Value": value, "Action": "PUT"}}},
        ):
            assert refusal(server, "UpdateItem", TableName=table, Key=key, **request) == expected
    empty = {"S": ""}
    expected = ("ValidationException", INDEX_EMPTY.format(index, attribute))
    assert refusal(server, "PutItem", TableName=table, Item={**key, attribute: empty}) == expected
    update = {
        "UpdateExpression": f"SET {attribute} = :v",
        "ExpressionAttributeValues": {":v": empty},
    }
    found = refusal(server, "UpdateItem", TableName=table, Key=key, **update)
    assert found == ("ValidationException", UPDATE_EMPTY)


@pytest.mark.parametrize(
    "target", ["m.g", "m . g", "#m.#g", "m.l", "many[0].g", "#m.#many[1].l"], ids=repr
)
def test_what_is_called_like_the_key_of_an_index_further_down_may_be_anything(
    server, table, target
):
    """Only an attribute of the item itself is a key."""
    key = {"id": S, "sort": N}
    inner = {"M": {"g": S, "many": {"L": [{"M": {}}, {"M": {}}]}}}
    server.around("PutItem", TableName=table, Item={**key, "m": inner, **inner["M"], "g": S})
    names = {name: name[1:] for name in re.findall(r"#\w+", target)}
    update = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": f"SET x = :v, {target} = :v",
        "ExpressionAttributeValues": {":v": N},
        **({"ExpressionAttributeNames": names} if names else {}),
    }
    items = [{"Update": update}]
    plain = server.upstream_answers("UpdateItem", **update)
    assert server.post("UpdateItem", update).status == plain.status
    assert server.post("TransactWriteItems", {"TransactItems": items}).status == plain.status


NO_STARTS: list[dict[str, Any]] = [
    {"id": N, "sort": N},
    {"id": S, "sort": S},
    {"id": L, "sort": N},
    {"id": S},
    {},
    {"id": S, "sort": N, "more": S},
]


@pytest.mark.parametrize("start", NO_STARTS, ids=repr)
def test_a_search_does_not_start_at_what_is_no_key(server, table, start):
    of_table = {"KeyConditionExpression": "id = :v", "ExpressionAttributeValues": {":v": S}}
    of_index = {**of_table, "KeyConditionExpression": "g = :v", "IndexName": "gsi"}
    for operation, request in (
        ("Scan", {}),
        ("Query", of_table),
        ("Scan", {"IndexName": "gsi"}),
        ("Query", of_index),
    ):
        found = refusal(server, operation, TableName=table, ExclusiveStartKey=start, **request)
        assert found[0] == "ValidationException"
        assert found[1].startswith("The provided starting key is invalid")


@pytest.mark.parametrize("start", [{"g": N}, {"id": N}, {"sort": S}, {"more": S}], ids=repr)
@pytest.mark.parametrize("operation", ["Scan", "Query"])
def test_a_search_of_an_index_starts_at_a_key_of_both(server, table, operation, start):
    whole = {"id": S, "sort": N, "g": S}
    request: dict[str, Any] = {"TableName": table, "IndexName": "gsi"}
    if operation == "Query":
        values = {":v": S}
        request |= {"KeyConditionExpression": "g = :v", "ExpressionAttributeValues": values}
    assert server.post(operation, {**request, "ExclusiveStartKey": whole}).status == 200
    found = refusal(server, operation, ExclusiveStartKey={**whole, **start}, **request)
    assert found[0] == "ValidationException"
    assert found[1].startswith("The provided starting key is invalid")


def test_a_search_starts_where_the_last_one_ended(server, table):
    """With the keys that the upstream has given out, of the table and of its indexes."""
    for number in range(4):
        item = {"id": S, "sort": {"N": f"{number}"}, "g": S, "l": {"S": f"{number}"}}
        server.dynamodb.put_item(TableName=table, Item=item)
    for operation, search in (
        ("Scan", {}),
        ("Scan", {"IndexName": "gsi"}),
        ("Scan", {"IndexName": "lsi"}),
        ("Query", {"KeyConditionExpression": "id = :v"}),
        ("Query", {"KeyConditionExpression": "g = :v", "IndexName": "gsi"}),
        ("Query", {"KeyConditionExpression": "id = :v", "IndexName": "lsi"}),
    ):
        values = {"ExpressionAttributeValues": {":v": S}} if operation == "Query" else {}
        request = {"TableName": table, "Limit": 3, **search, **values}
        first = server.post(operation, request).json
        reply = server.post(operation, {**request, "ExclusiveStartKey": first["LastEvaluatedKey"]})
        assert (reply.status, reply.json["Count"]) == (200, 1), reply.body


CONDITION_TYPE = (
    "One or more parameter values were invalid: Condition parameter type does not match schema type"
)
CONDITIONS = [
    "id = :v AND sort = :n",
    ":v = id AND sort = :n",
    "#i = :v",
    "id = :s AND sort = :v",
    "id = :s AND sort > :v",
    "id = :s AND :v <= sort",
    "id = :s AND sort BETWEEN :v AND :n",
    "id = :s AND sort BETWEEN :n AND :v",
    "begins_with(sort, :v) AND id = :s",
]


@pytest.mark.parametrize("value", [L, {"BOOL": True}], ids=repr)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_query_does_not_compare_a_key_with_a_value_of_another_type(
    server, table, condition, value
):
    values = {name: of for name, of in ((":v", value), (":s", S), (":n", N)) if name in condition}
    request = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        **({"ExpressionAttributeNames": {"#i": "id"}} if "#i" in condition else {}),
    }
    expected = words_of_upstream(server, "Query", request) or CONDITION_TYPE
    assert refusal(server, "Query", **request) == ("ValidationException", expected)


def words_of_upstream(server: Server, operation: str, request: dict[str, Any]) -> str | None:
    """How the upstream itself refuses a request; None if it does not."""
    try:
        answer = server.upstream_answers(operation, **request)
    except DynamoDBError:
        return None
    return answer.json.get("message") or answer.json.get("Message")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("begins_with(name, :v)", "operator or function: begins_with, operand type: BOOL"),
        ("name < :v", "operator or function: <, operand type: BOOL"),
        ("name BETWEEN :v AND :v", "operator or function: BETWEEN, operand type: BOOL"),
        ("name <> :v", "Invalid operator used in KeyConditionExpression: <>"),
        ("name = :v", CONDITION_TYPE),
    ],
)
def test_what_is_wrong_with_a_condition_is_said_as_amazon_s_own_server_says_it(
    proxy_server, condition, words
):
    """It is what AWS says (the Parity Suite's record of October 2026)."""
    table = proxy_server.create_table(
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "name", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "name")
        ],
    )
    request = {
        "TableName": table,
        "KeyConditionExpression": f"id = :s AND {condition.replace('name', '#n')}",
        "ExpressionAttributeNames": {"#n": "name"},
        "ExpressionAttributeValues": {":s": S, ":v": {"BOOL": True}},
    }
    reply = proxy_server.post("Query", request)
    proxy_server.delete_tables()
    assert reply.status == 400
    assert reply.json["Message"].endswith(words)


def test_nor_does_one_of_the_old_kind(server, table):
    for name, other, value in (("id", "sort", N), ("sort", "id", S), ("id", "sort", L)):
        right = {"id": S, "sort": N}[other]
        conditions = {
            name: {"ComparisonOperator": "EQ", "AttributeValueList": [value]},
            other: {"ComparisonOperator": "EQ", "AttributeValueList": [right]},
        }
        found = refusal(server, "Query", TableName=table, KeyConditions=conditions)
        assert found[1].endswith("Condition parameter type does not match schema type")


def test_a_table_made_anew_behind_the_endpoint_is_learnt_anew(server):
    """Its calls are charged by the table that is there."""
    table = server.create_table()
    server.dynamodb.put_item(TableName=table, Item={"id": S})
    server.around("DeleteTable", TableName=table)
    server.around(
        "CreateTable",
        TableName=table,
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "N"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    answer = server.dynamodb.put_item(
        TableName=table, Item={"name": N, "x": {"S": "x" * 3000}}, ReturnConsumedCapacity="TOTAL"
    )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 3
    assert server.held(table)[1] == 1 - 3


ANEW: list[tuple[str, dict[str, Any]]] = [
    ("Scan", {"ExclusiveStartKey": {"id": N, "sort": S}}),
    ("Scan", {"IndexName": "by-day", "ExclusiveStartKey": {"id": N, "sort": S, "day": N}}),
    (
        "Query",
        {"KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": N}},
    ),
    (
        "Query",
        {
            "KeyConditionExpression": "id = :i AND sort > :s",
            "ExpressionAttributeValues": {":i": N, ":s": S},
        },
    ),
    (
        "Query",
        {
            "IndexName": "by-day",
            "KeyConditionExpression": "#d = :d",
            "ExpressionAttributeNames": {"#d": "day"},
            "ExpressionAttributeValues": {":d": N},
        },
    ),
]


@pytest.mark.parametrize(("operation", "search"), ANEW, ids=repr)
def test_so_it_is_by_a_search(server, operation, search):
    """Which by the keys of the table before would be none."""

    def made(id_type: str, sort_type: str, day_type: str) -> dict[str, Any]:
        types = {"id": id_type, "sort": sort_type, "day": day_type}
        throughput = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}
        return {
            "KeySchema": [
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "sort", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-day",
                    "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": throughput,
                }
            ],
            "ProvisionedThroughput": throughput,
        }

    table = server.create_table(**made("S", "N", "S"))
    server.around("DeleteTable", TableName=table)
    server.around("CreateTable", TableName=table, **made("N", "S", "N"))
    reply = server.post(operation, {"TableName": table, **search})
    assert reply.status == 200, reply.body
    # And a search of the table before is none any more.
    before = {"TableName": table, "ExclusiveStartKey": {"id": S, "sort": N}}
    assert server.post("Scan", before).status == 400


def test_what_the_caller_is_told_of_a_key_that_the_upstream_does_not_take(proxy_server):
    """A read of our own is refused for it; the caller's call is not answered by that, but by what
    the upstream says to the call itself."""
    server: Server = proxy_server
    table = server.create_table()
    long = {"id": {"S": "x" * 2049}}
    put = {"Put": {"TableName": table, "Item": long}}
    reply = server.post("PutItem", {"TableName": table, "Item": long})
    assert reply.status == 400 and b"hash" in reply.body.lower(), reply.body
    other = {"Put": {"TableName": table, "Item": {"id": {"S": "a"}}}}
    with server.charged(table) as charged:
        reply = server.post("TransactWriteItems", {"TransactItems": [other, put]})
    assert reply.status == 400 and charged.reads == 0, reply.body
    assert server.around("Scan", TableName=table)["Count"] == 0
    server.delete_tables()
