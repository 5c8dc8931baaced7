"""On-demand tables: the exception and the reasons of that mode, maxima, and the way there and back.

Neither moto nor DynamoDB Local keeps a maximum throughput: the endpoint does.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.asking import read, reads_served
from tests.support.serving import STRING_KEY, Server, item

KB = 1024
KEY = {"id": {"S": "a"}}
BY_AUTHOR = {
    "IndexName": "by-author",
    "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
    "OnDemandThroughput": {"MaxWriteRequestUnits": 1},
}
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "author")]


@pytest.fixture
def create(server: Server):
    """Creates an on-demand table, with the maxima given, and gives its name."""
    made: list[str] = []

    def create(reads: int | None = None, writes: int | None = None, **more: Any) -> str:
        maxima = {"MaxReadRequestUnits": reads, "MaxWriteRequestUnits": writes}
        maxima = {name: units for name, units in maxima.items() if units is not None}
        request = {**STRING_KEY, "BillingMode": "PAY_PER_REQUEST", **more}
        if maxima:
            request["OnDemandThroughput"] = maxima
        made.append(f"on-demand-{len(made)}")
        server.dynamodb.create_table(TableName=made[-1], **request)
        return made[-1]

    yield create
    for table in made:
        server.dynamodb.delete_table(TableName=table)


def refusal(call: Any, **request: Any) -> Any:
    """The whole error of a throttled call; None if it is not throttled."""
    try:
        call(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ThrottlingException":
            raise
        response: Any = error.response
        return response
    return None


def get(server: Server, table: str, key: str = "a") -> Any:
    return refusal(
        server.dynamodb.get_item, TableName=table, Key={"id": {"S": key}}, ConsistentRead=True
    )


def put(server: Server, table: str, key: str = "a", **more: Any) -> Any:
    return refusal(server.dynamodb.put_item, TableName=table, Item=item(key, 100, **more))


def reason(response: Any) -> str:
    assert response
    [entry] = response["throttlingReasons"]
    assert "ThrottlingReasons" not in response
    return str(entry["reason"])


def test_a_hot_key_is_throttled_with_the_exception_of_this_mode(server, create):
    table = create()
    server.around("PutItem", TableName=table, Item=item("a", 390 * KB))
    get(server, table)
    known = server.known(table)
    known.charge("read", "a", 3000 - 98)
    response = get(server, table)
    assert reason(response) == "TableReadKeyRangeThroughputExceeded"
    assert response["Error"]["Message"].startswith("Throughput exceeds the current capacity")
    assert response["throttlingReasons"][0]["resource"].endswith(f"table/{table}")
    # The other partitions serve on.
    assert any(get(server, table, str(number)) is None for number in range(20))


def test_a_maximum_throughput_is_kept_and_is_the_reason(server, create):
    table = create(reads=3, writes=2)
    for _ in range(2):
        assert [get(server, table, key) for key in "abc"] == [None] * 3
        assert reason(get(server, table, "d")) == "TableReadMaxOnDemandThroughputExceeded"
        assert [put(server, table, key) for key in "ab"] == [None] * 2
        assert reason(put(server, table, "c")) == "TableWriteMaxOnDemandThroughputExceeded"
        server.clock.advance(1)


def test_a_maximum_is_updated_without_a_refill_and_taken_away(server, create):
    table = create(reads=1, writes=1)
    assert get(server, table) is None

    def update(**maxima: int) -> None:
        server.dynamodb.update_table(TableName=table, OnDemandThroughput=maxima)

    update(MaxReadRequestUnits=4)
    assert get(server, table)
    assert put(server, table) is None and put(server, table)
    server.clock.advance(1)
    assert [get(server, table, key) for key in "abcd"] == [None] * 4
    assert get(server, table)
    update(MaxReadRequestUnits=-1)
    server.clock.advance(1)
    assert [get(server, table, str(number)) for number in range(30)] == [None] * 30


def test_an_index_has_a_maximum_of_its_own(server, create):
    table = create(AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexes=[BY_AUTHOR])
    assert put(server, table, "a", author={"S": "ann"}) is None
    response = put(server, table, "b", author={"S": "ann"})
    assert reason(response) == "IndexWriteMaxOnDemandThroughputExceeded"
    assert put(server, table, "c") is None


def test_a_batch_and_a_transaction_say_it_their_own_way(server, create):
    table = create(reads=1, writes=1)
    keys = [{"id": {"S": key}} for key in "abc"]
    request = {table: {"Keys": keys, "ConsistentRead": True}}
    answer = server.dynamodb.batch_get_item(RequestItems=request)
    assert answer["UnprocessedKeys"][table]["Keys"] == keys[1:]
    assert reason(refusal(server.dynamodb.batch_get_item, RequestItems=request))
    actions = [{"Get": {"TableName": table, "Key": KEY}}]
    with pytest.raises(ClientError) as raised:
        server.dynamodb.transact_get_items(TransactItems=actions)
    [cancelled] = raised.value.response["CancellationReasons"]
    assert cancelled["Code"] == "ThrottlingError"


def test_boto3_retries_the_exception_of_this_mode(server, create, patient):
    table = create(reads=1)
    get(server, table)
    answer = patient.get_item(TableName=table, Key=KEY, ConsistentRead=True)
    assert answer["ResponseMetadata"]["RetryAttempts"] >= 1


def test_a_table_is_switched_to_on_demand_and_back(server):
    table = server.create_table(read=30_000, write=10)
    assert read(server, table) is None

    def capacity() -> Any:
        return server.known(table).capacity

    server.dynamodb.update_table(TableName=table, BillingMode="PAY_PER_REQUEST")
    assert capacity().on_demand
    # Not less than it served before, nor than a new table does.
    assert (capacity().reads.rate, capacity().writes.rate) == (30_000, 4_000)
    server.dynamodb.update_table(
        TableName=table,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
    )
    assert not capacity().on_demand
    assert reads_served(server, table) == 2
    found = read(server, table)
    assert found and found["reason"] == "TableReadProvisionedThroughputExceeded"
