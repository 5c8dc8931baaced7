"""Checks of lesson 01."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tweetlab.capacity import read_units
from tweetlab.exercises.verdict import Remark, check, expect_number

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@check("the request is the one at the top of this lesson, with other names and numbers.")
def check_like_table(dynamodb: DynamoDBClient) -> Iterator[Remark]:
    """A table ``like`` with the partition key ``like_id``, 3 RCU and 2 WCU."""
    if "like" not in dynamodb.list_tables()["TableNames"]:
        yield False, "there is no table `like` yet"
        return
    table = dynamodb.describe_table(TableName="like")["Table"]
    yield True, "there is a table `like`"
    keys = [(part["AttributeName"], part["KeyType"]) for part in table["KeySchema"]]
    wanted = keys == [("like_id", "HASH")]
    yield wanted, f"its key is {', '.join(f'`{name}` ({kind})' for name, kind in keys)}"
    provisioned = table["ProvisionedThroughput"]
    for unit, expected in (("ReadCapacityUnits", 3), ("WriteCapacityUnits", 2)):
        given = provisioned.get(unit, 0)
        yield given == expected, f"it has {given} {unit}, of the {expected} asked for"


@check(
    "a read takes one block of 4,096 bytes, or more if the item is larger: `import math`, and "
    "`math.ceil(...)`. An eventually consistent read of a block costs half a unit."
)
def check_reads_per_second(answer: Callable[[float, int], float]) -> Iterator[Remark]:
    """Eventually consistent reads a second for a read capacity (RCU) and an item size (bytes)."""
    for capacity, size in ((1, 200), (10, 200), (10, 4096), (10, 4097), (3, 9000)):
        yield expect_number(answer, (capacity, size), capacity / read_units(size))


@check(
    "the status of a refusal is 400, as of many other mistakes: go by `answer['Error']['Code']`, "
    "which is there only if the read failed. And what does `RetryAttempts` tell, if it did not?"
)
def check_was_throttled(answer: Callable[[dict[str, Any]], bool]) -> Iterator[Remark]:
    """Whether a read was throttled, by what boto3 gave: these are answers as boto3 gives them."""
    for what, given, expected in (
        ("a read that came at once", _given(200), False),
        ("one that boto3 tried twice", _given(200, retries=1), True),
        ("one refused for good", _given(400, "ProvisionedThroughputExceededException"), True),
        ("one of a table that is not there", _given(400, "ResourceNotFoundException"), False),
    ):
        said = answer(given)
        fate = "throttled" if expected else "not throttled"
        yield said == expected, f"{what} was {fate}; you say `{said}`"


def _given(status: int, code: str = "", retries: int = 0) -> dict[str, Any]:
    metadata = {"HTTPStatusCode": status, "RetryAttempts": retries}
    error = {"Error": {"Code": code, "Message": ""}} if code else {}
    return {"ResponseMetadata": metadata, **error}
