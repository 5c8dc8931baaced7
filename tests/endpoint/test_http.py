"""HTTP as clients speak it: in pieces, ahead of the answers, too slowly, or not at all."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import select
import socket
import subprocess
import time
import tracemalloc
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO
from urllib.parse import urlsplit

import pytest

from tests.support.left_out import unavailable, works
from tests.support.serving import SIGNED, TARGET, Clock, Reply, Server, serving
from tweetlab.endpoint import Moto
from tweetlab.endpoint.http_connection import HttpRequest
from tweetlab.endpoint.http_server import HttpServer
from tweetlab.endpoint.wire import Answer

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
        pytest.param(b"CONNECT aws:443 HTTP/1.1\r\n\r\n", 400, id="a tunnel"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2 at once"),
    ],
)
def test_what_is_too_much_or_nothing_is_told_so(moto_server, table, sent, expected):
    with connected(moto_server) as (connection, answers):
        with suppress(ConnectionError):  # it may hang up before all is sent
            connection.sendall(sent)
        assert status(answers) == expected
    serves(moto_server, table)


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "byte by byte"])
def test_who_asks_for_another_protocol_is_answered_by_this_one(
    moto_server, table, framing, at_once
):
    """Java's HttpClient and `curl --http2` do so with the first request of each connection."""
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    body = get_item(table).partition(b"\r\n\r\n")[2]
    if framing == "length":
        request = get_item(table, *wish, f"Content-Length: {len(body)}")
    else:
        head = get_item(table, *wish, "Transfer-Encoding: chunked").partition(b"\r\n\r\n")[0]
        request = head + b"\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    sent = request * 3 + get_item(table)
    with connected(moto_server) as (connection, answers):
        for piece in [sent] if at_once else (sent[i : i + 1] for i in range(len(sent))):
            connection.sendall(piece)
        assert [status(answers) for _ in range(4)] == [200] * 4


def test_a_wish_for_another_protocol_takes_nothing_from_what_else_is_said(moto_server, table):
    wish = ("Connection: Upgrade, close", "Upgrade: h2c", "Expect: 100-continue")
    body = get_item(table).partition(b"\r\n\r\n")[2]
    request = get_item(table, *wish, f"Content-Length: {len(body)}")
    with connected(moto_server) as (connection, answers):
        connection.sendall(request)
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answers.readline() == b"\r\n"
        assert status(answers) == 200
        assert answers.read() == b""


def test_many_wishes_for_another_protocol_at_once(moto_server):
    asked = b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with connected(moto_server) as (connection, answers):
        connection.sendall(asked * 2000)
        assert {status(answers) for _ in range(2000)} == {200}


def test_curl_gets_its_answer_when_it_would_rather_speak_http_2(moto_server, table):
    if not works("curl", "--version"):
        unavailable("curl", "apt-get install curl")
    body = get_item(table).partition(b"\r\n\r\n")[2]
    headers = {"X-Amz-Target": f"{TARGET}GetItem", **SIGNED}
    curl = ["curl", "--silent", "--http2", "--noproxy", "*", "--write-out", "%{http_code}"]
    for name, value in headers.items():
        curl += ["--header", f"{name}: {value}"]
    done = subprocess.run([*curl, "--data", body, moto_server.url], stdout=subprocess.PIPE)
    assert done.stdout == b"{}200"


