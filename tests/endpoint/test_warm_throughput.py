"""WarmThroughput: what a table or an index is prepared to serve at once. DynamoDB Local takes it on
CreateTable and forgets it, and refuses an UpdateTable of nothing else: the endpoint keeps it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.serving import STRING_KEY, Server

WARM = {"ReadUnitsPerSecond": 40_000, "WriteUnitsPerSecond": 9_000}
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")]
BY_AUTHOR: dict[str, Any] = {
    "IndexName": "by-author",
    "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
ON_DEMAND = {**STRING_KEY, "BillingMode": "PAY_PER_REQUEST"}
PROVISIONED = {"ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}}


@pytest.fixture
def create(server: Server):
    made: list[str] = []

    def create(**request: Any) -> str:
        made.append(f"warm-{len(made)}")
        server.dynamodb.create_table(TableName=made[-1], **request)
        return made[-1]

    yield create
    for table in made:
        server.dynamodb.delete_table(TableName=table)


def capacity(server: Server, table: str, index: str = "") -> Any:
    known = server.known(table)
    assert known
    return (known.indexes[index].resource if index else known).capacity


def served_at_once(server: Server, table: str, kind: str = "read", index: str = "") -> int:
    """Units that are admitted before the clock moves, spread over many keys."""
    buckets = capacity(server, table, index)
    units = 0
    while buckets.take(kind, f"key {units}", 10) is None:
        units += 10
    return units


def update(server: Server, table: str, **request: Any) -> Any:
    return server.dynamodb.update_table(TableName=table, **request)["TableDescription"]


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    message: str = raised.value.response["Error"]["Message"]
    return message


def test_a_table_that_is_made_warm_serves_that_at_once(server, create):
    table = create(**ON_DEMAND, WarmThroughput=WARM)
    assert 39_000 <= served_at_once(server, table) <= 40_000
    assert 8_500 <= served_at_once(server, table, "write") <= 9_000
    server.clock.advance(1)
    assert 39_000 <= served_at_once(server, table) <= 40_000
    cold = create(**ON_DEMAND)
    assert served_at_once(server, cold) <= 12_000


def test_a_table_that_is_warmed_serves_it_at_once(server, create):
    table = create(**ON_DEMAND)
    description = update(server, table, WarmThroughput=WARM)
    assert description["TableName"] == table
    assert 39_000 <= served_at_once(server, table) <= 40_000
    assert capacity(server, table).partitions == 16


def test_warming_gives_back_nothing_of_what_was_used(server, create):
    table = create(**ON_DEMAND)
    server.dynamodb.get_item(TableName=table, Key={"id": {"S": "a"}})
    capacity(server, table).charge("read", None, 12_000)
    update(server, table, WarmThroughput={"ReadUnitsPerSecond": 20_000})
    assert served_at_once(server, table) <= 8_000


def test_only_one_of_the_two_can_be_warmed(server, create):
    table = create(**ON_DEMAND, WarmThroughput={"WriteUnitsPerSecond": 6_000})
    assert (capacity(server, table).reads.rate, capacity(server, table).writes.rate) == (
        12_000,
        6_000,
    )
    update(server, table, WarmThroughput={"ReadUnitsPerSecond": 15_000})
    assert capacity(server, table).warm_throughput == (15_000, 6_000)


def test_a_maximum_holds_for_a_warm_table_too(server, create):
    table = create(
        **ON_DEMAND, WarmThroughput=WARM, OnDemandThroughput={"MaxReadRequestUnits": 100}
    )
    assert served_at_once(server, table) == 100


def test_an_index_is_warmed_by_itself(server, create):
    table = create(
        **{**ON_DEMAND, "AttributeDefinitions": ATTRIBUTES},
        GlobalSecondaryIndexes=[{**BY_AUTHOR, "WarmThroughput": WARM}],
    )
    assert served_at_once(server, table) <= 12_000
    assert served_at_once(server, table, index="by-author") >= 39_000
    more = {"ReadUnitsPerSecond": 50_000}
    change = {"Update": {"IndexName": "by-author", "WarmThroughput": more}}
    update(server, table, GlobalSecondaryIndexUpdates=[change])
    assert capacity(server, table, "by-author").warm_throughput == (50_000, 9_000)


def test_an_index_can_be_made_warm_later(moto_server):
    """In front of moto: DynamoDB Local takes a second to make an index."""
    server: Server = moto_server
    table = server.create_table()
    index = {**BY_AUTHOR, **PROVISIONED, "WarmThroughput": WARM}
    update(
        server,
        table,
        AttributeDefinitions=ATTRIBUTES,
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
    assert capacity(server, table, "by-author").partitions == 23
    server.delete_tables()


def test_a_provisioned_table_has_the_partitions_for_it_and_serves_what_is_provisioned(
    server, create
):
    table = create(**STRING_KEY, **PROVISIONED, WarmThroughput=WARM)
    assert capacity(server, table).partitions == 23  # 40,000 / 3,000 + 9,000 / 1,000
    assert served_at_once(server, table) == 10
    throughput = {"ReadCapacityUnits": 40_000, "WriteCapacityUnits": 10}
    update(server, table, ProvisionedThroughput=throughput)
    assert capacity(server, table).partitions == 23
    server.clock.advance(2)
    assert served_at_once(server, table) >= 39_000


def test_a_provisioned_table_that_is_warmed_doubles_its_partitions(server, create):
    table = create(**STRING_KEY, **PROVISIONED)
    assert capacity(server, table).partitions == 1
    update(server, table, WarmThroughput={"ReadUnitsPerSecond": 9_000})
    assert capacity(server, table).partitions == 4


def test_what_is_warm_stays_so_when_the_mode_changes(server, create):
    table = create(**STRING_KEY, **PROVISIONED, WarmThroughput=WARM)
    update(server, table, BillingMode="PAY_PER_REQUEST")
    assert (capacity(server, table).reads.rate, capacity(server, table).writes.rate) == (
        40_000,
        9_000,
    )
    update(server, table, BillingMode="PROVISIONED", **PROVISIONED)
    assert capacity(server, table).partitions == 23


TABLE = "for table is lower than"
TOO_LOW = [
    (
        {**ON_DEMAND, "WarmThroughput": {"ReadUnitsPerSecond": 11_999}},
        f"Requested ReadUnitsPerSecond for WarmThroughput {TABLE} initial throughput for OnDemand",
    ),
    (
        {**ON_DEMAND, "WarmThroughput": {"WriteUnitsPerSecond": 3_999}},
        f"Requested WriteUnitsPerSecond for WarmThroughput {TABLE} initial throughput for OnDemand",
    ),
    (
        {**STRING_KEY, **PROVISIONED, "WarmThroughput": {"ReadUnitsPerSecond": 9}},
        f"Requested ReadUnitsPerSecond for WarmThroughput {TABLE} ReadCapacityUnits of "
        "ProvisionedThroughput",
    ),
    (
        {
            **ON_DEMAND,
            "AttributeDefinitions": ATTRIBUTES,
            "GlobalSecondaryIndexes": [{**BY_AUTHOR, "WarmThroughput": {"ReadUnitsPerSecond": 5}}],
        },
        "Requested ReadUnitsPerSecond for WarmThroughput for index by-author is lower than initial "
        "throughput for OnDemand",
    ),
]


@pytest.mark.parametrize(("request_", "message"), TOO_LOW, ids=range(len(TOO_LOW)))
def test_a_table_is_made_no_colder_than_it_is_without(server, request_, message):
    found = refused(server.dynamodb.create_table, TableName="too-cold", **request_)
    assert found == f"One or more parameter values were invalid: {message}"
    assert "too-cold" not in server.around("ListTables")["TableNames"]


def test_a_table_is_never_cooled(server, create):
    table = create(**ON_DEMAND, WarmThroughput=WARM)
    less = {"ReadUnitsPerSecond": 39_999, "WriteUnitsPerSecond": 9_000}
    found = refused(server.dynamodb.update_table, TableName=table, WarmThroughput=less)
    assert found.endswith(
        "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current "
        "WarmThroughput, decreasing WarmThroughput is not supported"
    )
    assert capacity(server, table).warm_throughput == (40_000, 9_000)
    update(server, table, WarmThroughput=WARM)


def test_a_table_is_warmed_no_further_than_buckets_are_kept_for(server):
    beyond = {"ReadUnitsPerSecond": 10_000_001}
    request = {**ON_DEMAND, "WarmThroughput": beyond}
    assert "exceeds" in refused(server.dynamodb.create_table, TableName="too-hot", **request)
