"""Calls made of DynamoDB's own service model, as botocore ships it: each operation with the least
that it needs, and then with each member in turn there, null, missing, or not what it should be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.support.calls import CLEAN, THROUGHPUT, Call, api, key, s

MODEL = ServiceModel(Loader().load_service_model("dynamodb", "service-2"), "dynamodb")

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/calls"
SAMPLES: dict[str, Any] = {
    "TableName": "calls",
    "SourceTableName": "calls",
    "TargetTableName": "made",
    "GlobalTableName": "calls",
    "IndexName": "by-tag",
    "AttributeName": "id",
    "BackupName": "backup",
    "BackupArn": f"{ARN}/backup/01489602797149-73d8d5bc",
    "SourceTableArn": ARN,
    "ResourceArn": ARN,
    "TableArn": ARN,
    "StreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/none",
    "ExportArn": f"{ARN}/export/01234567890123-a1b2c3d4",
    "ImportArn": f"{ARN}/import/01234567890123-a1b2c3d4",
    "RegionName": "us-east-1",
    "ClientRequestToken": "a-$run",
    "Key": key("a"),
    "Item": {**key("b"), "n": {"N": "1"}},
    "AttributesToGet": ["id"],
    "ProjectionExpression": "id",
    "FilterExpression": "attribute_exists(id)",
    "ConditionExpression": "attribute_exists(id)",
    "KeyConditionExpression": "id = :v",
    "UpdateExpression": "SET m = :v",
    "ExpressionAttributeNames": {"#n": "n"},
    "ExpressionAttributeValues": {":v": s("a")},
    "ExclusiveStartKey": key("a"),
    "ExclusiveStartTableName": "call",
    "Expected": {"id": {"Value": s("a"), "ComparisonOperator": "EQ"}},
    "AttributeUpdates": {"m": {"Value": s("y"), "Action": "PUT"}},
    "KeyConditions": {"id": {"AttributeValueList": [s("a")], "ComparisonOperator": "EQ"}},
    "QueryFilter": {"n": {"AttributeValueList": [{"N": "1"}], "ComparisonOperator": "EQ"}},
    "ScanFilter": {"n": {"AttributeValueList": [{"N": "1"}], "ComparisonOperator": "EQ"}},
    "Statement": "SELECT * FROM \"calls\" WHERE id = 'a'",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "ProvisionedThroughput": THROUGHPUT,
    "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True},
    "Tags": [{"Key": "room", "Value": "7"}],
    "TagKeys": ["room"],
    "Policy": "{}",
    "RequestItems": {"calls": {"Keys": [key("a")]}},
    "S3Bucket": "bucket",
}
"""What stands for a member of that name."""
NEW: dict[str, Any] = {"TableName": "made", "ProvisionedThroughput": THROUGHPUT}
LEAST: dict[str, dict[str, Any]] = {
    "BatchWriteItem": {
        "RequestItems": {"calls": [{"PutRequest": {"Item": {**key("c"), "m": s("x")}}}]}
    },
    "CreateTable": {
        **NEW,
        "AttributeDefinitions": SAMPLES["AttributeDefinitions"],
        "KeySchema": SAMPLES["KeySchema"],
    },
    "DeleteTable": {"TableName": "made"},
    "Query": {
        "TableName": "calls",
        "KeyConditionExpression": "id = :v",
        "ExpressionAttributeValues": {":v": s("a")},
    },
    "TransactGetItems": {"TransactItems": [{"Get": {"TableName": "calls", "Key": key("a")}}]},
    "TransactWriteItems": {
        "TransactItems": [{"Put": {"TableName": "calls", "Item": {**key("d"), "m": s("x")}}}]
    },
    "UpdateItem": {
        "TableName": "calls",
        "Key": key("a"),
        "UpdateExpression": "SET m = :v",
        "ExpressionAttributeValues": {":v": s("x")},
    },
}
"""Requests that need more than the model says, or other things."""
WRONG: dict[str, tuple[Any, ...]] = {
    "string": (5, ["x"]),
    "blob": (5,),
    "boolean": ("yes", 1),
    "integer": ("10", {}),
    "long": ("10", {}),
    "double": ("x",),
    "timestamp": ({},),
    "structure": ("x", []),
    "list": ("x", {}),
    "map": ("x", []),
}
"""What is of another type."""


def sample(shape: Any, name: str) -> Any:
    """A value that fits a shape: of its members only those that must be there."""
    if name in SAMPLES:
        return copy.deepcopy(SAMPLES[name])
    if shape.name == "AttributeValue":
        return s("a")
    if shape.type_name == "structure":
        return {each: sample(shape.members[each], each) for each in shape.required_members}
    if shape.type_name == "list":
        return [sample(shape.member, "")]
    if shape.type_name == "map":
        return {sample(shape.key, "AttributeName"): sample(shape.value, "")}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "x" * max(3, shape.metadata.get("min", 0))
    least = shape.metadata.get("min", 1)
    values = {"boolean": True, "blob": "YQ==", "timestamp": 1_700_000_000, "double": 50.0}
    return values.get(shape.type_name, max(1, least))


def least_of(operation: str) -> dict[str, Any]:
    """The least request of an operation that may succeed."""
    if operation in LEAST:
        return copy.deepcopy(LEAST[operation])
    shape: Any = MODEL.operation_model(operation).input_shape
    return sample(shape, "")


def with_nulls(value: Any, shape: Any, depth: int = 0) -> Any:
    """A value in which each optional member that is missing is null, at any depth."""
    if depth > 8 or value is None:
        return value
    if shape.name == "AttributeValue":
        return value
    if shape.type_name == "structure":
        nulls = {name: None for name in shape.members if name not in value}
        known = {n: with_nulls(v, shape.members[n], depth + 1) for n, v in value.items()}
        return {**nulls, **known}
    if shape.type_name == "list":
        return [with_nulls(each, shape.member, depth + 1) for each in value]
    if shape.type_name == "map":
        return {name: with_nulls(each, shape.value, depth + 1) for name, each in value.items()}
    return value


def variations(operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests of an operation, by what is special about each."""
    shape: Any = MODEL.operation_model(operation).input_shape
    least = least_of(operation)
    yield "the least", least
    yield "nulls for what is optional", with_nulls(least, shape)
    yield "an unknown member", {**least, "Bogus": 1}
    for name, member in shape.members.items():
        good = least.get(name, sample(member, name))
        if name not in least:
            yield f"{name}", {**least, name: good}
            yield f"{name} with nulls", {**least, name: with_nulls(good, member)}
        else:
            yield f"without {name}", {n: v for n, v in least.items() if n != name}
        needed = ", though it is needed" if name in shape.required_members else ""
        yield f"{name} null{needed}", {**least, name: None}
        if (operation, name) == ("CreateTable", "TableName"):
            continue  # moto makes a table of any name, and then cannot delete it.
        for wrong in WRONG[member.type_name]:
            given = "a list" if wrong == ["x"] else repr(wrong)
            yield f"{name} of a wrong type, {given}", {**least, name: wrong}
        if member.type_name in ("list", "map"):
            yield f"{name} empty", {**least, name: [] if member.type_name == "list" else {}}
        if member.type_name == "string":
            if getattr(member, "enum", None):
                yield f"{name} not of the enum", {**least, name: "BOGUS"}
            else:
                yield f"{name} empty", {**least, name: ""}
        if member.type_name in ("integer", "long"):
            yield f"{name} as a float", {**least, name: float(good)}
            yield f"{name} with a fraction", {**least, name: good + 0.5}
            yield f"{name} below the least", {**least, name: member.metadata.get("min", 0) - 1}
            if most := member.metadata.get("max"):
                yield f"{name} above the most", {**least, name: most + 1}


