"""PartiQL is refused: what the endpoint does not understand it could not charge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.serving import Server, client, item, serving
from tweetlab.endpoint import Moto, Proxy
from tweetlab.endpoint.upstream import Upstream
from tweetlab.endpoint.wire import Answer

REQUESTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "ExecuteStatement": lambda statement: {"Statement": statement},
    "BatchExecuteStatement": lambda statement: {"Statements": [{"Statement": statement}]},
    "ExecuteTransaction": lambda statement: {"TransactStatements": [{"Statement": statement}]},
}
INSTEAD = {
    "ExecuteStatement": ["GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem"],
    "BatchExecuteStatement": ["BatchGetItem", "BatchWriteItem"],
    "ExecuteTransaction": ["TransactGetItems", "TransactWriteItems"],
}
STATEMENTS = [
    "SELECT * FROM \"{}\" WHERE id = 'a'",
    "INSERT INTO \"{}\" VALUE {{'id': 'b'}}",
    "DELETE FROM \"{}\" WHERE id = 'a'",
    "FROM \"{}\" WHERE id = 'a' SET n = 1",
]


class Recording:
    """An upstream that notes what it is asked."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.asked: list[str] = []

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.asked.append(operation)
        return await self._upstream.send(operation, body, headers)

    async def close(self) -> None:
        await self._upstream.close()


@pytest.fixture(scope="module", params=["moto", "DynamoDB Local"])
def recorded(request: pytest.FixtureRequest) -> Iterator[Server]:
    """An endpoint whose upstream notes what it is asked."""
    make: Callable[[], Upstream] = Moto
    if request.param == "DynamoDB Local":
        make = partial(Proxy, request.getfixturevalue("dynamodb_local"))
    with serving(lambda: Recording(make())) as server:
        yield server


@pytest.fixture
def table(recorded: Server) -> Iterator[str]:
    name = recorded.create_table()
    recorded.around("PutItem", TableName=name, Item=item("a", 100))
    yield name
    recorded.delete_tables()


def asked(server: Server) -> list[str]:
    assert isinstance(server.upstream, Recording)
    return server.upstream.asked


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("operation", REQUESTS)
def test_a_statement_is_refused_and_the_message_says_what_to_use(
    recorded, table, operation, statement
):
    stored = recorded.around("Scan", TableName=table)["Items"]
    before = list(asked(recorded))
    with recorded.charged(table) as charged:
        reply = recorded.post(operation, REQUESTS[operation](statement.format(table)))
    assert reply.status == 400
    assert reply.json["__type"].endswith("#ValidationException")
    assert all(name in reply.json["message"] for name in (operation, *INSTEAD[operation]))
    assert asked(recorded) == before
    assert (charged.reads, charged.writes) == (0, 0)
    assert recorded.around("Scan", TableName=table)["Items"] == stored


@pytest.mark.parametrize("operation", REQUESTS)
def test_what_is_no_statement_either(recorded, operation):
    for body in (b"", b"{}", b"[", b'{"Statement": 5}'):
        before = list(asked(recorded))
        reply = recorded.post(operation, body)
        assert (reply.status, asked(recorded)) == (400, before)


@pytest.mark.parametrize("method", ["execute_statement", "batch_execute_statement"])
def test_a_retrying_client_does_not_try_again(recorded, table, method):
    operation = "ExecuteStatement" if method == "execute_statement" else "BatchExecuteStatement"
    dynamodb = client(recorded.url, attempts=3)
    with pytest.raises(ClientError, match="ValidationException") as raised:
        getattr(dynamodb, method)(**REQUESTS[operation](STATEMENTS[0].format(table)))
    dynamodb.close()
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 0
