"""Global indexes whose key has several attributes of a kind. In front of moto: DynamoDB Local takes
one of each. What an upstream says of such an index is the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.asking import throttled
from tests.support.serving import Server, serving
from tweetlab.endpoint import Limits, Moto
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.keys import Key
from tweetlab.endpoint.known_tables import KnownTables

SCHEMA = [
    {"AttributeName": "tournament", "KeyType": "HASH"},
    {"AttributeName": "region", "KeyType": "HASH"},
    {"AttributeName": "round", "KeyType": "RANGE"},
    {"AttributeName": "match", "KeyType": "RANGE"},
]
NAMES = [element["AttributeName"] for element in SCHEMA]
WHOLE = {"tournament": "w", "region": "eu", "round": "1", "match": "7"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Moto) as server:
        yield server


def create(server: Server, read: int = 100, write: int = 100) -> str:
    throughput = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
    return server.create_table(
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", *NAMES)
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-match",
                "KeySchema": SCHEMA,
                "Projection": {"ProjectionType": "KEYS_ONLY"},
                "ProvisionedThroughput": throughput,
            }
        ],
    )


def values(attributes: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in attributes.items()}


def put(server: Server, table: str, **attributes: str) -> Any:
    request = {"TableName": table, "Item": values({"id": "a", **attributes})}
    return throttled(server.dynamodb.put_item, **request)


@pytest.mark.parametrize("name", NAMES)
def test_an_item_that_lacks_any_attribute_of_the_key_is_not_in_the_index(server, name):
    table = create(server)
    put(server, table, id="learns the table")
    with server.charged(table, "by-match") as in_index:
        put(server, table, **{other: value for other, value in WHOLE.items() if other != name})
    assert in_index.writes == 0
    with server.charged(table, "by-match") as in_index:
        put(server, table, **WHOLE)
    assert in_index.writes == 1


@pytest.mark.parametrize("name", NAMES)
def test_another_value_of_any_attribute_of_the_key_is_a_delete_and_a_put(server, name):
    table = create(server)
    put(server, table, **WHOLE)
    with server.charged(table, "by-match") as in_index:
        put(server, table, **WHOLE, text="of which the index holds nothing")
    assert in_index.writes == 0
    with server.charged(table, "by-match") as in_index:
        put(server, table, **{**WHOLE, name: "another"})
    assert in_index.writes == 2


@pytest.mark.parametrize("name", NAMES)
def test_updates_of_any_attribute_of_the_key_are_throttled_by_the_index(server, name):
    """Ten of them, at an index of one unit: it is in debt after the first."""
    table = create(server, write=1)
    put(server, table, **WHOLE)
    server.clock.advance(1)
    refused = [
        throttled(
            server.dynamodb.update_item,
            TableName=table,
            Key=values({"id": "a"}),
            UpdateExpression="SET #n = :v",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": {"S": f"value {number}"}},
        )
        for number in range(10)
    ]
    assert [reason is None for reason in refused] == [True] + [False] * 9
    reasons = {reason["reason"] for reason in refused if reason}
    assert reasons == {"IndexWriteProvisionedThroughputExceeded"}


def test_a_query_takes_from_the_partition_of_all_the_hash_attributes_together(server):
    """A hot key of the index throttles itself, and not what shares one attribute with it."""
    table = create(server, read=6000)
    put(server, table, **WHOLE)
    known = server.known(table)
    assert known
    capacity = known.indexes["by-match"].resource.capacity
    assert capacity.partitions >= 2

    def query(region: str, more: str = "") -> Any:
        return throttled(
            server.dynamodb.query,
            TableName=table,
            IndexName="by-match",
            KeyConditionExpression=f"tournament = :t AND #r = :r{more}",
            ExpressionAttributeNames={"#r": "region"},
            ExpressionAttributeValues={":t": {"S": "w"}, ":r": {"S": region}}
            | ({":o": {"S": "1"}} if more else {}),
        )

    hot = Key.partition_text([{"S": "w"}, {"S": "eu"}])
    others = [f"region {number}" for number in range(100)]
    apart = next(
        region
        for region in others
        if capacity.partition_of(Key.partition_text([{"S": "w"}, {"S": region}]))
        != capacity.partition_of(hot)
    )
    assert query("eu") is None and query("eu", " AND round = :o") is None
    capacity.charge("read", hot, 3000)
    reason = query("eu")
    assert reason and reason["reason"] == "IndexReadKeyRangeThroughputExceeded"
    assert query(apart) is None


def test_a_key_is_told_from_others_by_all_its_attributes():
    key = Key.from_schema(SCHEMA)
    assert (key.partition, key.sort) == (("tournament", "region"), ("round", "match"))
    assert key.partition_of(values(WHOLE)) == '["w","eu"]'
    one = {**WHOLE, "tournament": "w, eu", "region": ""}
    other = {**WHOLE, "tournament": "w", "region": "eu, "}
    assert key.partition_of(values(one)) != key.partition_of(values(other))
    assert key.identity(values(WHOLE)) != key.identity(values({**WHOLE, "match": "8"}))
    single = Key.from_schema(SCHEMA[:1])
    assert single.partition_of(values(WHOLE)) == "w"


def test_such_an_index_is_learnt_from_what_any_upstream_says_of_it():
    description = {
        "TableName": "matches",
        "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/matches",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-match",
                "KeySchema": [
                    {"AttributeName": f"{kind}{number}", "KeyType": kind}
                    for kind in ("HASH", "RANGE")
                    for number in range(4)
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["score"]},
            }
        ],
    }
    index = KnownTables(Limits(), Drills(), 0).learn(description).indexes["by-match"]
    assert len(index.key.partition) == len(index.key.sort) == 4
    assert index.projected == frozenset(("id", "score", *index.key.names))
