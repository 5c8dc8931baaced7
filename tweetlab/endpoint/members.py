"""Which members of a request the endpoint understands, so that it charges what they ask for.

A member that only botocore's model knows, since it is newer than this endpoint, is refused by its
name: passed on, it might make a call cost what nobody counts. A test compares the two.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ServiceModel

from tweetlab.endpoint.validation import service_model
from tweetlab.endpoint.wire import validation_error

_EXPRESSED = " ConditionExpression ExpressionAttributeNames ExpressionAttributeValues"
_CHECKED = f"{_EXPRESSED} ReturnValuesOnConditionCheckFailure"
_WRITTEN = (
    " Expected ConditionalOperator ReturnValues ReturnConsumedCapacity ReturnItemCollectionMetrics"
    f"{_CHECKED}"
)
_SEARCHED = (
    "TableName IndexName Select AttributesToGet Limit ConsistentRead ConditionalOperator "
    "ExclusiveStartKey ReturnConsumedCapacity ProjectionExpression FilterExpression "
    "ExpressionAttributeNames ExpressionAttributeValues "
)
_PROJECTED = " ProjectionExpression ExpressionAttributeNames"
_THROUGHPUT = " ProvisionedThroughput OnDemandThroughput WarmThroughput"
_OF_A_TABLE = (
    f"AttributeDefinitions TableName BillingMode{_THROUGHPUT} StreamSpecification SSESpecification "
    "TableClass DeletionProtectionEnabled GlobalTableSettingsReplicationMode "
)

UNDERSTOOD: Mapping[str, frozenset[str]] = {
    shape: frozenset(members.split())
    for shape, members in {
        "GetItemInput": "TableName Key AttributesToGet ConsistentRead ReturnConsumedCapacity"
        + _PROJECTED,
        "QueryInput": _SEARCHED
        + "KeyConditions QueryFilter ScanIndexForward KeyConditionExpression",
        "ScanInput": _SEARCHED + "ScanFilter TotalSegments Segment",
        "Condition": "AttributeValueList ComparisonOperator",
        "BatchGetItemInput": "RequestItems ReturnConsumedCapacity",
        "KeysAndAttributes": "Keys AttributesToGet ConsistentRead" + _PROJECTED,
        "TransactGetItemsInput": "TransactItems ReturnConsumedCapacity",
        "TransactGetItem": "Get",
        "Get": "Key TableName" + _PROJECTED,
        "PutItemInput": "TableName Item" + _WRITTEN,
        "UpdateItemInput": "TableName Key AttributeUpdates UpdateExpression" + _WRITTEN,
        "DeleteItemInput": "TableName Key" + _WRITTEN,
        "ExpectedAttributeValue": "Value Exists ComparisonOperator AttributeValueList",
        "AttributeValueUpdate": "Value Action",
        "BatchWriteItemInput": "RequestItems ReturnConsumedCapacity ReturnItemCollectionMetrics",
        "WriteRequest": "PutRequest DeleteRequest",
        "PutRequest": "Item",
        "DeleteRequest": "Key",
        "TransactWriteItemsInput": "TransactItems ReturnConsumedCapacity "
        "ReturnItemCollectionMetrics ClientRequestToken",
        "TransactWriteItem": "ConditionCheck Put Delete Update",
        "ConditionCheck": "Key TableName" + _CHECKED,
        "Put": "Item TableName" + _CHECKED,
        "Delete": "Key TableName" + _CHECKED,
        "Update": "Key UpdateExpression TableName" + _CHECKED,
        # Of the control plane: what makes an index, which every write then pays for.
        "CreateTableInput": _OF_A_TABLE + "KeySchema LocalSecondaryIndexes GlobalSecondaryIndexes "
        "Tags ResourcePolicy GlobalTableSourceArn",
        "UpdateTableInput": _OF_A_TABLE + "GlobalSecondaryIndexUpdates ReplicaUpdates "
        "MultiRegionConsistency GlobalTableWitnessUpdates DisassociationProtectionEnabled",
        "GlobalSecondaryIndex": "IndexName KeySchema Projection" + _THROUGHPUT,
        "LocalSecondaryIndex": "IndexName KeySchema Projection",
        "GlobalSecondaryIndexUpdate": "Update Create Delete",
        "CreateGlobalSecondaryIndexAction": "IndexName KeySchema Projection" + _THROUGHPUT,
        "UpdateGlobalSecondaryIndexAction": "IndexName" + _THROUGHPUT,
        "DeleteGlobalSecondaryIndexAction": "IndexName",
        "Projection": "ProjectionType NonKeyAttributes",
        "KeySchemaElement": "AttributeName KeyType",
    }.items()
}
"""The members that are understood of each structure of DynamoDB's service model; those of the
structures that are not here make no difference to what a call costs."""
ATTRIBUTE_VALUE = "AttributeValue"


def model() -> ServiceModel:
    """DynamoDB's service model."""
    return service_model("dynamodb")


def structures(shape: Any) -> Iterator[Any]:
    """The structures that a request of a shape is made of, itself among them."""
    seen: dict[str, Any] = {}
    left = [shape]
    while left:
        each = left.pop()
        if each.type_name == "structure" and each.name not in {ATTRIBUTE_VALUE, *seen}:
            seen[each.name] = each
            left += each.members.values()
        elif each.type_name in ("list", "map"):
            left.append(each.member if each.type_name == "list" else each.value)
    return iter(seen.values())


def check_members(operation: str, request: Mapping[str, Any]) -> None:
    """Raise a ValidationException for a member of a request that the endpoint does not understand:
    one of DynamoDB's model, as all members are that came this far."""
    if shape := _input_with_others(operation):
        _check(shape, request, operation)


@cache
def _input_with_others(operation: str) -> Any:
    """The shape of an operation's request, where there is such a member in it."""
    shape: Any = model().operation_model(operation).input_shape
    return shape if any(not_understood(each) for each in structures(shape)) else None


def not_understood(shape: Any) -> set[str]:
    """The members of a structure that the endpoint does not understand."""
    members = frozenset[str](shape.members)
    return set(members - UNDERSTOOD.get(shape.name, members))


def _check(shape: Any, value: Any, operation: str) -> None:
    if shape.name == ATTRIBUTE_VALUE or value is None:
        return
    if shape.type_name == "structure":
        for name in not_understood(shape) & value.keys():
            raise validation_error(
                f"tweetlab's endpoint does not know {name} of {operation}, and could not charge "
                "what it asks for."
            )
        for name, member in value.items():
            _check(shape.members[name], member, operation)
    elif shape.type_name == "list":
        for member in value:
            _check(shape.member, member, operation)
    elif shape.type_name == "map":
        for member in value.values():
            _check(shape.value, member, operation)
