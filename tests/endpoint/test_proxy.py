"""In front of a DynamoDB over HTTP, also one that is down or talks nonsense."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import free_port
from tests.support.serving import SIGNED, serving
from tweetlab.endpoint import Proxy
from tweetlab.endpoint.wire import dump

LIST = {"Limit": 1}
HALF = b'{"TableNames":["half'
TABLE = {
    "TableName": "tweet",
    "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/tweet",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
}


class Upstream(ThreadingHTTPServer):
    """Answers everything alike, and remembers what it was asked."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.answer = (200, b'{"TableNames":[]}')
        self.headers: list[Message] = []
        self.connections: set[tuple[str, int]] = set()
        self.answering = threading.Event()
        self.answering.set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.headers.append(self.headers)
        self.server.connections.add(self.client_address)
        self.server.answering.wait()
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + (body is HALF)))
        self.end_headers()
        with suppress(ConnectionError):  # it may have been given up
            self.wfile.write(body)
        self.close_connection = body is HALF

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream():
    server = Upstream()
    server.daemon_threads = True
    yield server
    server.stop()


@pytest.fixture
def proxy(upstream):
    with serving(lambda: Proxy(upstream.url)) as server:
        yield server


def test_an_upstream_that_is_down_is_an_internal_error_until_it_is_up():
    port = free_port()
    with serving(lambda: Proxy(f"http://127.0.0.1:{port}")) as server:
        reply = server.post("ListTables", LIST)
        assert reply.status == 500
        assert reply.json["__type"].endswith("#InternalServerError")
        assert f"http://127.0.0.1:{port} does not answer" in reply.json["message"]
        upstream = Upstream(port)
        try:
            assert server.post("ListTables", LIST).json == {"TableNames": []}
        finally:
            upstream.stop()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((502, b"<html>Bad Gateway</html>"), id="a page"),
        pytest.param((200, b"[]"), id="a list"),
        pytest.param((200, HALF), id="half an answer"),
    ],
)
def test_nonsense_from_the_upstream_is_an_internal_error(proxy, upstream, answer):
    good, upstream.answer = upstream.answer, answer
    for operation, request in (
        ("ListTables", LIST),
        ("GetItem", {"TableName": "tweet", "Key": {"id": {"S": "a"}}}),
    ):
        reply = proxy.post(operation, request)
        assert (reply.status, reply.json["__type"].rpartition("#")[2]) == (
            500,
            "InternalServerError",
        )
    upstream.answer = good
    assert proxy.post("ListTables", LIST).json == {"TableNames": []}


@pytest.mark.parametrize("operation", ["TagResource", "UntagResource", "ListTables"])
def test_an_empty_answer_is_passed_on(proxy, upstream, operation):
    """AWS and Alternator have nothing more to say of tags."""
    requests = {
        "TagResource": {"ResourceArn": "arn:a", "Tags": [{"Key": "k", "Value": "v"}]},
        "UntagResource": {"ResourceArn": "arn:a", "TagKeys": ["k"]},
        "ListTables": {},
    }
    upstream.answer = (200, b"")
    reply = proxy.post(operation, requests[operation])
    assert (reply.status, reply.body, reply.headers["Content-Length"]) == (200, b"", "0")
    assert int(reply.headers["x-amz-crc32"]) == 0


def test_an_empty_answer_where_one_is_needed_is_an_internal_error(proxy, upstream):
    upstream.answer = (200, b"")
    assert proxy.post("GetItem", {"TableName": "tweet", "Key": {"id": {"S": "a"}}}).status == 500


