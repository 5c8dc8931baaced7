"""What the endpoint says its tables consumed and refused."""

from __future__ import annotations

import json
import random
import urllib.request
from typing import Any

import pandas as pd
import pytest

from tests.support.asking import read, reads_served, throttled, write
from tests.support.serving import Server, item
from tweetlab.capacity.meters import COLUMNS, HOTTEST
from tweetlab.lab import metrics

KB = 1024
INDEX = {
    "IndexName": "by-author",
    "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
    "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 9},
}
READS = ("get_item", "scan", "query", "batch_get_item", "transact_get_items")
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")]


def of_table(server: Server, table: str, index: str = "") -> pd.DataFrame:
    """The rows of a table, or of its index; seconds count from the first of them."""
    rows = metrics.fetch(server.url)
    rows = rows[(rows["table"] == table) & (rows["index"] == index)].reset_index(drop=True)
    return rows.assign(second=rows["second"] - rows["second"].min())


def test_they_are_json_at_a_path_that_no_dynamodb_call_uses(server):
    table = server.create_table()
    read(server, table)
    with urllib.request.urlopen(server.url + "/tweetlab/metrics") as response:
        assert response.headers["Content-Type"] == "application/json"
        rows = json.load(response)
    row = next(row for row in rows if row["table"] == table)
    assert list(row) == COLUMNS
    assert row["hottest_keys"] == [["a", 1]]


def test_each_second_says_what_was_provisioned_consumed_and_throttled(server):
    table = server.create_table(read=3, write=2)
    for _ in range(5):
        read(server, table)
    write(server, table)
    server.clock.advance(2)
    write(server, table, size=2 * KB)
    write(server, table)
    rows = of_table(server, table)
    assert rows["second"].tolist() == [0, 2]
    assert rows["read_provisioned"].tolist() == [3, 3]
    assert rows["write_provisioned"].tolist() == [2, 2]
    assert rows["read_consumed"].tolist() == [3, 0]
    assert rows["read_throttled"].tolist() == [2, 0]
    assert rows["write_consumed"].tolist() == [1, 2 + 2]
    assert rows["write_throttled"].tolist() == [0, 0]
    assert rows["forced"].tolist() == [0, 0]


def test_what_is_throttled_consumes_nothing(server):
    table = server.create_table(read=1, write=1)
    server.around("PutItem", TableName=table, Item=item("large", 300 * KB))
    reads_served(server, table)
    write(server, table)
    for _ in range(3):
        assert read(server, table, "large")
        assert write(server, table, "large", size=200 * KB)
    rows = of_table(server, table)
    assert rows["read_consumed"].sum() == rows["write_consumed"].sum() == 1
    assert rows["read_throttled"].sum() == 1 + 3
    assert rows["write_throttled"].sum() == 3


def test_a_change_of_throughput_shows_from_the_next_second_on(server):
    table = server.create_table(read=5)
    read(server, table)
    throughput = {"ReadCapacityUnits": 9, "WriteCapacityUnits": 1000}
    server.dynamodb.update_table(TableName=table, ProvisionedThroughput=throughput)
    server.clock.advance(1)
    read(server, table)
    assert of_table(server, table)["read_provisioned"].tolist() == [5, 9]


def test_a_global_index_has_rows_of_its_own(server):
    table = server.create_table(
        read=20, write=30, AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexes=[INDEX]
    )
    write(server, table, "a", size=1500, author={"S": "ann"})
    server.dynamodb.query(
        TableName=table,
        IndexName="by-author",
        KeyConditionExpression="author = :a",
        ExpressionAttributeValues={":a": {"S": "ann"}},
    )
    (its_row,) = of_table(server, table, "by-author").to_dict("records")
    (table_row,) = of_table(server, table).to_dict("records")
    assert (its_row["read_provisioned"], its_row["write_provisioned"]) == (7, 9)
    assert (its_row["read_consumed"], its_row["write_consumed"]) == (0.5, 2)
    assert (table_row["read_consumed"], table_row["write_consumed"]) == (0, 2)
    assert its_row["hottest_keys"] == [["ann", 2]]
    assert table_row["hottest_keys"] == [["a", 1]]


def test_the_hottest_keys_come_first_and_throttled_requests_count(server):
    table = server.create_table(read=12)
    for key, times in (("warm", 3), ("hot", 20), ("cool", 1)):
        for _ in range(times):
            read(server, table, key)
    for number in range(HOTTEST):
        read(server, table, f"once {number}")
    (row,) = of_table(server, table).to_dict("records")
    assert row["hottest_keys"][:2] == [["hot", 20], ["warm", 3]]
    assert len(row["hottest_keys"]) == HOTTEST


# --- the whole of it -------------------------------------------------------------------------


