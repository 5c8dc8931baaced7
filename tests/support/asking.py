"""Requests of which tests ask only whether they are throttled, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.support.serving import Server, item


def throttled(call: Callable[..., object], **request: Any) -> dict[str, str] | None:
    """Why a call is throttled: the one entry of ThrottlingReasons; None if it is not."""
    try:
        call(**request)
    except ClientError as error:
        response: Any = error.response
        if response["Error"]["Code"] != "ProvisionedThroughputExceededException":
            raise
        [reason] = response["ThrottlingReasons"]
        return reason
    return None


def read(server: Server, table: str, key: str = "a", consistent: bool = True):
    return throttled(
        server.dynamodb.get_item,
        TableName=table,
        Key={"id": {"S": key}},
        ConsistentRead=consistent,
    )


def reads_served(server: Server, table: str, **request) -> int:
    """Reads that are served until one is throttled."""
    served = 0
    while not read(server, table, **request):
        served += 1
    return served


def write(server: Server, table: str, key: str = "a", size: int = 100, **more):
    return throttled(server.dynamodb.put_item, TableName=table, Item=item(key, size, **more))


def served_until_throttled(call: Callable[[], object]) -> tuple[int, str]:
    """Call as fast as it goes: how often it was served, and why it then was not."""
    for served in range(10_000):
        if reason := throttled(call):
            return served, reason["reason"]
    raise AssertionError("it is never throttled")
