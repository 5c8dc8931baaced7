"""What is made of an upstream's description of a table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.serving import Clock
from tweetlab.capacity import OnDemandCapacity, TableCapacity
from tweetlab.endpoint import Limits
from tweetlab.endpoint.drills import Drills
from tweetlab.endpoint.known_tables import KnownTables
from tweetlab.endpoint.wire import DynamoDBError

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/tweet"


def throughput(read: int, write: int) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def index(name: str, **more: Any) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        **throughput(3, 4),
        **more,
    }


def description(**more: Any) -> dict[str, Any]:
    return {
        "TableName": "tweet",
        "TableArn": ARN,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for name in ("id", "author", "day")
        ],
        **throughput(5, 6),
        **more,
    }


@pytest.fixture
def tables() -> KnownTables:
    return KnownTables(Limits(clock=Clock()), Drills(), 0)


def test_an_index_that_is_being_deleted_is_one_no_longer(tables: KnownTables) -> None:
    kept, going = index("author", IndexStatus="ACTIVE"), index("day", IndexStatus="DELETING")
    table = tables.learn(description(GlobalSecondaryIndexes=[kept, going]))
    assert list(table.indexes) == ["author"]
    resource = table.indexes["author"].resource
    assert resource.arn == f"{ARN}/index/author"
    assert (resource.capacity.reads.rate, resource.capacity.writes.rate) == (3, 4)
    created = index("day", IndexStatus="CREATING")
    assert list(tables.learn(description(GlobalSecondaryIndexes=[kept, created])).indexes) == [
        "author",
        "day",
    ]


def test_a_table_is_found_by_its_name_and_its_arn_until_it_is_forgotten(
    tables: KnownTables,
) -> None:
    table = tables.learn(description())
    assert tables.get("tweet") is tables.get(ARN) is table
    assert tables.get("other") is None
    tables.forget(ARN)
    tables.forget("other")
    assert tables.get("tweet") is None


def test_learnt_again_it_keeps_its_buckets_and_an_index_its_own(tables: KnownTables) -> None:
    by_author = [index("author")]
    table = tables.learn(description(GlobalSecondaryIndexes=by_author))
    before = table.capacity, table.indexes["author"].resource.capacity
    table.charge("read", "a", 4)
    again = tables.learn(description(GlobalSecondaryIndexes=by_author, **throughput(50, 60)))
    assert again is table
    assert (table.capacity, table.indexes["author"].resource.capacity) == before
    assert (table.capacity.reads.rate, table.capacity.writes.rate) == (50, 60)
    assert table.capacity.reads.units(1000) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}},
        {"BillingModeSummary": None, "ProvisionedThroughput": None},
        throughput(0, 0),
    ],
    ids=["it says so", "it has no throughput", "it has none of any"],
)
def test_a_table_without_throughput_is_on_demand(tables: KnownTables, more: dict[str, Any]) -> None:
    table = tables.learn(description(**more))
    assert isinstance(table.capacity, OnDemandCapacity)
    provisioned = {"BillingModeSummary": {"BillingMode": "PROVISIONED"}, **throughput(7, 8)}
    assert isinstance(tables.learn(description(**provisioned)).capacity, TableCapacity)


def test_an_on_demand_table_serves_at_first_what_it_was_provisioned_for(
    tables: KnownTables,
) -> None:
    tables.learn(description(**throughput(30_000, 20_000)))
    mode = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    capacity = tables.learn(description(**mode)).capacity
    assert (capacity.reads.rate, capacity.writes.rate) == (30_000, 20_000)


def test_each_maximum_is_kept_until_another_is_asked_for(tables: KnownTables) -> None:
    mode: dict[str, Any] = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    most = {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 20}

    def rates(**asked: int) -> tuple[float, float]:
        capacity = tables.learn(description(**mode), {"": {"OnDemandThroughput": asked}}).capacity
        return capacity.reads.rate, capacity.writes.rate

    assert rates(MaxReadRequestUnits=-1, MaxWriteRequestUnits=-1) == (12_000, 4_000)
    assert rates(**most) == (10, 20)
    assert rates() == (10, 20)
    assert rates(MaxReadRequestUnits=15) == (15, 20)
    assert rates(MaxWriteRequestUnits=25) == (15, 25)
    assert rates(MaxReadRequestUnits=-1, MaxWriteRequestUnits=-1) == (12_000, 4_000)


def test_what_cannot_be_charged_is_not_known_and_the_error_says_why(tables: KnownTables) -> None:
    tables.learn(description())
    with pytest.raises(DynamoDBError) as raised:
        tables.learn(description(KeySchema=[{"AttributeName": "id", "KeyType": "RANGE"}]))
    assert str(raised.value) == (
        "tweetlab's endpoint cannot tell what calls to the table tweet cost, by what the upstream "
        "says of it: ValueError('a key has no HASH attribute')"
    )
    assert tables.get("tweet") is None


def test_an_index_holds_its_keys_and_what_is_projected(tables: KnownTables) -> None:
    projections = [
        {"ProjectionType": "ALL"},
        {"ProjectionType": "KEYS_ONLY"},
        {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]},
    ]
    indexes = [
        index("author", IndexName=f"{number}", Projection=projection)
        for number, projection in enumerate(projections)
    ]
    table = tables.learn(description(GlobalSecondaryIndexes=indexes))
    assert [table.indexes[f"{number}"].projected for number in range(3)] == [
        None,
        {"id", "author"},
        {"id", "author", "text"},
    ]


def test_of_several_indexes_the_first_by_name_is_told_of(tables: KnownTables) -> None:
    table = tables.learn(description(GlobalSecondaryIndexes=[index("day"), index("author")]))
    wrong = {"id": {"S": "a"}, "author": {"N": "1"}, "day": {"N": "1"}}
    with pytest.raises(DynamoDBError, match="IndexName: author"):
        table.check_keys("Put", {"Item": wrong})


@pytest.mark.parametrize(
    ("asked", "warm"),
    [
        ({"ReadUnitsPerSecond": 9000}, (9000, 0)),
        ({"WriteUnitsPerSecond": 9000}, (0, 9000)),
        ({}, (0, 0)),
    ],
)
def test_what_is_not_asked_to_be_warm_is_not(
    tables: KnownTables, asked: dict[str, int], warm: tuple[int, int]
) -> None:
    assert tables.learn(description(), {"": {"WarmThroughput": asked}}).capacity.warm == warm
    assert tables.learn(description()).capacity.warm == warm


def test_a_table_is_as_warm_as_it_is_described_or_as_was_asked(tables: KnownTables) -> None:
    described = description(WarmThroughput={"ReadUnitsPerSecond": 7, "WriteUnitsPerSecond": 8})
    assert tables.learn(described).capacity.warm == (7, 8)
    asked = {"": {"WarmThroughput": {"ReadUnitsPerSecond": 9, "WriteUnitsPerSecond": 10}}}
    assert tables.learn(described, asked).capacity.warm == (9, 10)
