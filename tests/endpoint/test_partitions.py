"""Hot keys: what adaptive capacity, off as in 2015, does to the keys beside them."""

from __future__ import annotations

import pytest

from tests.support.asking import read, reads_served, throttled
from tests.support.serving import Server, serving
from tweetlab.endpoint import Moto


@pytest.fixture(scope="module")
def of_2015():
    """Two partitions that share nothing, as before adaptive capacity."""
    with serving(Moto, partitions=2, adaptive=False) as server:
        yield server


def test_without_adaptive_capacity_a_hot_key_is_throttled_while_others_are_served(of_2015):
    table = of_2015.create_table(read=10)
    assert reads_served(of_2015, table, key="hot") == 5
    reason = read(of_2015, table, key="hot")
    assert reason and reason["reason"] == "TableReadKeyRangeThroughputExceeded"
    assert reads_served(of_2015, table, key=key_elsewhere(of_2015, table)) == 5


def key_elsewhere(server: Server, table: str) -> str:
    """A key of a partition that still serves."""
    return next(str(n) for n in range(100) if not read(server, table, key=str(n), consistent=False))


@pytest.mark.parametrize(
    "query",
    [
        {"KeyConditionExpression": "id = :id"},
        {"KeyConditionExpression": "id=:id"},
        {"KeyConditionExpression": "(#k = :id)", "ExpressionAttributeNames": {"#k": "id"}},
        {"KeyConditionExpression": "posted > :p AND id = :id"},
        {"KeyConditionExpression": "posted = :p AND id = :id"},
    ],
    ids=lambda query: query["KeyConditionExpression"],
)
def test_a_query_concerns_the_partition_of_its_key_only(of_2015, query):
    table = of_2015.create_table(
        read=10,
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "posted", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "posted")
        ],
    )

    def ask(key: str):
        values = {":id": {"S": key}}
        if ":p" in query["KeyConditionExpression"]:
            values[":p"] = {"S": "2026"}
        return throttled(
            of_2015.dynamodb.query, TableName=table, ExpressionAttributeValues=values, **query
        )

    while not ask("hot"):
        pass
    assert any(ask(str(number)) is None for number in range(20))
    assert ask("hot")