PLAINEST = ("the least", "what is optional", "an unknown member", ", a list", "needed")
"""How the names of the plainest variations end."""
CHARGED = {
    *("GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"),
    *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"),
    *("CreateTable", "UpdateTable", "ListTables"),
}
"""Operations of which all variations are tried; of others the plainest."""


def harm(detail: str) -> int:
    """What an upstream that takes such a variation may suffer: the most harmful come last."""
    if detail.endswith(" empty"):
        return 1
    return 2 * any(text in detail for text in (" of ", "needed", "without", "below", "above"))


def model_calls(operation: str) -> Iterator[Call]:
    """An operation's variations, with the tables that they need."""
    alone = operation in ("CreateTable", "DeleteTable")
    if not alone:
        yield from create_calls_table()
    seen: list[dict[str, Any]] = []
    for detail, request in sorted(variations(operation), key=lambda each: harm(each[0])):
        if request in seen or (operation not in CHARGED and not detail.endswith(PLAINEST)):
            continue
        seen.append(request)
        if alone:
            yield CLEAN
        if operation == "DeleteTable":
            yield api("CreateTable", f"for {detail}", least_of("CreateTable"))
        yield api(operation, detail, request)


def create_calls_table() -> Iterator[Call]:
    """The table ``calls``, with an item in it, and an index."""
    yield api(
        "CreateTable",
        "for the model",
        {
            "TableName": "calls",
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "tag", "AttributeType": "S"},
            ],
            "KeySchema": SAMPLES["KeySchema"],
            "ProvisionedThroughput": THROUGHPUT,
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-tag",
                    "KeySchema": [{"AttributeName": "tag", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": THROUGHPUT,
                }
            ],
        },
    )
    for name in "ab":
        item = {**key(name), "n": {"N": "1"}, "tag": s("t")}
        yield api("PutItem", f"{name} for the model", {"TableName": "calls", "Item": item})
