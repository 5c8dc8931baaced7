"""The control plane: never throttled, and what it says of a table is taken in."""

from collections.abc import Mapping
from typing import Any

from tweetlab.capacity.on_demand import NEW_TABLE_UNITS
from tweetlab.capacity.table import MAX_CAPACITY
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.schemas import check_changes, check_new_table
from tweetlab.endpoint.table import Resource, Table
from tweetlab.endpoint.wire import Answer, Call, dump, validation_error

_LIMITS = {"OnDemandThroughput", "WarmThroughput"}
"""What the endpoint keeps of a table or an index, whether its upstream does or not. DescribeTable
shows of them what the upstream keeps."""
_WARM = {"ReadUnitsPerSecond": "ReadCapacityUnits", "WriteUnitsPerSecond": "WriteCapacityUnits"}


async def control_plane(backend: Backend, call: Call) -> Answer:
    """Any call that is not one of the data plane."""
    _check_throughput(call.request)
    if call.operation == "CreateTable":
        check_new_table(call.request)
        _check_warm(call.request, None)
    elif call.operation == "UpdateTable":
        table = await backend.table_again(call, call.request["TableName"])
        if table:
            check_changes(table, call.request)
            _check_warm(call.request, table)
    answer = await _answer(backend, call)
    if answer.ok and call.operation == "DeleteTable":
        backend.tables.forget(call.request["TableName"])
    elif answer.ok and call.operation in ("CreateTable", "UpdateTable"):
        description = answer.json["TableDescription"]
        backend.tables.learn(description, _entries(call.request))
    return answer


def _check_throughput(request: Mapping[str, Any]) -> None:
    """Refuse what no buckets are kept for: moto takes any number."""
    for entry in _entries(request).values():
        for member in ("ProvisionedThroughput", "WarmThroughput"):
            for name, units in entry.get(member, {}).items():
                if units > MAX_CAPACITY:
                    raise validation_error(f"{name} of {units} exceeds {MAX_CAPACITY:,}")


def _check_warm(request: Mapping[str, Any], table: Table | None) -> None:
    """Refuse a ``WarmThroughput`` of less than the table, or the index, can serve already."""
    default = "PAY_PER_REQUEST" if table and table.capacity.on_demand else "PROVISIONED"
    on_demand = request.get("BillingMode", default) == "PAY_PER_REQUEST"
    for index, entry in _entries(request).items():
        named = f"index {index}" if index else "table"
        known: Resource | None = table
        if index:
            known = table.indexes[index].resource if table and index in table.indexes else None
        for place, (name, units_name) in enumerate(_WARM.items()):
            asked = entry.get("WarmThroughput", {}).get(name)
            least: float
            if known:
                least = known.capacity.warm_throughput[place]
                what = "current WarmThroughput, decreasing WarmThroughput is not supported"
            elif on_demand:
                least = list(NEW_TABLE_UNITS.values())[place]
                what = "initial throughput for OnDemand"
            else:
                least = entry.get("ProvisionedThroughput", {}).get(units_name, 0)
                what = f"{units_name} of ProvisionedThroughput"
            if asked is not None and asked < least:
                raise validation_error(
                    "One or more parameter values were invalid: "
                    f"Requested {name} for WarmThroughput for {named} is lower than {what}"
                )


async def _answer(backend: Backend, call: Call) -> Answer:
    """The upstream's; but an update of limits that the endpoint keeps is nothing to DynamoDB Local,
    which refuses it."""
    answer = await backend.forward(call)
    if answer.error == "ValidationException" and _changes_limits_only(call):
        name = call.request["TableName"]
        described = await backend.ask(call, "DescribeTable", {"TableName": name})
        if described.ok:
            return Answer(200, dump({"TableDescription": described.json["Table"]}))
    return answer


def _changes_limits_only(call: Call) -> bool:
    if call.operation != "UpdateTable":
        return False
    asked = call.request.keys() - {"TableName", "GlobalSecondaryIndexUpdates"}
    for update in call.request.get("GlobalSecondaryIndexUpdates", ()):
        asked |= update.keys() - {"Update"} | update.get("Update", {}).keys() - {"IndexName"}
    return bool(asked) and asked <= _LIMITS


def _entries(request: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a request says of the table ("") and of each global index, by its name."""
    entries = {"": request}
    for index in request.get("GlobalSecondaryIndexes", ()):
        entries[index["IndexName"]] = index
    for update in request.get("GlobalSecondaryIndexUpdates", ()):
        for index in update.values():
            entries[index["IndexName"]] = index
    return entries
