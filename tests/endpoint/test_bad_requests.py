"""Whatever is sent, the answer is an error of DynamoDB's, and the endpoint goes on serving."""

from __future__ import annotations

import re
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.serving import TARGET, Reply, Server

KEY = {"id": {"S": "a"}}


@pytest.fixture
def table(server):
    return server.create_table()


def assert_is_an_error(reply: Reply, kind: str, status: int = 400) -> None:
    body = reply.json
    assert (reply.status, body["__type"].rpartition("#")[2]) == (status, kind), reply.body
    assert_is_well_formed(reply)


def assert_is_well_formed(reply: Reply) -> None:
    body = reply.json
    # moto spells some types without the namespace, which SDKs take as well.
    assert re.fullmatch(r"(com\.amazon[\w.]*#)?\w+", body["__type"])
    assert body.get("message") or body.get("Message"), body
    assert reply.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert int(reply.headers["x-amz-crc32"]) == zlib.crc32(reply.body)


def assert_serves(server: Server, table: str) -> None:
    answer = server.dynamodb.get_item(TableName=table, Key=KEY)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"", "SerializationException", id="empty"),
        pytest.param(b"\x00\xff\xfe garbage", "SerializationException", id="garbage"),
        pytest.param(b'{"TableName": "x"', "SerializationException", id="cut off"),
        pytest.param(b"[]", "SerializationException", id="a list"),
        pytest.param(b'"text"', "SerializationException", id="a string"),
        pytest.param(b"null", "SerializationException", id="null"),
        pytest.param('{"TableName": "é"}'.encode("latin-1"), "SerializationException", id="latin"),
        pytest.param(b'{"TableName": "\\ud800"}', "SerializationException", id="lone surrogate"),
        pytest.param(b"[" * 100_000, "SerializationException", id="deep lists"),
        pytest.param(b'{"a":' * 100_000, "SerializationException", id="deep maps"),
        pytest.param(b"{}", "ValidationException", id="nothing asked"),
        pytest.param(b'{"TableName": 5, "Key": {}}', "SerializationException", id="wrong type"),
        pytest.param(
            b'{"TableName": "abc", "Key": []}', "SerializationException", id="wrong shape"
        ),
        pytest.param(
            b'{"TableName": "abc", "Key": {"id": "a"}}', "SerializationException", id="no value"
        ),
        pytest.param(
            b'{"TableName": "abc", "Key": {"id": {"S": 1}}}', "SerializationException", id="S: 1"
        ),
        pytest.param(
            b'{"TableName": "never-made", "Key": {"id": {"S": "a"}}}',
            "ResourceNotFoundException",
            id="no such table",
        ),
    ],
)
def test_a_body_that_is_no_request(server, table, body, kind):
    assert_is_an_error(server.post("GetItem", body), kind)
    assert_serves(server, table)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("", id="none"),
        pytest.param("GetItem", id="no service"),
        pytest.param("Kinesis_20131202.PutRecord", id="another service"),
        pytest.param(TARGET + "DropTable", id="no such operation"),
        pytest.param(TARGET + "../../etc/passwd", id="a path"),
        pytest.param("x" * 5000, id="a long one"),
    ],
)
def test_a_target_that_is_no_operation(server, table, target):
    reply = server.request("POST", b"{}", {"X-Amz-Target": target})
    assert_is_an_error(reply, "UnknownOperationException")
    assert_serves(server, table)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_request_without_a_target(server, table, method):
    assert_is_an_error(server.request(method, b"{}"), "UnknownOperationException")
    assert_serves(server, table)


def test_a_body_over_16_MB(server, table):
    body = b'{"TableName": "' + b"x" * (17 * 1024 * 1024) + b'"}'
    assert_is_an_error(server.post("GetItem", body), "RequestEntityTooLargeException", 413)
    assert_serves(server, table)


def put_nested(server: Server, table: str, depth: int) -> Reply:
    """Put a list of lists of lists ... of a string: ``depth`` levels in all."""
    depth -= 1
    value = '{"L":[' * depth + '{"S":"x"}' + "]}" * depth
    body = f'{{"TableName":"{table}","Item":{{"id":{{"S":"a"}},"deep":{value}}}}}'
    return server.post("PutItem", body.encode())


@pytest.mark.parametrize("depth", [33, 60, 100, 200, 400, 1000, 10_000])
def test_nesting_deeper_than_dynamodb_takes(server, table, depth):
    reply = put_nested(server, table, depth)
    assert reply.status == 400, reply.body[:300]
    assert_is_well_formed(reply)
    assert_serves(server, table)


def test_the_deepest_nesting_that_dynamodb_takes(server, table):
    assert put_nested(server, table, 32).status == 200
    assert_serves(server, table)


def send_value(server: Server, table: str, operation: str, value: Any) -> Reply:
    request: dict[str, dict[str, Any]] = {
        "PutItem": {"Item": {**KEY, "value": value}},
        "UpdateItem": {
            "Key": KEY,
            "UpdateExpression": "SET likes = :value",
            "ExpressionAttributeValues": {":value": value},
        },
        "GetItem": {"Key": {"id": value}},
    }
    return server.post(operation, {"TableName": table, **request[operation]})


