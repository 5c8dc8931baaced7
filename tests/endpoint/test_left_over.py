"""Batches of which the upstream itself leaves something for another call: it is not charged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from tests.support.serving import Server, item, serving
from tweetlab.endpoint import Moto
from tweetlab.endpoint.wire import Answer, dump

KB = 1024


class Sparing(Moto):
    """Leaves the last part of each batch, and spells its numbers in its own way."""

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        request: dict[str, Any] = orjson.loads(body)
        left: dict[str, Any] = {}
        if operation in ("BatchGetItem", "BatchWriteItem") and not self._asks_itself(request):
            for name, part in request["RequestItems"].items():
                entries = part["Keys"] if operation == "BatchGetItem" else part
                last = _respelt(entries.pop())
                left[name] = {"Keys": [last]} if operation == "BatchGetItem" else [last]
        answer = await super().send(operation, dump(request), headers)
        if not left:
            return answer
        member = "UnprocessedKeys" if operation == "BatchGetItem" else "UnprocessedItems"
        return answer.with_members(**{member: left})

    def _asks_itself(self, request: Mapping[str, Any]) -> bool:
        """Whether it is a read of the endpoint's own."""
        return "ReturnConsumedCapacity" not in request


def _respelt(entry: Any) -> Any:
    return orjson.loads(dump(entry).replace(b'"5"', b'"5.0"').replace(b'"7"', b'"7.00"'))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Sparing) as server:
        yield server


@pytest.fixture
def table(server: Server) -> str:
    return server.create_table(AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}])


def key(number: str) -> dict[str, Any]:
    return {"id": {"N": number}}


def test_keys_that_are_left_are_not_charged_however_they_are_spelt(server, table):
    for number in "3457":
        server.around("PutItem", TableName=table, Item={**item("", 5 * KB - 10), **key(number)})
    request = {table: {"Keys": [key("3"), key("4"), key("5")], "ConsistentRead": True}}
    with server.charged(table) as charged:
        answer = server.dynamodb.batch_get_item(
            RequestItems=request, ReturnConsumedCapacity="TOTAL"
        )
    assert len(answer["Responses"][table]) == 2
    assert answer["UnprocessedKeys"][table]["Keys"] == [key("5")]
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == charged.reads == 4


def test_writes_that_are_left_are_not_charged_however_they_are_spelt(server, table):
    puts = [{"PutRequest": {"Item": {**item("", 3 * KB - 10), **key(number)}}} for number in "345"]
    deletes = [{"DeleteRequest": {"Key": key("7")}}]
    for requests, units in ((puts, 6), ([*deletes, *puts[:1]], 1), ([*puts[:1], *deletes], 3)):
        with server.charged(table) as charged:
            answer = server.dynamodb.batch_write_item(
                RequestItems={table: requests}, ReturnConsumedCapacity="TOTAL"
            )
        assert answer["UnprocessedItems"] == {table: [requests[-1]]}
        assert answer["ConsumedCapacity"][0]["CapacityUnits"] == charged.writes == units
