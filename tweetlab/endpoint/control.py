"""The control plane: never throttled, and what it says of a table is taken in."""

from collections.abc import Mapping
from typing import Any

from tweetlab.capacity.table import MAX_CAPACITY
from tweetlab.endpoint.backend import Backend
from tweetlab.endpoint.wire import Answer, Call, dump, validation_error

_MAXIMUM = "OnDemandThroughput"


async def control_plane(backend: Backend, call: Call) -> Answer:
    """Any call that is not one of the data plane."""
    _check_throughput(call.request)
    answer = await _answer(backend, call)
    if answer.ok and call.operation == "DeleteTable":
        backend.tables.forget(call.request["TableName"])
    elif answer.ok and call.operation in ("CreateTable", "UpdateTable"):
        description = answer.json["TableDescription"]
        backend.tables.learn(description, _maxima(call.request))
    return answer


def _check_throughput(request: Mapping[str, Any]) -> None:
    """Refuse what no buckets are kept for: moto takes any number."""
    for entry in _entries(request).values():
        for name, units in entry.get("ProvisionedThroughput", {}).items():
            if units > MAX_CAPACITY:
                raise validation_error(f"{name} of {units} exceeds {MAX_CAPACITY:,}")


async def _answer(backend: Backend, call: Call) -> Answer:
    """The upstream's; but an update of the maximum throughput alone is nothing to DynamoDB Local,
    which refuses it."""
    if call.operation == "UpdateTable" and call.request.keys() == {"TableName", _MAXIMUM}:
        name = call.request["TableName"]
        answer = await backend.ask(call, "DescribeTable", {"TableName": name})
        if answer.ok:
            return Answer(200, dump({"TableDescription": answer.json["Table"]}))
    return await backend.forward(call)


def _maxima(request: Mapping[str, Any]) -> dict[str, Any]:
    """The maximum throughputs that a request asks for, by index ("" for the table): neither moto
    nor DynamoDB Local keeps them."""
    asked = _entries(request)
    return {name: entry[_MAXIMUM] for name, entry in asked.items() if _MAXIMUM in entry}


def _entries(request: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a request says of the table ("") and of each global index, by its name."""
    entries = {"": request}
    for index in request.get("GlobalSecondaryIndexes", ()):
        entries[index["IndexName"]] = index
    for update in request.get("GlobalSecondaryIndexUpdates", ()):
        for index in update.values():
            entries[index["IndexName"]] = index
    return entries
