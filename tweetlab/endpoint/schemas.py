"""Whether a CreateTable or an UpdateTable makes a table and indexes that DynamoDB would make.

An upstream may take others, such as an index without a key or a projection, by which no call could
be charged. The texts are AWS's (as recorded by dynalite, moto and others).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tweetlab.endpoint.table import Table
from tweetlab.endpoint.wire import DynamoDBError, resource_not_found, validation_error

MOST_OF_A_KIND = 4
"""Attributes of a global index's key that are HASH, and that are RANGE (Developer Guide)."""
_FIRST = "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
_SECOND = "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
_SAME = "Both the Hash Key and the Range Key element in the KeySchema have the same name"


def _invalid(message: str) -> DynamoDBError:
    return validation_error(f"One or more parameter values were invalid: {message}")


def check_new_table(request: Mapping[str, Any]) -> None:
    """Raise what DynamoDB answers to a CreateTable that makes no table."""
    if "GlobalTableSourceArn" in request:
        return  # its schema is that of another table
    for name in ("AttributeDefinitions", "KeySchema"):
        if name not in request:
            member = name[0].lower() + name[1:]
            raise validation_error(
                f"1 validation error detected: Value null at '{member}' failed to satisfy "
                "constraint: Member must not be null"
            )
    on_demand = request.get("BillingMode") == "PAY_PER_REQUEST"
    if on_demand and "ProvisionedThroughput" in request:
        raise _invalid(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if not on_demand and "ProvisionedThroughput" not in request:
        raise _invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
            "PROVISIONED"
        )
    defined = [each["AttributeName"] for each in request["AttributeDefinitions"]]
    _check_key(request["KeySchema"], defined, most=1)
    local = request.get("LocalSecondaryIndexes", ())
    others = request.get("GlobalSecondaryIndexes", ())
    for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if request.get(kind) == []:
            raise _invalid(f"List of {kind} is empty")
    for index in local:
        _check_local_index(index, request["KeySchema"], defined)
    for index in others:
        _check_global_index(index, defined)
        if on_demand and "ProvisionedThroughput" in index:
            raise _invalid(
                f"ProvisionedThroughput should not be specified for index: {index['IndexName']} "
                "when BillingMode is PAY_PER_REQUEST"
            )
        if not on_demand and "ProvisionedThroughput" not in index:
            raise _invalid(
                f"ProvisionedThroughput is not specified for index: {index['IndexName']}"
            )
    names = Counter(index["IndexName"] for index in (*local, *others))
    for name, times in names.items():
        if times > 1:
            raise _invalid(f"Duplicate index name: {name}")
    _check_all_used(defined, [request, *local, *others])


