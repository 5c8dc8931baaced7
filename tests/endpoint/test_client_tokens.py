"""A transaction that is sent twice under one client token is made once, whatever is upstream."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.asking import reads_served, write
from tests.support.serving import SIGNED, TARGET, Clock, Server, client, item, serving
from tweetlab.endpoint import Moto, Proxy
from tweetlab.endpoint.client_tokens import MOST, SECONDS, ClientTokens
from tweetlab.endpoint.wire import Answer, DynamoDBError, dump, internal_error

KB = 1024
TOKEN = "of-this-transaction"


def add(table: str, key: str = "a", by: str = "1") -> dict[str, Any]:
    """An update that shows how often it was made."""
    return {
        "Update": {
            "TableName": table,
            "Key": {"id": {"S": key}},
            "UpdateExpression": "ADD hits :by",
            "ExpressionAttributeValues": {":by": {"N": by}},
        }
    }


def check(table: str, key: str, condition: str) -> dict[str, Any]:
    key_: dict[str, Any] = {"id": {"S": key}}
    return {"ConditionCheck": {"TableName": table, "Key": key_, "ConditionExpression": condition}}


def hits(server: Server, table: str, key: str = "a") -> int:
    found = server.around("GetItem", TableName=table, Key={"id": {"S": key}})
    return int(found["Item"]["hits"]["N"]) if "Item" in found else 0


def transact(dynamodb: Any, *actions: dict[str, Any], **more: Any) -> Any:
    """What a transaction under the token consumed."""
    answer = dynamodb.transact_write_items(
        TransactItems=list(actions),
        **{"ClientRequestToken": TOKEN, "ReturnConsumedCapacity": "TOTAL", **more},
    )
    return answer.get("ConsumedCapacity")


def error(dynamodb: Any, *actions: dict[str, Any], **more: Any) -> str:
    """The error that such a transaction meets."""
    with pytest.raises(ClientError) as raised:
        transact(dynamodb, *actions, **more)
    return str(raised.value.response["Error"]["Code"])


@pytest.fixture(autouse=True)
def without_tokens_of_other_tests(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        request.getfixturevalue("server").backend.client_tokens._known.clear()


# --- once -------------------------------------------------------------------------------------


def test_it_is_made_once_and_read_the_second_time(server):
    table = server.create_table()
    with server.charged(table) as first:
        assert transact(server.dynamodb, add(table)) == [
            {"TableName": table, "CapacityUnits": 2, "WriteCapacityUnits": 2}
        ]
    with server.charged(table) as again:
        for _ in range(2):
            assert transact(server.dynamodb, add(table)) == [
                {"TableName": table, "CapacityUnits": 2, "ReadCapacityUnits": 2}
            ]
    assert hits(server, table) == 1
    assert (first.reads, first.writes) == (0, 2)
    assert (again.reads, again.writes) == (4, 0)


def test_it_reads_the_larger_of_each_item_before_and_after(server):
    """As observed on AWS: the delete of 9 KB costs 18 and then 6. On each other table, too."""
    table, other = server.create_table(), server.create_table()
    for of, key, size in ((table, "gone", 9), (table, "checked", 5), (other, "smaller", 13)):
        server.around("PutItem", TableName=of, Item=item(key, size * KB))
    actions = [
        {"Delete": {"TableName": table, "Key": {"id": {"S": "gone"}}}},
        check(table, "checked", "attribute_exists(id)"),
        {"Put": {"TableName": other, "Item": item("smaller", 100)}},
        {"Put": {"TableName": other, "Item": item("larger", 4 * KB + 1)}},
    ]
    names: dict[str, Any] = {}
    for name in ("WriteCapacityUnits", "ReadCapacityUnits"):
        consumed = transact(server.dynamodb, *actions)
        names[name] = [(report["TableName"], report[name]) for report in consumed]
    assert names["WriteCapacityUnits"] == [(table, 18 + 10), (other, 26 + 10)]
    assert names["ReadCapacityUnits"] == [(table, 6 + 4), (other, 8 + 4)]


@pytest.mark.parametrize(("size", "units"), [(1, 2), (4 * KB, 2), (4 * KB + 1, 4), (8 * KB, 4)])
def test_it_reads_4_KB_for_two_units(server, size, units):
    table = server.create_table()
    put = {"Put": {"TableName": table, "Item": item("a", max(size, 100))}}
    transact(server.dynamodb, put)
    [report] = transact(server.dynamodb, put)
    assert report["ReadCapacityUnits"] == units


def test_each_item_is_charged_to_its_own_partition_key(server):
    table = server.create_table()
    server.around("PutItem", TableName=table, Item=item("b", 9 * KB))
    actions = [add(table), {"Delete": {"TableName": table, "Key": {"id": {"S": "b"}}}}]
    transact(server.dynamodb, *actions)
    server.clock.advance(1)
    transact(server.dynamodb, *actions)
    rows = [row for row in server.backend.tables.meters.rows() if row["table"] == table]
    assert rows[-1]["read_consumed"] == 2 + 6
    assert dict(rows[-1]["hottest_keys"]) == {"a": 1, "b": 1}


def test_what_else_the_request_says_may_change(server):
    """As DynamoDB Local has it: it is the actions that the token stands for."""
    table = server.create_table()
    transact(server.dynamodb, add(table))
    assert transact(server.dynamodb, add(table), ReturnConsumedCapacity="NONE") is None
    [report] = transact(server.dynamodb, add(table), ReturnConsumedCapacity="INDEXES")
    assert report["Table"] == {"CapacityUnits": 2, "ReadCapacityUnits": 2}
    in_another_order = {"Update": dict(reversed(add(table)["Update"].items()))}
    body = {"ClientRequestToken": TOKEN, "TransactItems": [in_another_order]}
    assert server.post("TransactWriteItems", body).status == 200
    assert hits(server, table) == 1


def test_it_is_throttled_as_a_read(server):
    table = server.create_table(read=1)
    transact(server.dynamodb, add(table))
    reads_served(server, table)
    assert error(server.dynamodb, add(table)) == "TransactionCanceledException"
    server.clock.advance(3)
    assert transact(server.dynamodb, add(table))
    assert hits(server, table) == 1


def test_other_actions_under_the_token_are_refused_and_cost_nothing(server):
    table = server.create_table()
    transact(server.dynamodb, add(table))
    with server.charged(table) as charged:
        for actions in ([add(table, by="2")], [add(table, "b")], [add(table), add(table, "b")]):
            assert error(server.dynamodb, *actions) == "IdempotentParameterMismatchException"
    assert (charged.reads, charged.writes) == (0, 0)
    assert (hits(server, table), hits(server, table, "b")) == (1, 0)


def test_the_token_is_free_again_after_ten_minutes(server):
    table = server.create_table()
    transact(server.dynamodb, add(table))
    server.clock.advance(SECONDS - 1)
    transact(server.dynamodb, add(table))
    server.clock.advance(1)
    assert "WriteCapacityUnits" in transact(server.dynamodb, add(table))[0]
    assert hits(server, table) == 2
    server.clock.advance(SECONDS)
    transact(server.dynamodb, add(table, by="5"))
    assert hits(server, table) == 7


def test_a_transaction_without_a_token_is_made_each_time(server):
    table = server.create_table()
    for _ in range(2):
        body = {"TransactItems": [add(table)], "ReturnConsumedCapacity": "TOTAL"}
        reply = server.post("TransactWriteItems", body)
        assert reply.json["ConsumedCapacity"][0]["WriteCapacityUnits"] == 2
    assert hits(server, table) == 2


def test_a_token_has_36_characters_at_most(server):
    table = server.create_table()
    code = error(server.dynamodb, add(table), ClientRequestToken="x" * 37)
    assert code == "ValidationException"
    assert hits(server, table) == 0
    transact(server.dynamodb, add(table), ClientRequestToken="x" * 36)
    assert hits(server, table) == 1


def test_each_access_key_and_region_has_tokens_of_its_own(server):
    for key, region in (("ana", "us-east-1"), ("ben", "us-east-1"), ("ana", "eu-west-1")):
        dynamodb = boto3.client(
            "dynamodb",
            endpoint_url=server.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="any",
        )
        dynamodb.create_table(
            TableName="counts",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        for _ in range(2):
            transact(dynamodb, add("counts"))
        found = dynamodb.get_item(TableName="counts", Key={"id": {"S": "a"}})
        assert found["Item"]["hits"] == {"N": "1"}
        dynamodb.delete_table(TableName="counts")
        dynamodb.close()


# --- what does not keep a token ----------------------------------------------------------------


def test_a_cancelled_transaction_runs_when_it_is_sent_again(server):
    table = server.create_table()
    actions = [add(table), check(table, "b", "attribute_exists(id)")]
    assert error(server.dynamodb, *actions) == "TransactionCanceledException"
    server.around("PutItem", TableName=table, Item={"id": {"S": "b"}})
    transact(server.dynamodb, *actions)
    assert hits(server, table) == 1


def test_and_other_actions_may_have_its_token(server):
    table = server.create_table()
    actions = [add(table), check(table, "b", "attribute_exists(id)")]
    assert error(server.dynamodb, *actions) == "TransactionCanceledException"
    transact(server.dynamodb, add(table))
    assert error(server.dynamodb, *actions) == "IdempotentParameterMismatchException"
    assert hits(server, table) == 1


def test_a_throttled_transaction_runs_when_it_is_sent_again(server):
    table = server.create_table(write=1)
    assert write(server, table) is None
    assert error(server.dynamodb, add(table)) == "TransactionCanceledException"
    server.clock.advance(5)
    [report] = transact(server.dynamodb, add(table))
    assert report["WriteCapacityUnits"] == 2
    assert hits(server, table) == 1


# --- lost answers -----------------------------------------------------------------------------


@contextmanager
def losing_the_first_answer(url: str) -> Iterator[tuple[str, list[str]]]:
    """A way to an endpoint that cuts the first connection on which a transaction was made, before
    its answer has passed: its URL, and the transactions that went through it."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            behind = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
            kept = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")
            behind.request("POST", "/", body, {name: self.headers[name] for name in kept})
            response = behind.getresponse()
            content = response.read()
            behind.close()
            seen.append(self.headers["X-Amz-Target"])
            if len(seen) == 1:
                self.close_connection = True
                return
            self.send_response(response.status)
            for name in ("Content-Type", "Content-Length", "x-amz-crc32"):
                self.send_header(name, response.headers[name])
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_address[1]}", seen
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def test_botocores_own_retry_after_a_lost_answer_writes_nothing_again(server):
    """botocore fills the token in by itself."""
    table = server.create_table()
    with losing_the_first_answer(server.url) as (url, seen):
        dynamodb = client(url, attempts=3)
        answer = dynamodb.transact_write_items(
            TransactItems=[add(table)], ReturnConsumedCapacity="TOTAL"
        )
        dynamodb.close()
    assert seen == [TARGET + "TransactWriteItems"] * 2
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert answer["ConsumedCapacity"][0]["ReadCapacityUnits"] == 2
    assert hits(server, table) == 1


