"""Query and Scan."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import charge, check, consumed_capacity, search_costs
from tweetlab.endpoint.keys import Key
from tweetlab.endpoint.reads import HIDING
from tweetlab.endpoint.table import Index, Table
from tweetlab.endpoint.wire import VALIDATION, Answer, Call, DynamoDBError, validation_error

_FILTERING = ("FilterExpression", "QueryFilter", "ScanFilter", "ConditionalOperator")
_PLACEHOLDER = re.compile(r"[#:][\w.-]+")
_COMPARISON = re.compile(r"([#:\w.-]+)\s*([<>=]+)\s*([#:\w.-]+)")
_OTHER_CONDITIONS = (
    re.compile(r"([#\w.-]+)\s+BETWEEN\s+(:\w+)\s+AND\s+(:\w+)", re.IGNORECASE),
    re.compile(r"begins_with\s*\(\s*([#\w.-]+)\s*,\s*(:\w+)"),
)


class WrongCondition(DynamoDBError):
    """A search that compares a key's attribute with a value of another type. How DynamoDB says so
    depends on the operator: an upstream that refuses it may know that best."""

    def __init__(self) -> None:
        super().__init__(
            VALIDATION,
            "One or more parameter values were invalid: Condition parameter type does not match "
            "schema type",
        )


async def search(backend: Backend, call: Call) -> Answer:
    """Charged for the sum of all items read, before a filter drops some; a Scan's units are spread
    over all partitions."""
    request = call.request
    table = await backend.table(call, request["TableName"])
    refusal = table and _refusal(request, table)
    if refusal:
        table = await backend.table_again(call, request["TableName"])
        refusal = table and _refusal(request, table)
    if table is None:
        return await backend.forward(call)
    if isinstance(refusal, WrongCondition):
        return await backend.refused(call, refusal)
    if refusal:
        raise refusal
    index = _index(table, request)
    resource = index.resource if index else table
    partition_key = None
    if call.operation == "Query":
        partition_key = _partition_key(request, (index or table).key)
    resource.check("read", partition_key)
    answer = await backend.forward(call)
    if not answer.ok:
        return answer
    items = answer.json.get("Items", [])
    fetched = index is not None and _fetches(request, table, index)
    if _shows_less(request):
        whole = await backend.ask(call, call.operation, _whole_page(request, index, fetched))
        items = whole.json.get("Items", []) if whole.ok else items
    consistent = request.get("ConsistentRead", False)
    searched = 1
    if call.operation == "Scan" and "LastEvaluatedKey" not in answer.json:
        searched = _partitions_searched(request, resource.capacity.partitions)
    costs = search_costs(table, index, partition_key, items, consistent, fetched, searched)
    check("read", costs)
    charge("read", costs)
    return answer.with_members(ConsumedCapacity=consumed_capacity(request, costs))


def _index(table: Table, request: Mapping[str, Any]) -> Index | None:
    """The index that is searched; None for the table itself."""
    name = request.get("IndexName")
    if name is None:
        return None
    if name not in table.indexes:
        raise validation_error(f"The table does not have the specified index: {name}")
    return table.indexes[name]


def _refusal(request: Mapping[str, Any], table: Table) -> DynamoDBError | None:
    """What is wrong with a search of that table; None if nothing is known to be."""
    try:
        _check_keys(request, table, _index(table, request))
    except DynamoDBError as error:
        return error
    return None


def _partitions_searched(request: Mapping[str, Any], partitions: int) -> int:
    """Partitions that a Scan to the end has looked through: of one in segments, its share. A page
    of a longer one has looked through one at least, and counts as one (model choice)."""
    if "ExclusiveStartKey" in request:
        return 1
    segments: int = request.get("TotalSegments", 1)
    return math.ceil(partitions / segments)


def _fetches(request: Mapping[str, Any], table: Table, index: Index) -> bool:
    """Whether a search of a local index asks for more than it holds, to be read from the table.
    Only a local one can do so."""
    if index.resource is not table or index.projected is None:
        return False
    if request.get("Select") == "ALL_ATTRIBUTES":
        return True
    names = request.get("ExpressionAttributeNames", {})
    paths = request.get("ProjectionExpression", "").split(",")
    asked = {re.split(r"[.\[]", path.strip(), maxsplit=1)[0] for path in paths}
    asked = {names.get(name, name) for name in asked - {""}}
    return not index.projected.issuperset(asked.union(request.get("AttributesToGet", ())))


def _shows_less(request: Mapping[str, Any]) -> bool:
    """Whether the answer may show less than was read."""
    hidden = any(name in request for name in (*HIDING, *_FILTERING))
    return hidden or request.get("Select") == "COUNT"


def _whole_page(request: Mapping[str, Any], index: Index | None, fetched: bool) -> dict[str, Any]:
    """The same page of the same items, none dropped and none cut."""
    dropped = {*HIDING, *_FILTERING, "Select", "ReturnConsumedCapacity"}
    whole = {name: value for name, value in request.items() if name not in dropped}
    used = set(_PLACEHOLDER.findall(whole.get("KeyConditionExpression", "")))
    for name in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        # DynamoDB refuses placeholders that no expression uses.
        kept = {k: v for k, v in whole.pop(name, {}).items() if k in used}
        if kept:
            whole[name] = kept
    if index is not None:
        whole["Select"] = "ALL_ATTRIBUTES" if fetched else "ALL_PROJECTED_ATTRIBUTES"
    return whole


def _partition_key(request: Mapping[str, Any], key: Key) -> str | None:
    """The partition key that a Query asks for, of one attribute or of several; None if it is not to
    be found."""
    asked = {name: value for name, sign, value in _conditions(request) if sign == "="}
    if not all(name in asked for name in key.partition):
        return None
    return key.partition_text([asked[name] for name in key.partition])


def _conditions(request: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """What a Query asks of attributes: their names, "=" or another sign, and values."""
    for name, condition in request.get("KeyConditions", {}).items():
        sign = "=" if condition.get("ComparisonOperator") == "EQ" else ""
        for value in condition.get("AttributeValueList", ()):
            yield name, sign, value
    expression = request.get("KeyConditionExpression", "")
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    for left, sign, right in _COMPARISON.findall(expression):
        for name, value in ((left, right), (right, left)):
            if value in values:
                yield names.get(name, name), sign, values[value]
    for condition in _OTHER_CONDITIONS:
        for name, *given in condition.findall(expression):
            for value in given:
                if value in values:
                    yield names.get(name, name), "", values[value]


def _is_key_condition(request: Mapping[str, Any], key: Key) -> bool:
    """Whether a Query asks for one partition, and for nothing that a key is not asked: the upstream
    says what is wrong with another condition."""
    rest = request.get("KeyConditionExpression", "")
    for condition in (*_OTHER_CONDITIONS, _COMPARISON):
        rest = condition.sub("", rest)
    is_understood = not re.sub(r"\bAND\b|[()\s]", "", rest, flags=re.IGNORECASE)
    return is_understood and _partition_key(request, key) is not None


def _check_keys(request: Mapping[str, Any], table: Table, index: Index | None) -> None:
    """Raise what DynamoDB answers to a search that compares a key's attribute with a value of
    another type, or that starts at what is no key: moto fails on some of them, which SDKs then
    repeat."""
    key = (index or table).key
    for name, _, value in _conditions(request) if _is_key_condition(request, key) else ():
        if name in key.names and key.wrong_type(name, value):
            raise WrongCondition
    start = request.get("ExclusiveStartKey")
    if start is None:
        return
    names = {*key.names, *table.key.names}
    if start.keys() != names or not (key.within(start) and table.key.within(start)):
        why = "" if index else ": The provided key element does not match the schema"
        raise validation_error(f"The provided starting key is invalid{why}")
