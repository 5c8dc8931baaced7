"""What a write costs the indexes of its table, alone and in a transaction (as observed on AWS:
github.com/paritysuite/dynamodb-conformance)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.serving import Server, item
from tweetlab.endpoint.stored import plain_value, same_item

KB = 1024
MANY = {"ReadCapacityUnits": 100, "WriteCapacityUnits": 100}


def schema(*names: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": kind}
        for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
    ]


def definitions(*names: str, kind: str = "S") -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name in names]


@pytest.fixture
def table(server: Server) -> str:
    """With a global and a local index, which hold all of an item that has ``g``, or ``l``."""
    return server.create_table(
        KeySchema=schema("id", "sort"),
        AttributeDefinitions=definitions("id", "sort", "g", "l"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi",
                "KeySchema": schema("g"),
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": MANY,
            }
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "lsi",
                "KeySchema": schema("id", "l"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def of_size(size: int, **more: str) -> dict[str, Any]:
    attributes = {name: {"S": value} for name, value in {"sort": "1", **more}.items()}
    return item("a", size, **attributes)


KEY = {"id": {"S": "a"}, "sort": {"S": "1"}}
MOVE = {
    "Key": KEY,
    "UpdateExpression": "SET g = :g",
    "ExpressionAttributeValues": {":g": {"S": "y"}},
}
CHECK = {"Key": KEY, "ConditionExpression": "attribute_exists(id)"}
IN_A_TRANSACTION = {
    "put into both": (None, {"Put": {"Item": of_size(100, g="x", l="x")}}, (4, 2, 1, 1)),
    "put into neither": (None, {"Put": {"Item": of_size(100)}}, (2, 2, 0, 0)),
    "update that moves the key": (of_size(100, g="x", l="x"), {"Update": MOVE}, (5, 2, 2, 1)),
    "delete of 3 KB": (of_size(3 * KB, g="x"), {"Delete": {"Key": KEY}}, (9, 6, 3, 0)),
    "key of 1.5 KB moved": (of_size(int(1.5 * KB), g="x"), {"Update": MOVE}, (8, 4, 4, 0)),
    "check of 3 KB": (of_size(3 * KB, g="x", l="x"), {"ConditionCheck": CHECK}, (6, 6, 0, 0)),
}


@pytest.mark.parametrize(
    ("before", "action", "units"), IN_A_TRANSACTION.values(), ids=IN_A_TRANSACTION
)
def test_a_transaction_doubles_what_the_table_is_charged_and_no_index(
    server, table, before, action, units
):
    """The local index takes from the table's buckets, and is not doubled all the same."""
    if before:
        server.around("PutItem", TableName=table, Item=before)
    server.dynamodb.get_item(TableName=table, Key=KEY)
    ((verb, request),) = action.items()
    total, of_table, of_gsi, of_lsi = units
    with server.charged(table) as charged, server.charged(table, "gsi") as in_index:
        answer = server.dynamodb.transact_write_items(
            TransactItems=[{verb: {"TableName": table, **request}}],
            ReturnConsumedCapacity="INDEXES",
        )
    [report] = answer["ConsumedCapacity"]
    assert report["CapacityUnits"] == report["WriteCapacityUnits"] == total
    assert report["Table"]["CapacityUnits"] == of_table
    arms = [report.get(f"{kind}SecondaryIndexes", {}) for kind in ("Global", "Local")]
    assert [sum(arm["CapacityUnits"] for arm in each.values()) for each in arms] == [of_gsi, of_lsi]
    assert (charged.writes, in_index.writes) == (of_table + of_lsi, of_gsi)


STORED_ALIKE = [
    ({"N": "5"}, {"N": "5.0"}),
    ({"N": "100"}, {"N": "1E2"}),
    ({"N": "0"}, {"N": "-0.00"}),
    ({"NS": ["1", "2.50"]}, {"NS": ["2.5", "1.0"]}),
    ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
    ({"BS": ["AAAA", "AA=="]}, {"BS": ["AA==", "AAAA"]}),
    ({"L": [{"M": {"n": {"N": "7"}}}]}, {"L": [{"M": {"n": {"N": "7.00"}}}]}),
    (
        {"M": {"a": {"SS": ["x", "y"]}, "b": {"N": "1"}}},
        {"M": {"b": {"N": "1"}, "a": {"SS": ["y", "x"]}}},
    ),
]
STORED_APART = [
    ({"N": "5"}, {"N": "5.1"}),
    (
        {"N": "12345678901234567890123456789012345678"},
        {"N": "12345678901234567890123456789012345679"},
    ),
    ({"L": [{"N": "1"}, {"N": "2"}]}, {"L": [{"N": "2"}, {"N": "1"}]}),
    ({"SS": ["a", "b"]}, {"SS": ["a", "c"]}),
    ({"S": "5"}, {"N": "5"}),
    ({"S": "5"}, {"S": "5.0"}),
    ({"BOOL": True}, {"BOOL": False}),
    ({"L": []}, {"M": {}}),
]


