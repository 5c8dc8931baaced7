"""Amazon's DynamoDB Local reports the capacity that a call consumes, though it enforces none. The
same calls, sent to it directly and through the endpoint, consume the same.

Where they do not, ``oracle_cases`` says what ours consumes, and why.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.oracle_cases import CASES, INDEXED, PLAIN
from tests.support.serving import Server, client
from tweetlab.capacity import item_size, write_units

THROUGHPUT = {"ReadCapacityUnits": 1000, "WriteCapacityUnits": 600}
"""Of a table with one partition: DynamoDB Local knows of no more."""


def index(name: str, keys: str, projection: str, *held: str, **more: Any) -> dict[str, Any]:
    kinds = zip(keys.split(), ("HASH", "RANGE"), strict=False)
    projected: dict[str, Any] = {"ProjectionType": projection}
    if held:
        projected["NonKeyAttributes"] = list(held)
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in kinds],
        "Projection": projected,
        **more,
    }


def create_tables(dynamodb: Any, names: dict[str, str]) -> None:
    def attributes(*names: str) -> list[dict[str, str]]:
        return [{"AttributeName": name, "AttributeType": "S"} for name in names]

    dynamodb.create_table(
        TableName=names[PLAIN],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=attributes("id"),
        ProvisionedThroughput=THROUGHPUT,
    )
    dynamodb.create_table(
        TableName=names[INDEXED],
        KeySchema=index("", "author id", "ALL")["KeySchema"],
        AttributeDefinitions=attributes("author", "id", "day", "tag"),
        ProvisionedThroughput=THROUGHPUT,
        LocalSecondaryIndexes=[
            index("lsi-keys", "author day", "KEYS_ONLY"),
            index("lsi-all", "author tag", "ALL"),
        ],
        GlobalSecondaryIndexes=[
            index("gsi-all", "day id", "ALL", ProvisionedThroughput=THROUGHPUT),
            index("gsi-keys", "tag", "KEYS_ONLY", ProvisionedThroughput=THROUGHPUT),
            index("gsi-some", "tag day", "INCLUDE", "likes", ProvisionedThroughput=THROUGHPUT),
        ],
    )


def renamed(value: Any, names: dict[str, str]) -> Any:
    text = json.dumps(value)
    for old, new in names.items():
        text = text.replace(old, new)
    return json.loads(text)


def consumed(dynamodb: Any, operation: str, request: dict[str, Any]) -> Any:
    """What a call says that it consumed, without the name of the table."""
    method = {api: name for name, api in dynamodb.meta.method_to_api_mapping.items()}[operation]
    try:
        answer = getattr(dynamodb, method)(ReturnConsumedCapacity="INDEXES", **request)
    except ClientError as error:
        return f"{operation} {request}: {error}"
    report = answer.get("ConsumedCapacity")
    report = report[0] if isinstance(report, list) else report
    return report and {name: units for name, units in report.items() if name != "TableName"}


@pytest.fixture(scope="module")
def results(proxy_server: Server, dynamodb_local: str) -> Iterator[dict[int, tuple[Any, Any]]]:
    """Of each case, what Local and what the endpoint say; all cases run in their order."""
    local = client(dynamodb_local)
    direct = {PLAIN: "plain-direct", INDEXED: "indexed-direct"}
    through = {PLAIN: "plain-through", INDEXED: "indexed-through"}
    for names in (direct, through):
        create_tables(local, names)
    found = {}
    for number, case in enumerate(CASES):
        found[number] = (
            consumed(local, case.operation, renamed(case.request, direct)),
            consumed(proxy_server.dynamodb, case.operation, renamed(case.request, through)),
        )
    yield found
    for names in (direct, through):
        for name in names.values():
            proxy_server.dynamodb.delete_table(TableName=name)
    local.close()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_ours_consumes_what_dynamodb_local_reports(results, number):
    case = CASES[number]
    local, ours = results[number]
    assert isinstance(local, dict) and isinstance(ours, dict), (local, ours)
    if case.reason:
        assert ours == case.ours
        assert ours != local, f"they agree now: {case.reason}"
    else:
        assert ours == local


def random_numbers(count: int) -> list[str]:
    """Numbers of DynamoDB's, spelt in many ways; the same in every run."""
    chance = random.Random(9)
    numbers = ["0", "-0", "1E125", "-1E-128", "9" * 38, "-0." + "9" * 38]
    while len(numbers) < count:
        digits = str(chance.randrange(10 ** chance.randint(1, 38))) + "0" * chance.randint(0, 3)
        point = chance.randint(0, len(digits))
        number = "0" * chance.randint(0, 2) + digits[:point] + "." + digits[point:]
        number = chance.choice(["", "-"]) + number.strip(".")
        if chance.random() < 0.5:
            number += f"{chance.choice('eE')}{chance.randint(-60, 60):+d}"
        numbers.append(number)
    return numbers


def test_numbers_have_the_size_that_dynamodb_local_charges_for(proxy_server, dynamodb_local):
    """A KB of each: a byte more of one is a unit more."""
    table = proxy_server.create_table(write=4000)
    local = client(dynamodb_local)
    differ = []
    for number in random_numbers(80):
        stored: dict[str, Any] = {"id": {"S": "a"}, "list": {"L": [{"N": number}] * 1024}}
        put = {"TableName": table, "Item": stored, "ReturnConsumedCapacity": "TOTAL"}
        local.delete_item(TableName=table, Key={"id": {"S": "a"}})
        units = local.put_item(**put)["ConsumedCapacity"]["CapacityUnits"]
        if units != write_units(item_size(stored)):
            differ.append((number, units, item_size(stored)))
    local.close()
    proxy_server.delete_tables()
    assert not differ