def check_changes(table: Table, request: Mapping[str, Any]) -> None:
    """Raise what DynamoDB answers to an UpdateTable that cannot be made."""
    provisioned = request.get("BillingMode") == "PROVISIONED"
    if provisioned and "ProvisionedThroughput" not in request:
        raise _invalid("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
    on_demand = request.get("BillingMode") == "PAY_PER_REQUEST" or (
        table.capacity.on_demand and not provisioned
    )
    defined = [each["AttributeName"] for each in request.get("AttributeDefinitions", ())]
    without = {name for name, index in table.indexes.items() if index.resource is not table}
    without = without if provisioned and table.capacity.on_demand else set()
    changed = Counter[str]()
    for update in request.get("GlobalSecondaryIndexUpdates", ()):
        verb, index = _change(update)
        name = index["IndexName"]
        changed[name] += 1
        if changed[name] > 1:
            raise _invalid(
                "Only one global secondary index update per index is allowed simultaneously. "
                f"Index: {name}"
            )
        if verb == "Create":
            if name in table.indexes:
                raise validation_error("Attempting to create an index which already exists")
            _check_global_index(index, [*table.types, *defined])
        elif name not in table.indexes:
            raise resource_not_found()
        elif table.indexes[name].resource is table:
            raise validation_error(
                f"Cannot {verb.lower()} an index that is not a GlobalSecondaryIndex: {name}"
            )
        if verb == "Create" and not on_demand and "ProvisionedThroughput" not in index:
            raise _invalid(f"ProvisionedThroughput must be specified for index: {name}")
        if verb == "Delete" or "ProvisionedThroughput" in index:
            without.discard(name)
    if without:
        raise _invalid(f"ProvisionedThroughput must be specified for index: {min(without)}")


def _change(update: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if not update:
        raise _invalid(
            "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
            "GlobalSecondaryIndexUpdate.Delete must not be null"
        )
    if len(update) > 1:
        raise _invalid(
            "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate "
            "object"
        )
    ((verb, index),) = update.items()
    return verb, index


def _check_local_index(
    index: Mapping[str, Any], table_schema: Sequence[Mapping[str, str]], defined: Sequence[str]
) -> None:
    name = index["IndexName"]
    if len(table_schema) != 2:
        raise _invalid(
            "Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex"
        )
    _check_key(index["KeySchema"], defined, most=1)
    if len(index["KeySchema"]) != 2:
        raise _invalid(f"Index KeySchema does not have a range key for index: {name}")
    key, table_key = (schema[0]["AttributeName"] for schema in (index["KeySchema"], table_schema))
    if key != table_key:
        raise _invalid(
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: "
            f"{name}. index hash key: {key}, table hash key: {table_key}"
        )
    _check_projection(index["Projection"])


def _check_global_index(index: Mapping[str, Any], defined: Sequence[str]) -> None:
    _check_key(index["KeySchema"], defined, most=MOST_OF_A_KIND)
    _check_projection(index["Projection"])


def _check_key(schema: Sequence[Mapping[str, str]], defined: Sequence[str], most: int) -> None:
    """A key has from one to ``most`` attributes for the partition, and then up to as many to sort
    by."""
    names = [element["AttributeName"] for element in schema]
    kinds = [element["KeyType"] for element in schema]
    if most == 1 and len(names) > 2:
        elements = ", ".join(
            f"KeySchemaElement(attributeName={name}, keyType={kind})"
            for name, kind in zip(names, kinds, strict=True)
        )
        raise validation_error(
            f"1 validation error detected: Value '[{elements}]' at 'keySchema' failed to satisfy "
            "constraint: Member must have length less than or equal to 2"
        )
    if len(names) > len(defined):
        raise validation_error("Invalid KeySchema: Some index key attribute have no definition")
    if not set(names) <= set(defined):
        raise _invalid(
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: {_listed(names)}, AttributeDefinitions: {_listed(defined)}"
        )
    if len(set(names)) < len(names):
        several = "The KeySchema contains multiple key attributes with the same name"
        raise validation_error(_SAME if len(names) == 2 else several)
    if kinds[0] != "HASH":
        raise validation_error(_FIRST)
    if most == 1 and kinds[1:] not in ([], ["RANGE"]):
        raise validation_error(_SECOND)
    if kinds != sorted(kinds):
        raise _invalid("All HASH key attributes must precede RANGE key attributes in the KeySchema")
    for kind in ("HASH", "RANGE"):
        if kinds.count(kind) > most:
            raise _invalid(
                f"The KeySchema exceeds the maximum allowed number of {kind} key attributes"
            )


def _check_projection(projection: Mapping[str, Any]) -> None:
    kind = projection.get("ProjectionType")
    others = projection.get("NonKeyAttributes")
    if kind not in ("ALL", "KEYS_ONLY", "INCLUDE"):
        raise _invalid(f"Unknown ProjectionType: {kind or 'null'}")
    if kind == "INCLUDE" and not others:
        raise _invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    if kind != "INCLUDE" and others is not None:
        raise _invalid(f"ProjectionType is {kind}, but NonKeyAttributes is specified")


def _check_all_used(defined: Sequence[str], keyed: Sequence[Mapping[str, Any]]) -> None:
    for name, times in Counter(defined).items():
        if times > 1:
            raise validation_error(f"Attribute Name is duplicated: {name}")
    used = {element["AttributeName"] for each in keyed for element in each["KeySchema"]}
    if used == set(defined):
        return
    if len(keyed) == 1:
        raise _invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined "
            "in AttributeDefinitions"
        )
    raise _invalid(
        "Some AttributeDefinitions are not used. AttributeDefinitions: "
        f"{_listed(sorted(defined))}, keys used: {_listed(sorted(used))}"
    )


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(names)}]"
