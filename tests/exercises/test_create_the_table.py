"""What the checks of lesson 01 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import math

import pytest
from botocore.exceptions import ClientError

from tests.support.asking import throttled
from tests.support.verdicts import empty, wrong
from tweetlab import exercises


def make_like_table(dynamodb, key_name="like_id", read_capacity=3, write_capacity=2):
    dynamodb.create_table(
        TableName="like",
        KeySchema=[{"AttributeName": key_name, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key_name, "AttributeType": "S"}],
        ProvisionedThroughput={
            "ReadCapacityUnits": read_capacity,
            "WriteCapacityUnits": write_capacity,
        },
    )


@pytest.fixture
def dynamodb(lab):
    """DynamoDB without a table for likes, before and after."""
    yield lab.dynamodb
    if "like" in lab.dynamodb.list_tables()["TableNames"]:
        lab.dynamodb.delete_table(TableName="like")


@pytest.mark.parametrize(
    ("mistake", "missing"),
    [
        ({"key_name": "id"}, "its key is `id` (HASH)"),
        ({"read_capacity": 2}, "it has 2 ReadCapacityUnits, of the 3 asked for"),
        ({"write_capacity": 3}, "it has 3 WriteCapacityUnits, of the 2 asked for"),
    ],
)
def test_like_table_with_a_mistake(dynamodb, mistake, missing):
    make_like_table(dynamodb, **mistake)
    assert wrong(exercises.check_like_table(dynamodb)) == [missing]


def test_like_table(dynamodb):
    assert wrong(exercises.check_like_table(dynamodb)) == ["there is no table `like` yet"]
    make_like_table(dynamodb)
    assert exercises.check_like_table(dynamodb).right


def test_reads_per_second():
    assert len(wrong(exercises.check_reads_per_second(empty))) == 5

    def without_blocks(read_capacity, item_bytes):
        return read_capacity * 2 * 4096 / item_bytes

    def strongly_consistent(read_capacity, item_bytes):
        return read_capacity / math.ceil(item_bytes / 4096)

    def right(read_capacity, item_bytes):
        return read_capacity / (math.ceil(item_bytes / 4096) / 2)

    assert len(wrong(exercises.check_reads_per_second(without_blocks))) == 4
    assert len(wrong(exercises.check_reads_per_second(strongly_consistent))) == 5
    assert exercises.check_reads_per_second(right).right


def by_code_and_retries(answer):
    code = answer.get("Error", {}).get("Code")
    retries = answer["ResponseMetadata"]["RetryAttempts"]
    return code == "ProvisionedThroughputExceededException" or retries > 0


def test_was_throttled():
    def by_another_status(answer):
        return answer["ResponseMetadata"]["HTTPStatusCode"] == 400

    def by_code(answer):
        return answer.get("Error", {}).get("Code") == "ProvisionedThroughputExceededException"

    def any_error(answer):
        return "Error" in answer or answer["ResponseMetadata"]["RetryAttempts"] > 0

    assert len(wrong(exercises.check_was_throttled(empty))) == 4
    assert len(wrong(exercises.check_was_throttled(by_another_status))) == 2
    assert wrong(exercises.check_was_throttled(by_code)) == [
        "one that boto3 tried twice was throttled; you say `False`"
    ]
    assert wrong(exercises.check_was_throttled(any_error)) == [
        "one of a table that is not there was not throttled; you say `True`"
    ]
    assert exercises.check_was_throttled(by_code_and_retries).right


def test_a_right_answer_is_right_of_real_reads_too(server, patient):
    """``patient`` waits on the server's clock, which has a second attempt come through."""
    table = server.create_table(read=1)
    which = {"TableName": table, "Key": {"id": {"S": "a"}}, "ConsistentRead": True}
    at_once = patient.get_item(**which)
    while not throttled(server.dynamodb.get_item, **which):
        pass
    with pytest.raises(ClientError) as refused:
        server.dynamodb.get_item(**which)
    later = patient.get_item(**which)
    with pytest.raises(ClientError) as nowhere:
        patient.get_item(**which | {"TableName": "nowhere"})
    answers = [at_once, later, refused.value.response, nowhere.value.response]
    assert list(map(by_code_and_retries, answers)) == [False, True, True, False]