def calls(rng: random.Random, table: str) -> tuple[str, dict[str, Any]]:
    """Some call on one of a few items, of one unit or more."""
    key = {"id": {"S": rng.choice("abcdef")}}
    thing = item(key["id"]["S"], rng.choice([100, 1500, 5000]), author={"S": rng.choice("xy")})
    consistent = rng.random() < 0.5
    action = {"TableName": table}
    update = {
        "UpdateExpression": "SET author = :v",
        "ExpressionAttributeValues": {":v": {"S": rng.choice("xyz")}},
    }
    others = [{"id": {"S": other}} for other in rng.sample("abcdef", 3)]
    made: list[tuple[str, dict[str, Any]]] = [
        ("get_item", {**action, "Key": key, "ConsistentRead": consistent}),
        ("put_item", {**action, "Item": thing}),
        ("update_item", {**action, "Key": key, **update}),
        ("delete_item", {**action, "Key": key}),
        ("scan", {**action, "ConsistentRead": consistent, "Limit": 3}),
        (
            "query",
            {
                **action,
                "IndexName": "by-author",
                "KeyConditionExpression": "author = :a",
                "ExpressionAttributeValues": {":a": {"S": "x"}},
            },
        ),
        ("batch_get_item", {"RequestItems": {table: {"Keys": others}}}),
        (
            "batch_write_item",
            {
                "RequestItems": {
                    table: [
                        {"PutRequest": {"Item": thing}},
                        *({"DeleteRequest": {"Key": other}} for other in others if other != key),
                    ]
                }
            },
        ),
        (
            "transact_get_items",
            {"TransactItems": [{"Get": {**action, "Key": other}} for other in others]},
        ),
        (
            "transact_write_items",
            {"TransactItems": [{"Delete": {**action, "Key": other}} for other in others]},
        ),
    ]
    return rng.choice(made)


@pytest.mark.parametrize("seed", range(3))
def test_the_metrics_are_the_sum_of_what_all_answers_say_was_consumed(server, seed):
    """Of a table and its index, under any calls, throttled or not."""
    rng = random.Random(seed)
    table = server.create_table(
        read=6, write=12, AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexes=[INDEX]
    )
    of = {"read": 0.0, "write": 0.0, "index read": 0.0, "index write": 0.0}
    throttles = [
        server.dynamodb.exceptions.ProvisionedThroughputExceededException,
        server.dynamodb.exceptions.TransactionCanceledException,
    ]
    refused = 0
    with server.charged(table) as charged, server.charged(table, "by-author") as in_index:
        for _ in range(150):
            method, request = calls(rng, table)
            kind = "read" if method in READS else "write"
            try:
                answer = getattr(server.dynamodb, method)(
                    ReturnConsumedCapacity="INDEXES", **request
                )
            except tuple(throttles):
                refused += 1
                continue
            reports = answer["ConsumedCapacity"]
            for report in reports if isinstance(reports, list) else [reports]:
                of[kind] += report["Table"]["CapacityUnits"]
                for units in report.get("GlobalSecondaryIndexes", {}).values():
                    of[f"index {kind}"] += units["CapacityUnits"]
    rows, index_rows = of_table(server, table), of_table(server, table, "by-author")
    assert refused and of["read"] and of["index write"]
    assert rows["read_consumed"].sum() == of["read"] == charged.reads
    assert rows["write_consumed"].sum() == of["write"] == charged.writes
    assert index_rows["read_consumed"].sum() == of["index read"] == in_index.reads
    assert index_rows["write_consumed"].sum() == of["index write"] == in_index.writes


# --- by the minute ---------------------------------------------------------------------------


def test_a_minute_averages_consumption_and_sums_throttles_as_cloudwatch_does():
    seconds = pd.DataFrame(
        [
            ["tweet", "", 58, 10, 10.0, 4, 5, 0.0, 0, 0, []],
            ["tweet", "", 59, 10, 10.0, 40, 5, 2.0, 1, 1, []],
            ["tweet", "", 60, 20, 30.0, 0, 5, 0.0, 0, 0, []],
            ["tweet", "by-author", 61, 3, 6.0, 1, 5, 0.0, 0, 0, []],
        ],
        columns=COLUMNS,
    )
    minutes = metrics.by_minute(seconds)
    assert minutes.to_dict("records") == [
        {
            "table": "tweet",
            "index": "",
            "minute": 0,
            "read_provisioned": 10,
            "read_consumed": 20 / 60,
            "read_throttled": 44,
            "write_provisioned": 5,
            "write_consumed": 2 / 60,
            "write_throttled": 1,
            "forced": 1,
        },
        {
            "table": "tweet",
            "index": "",
            "minute": 1,
            "read_provisioned": 20,
            "read_consumed": 30 / 60,
            "read_throttled": 0,
            "write_provisioned": 5,
            "write_consumed": 0,
            "write_throttled": 0,
            "forced": 0,
        },
        {
            "table": "tweet",
            "index": "by-author",
            "minute": 1,
            "read_provisioned": 3,
            "read_consumed": 6 / 60,
            "read_throttled": 1,
            "write_provisioned": 5,
            "write_consumed": 0,
            "write_throttled": 0,
            "forced": 0,
        },
    ]


def test_a_minute_hides_the_second_that_was_throttled(server):
    """On the average of the minute 5 units a second were asked of 60, and yet most were refused."""
    table = server.create_table(read=60)
    for _ in range(300):
        read(server, table)
    (minute,) = metrics.by_minute(of_table(server, table)).to_dict("records")
    assert (minute["read_consumed"], minute["read_provisioned"]) == (1, 60)
    assert minute["read_throttled"] == 240


def test_nothing_yet_is_an_empty_table():
    nothing = pd.DataFrame([], columns=COLUMNS)
    assert metrics.by_minute(nothing).empty


def test_reading_the_metrics_is_no_call_of_a_table(server):
    table = server.create_table(read=1)
    with server.charged(table) as charged:
        for _ in range(3):
            metrics.fetch(server.url)
    assert (charged.reads, charged.writes) == (0, 0)
    assert throttled(server.dynamodb.get_item, TableName=table, Key={"id": {"S": "a"}}) is None
