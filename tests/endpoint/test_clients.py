"""Many clients at once, and clients that try again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.asking import reads_served
from tests.support.serving import item
from tweetlab.tweets.throttles import count_throttles, watch

KB = 1024
KEY = {"id": {"S": "a"}}


@pytest.mark.parametrize("size", [100, 10 * KB], ids=["small items", "items of 1.5 units"])
def test_many_readers_at_once_get_exactly_what_the_table_has(server, size):
    """All of it is served; only the last read may overdraw; and each is told what it consumed."""
    table = server.create_table(read=10)
    server.around("PutItem", TableName=table, Item=item("a", size))

    def consumed(_: int) -> float:
        try:
            answer = server.dynamodb.get_item(
                TableName=table, Key=KEY, ReturnConsumedCapacity="TOTAL"
            )
        except server.dynamodb.exceptions.ProvisionedThroughputExceededException:
            return 0
        return answer["ConsumedCapacity"]["CapacityUnits"]

    each = 0.5 if size < 4 * KB else 1.5
    granted = 10.0
    total = 0.0
    with ThreadPoolExecutor(16) as readers:
        for _ in range(3):
            with server.charged(table) as charged:
                units = list(readers.map(consumed, range(60)))
            assert sum(units) == charged.reads
            assert set(units) == {0, each}
            total += sum(units)
            assert granted <= total < granted + each
            server.clock.advance(1)
            granted += 10


def test_many_writers_at_once_are_charged_for_what_each_changed(server):
    """Each put costs the larger of what it found and what it left, in whatever order they come."""
    table = server.create_table(write=1000)
    sizes = [KB, 2 * KB, 3 * KB, 4 * KB] * 5

    def consumed(size: int) -> float:
        answer = server.dynamodb.put_item(
            TableName=table,
            Item=item("a", size),
            ReturnConsumedCapacity="TOTAL",
            ReturnValues="ALL_OLD",
        )
        old = answer.get("Attributes", {"text": {"S": ""}, "id": {"S": ""}})
        before = len("idtext") + len(old["id"]["S"]) + len(old["text"]["S"])
        units = answer["ConsumedCapacity"]["CapacityUnits"]
        assert units == -(-max(before, size) // KB)
        return units

    with server.charged(table) as charged, ThreadPoolExecutor(8) as writers:
        units = list(writers.map(consumed, sizes))
    assert charged.writes == sum(units)


def test_throttled_writers_at_once_are_charged_only_for_what_is_stored(server):
    table = server.create_table(write=5)

    def write(number: int) -> bool:
        try:
            server.dynamodb.put_item(TableName=table, Item=item(f"{number}", 100))
        except server.dynamodb.exceptions.ProvisionedThroughputExceededException:
            return False
        return True

    with ThreadPoolExecutor(8) as writers:
        written = list(writers.map(write, range(30)))
    assert Counter(written) == {True: 5, False: 25}
    found = server.dynamodb.scan(TableName=table)["Items"]
    assert {item["id"]["S"] for item in found} == {
        f"{number}" for number, stored in enumerate(written) if stored
    }


def test_boto3_retries_a_throttle_and_says_so(server, patient):
    """However short its wait is, there is a little capacity again when it ends."""
    table = server.create_table(read=1)
    watch(patient)
    reads_served(server, table)
    with count_throttles() as throttles:
        answer = patient.get_item(TableName=table, Key=KEY)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert throttles.count == 1


def test_boto3_gives_up_on_a_table_that_owes_more_than_it_waits_for(server, patient):
    table = server.create_table(read=1)
    watch(patient)
    server.around("PutItem", TableName=table, Item=item("a", 40 * KB))
    reads_served(server, table)
    with count_throttles() as throttles, pytest.raises(ClientError) as raised:
        patient.get_item(TableName=table, Key=KEY)
    response: Any = raised.value.response
    metadata = response["ResponseMetadata"]
    assert (metadata["RetryAttempts"], metadata["MaxAttemptsReached"]) == (2, True)
    assert throttles.count == 3
    assert response["ThrottlingReasons"]
