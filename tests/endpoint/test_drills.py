"""Throttles on request, for those who test how their code copes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.serving import STRING_KEY, Server
from tweetlab.endpoint.operations import OPERATIONS
from tweetlab.lab.lab import Lab

KEY = {"id": {"S": "a"}}
FORCED = "x-tweetlab-drill"


def ask(server: Server, drill: Any) -> tuple[int, dict[str, Any]]:
    """The status and the answer to a request for a drill."""
    body = drill if isinstance(drill, bytes) else json.dumps(drill).encode()
    request = urllib.request.Request(server.url + "/tweetlab/drill", data=body)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def drill(server: Server, calls: int, **of: str) -> None:
    assert ask(server, {"calls": calls, **of})[0] == 200


def forced(call: Any, **request: Any) -> dict[str, Any] | None:
    """The error of a call that a drill throttles; None if it is served."""
    try:
        answer = call(**request)
    except ClientError as error:
        response: Any = error.response
        assert response["ResponseMetadata"]["HTTPHeaders"][FORCED] == "forced"
        return dict(response)
    assert FORCED not in answer["ResponseMetadata"]["HTTPHeaders"]
    return None


@pytest.fixture
def table(server: Server) -> str:
    """A table with more throughput than any test here uses."""
    return server.create_table()


def get(server: Server, table: str, key: str = "a") -> dict[str, Any] | None:
    return forced(server.dynamodb.get_item, TableName=table, Key={"id": {"S": key}})


def test_nothing_is_throttled_unless_asked(server, table):
    assert not any(get(server, table) for _ in range(20))
    assert not server.backend.tables.drills._drills


def test_the_next_calls_of_an_operation_are_throttled_and_no_others(server, table):
    drill(server, 3, operation="GetItem")
    assert forced(server.dynamodb.scan, TableName=table) is None
    assert forced(server.dynamodb.put_item, TableName=table, Item=KEY) is None
    refused = [get(server, table) for _ in range(5)]
    assert [bool(each) for each in refused] == [True] * 3 + [False] * 2
    assert refused[0]
    assert refused[0]["Error"]["Code"] == "ProvisionedThroughputExceededException"
    [reason] = refused[0]["ThrottlingReasons"]
    assert reason["reason"] == "TableReadProvisionedThroughputExceeded"
    assert reason["resource"].endswith(f"table/{table}")


def test_the_next_calls_of_a_key_are_throttled_whatever_they_do(server, table):
    drill(server, 2, partition_key="hot")
    assert get(server, table, "cold") is None
    response = forced(server.dynamodb.put_item, TableName=table, Item={"id": {"S": "hot"}})
    assert response
    assert response["ThrottlingReasons"][0]["reason"] == "TableWriteProvisionedThroughputExceeded"
    assert get(server, table, "hot")
    assert get(server, table, "hot") is None
    assert server.around("Scan", TableName=table)["Count"] == 0


def test_a_forced_throttle_costs_nothing_and_is_counted_apart(server, table):
    drill(server, 2, operation="GetItem")
    with server.charged(table) as charged:
        for _ in range(3):
            get(server, table)
    assert charged.reads == 0.5
    rows = [r for r in server.backend.tables.meters.rows() if r["table"] == table]
    assert sum(row["forced"] for row in rows) == sum(row["read_throttled"] for row in rows) == 2


def test_a_retrying_client_gets_over_it(server, table, patient):
    drill(server, 2, operation="GetItem")
    answer = patient.get_item(TableName=table, Key=KEY)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    drill(server, 3, operation="GetItem")
    with pytest.raises(patient.exceptions.ProvisionedThroughputExceededException):
        patient.get_item(TableName=table, Key=KEY)


def test_drills_add_up(server, table):
    drill(server, 1, operation="GetItem")
    drill(server, 1, operation="GetItem")
    drill(server, 1, partition_key="a")
    assert [bool(get(server, table)) for _ in range(5)] == [True] * 3 + [False] * 2


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("GetItem", {"TableName": "TABLE", "Key": KEY}),
    ("PutItem", {"TableName": "TABLE", "Item": KEY}),
    (
        "UpdateItem",
        {"TableName": "TABLE", "Key": KEY, "AttributeUpdates": {"n": {"Value": {"S": "1"}}}},
    ),
    ("DeleteItem", {"TableName": "TABLE", "Key": KEY}),
    ("Scan", {"TableName": "TABLE"}),
    (
        "Query",
        {
            "TableName": "TABLE",
            "KeyConditionExpression": "id = :a",
            "ExpressionAttributeValues": {":a": KEY["id"]},
        },
    ),
    ("BatchGetItem", {"RequestItems": {"TABLE": {"Keys": [KEY]}}}),
    ("BatchWriteItem", {"RequestItems": {"TABLE": [{"PutRequest": {"Item": KEY}}]}}),
]
TRANSACTIONS = [("TransactGetItems", "Get"), ("TransactWriteItems", "Delete")]


def test_the_operations_below_are_all_that_are_throttled():
    assert {name for name, _ in (*REQUESTS, *TRANSACTIONS)} == set(OPERATIONS)


@pytest.mark.parametrize(("operation", "request_"), REQUESTS)
def test_every_operation_can_be_drilled(server, table, operation, request_):
    request = json.dumps(request_).replace("TABLE", table)
    drill(server, 1, operation=operation)
    reply = server.post(operation, request.encode())
    assert (reply.status, reply.headers.get(FORCED)) == (400, "forced")
    assert "#ProvisionedThroughputExceededException" in reply.json["__type"]
    writes = operation[:3] in ("Put", "Upd", "Del") or "Write" in operation
    assert reply.json["ThrottlingReasons"][0]["reason"].startswith(
        "TableWrite" if writes else "TableRead"
    )
    assert server.post(operation, request.encode()).status == 200
    assert server.around("Scan", TableName=table)["Count"] in (0, 1)


@pytest.mark.parametrize(("operation", "verb"), TRANSACTIONS)
def test_a_drilled_transaction_is_cancelled(server, table, operation, verb):
    actions = [{verb: {"TableName": table, "Key": {"id": {"S": key}}}} for key in "ab"]
    drill(server, 1, operation=operation)
    reply = server.post(operation, {"TransactItems": actions})
    assert (reply.status, reply.headers.get(FORCED)) == (400, "forced")
    codes = [reason["Code"] for reason in reply.json["CancellationReasons"]]
    assert codes == ["ProvisionedThroughputExceeded", "None"]


def test_one_key_of_a_batch_can_be_drilled(server, table):
    drill(server, 1, partition_key="b")
    keys = [{"id": {"S": key}} for key in "abc"]
    answer = server.dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})
    assert answer["UnprocessedKeys"] == {table: {"Keys": [keys[1]]}}


def test_an_on_demand_table_is_drilled_with_the_exception_of_its_mode(server):
    server.dynamodb.create_table(TableName="drilled", BillingMode="PAY_PER_REQUEST", **STRING_KEY)
    drill(server, 1, operation="GetItem")
    response = get(server, "drilled")
    server.dynamodb.delete_table(TableName="drilled")
    assert response and response["Error"]["Code"] == "ThrottlingException"
    assert response["throttlingReasons"][0]["reason"] == "TableReadKeyRangeThroughputExceeded"


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        [],
        {},
        {"calls": 1},
        {"operation": "GetItem"},
        {"calls": 0, "operation": "GetItem"},
        {"calls": -1, "operation": "GetItem"},
        {"calls": True, "operation": "GetItem"},
        {"calls": "3", "operation": "GetItem"},
        {"calls": 1.5, "operation": "GetItem"},
        {"calls": 1, "operation": "GetItem", "partition_key": "a"},
        {"calls": 1, "operation": 5},
        {"calls": 1, "partition_key": ["a"]},
        {"calls": 1, "operation": "GetItems"},
        {"calls": 1, "operation": "CreateTable"},
        {"calls": 1, "operation": "ExecuteStatement"},
        {"calls": 1, "operation": "BatchExecuteStatement"},
        {"calls": 1, "operation": "ExecuteTransaction"},
    ],
    ids=repr,
)
def test_a_request_for_no_drill_is_refused_and_begins_none(server, table, malformed):
    status, answer = ask(server, malformed)
    assert status == 400 and answer["message"]
    assert answer["__type"].endswith(("#ValidationException", "#SerializationException"))
    assert get(server, table) is None


def test_the_lab_begins_drills(server, table):
    lab = Lab(server.dynamodb, server.url, None, "", None)  # type: ignore[arg-type]
    lab.drill(1, operation="GetItem")
    assert get(server, table)
    lab.drill(1, partition_key="a")
    assert get(server, table)
    assert get(server, table) is None
    for arguments in ({}, {"operation": "GetItem", "partition_key": "a"}):
        with pytest.raises(ValueError, match="either"):
            lab.drill(1, **arguments)
    with pytest.raises(ValueError, match="at least 1"):
        lab.drill(0, operation="GetItem")
    with pytest.raises(ValueError, match="'GetItems' is no operation"):
        lab.drill(1, operation="GetItems")
    (row,) = lab.metrics().query("table == @table").to_dict("records")
    assert row["forced"] == 2
