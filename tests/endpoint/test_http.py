"""HTTP as clients speak it: in pieces, ahead of the answers, too slowly, or not at all."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO
from urllib.parse import urlsplit

import pytest

from tests.support.serving import SIGNED, TARGET, Clock, Server, serving
from tweetlab.endpoint import Moto

MB = 1024 * 1024


@pytest.fixture(scope="module")
def patience() -> Clock:
    """The clock of an endpoint's patience."""
    return Clock()


@pytest.fixture(scope="module")
def impatient(patience: Clock) -> Iterator[Server]:
    """An endpoint that waits a tenth of a second for a request, by that clock."""
    with serving(Moto, request_seconds=0.1, patience=patience) as server:
        yield server


def wait_for_answer(patience: Clock, connection: socket.socket) -> None:
    """Let time pass until the endpoint says something, or hangs up."""
    end = time.monotonic() + 60
    while not select.select([connection], [], [], 0.01)[0]:
        assert time.monotonic() < end
        patience.advance(0.03)


@contextmanager
def connected(server: Server) -> Iterator[tuple[socket.socket, IO[bytes]]]:
    parts = urlsplit(server.url)
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=60) as connection,
        connection.makefile("rb") as answers,
    ):
        yield connection, answers


def get_item(table: str, *headers: str, key: str = "a", version: str = "1.1") -> bytes:
    """A request for a missing item, as it goes over the wire."""
    body = json.dumps({"TableName": table, "Key": {"id": {"S": key}}})
    head = [
        f"POST / HTTP/{version}",
        "Host: 127.0.0.1",
        f"X-Amz-Target: {TARGET}GetItem",
        *(f"{name}: {value}" for name, value in SIGNED.items()),
        *(headers or (f"Content-Length: {len(body)}",)),
    ]
    return "\r\n".join([*head, "", body]).encode()


def status(answers: IO[bytes]) -> int:
    """Read one answer to its end: its status."""
    line = answers.readline()
    assert line.startswith(b"HTTP/1.1 "), line
    length = 0
    while (header := answers.readline()) not in (b"\r\n", b""):
        name, _, value = header.partition(b":")
        length = int(value) if name == b"Content-Length" else length
    assert len(answers.read(length)) == length
    return int(line.split()[1])


@pytest.fixture
def table(moto_server):
    yield moto_server.create_table(read=5)
    moto_server.delete_tables()


def test_a_request_may_come_byte_by_byte(moto_server, table):
    with connected(moto_server) as (connection, answers):
        for byte in get_item(table):
            connection.sendall(bytes([byte]))
        assert status(answers) == 200


def test_requests_sent_ahead_are_answered_in_their_order(moto_server, table):
    """Five units are ten reads: the first ten are served and the others throttled."""
    with connected(moto_server) as (connection, answers):
        connection.sendall(get_item(table) * 40)
        assert [status(answers) for _ in range(40)] == [200] * 10 + [400] * 30


def test_a_body_may_come_in_chunks(moto_server, table):
    whole = get_item(table, "Transfer-Encoding: chunked")
    head, _, body = whole.partition(b"\r\n\r\n")
    chunks = [body[:7], body[7:], b""]
    with connected(moto_server) as (connection, answers):
        connection.sendall(head + b"\r\n\r\n")
        for chunk in chunks:
            connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        assert status(answers) == 200


def test_a_client_may_wait_to_be_told_to_continue(moto_server, table):
    """curl does, before a large body."""
    length = len(get_item(table).partition(b"\r\n\r\n")[2])
    request = get_item(table, f"Content-Length: {length}", "Expect: 100-continue")
    head, _, body = request.partition(b"\r\n\r\n")
    with connected(moto_server) as (connection, answers):
        connection.sendall(head + b"\r\n\r\n")
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answers.readline() == b"\r\n"
        connection.sendall(body)
        assert status(answers) == 200


@pytest.mark.parametrize(
    ("version", "header"), [("1.1", "Connection: close"), ("1.0", "Accept: */*")]
)
def test_a_connection_is_closed_for_a_client_that_wants_no_more_of_it(
    moto_server, table, version, header
):
    length = len(get_item(table).partition(b"\r\n\r\n")[2])
    request = get_item(table, f"Content-Length: {length}", header, version=version)
    with connected(moto_server) as (connection, answers):
        connection.sendall(request)
        assert status(answers) == 200
        assert answers.read() == b""


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(b"\x16\x03\x01 this is not HTTP\r\n\r\n", 400, id="not HTTP"),
        pytest.param(b"GET\r\n\r\n", 400, id="half a request line"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, id="a bad length"),
        pytest.param(b"POST / HTTP/1.1\r\nX: " + b"x" * MB, 413, id="a header without end"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (17 * MB) + b"x" * 17 * MB,
            413,
            id="17 MB",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            400,
            id="another protocol",
        ),
    ],
)
def test_what_is_too_much_or_nothing_is_told_so(moto_server, table, sent, expected):
    with connected(moto_server) as (connection, answers):
        with suppress(ConnectionError):  # it may hang up before all is sent
            connection.sendall(sent)
        assert status(answers) == expected
    serves(moto_server, table)


def test_clients_that_hang_up_halfway_do_no_harm(moto_server, table):
    request = get_item(table)
    for length in (0, 10, len(request) - 1, len(request)):
        with connected(moto_server) as (connection, _):
            connection.sendall(request[:length])
    serves(moto_server, table)


def test_a_client_that_takes_too_long_for_a_request_is_told_so(impatient, patience):
    with connected(impatient) as (connection, answers):
        connection.sendall(get_item("no-such-table"))
        assert status(answers) == 400
        connection.sendall(get_item("no-such-table")[:-1])
        wait_for_answer(patience, connection)
        assert status(answers) == 408
        assert answers.read() == b""


def test_a_client_that_says_nothing_is_let_go(impatient, patience):
    with connected(impatient) as (connection, answers):
        wait_for_answer(patience, connection)
        assert answers.read() == b""


def test_a_connection_may_rest_between_requests(impatient, patience):
    """For longer than another that says nothing at all."""
    table = impatient.create_table()
    with connected(impatient) as (connection, answers):
        for _ in range(3):
            connection.sendall(get_item(table))
            assert status(answers) == 200
            with connected(impatient) as (silent, nothing):
                wait_for_answer(patience, silent)
                assert nothing.read() == b""
    impatient.delete_tables()


def serves(server: Server, table: str) -> None:
    with connected(server) as (connection, answers):
        connection.sendall(get_item(table))
        assert status(answers) == 200
