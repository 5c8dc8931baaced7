"""Query and Scan."""

import math
import re
from collections.abc import Mapping
from typing import Any

from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.charging import charge, check, consumed_capacity, search_costs
from tweetlab.endpoint.reads import HIDING
from tweetlab.endpoint.table import Index, Table, plain_value
from tweetlab.endpoint.wire import Answer, Call

_FILTERING = ("FilterExpression", "QueryFilter", "ScanFilter", "ConditionalOperator")
_PLACEHOLDER = re.compile(r"[#:][\w.-]+")
_EQUALITY = re.compile(r"([#:\w.-]+)\s*=\s*([#:\w.-]+)")


async def search(backend: Backend, call: Call) -> Answer:
    """Charged for the sum of all items read, before a filter drops some; a Scan's units are spread
    over all partitions."""
    request = call.request
    table = await backend.table(call, request["TableName"])
    index = table.indexes.get(request.get("IndexName", "")) if table else None
    if table is None or ("IndexName" in request and index is None):
        return await backend.forward(call)
    resource = index.resource if index else table
    partition_key = None
    if call.operation == "Query":
        partition_key = _partition_key(request, (index or table).key.partition)
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
    searched = _partitions_searched(request, resource.capacity.partitions, partition_key)
    costs = search_costs(table, index, partition_key, items, consistent, fetched, searched)
    check("read", costs)
    charge("read", costs)
    return answer.with_members(ConsumedCapacity=consumed_capacity(request, costs))


def _partitions_searched(
    request: Mapping[str, Any], partitions: int, partition_key: str | None
) -> int:
    """Partitions that a search that finds nothing has looked through: of a scan in segments, its
    share; and the last one alone where a scan is continued (model choice)."""
    if partition_key is not None or "ExclusiveStartKey" in request:
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


def _partition_key(request: Mapping[str, Any], attribute: str) -> str | None:
    """The value of the partition key that a Query asks for; None if it is not to be found."""
    condition = request.get("KeyConditions", {}).get(attribute)
    if condition and condition.get("AttributeValueList"):
        return plain_value(condition["AttributeValueList"][0])
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    for left, right in _EQUALITY.findall(request.get("KeyConditionExpression", "")):
        for name, value in ((left, right), (right, left)):
            if names.get(name, name) == attribute and value in values:
                return plain_value(values[value])
    return None