any_operation = pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "GetItem"])


@any_operation
@pytest.mark.parametrize(
    "value",
    [
        {},
        {"S": "one", "N": "2"},
        {"X": "no such type"},
        {"N": "five"},
        {"N": ""},
        {"N": "Infinity"},
        {"B": "not base64"},
        {"NS": ["one"]},
        {"L": {}},
        {"M": []},
        {"NULL": "perhaps"},
        {"BOOL": 1},
        {"S": None},
        {"L": [None]},
        {"M": {"a": None}},
        {"SS": ["a", None]},
        None,
    ],
    ids=repr,
)
def test_a_value_that_is_none_of_dynamodbs(server, table, operation, value):
    reply = send_value(server, table, operation, value)
    assert reply.status == 400, reply.body
    assert reply.json["__type"].endswith(("ValidationException", "SerializationException"))
    assert_is_well_formed(reply)


@pytest.mark.parametrize("number", ["five", "", "Infinity", "NaN", "1" * 99 + "x" * 99])
def test_what_is_no_number_is_named(server, table, number):
    for value in ({"N": number}, {"NS": ["1", number]}):
        reply = send_value(server, table, "PutItem", value)
        assert_is_an_error(reply, "ValidationException")
        assert reply.json["message"] == (
            f"The parameter cannot be converted to a numeric value: {number[:100]}"
        )


@any_operation
@pytest.mark.parametrize(
    "value",
    [{"N": "1E+400"}, {"N": "1" * 39}, {"SS": []}, {"SS": ["a", "a"]}, {"NULL": False}],
    ids=repr,
)
def test_what_only_dynamodb_itself_refuses_passes_through(proxy_server, operation, value):
    """moto lets some of these pass; Amazon's own DynamoDB Local does not."""
    table = proxy_server.create_table()
    reply = send_value(proxy_server, table, operation, value)
    assert_is_an_error(reply, "ValidationException")
    proxy_server.delete_tables()


def test_what_an_operation_knows_nothing_of_is_ignored(server, table):
    request = {"TableName": table, "ProjectionExpression": "id", "KeyConditionExpression": None}
    assert server.post("Scan", {**request, "Nonsense": {}}).status == 200
    put = {"Nonsense": 1, "PutRequest": {"Item": KEY, "Nonsense": 2}}
    assert server.post("BatchWriteItem", {"RequestItems": {table: [put]}}).status == 200
    put = {"Nonsense": 1, "Put": {"TableName": table, "Item": KEY, "Nonsense": 2}}
    assert server.post("TransactWriteItems", {"TransactItems": [put]}).status == 200


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
values = st.sampled_from(["S", "N", "B", "SS", "NS", "L", "M", "BOOL", "NULL", "X"]).flatmap(
    lambda kind: st.fixed_dictionaries({kind: junk})
) | st.just(KEY["id"])
keys = st.fixed_dictionaries({"id": values}) | junk
expressions = st.text("id=:a#b() ANDSET", max_size=20) | st.sampled_from(["id = :a", "SET b = :a"])
requests = st.fixed_dictionaries(
    {},
    optional={
        "Key": keys,
        "Item": keys,
        "KeyConditionExpression": expressions | junk,
        "UpdateExpression": expressions | junk,
        "ConditionExpression": expressions,
        "FilterExpression": expressions,
        "ProjectionExpression": expressions,
        "ExpressionAttributeValues": st.fixed_dictionaries({":a": values}) | junk,
        "ExpressionAttributeNames": st.just({"#b": "b"}) | junk,
        "ConsistentRead": junk,
        "Limit": junk,
        "Select": junk,
        "ReturnConsumedCapacity": st.just("INDEXES") | junk,
    },
)


@pytest.fixture(scope="module")
def fuzzed(moto_server):
    """A table that lives through all examples, and is known from the first."""
    table = moto_server.create_table(40_000, 40_000)
    moto_server.dynamodb.get_item(TableName=table, Key=KEY)
    yield table
    moto_server.delete_tables()


@given(
    operation=st.sampled_from(["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"]),
    request_=requests,
    batch=st.booleans(),
)
def test_random_requests_never_break_it(moto_server, fuzzed, operation, request_, batch):
    """moto itself may fail on one; the endpoint never does, and says so in DynamoDB's words. What
    runs is charged."""
    moto_server.clock.advance(1)
    with moto_server.charged(fuzzed) as charged:
        if batch:
            keys = {"Keys": [request_.get("Key")], **request_}
            reply = moto_server.post("BatchGetItem", {"RequestItems": {fuzzed: keys}})
        else:
            reply = moto_server.post(operation, {"TableName": fuzzed, **request_})
    if reply.status == 200:
        assert charged.reads + charged.writes > 0
    else:
        assert_is_well_formed(reply)
    assert b"tweetlab failed" not in reply.body, reply.body