@pytest.mark.parametrize("path", ["/", "/tweetlab", "/elsewhere"])
def test_an_answer_to_head_has_no_body(moto_server, table, path):
    """The next answer begins where a body would stand."""
    with connected(moto_server) as (connection, answers):
        connection.sendall(b"HEAD %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
        head = b""
        while (line := answers.readline()) != b"\r\n":
            head += line
        assert b"Content-Length: 0\r\n" not in head
        connection.sendall(get_item(table))
        assert status(answers) == 200


def test_a_client_that_has_said_all_gets_its_answers(moto_server, table):
    with connected(moto_server) as (connection, answers):
        connection.sendall(get_item(table) * 3)
        connection.shutdown(socket.SHUT_WR)
        assert [status(answers) for _ in range(3)] == [200] * 3
        assert answers.read() == b""
    with connected(moto_server) as (connection, answers):
        connection.sendall(get_item(table)[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert answers.read() == b""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_it_says_that_it_is_healthy(moto_server, method):
    """In AWS' own words."""
    request = urllib.request.Request(moto_server.url, method=method)
    with urllib.request.urlopen(request) as response:
        said = b"" if method == "HEAD" else b"healthy: dynamodb.us-east-1.amazonaws.com "
        assert (response.status, response.read()) == (200, said)


def test_it_listens_on_ipv6_too(moto_server, table):
    if not has_ipv6():
        unavailable("::1", "a machine with IPv6 on its loopback")
    with socket.create_connection(("::1", urlsplit(moto_server.url).port), 60) as connection:
        connection.sendall(get_item(table).replace(b"Host: 127.0.0.1", b"Host: [::1]:80"))
        with connection.makefile("rb") as answers:
            assert status(answers) == 200


def test_a_port_that_is_taken_on_ipv6_is_taken():
    """Or a client that looks for localhost there first would find another server."""
    if not has_ipv6():
        unavailable("::1", "a machine with IPv6 on its loopback")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        server = HttpServer(no_answer, (), 30)
        with pytest.raises(OSError, match="in use"):
            asyncio.run(server.listen(other.getsockname()[1]))


def test_a_free_port_is_free_in_both_families(monkeypatch):
    taken = {"::1": 2}

    async def listen() -> list[str]:
        loop = asyncio.get_running_loop()
        create = loop.create_server

        async def create_server(connect, host, port, **options):
            if taken.get(host):
                taken[host] -= 1
                raise OSError(errno.EADDRINUSE, "in use")
            if host == "::1" and not has_ipv6():
                raise OSError(errno.EADDRNOTAVAIL, "no such address")
            return await create(connect, host, port, **options)

        monkeypatch.setattr(loop, "create_server", create_server)
        server = HttpServer(no_answer, (), 30)
        await server.listen(0)
        addresses = [s.getsockname()[1] for each in server._listening for s in each.sockets]
        await server.close()
        return addresses

    ports = asyncio.run(listen())
    assert taken["::1"] == 0
    assert len(set(ports)) == 1
    assert len(ports) == 1 + has_ipv6()


async def no_answer(_: HttpRequest) -> Answer:
    raise NotImplementedError


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_a_machine_without_ipv6_is_served_all_the_same(monkeypatch):
    async def listen() -> str:
        loop = asyncio.get_running_loop()
        create = loop.create_server

        async def create_server(connect, host, port, **options):
            if host == "::1":
                raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
            return await create(connect, host, port, **options)

        monkeypatch.setattr(loop, "create_server", create_server)
        server = HttpServer(no_answer, (), 30)
        url = await server.listen(0)
        await server.close()
        return url

    assert asyncio.run(listen()).startswith("http://127.0.0.1:")


# --- compressed bodies ------------------------------------------------------------------------


def compressed(server: Server, body: bytes, encoding: str = "gzip") -> Reply:
    return server.post("GetItem", body, **{"Content-Encoding": encoding})


@pytest.fixture
def body(table) -> bytes:
    return get_item(table).partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip "])
def test_a_body_may_be_compressed(moto_server, body, encoding):
    assert compressed(moto_server, gzip.compress(body), encoding).status == 200


def test_a_compressed_body_may_have_several_parts(moto_server, body):
    assert compressed(moto_server, gzip.compress(body[:9]) + gzip.compress(body[9:])).status == 200


def test_a_body_may_be_said_to_be_as_it_is(moto_server, body):
    assert compressed(moto_server, body, "identity").status == 200


def test_the_largest_body_that_is_taken_compressed(moto_server, body):
    spaces = 16 * MB - len(body)
    assert compressed(moto_server, gzip.compress(body + b" " * spaces)).status == 200
    assert compressed(moto_server, gzip.compress(body + b" " * (spaces + 1))).status == 413


def test_a_bomb_is_not_blown_up(moto_server, table):
    bomb = gzip.compress(bytes(1000 * MB), 1)
    tracemalloc.start()
    reply = compressed(moto_server, bomb)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reply.status == 413
    assert most < 60 * MB
    serves(moto_server, table)


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
@pytest.mark.parametrize("level", [0, 9])
def test_what_is_not_what_it_says_gets_what_aws_answers(moto_server, body, level, encoding, pack):
    """AWS has status 500 for it (Alternator's tests), though trying again helps nobody."""
    good = pack(body, level)
    flipped = good[:-6] + bytes([good[-6] ^ 1]) + good[-5:]
    for bad in (b"", body, good[:-1], good[: len(good) // 2], flipped, good + b"junk"):
        reply = compressed(moto_server, bad, encoding)
        assert reply.status == 500
        assert reply.json["__type"].endswith("#InternalServerError")
        assert encoding in reply.json["message"]


def test_deflate_is_of_one_piece(moto_server, body):
    assert compressed(moto_server, zlib.compress(body), "deflate").status == 200
    two = zlib.compress(body[:9]) + zlib.compress(body[9:])
    assert compressed(moto_server, two, "deflate").status == 500


@pytest.mark.parametrize("encoding", ["br", "zstd", "aws-chunked", "gzip, gzip", "é"])
def test_another_encoding_is_refused_by_its_name(moto_server, body, encoding):
    reply = compressed(moto_server, gzip.compress(body), encoding)
    assert reply.status == 500
    assert encoding in reply.json["message"] and "gzip" in reply.json["message"]


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