KEYED = {"TableName": "tweet", "Key": {"id": {"S": "a"}}}
WANTED = {"tweet": {"Keys": [{"id": {"S": "a"}}]}}
NULLS: list[tuple[str, Any, Any]] = [
    ("GetItem", KEYED, {"Item": None}),
    ("BatchGetItem", {"RequestItems": WANTED}, {"Responses": {}, "UnprocessedKeys": None}),
    (
        "BatchWriteItem",
        {"RequestItems": {"tweet": [{"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]}},
        {"Responses": None, "UnprocessedItems": None, "UnprocessedKeys": None},
    ),
    ("Scan", {"TableName": "tweet"}, {"Items": [], "LastEvaluatedKey": None}),
    ("Scan", {"TableName": "tweet", "Select": "COUNT"}, {"Items": None, "Count": 0}),
    ("DeleteItem", KEYED, {"Attributes": None, "Item": None}),
]


@pytest.mark.parametrize(("operation", "request_body", "answer"), NULLS)
def test_null_stands_for_nothing_in_an_answer_too(proxy, upstream, operation, request_body, answer):
    """And there may be white space before it."""
    table = {**TABLE, "LocalSecondaryIndexes": None, "BillingModeSummary": None}
    upstream.answer = (200, b" \r\n" + dump({"Table": table, **answer}))
    reply = proxy.post(operation, {**request_body, "ReturnConsumedCapacity": "TOTAL"})
    assert reply.status == 200, reply.body
    consumed = reply.json["ConsumedCapacity"]
    consumed = consumed[0] if isinstance(consumed, list) else consumed
    assert consumed["CapacityUnits"] == (
        0.5 if operation in ("GetItem", "BatchGetItem", "Scan") else 1
    )


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429])
@pytest.mark.parametrize("body", [b"", b"<html>No</html>"], ids=["nothing", "a page"])
def test_a_page_that_refuses_keeps_its_status(proxy, upstream, status, body):
    """A proxy in front of the upstream says it so; a 500 would be tried again."""
    upstream.answer = (status, body)
    reply = proxy.post("ListTables", LIST)
    assert reply.status == status
    assert f"answered ListTables with {status}" in reply.json["message"]


@pytest.mark.parametrize("status", [200, 400])
def test_json_that_breaks_off_is_an_internal_error(proxy, upstream, status):
    upstream.answer = (status, b'{"Table": ')
    assert proxy.post("GetItem", {"TableName": "tweet", "Key": {"id": {"S": "a"}}}).status == 500


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n{}", id="until it hangs up"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", id="the same in 1.1"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            id="go on first",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            id="chunks",
        ),
    ],
)
def test_answers_framed_in_any_way_that_http_knows(answer):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(2):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with serving(lambda: Proxy(f"http://127.0.0.1:{listening.getsockname()[1]}")) as server:
            for _ in range(2):
                assert server.post("ListTables", LIST).json == {}
        thread.join()


def test_an_upstream_that_hangs_is_given_up_however_old_its_connection_is(
    proxy, upstream, monkeypatch
):
    monkeypatch.setattr("tweetlab.endpoint.proxy.SECONDS", 0.3)
    assert proxy.post("ListTables", LIST).status == 200
    time.sleep(0.2)
    upstream.answering.clear()
    began = time.monotonic()
    reply = proxy.post("ListTables", LIST)
    seconds = time.monotonic() - began
    upstream.answering.set()
    assert (reply.status, len(upstream.connections)) == (500, 1)
    assert "does not answer: no answer in 0.3 s" in reply.json["message"]
    assert seconds >= 0.3
    assert proxy.post("ListTables", LIST).json == {"TableNames": []}


def test_an_error_of_the_upstream_passes_through(proxy, upstream):
    upstream.answer = (400, b'{"__type":"com.amazonaws.dynamodb.v20120810#LimitExceededException"}')
    reply = proxy.post("ListTables", LIST)
    assert (reply.status, reply.body) == upstream.answer


def test_connections_to_the_upstream_are_kept(proxy, upstream):
    for _ in range(5):
        proxy.post("ListTables", LIST)
    assert len(upstream.headers) == 5
    assert len(upstream.connections) == 1


def test_the_upstream_sees_who_asks_and_nothing_else_of_the_client(proxy, upstream):
    proxy.post("ListTables", LIST, **{"User-Agent": "learner/1", "X-Forwarded-For": "10.0.0.1"})
    [headers] = upstream.headers
    assert headers["Authorization"] == SIGNED["Authorization"]
    assert headers["User-Agent"] == "learner/1"
    assert headers["Host"] == upstream.url.removeprefix("http://")
    assert "X-Forwarded-For" not in headers


def test_a_throttled_read_does_not_reach_the_upstream(proxy, upstream):
    upstream.answer = (200, dump({"Table": TABLE}))
    read = {"TableName": "tweet", "Key": {"id": {"S": "a"}}, "ConsistentRead": True}
    assert proxy.post("GetItem", read).status == 200
    asked = len(upstream.headers)
    assert proxy.post("GetItem", read).status == 400
    assert len(upstream.headers) == asked


def test_proxy_variables_do_not_carry_the_traffic_away(upstream, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with serving(lambda: Proxy(upstream.url)) as server:
        assert server.post("ListTables", LIST).json == {"TableNames": []}