def test_a_client_that_hangs_up_in_the_middle_may_ask_again(server):
    table = server.create_table()
    body = dump({"TransactItems": [add(table)], "ClientRequestToken": TOKEN})
    headers = {"X-Amz-Target": TARGET + "TransactWriteItems", **SIGNED, "Content-Length": len(body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port)) as connection:
        request = f"POST / HTTP/1.1\r\nHost: {where.netloc}\r\n{head}\r\n"
        connection.sendall(request.encode() + body)
    patient = client(server.url, attempts=10)
    transact(patient, add(table))
    patient.close()
    assert hits(server, table) == 1


class Gated(Moto):
    """moto, that makes no transaction before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may = threading.Event(), asyncio.Event()

    async def send(self, operation: str, *request: Any) -> Answer:
        if operation == "TransactWriteItems":
            self.asked.set()
            await self.may.wait()
        return await super().send(operation, *request)


def test_of_two_at_once_the_second_is_told_that_the_first_is_under_way():
    with serving(Gated) as server, ThreadPoolExecutor(1) as pool:
        upstream: Any = server.upstream
        table = server.create_table()
        first = pool.submit(transact, server.dynamodb, add(table))
        assert upstream.asked.wait(60)
        assert error(server.dynamodb, add(table)) == "TransactionInProgressException"
        assert error(server.dynamodb, add(table, by="2")) == "IdempotentParameterMismatchException"
        server._loop.call_soon_threadsafe(upstream.may.set)
        assert first.result(60)[0]["WriteCapacityUnits"] == 2
        assert transact(server.dynamodb, add(table))[0]["ReadCapacityUnits"] == 2
        assert hits(server, table) == 1


class Forgetful(Proxy):
    """DynamoDB Local, whose first answer to a transaction does not arrive."""

    lost = False

    async def send(self, operation: str, *request: Any) -> Answer:
        answer = await super().send(operation, *request)
        if operation == "TransactWriteItems" and not self.lost:
            self.lost = True
            raise internal_error("The connection broke.")
        return answer


def test_what_an_upstream_that_knows_tokens_made_without_our_knowing_is_not_made_again(
    dynamodb_local,
):
    with serving(lambda: Forgetful(dynamodb_local)) as server:
        table = server.create_table()
        assert error(server.dynamodb, add(table)) == "InternalServerError"
        transact(server.dynamodb, add(table))
        assert hits(server, table) == 1


# --- what is kept -----------------------------------------------------------------------------


def make(tokens: ClientTokens, token: str) -> bool:
    """Make a transaction; whether it was made before."""
    with tokens.transaction(token, []) as known:
        before = known.answer is not None
        known.answer = Answer(200, b"{}")
    return before


def test_the_ten_minutes_begin_when_it_is_done():
    clock = Clock()
    tokens = ClientTokens(clock)
    with tokens.transaction("long", []) as known:
        clock.advance(2 * SECONDS)
        known.answer = Answer(200, b"{}")
        with pytest.raises(DynamoDBError, match="in progress"):
            make(tokens, "long")
    clock.advance(SECONDS - 1)
    assert make(tokens, "long")
    clock.advance(1)
    assert not make(tokens, "long")


def test_what_is_old_is_dropped_and_there_is_a_most_of_all_the_rest():
    clock = Clock()
    tokens = ClientTokens(clock)
    for number in range(5):
        make(tokens, f"token {number}")
        clock.advance(SECONDS / 4)
    assert [make(tokens, f"token {number}") for number in range(5)] == [False] * 2 + [True] * 3
    clock.advance(SECONDS)
    make(tokens, "another")
    assert list(tokens._known) == ["another"]
    for number in range(MOST + 5):
        make(tokens, f"one of many {number}")
    assert len(tokens._known) == MOST
    assert not make(tokens, "another") and make(tokens, f"one of many {MOST + 4}")