@pytest.mark.parametrize(("first", "second"), STORED_ALIKE, ids=repr)
def test_a_put_of_what_is_stored_already_costs_the_indexes_nothing(server, table, first, second):
    for value in (first, second):
        request = {"TableName": table, "Item": {**of_size(100, g="x", l="x"), "value": value}}
        answer = server.post("PutItem", {**request, "ReturnConsumedCapacity": "INDEXES"}).json
    consumed = answer["ConsumedCapacity"]
    assert (consumed["CapacityUnits"], consumed["Table"]["CapacityUnits"]) == (1, 1)
    assert "GlobalSecondaryIndexes" not in consumed and "LocalSecondaryIndexes" not in consumed


@pytest.mark.parametrize(("first", "second"), STORED_APART, ids=repr)
def test_a_put_of_something_else_costs_each_index(server, table, first, second):
    for value in (first, second):
        request = {"TableName": table, "Item": {**of_size(100, g="x", l="x"), "value": value}}
        answer = server.post("PutItem", {**request, "ReturnConsumedCapacity": "TOTAL"}).json
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 3


@pytest.mark.parametrize(("first", "second"), STORED_ALIKE, ids=repr)
def test_an_update_to_what_is_stored_already_costs_the_indexes_nothing(
    server, table, first, second
):
    for value in (first, second):
        answer = server.post(
            "UpdateItem",
            {
                "TableName": table,
                "Key": KEY,
                "UpdateExpression": "SET g = :x, l = :x, v = :v",
                "ExpressionAttributeValues": {":x": {"S": "x"}, ":v": value},
                "ReturnConsumedCapacity": "TOTAL",
            },
        ).json
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 1


def test_an_index_key_that_is_written_another_way_has_not_moved(server):
    """Its entry is changed for another attribute: one unit, and not a delete and a put."""
    table = server.create_table(
        KeySchema=schema("id"),
        AttributeDefinitions=[*definitions("id"), *definitions("likes", kind="N")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi",
                "KeySchema": schema("likes"),
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": MANY,
            }
        ],
    )
    for likes, text in (("100", "a"), ("1E2", "b"), ("1e+2", "c"), ("100.00", "d"), ("101", "d")):
        with server.charged(table, "gsi") as in_index:
            values = {"likes": {"N": likes}, "text": {"S": text}}
            server.dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, **values})
        assert in_index.writes == (2 if likes == "101" else 1), likes


def test_keys_that_are_spelt_another_way_are_one_key(server):
    """In a batch, in its answer, and for the bucket of their partition."""
    table = server.create_table(
        KeySchema=schema("n"), AttributeDefinitions=definitions("n", kind="N")
    )
    for number in ("5", "100", "0"):
        server.dynamodb.put_item(TableName=table, Item={"n": {"N": number}, "x": {"S": "x" * 5000}})
    keys = [{"n": {"N": number}} for number in ("5.0", "1E2", "-0")]
    answer = server.dynamodb.batch_get_item(
        RequestItems={table: {"Keys": keys, "ConsistentRead": True}}, ReturnConsumedCapacity="TOTAL"
    )
    assert len(answer["Responses"][table]) == 3
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 3 * 2
    twice = [{"n": {"N": "5"}}, {"n": {"N": "5.0"}}]
    reply = server.post("BatchGetItem", {"RequestItems": {table: {"Keys": twice}}})
    assert (reply.status, reply.json["message"]) == (
        400,
        "Provided list of item keys contains duplicates",
    )


@pytest.mark.parametrize(
    "spellings",
    [
        [{"N": "5"}, {"N": "5.0"}, {"N": "0.5E1"}, {"N": "+5"}],
        [{"N": "0"}, {"N": "-0"}, {"N": "0.00"}, {"N": "0E7"}],
        [{"N": "100"}, {"N": "1E2"}, {"N": "1e+2"}],
        [{"B": "AAA="}, {"B": "AAB="}],
    ],
    ids=repr,
)
def test_spellings_of_a_key_have_one_text(spellings):
    assert len({plain_value(value) for value in spellings}) == 1


def test_two_numbers_that_differ_in_the_last_digit_are_two_keys():
    digits = "1234567890123456789012345678901234567"
    assert plain_value({"N": digits + "8"}) != plain_value({"N": digits + "9"})
    assert plain_value({"N": "-5"}) != plain_value({"N": "5"})


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 9))
def test_a_number_is_itself_whatever_zeros_it_has(number, zeros):
    long = f"{number:f}" + ("" if "." in f"{number:f}" else ".") + "0" * zeros
    assert same_item({"n": {"N": str(number)}}, {"n": {"N": long}})


def test_what_is_no_value_is_itself():
    odd: Any = {"X": "no such type"}
    assert same_item({"a": odd}, {"a": {"X": "no such type"}})
    assert not same_item({"a": odd}, {"a": {"X": "another"}})
    assert not same_item({"a": {"N": "five"}}, {"a": {"N": "5"}})
    assert same_item(None, None) and not same_item(None, {}) and not same_item({}, None)
