"""Transactions: all or nothing, also of what is throttled."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.asking import reads_served, write
from tests.support.serving import item

KB = 1024
THROTTLED = "ProvisionedThroughputExceeded"


def key(name: str) -> dict[str, Any]:
    return {"id": {"S": name}}


def get(table: str, name: str, **more: Any) -> dict[str, Any]:
    return {"Get": {"TableName": table, "Key": key(name), **more}}


def put(table: str, name: str, size: int = 100, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item(name, size), **more}}


def cancelled(call: Any, *actions: dict[str, Any]) -> list[str]:
    """The codes with which a transaction is cancelled, one for each action."""
    with pytest.raises(ClientError) as raised:
        call(TransactItems=list(actions))
    response = raised.value.response
    assert response["Error"]["Code"] == "TransactionCanceledException"
    codes = [reason["Code"] for reason in response["CancellationReasons"]]
    assert f"[{', '.join(codes)}]" in response["Error"]["Message"]
    return codes


def test_a_read_in_a_transaction_costs_two_units_for_each_4_KB(server):
    table, other = server.create_table(), server.create_table()
    server.around("PutItem", TableName=table, Item=item("a", 5 * KB))
    actions = [get(table, "a", ProjectionExpression="id"), get(table, "none"), get(other, "none")]
    with server.charged(table) as charged, server.charged(other) as charged_too:
        answer = server.dynamodb.transact_get_items(
            TransactItems=actions, ReturnConsumedCapacity="TOTAL"
        )
    assert ["Item" in response for response in answer["Responses"]] == [True, False, False]
    assert (charged.reads, charged_too.reads) == (4 + 2, 2)
    assert answer["ConsumedCapacity"] == [
        {"TableName": table, "CapacityUnits": 6, "ReadCapacityUnits": 6},
        {"TableName": other, "CapacityUnits": 2, "ReadCapacityUnits": 2},
    ]


def test_a_read_transaction_is_cancelled_as_a_whole_and_costs_nothing(server):
    empty, full = server.create_table(read=1), server.create_table()
    reads_served(server, empty)
    with server.charged(full) as charged:
        call = server.dynamodb.transact_get_items
        codes = cancelled(call, get(full, "a"), get(empty, "a"), get(full, "b"))
    assert codes == ["None", THROTTLED, "None"]
    assert charged.reads == 0


def test_a_write_in_a_transaction_costs_two_units_for_each_KB(server):
    """Also the check of a condition, which writes nothing."""
    table = server.create_table()
    server.around("PutItem", TableName=table, Item=item("b", 3 * KB))
    server.around("PutItem", TableName=table, Item=item("c", 2 * KB))
    server.around("PutItem", TableName=table, Item=item("d", 100))
    update = {
        "TableName": table,
        "Key": key("d"),
        "UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": {":n": {"S": "x" * KB}},
    }
    check = {"TableName": table, "Key": key("b"), "ConditionExpression": "attribute_exists(id)"}
    actions = [
        put(table, "a", int(1.5 * KB)),
        {"ConditionCheck": check},
        {"Delete": {"TableName": table, "Key": key("c")}},
        {"Update": update},
    ]
    with server.charged(table) as charged:
        answer = server.dynamodb.transact_write_items(
            TransactItems=actions, ReturnConsumedCapacity="TOTAL"
        )
    assert charged.writes == 2 * (2 + 3 + 2 + 2)
    assert answer["ConsumedCapacity"] == [
        {"TableName": table, "CapacityUnits": 18, "WriteCapacityUnits": 18}
    ]


def test_a_throttled_write_transaction_is_not_made(server):
    empty, full = server.create_table(write=1), server.create_table()
    assert write(server, empty) is None
    with server.charged(full) as charged:
        call = server.dynamodb.transact_write_items
        assert cancelled(call, put(full, "a"), put(empty, "b")) == ["None", THROTTLED]
    assert charged.writes == 0
    assert server.around("Scan", TableName=full)["Count"] == 0


def test_a_transaction_cancelled_by_a_condition_costs_all_the_same(server):
    """Twice the size of what is there, or of nothing."""
    table = server.create_table()
    server.around("PutItem", TableName=table, Item=item("a", 3 * KB))
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
    with server.charged(table) as charged:
        call = server.dynamodb.transact_write_items
        codes = cancelled(call, put(table, "a", **condition), put(table, "b", 5 * KB))
    assert codes == ["ConditionalCheckFailed", "None"]
    assert charged.writes == 2 * 3 + 2
    assert server.around("Scan", TableName=table)["Count"] == 1


def test_a_transaction_that_dynamodb_does_not_take_costs_nothing(server):
    table = server.create_table()
    with (
        server.charged(table) as charged,
        pytest.raises(ClientError, match="ValidationException"),
    ):
        server.dynamodb.transact_write_items(TransactItems=[put(table, "a"), put(table, "a")])
    assert charged.writes == 0
