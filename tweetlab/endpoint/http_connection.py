"""One client's connection: HTTP/1.1, for small requests and small answers.

It does what DynamoDB's protocol needs and no more: behind a general server, and with a general
client of the upstream, a GetItem took half as long again as without an endpoint in between; with
these a fifth. httptools, which is Node.js' parser, reads what comes in.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from random import getrandbits
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit
from zlib import crc32

import httptools

from tweetlab.endpoint.compression import decoded
from tweetlab.endpoint.wire import (
    Answer,
    DynamoDBError,
    request_timeout,
    serialization_error,
    too_large,
)

if TYPE_CHECKING:
    from tweetlab.endpoint.http_server import HttpServer

MAX_BODY = 16 * 1024 * 1024
"""Bytes of the largest body, also of one that comes compressed: a BatchWriteItem's limit (API
reference)."""
MAX_HEAD = 64 * 1024
"""Bytes of the request line and the headers."""
MAX_WAITING = 16
"""Requests that a client may send on one connection ahead of their answers."""
FRAMING = ("Connection", "Expect", "Content-Encoding", "Content-Length", "Transfer-Encoding")
"""The headers that say how a request is to be read."""
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class HttpRequest(NamedTuple):
    """One request; of its headers those that matter, with names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """Its requests are answered one after the other."""

    _transport: asyncio.Transport
    _in_head: bool
    _head: int

    def __init__(self, server: HttpServer) -> None:
        self.answering: asyncio.Task[None] | None = None
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[HttpRequest | Answer, bool, bool]] = deque()
        self._writable = asyncio.Event()
        self._writable.set()
        self._hung_up = self._sends_no_more = False
        self.on_message_begin()
        self._in_head = self._begun = False

    def close(self) -> None:
        """Close it, after what was written is sent."""
        self._transport.close()

    def hurry(self, since: float) -> None:
        """Give up a request that has been waited for since then."""
        if self._waited_for is None or self._waited_for > since:
            return
        if self._hung_up:
            self._transport.abort()
        elif self._begun:
            error = request_timeout("The request took too long to arrive.")
            self._enqueue(error.answer, keep=False)
        else:
            self.close()

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        if self._hung_up:
            return
        try:
            self._feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            error = serialization_error("This is not HTTP, or more of it than DynamoDB needs.")
            self._enqueue(error.answer, keep=False)
            return
        if self._in_head:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._enqueue(too_large("The headers are too long.").answer, keep=False)

    def _feed(self, data: bytes) -> None:
        """Have it parsed. Who asks for another protocol, as Java's HttpClient and curl do with
        ``Upgrade: h2c``, is answered by this one (RFC 9110, 7.8); httptools would leave the body of
        such a request unread, so that it is begun again without that wish.
        """
        while True:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                method = self._method()
                if method == "CONNECT":
                    raise
                data = data[upgrade.args[0] :]
                lines = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
                head = f"{method} {self._url.decode('latin-1')} HTTP/1.1\r\n{lines}\r\n"
                self._parser = httptools.HttpRequestParser(self)
                self._parser.feed_data(head.encode("latin-1"))

    def eof_received(self) -> bool:
        """The client sends no more, and may still want its answers: then stay."""
        self._sends_no_more = True
        return self.answering is not None

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # Called by the parser

    def on_message_begin(self) -> None:
        self._waited_for: float | None = self._loop.time()
        self._in_head, self._begun, self._head = True, True, 0
        self._url, self._size = b"", 0
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if known := self._server.headers.get(name.lower()):
            self._headers[known] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._parser.should_upgrade():
            return
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= MAX_BODY:
            self._body.append(body)
        else:
            self._body.clear()  # The client is sending still, and is told when it is done.

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            return  # it is begun again
        self._waited_for = None
        method = self._method()
        entry: HttpRequest | Answer
        try:
            entry = HttpRequest(method, self._path(), self._headers, self._whole())
        except DynamoDBError as error:
            entry = error.answer
        self._enqueue(entry, self._parser.should_keep_alive(), method != "HEAD")

    def _path(self) -> str:
        """What the request asks for. One that gives a whole URL, as proxies are sent, means the
        host in it (RFC 9112, 3.2.2)."""
        target = self._url.decode("latin-1")
        if target.startswith("/") or not (parts := urlsplit(target)).netloc:
            return target
        self._headers["host"] = parts.netloc
        return parts._replace(scheme="", netloc="").geturl() or "/"

    def _whole(self) -> bytes:
        if self._size > MAX_BODY:
            raise too_large(f"A request has at most {MAX_BODY:,} bytes.")
        body = b"".join(self._body)
        encoding = self._headers.get("content-encoding")
        return decoded(body, encoding, MAX_BODY) if encoding else body

    def _method(self) -> str:
        return self._parser.get_method().decode()

    # What goes on in between

    def _enqueue(self, entry: HttpRequest | Answer, keep: bool, with_body: bool = True) -> None:
        """Answer a request, or give that answer, when those before it are answered."""
        self._waiting.append((entry, keep, with_body))
        if not keep:
            self._hung_up, self._waited_for = True, None
        if len(self._waiting) >= MAX_WAITING:
            self._transport.pause_reading()
        if self.answering is None:
            self.answering = self._loop.create_task(self._answer())

    async def _answer(self) -> None:
        while self._waiting:
            entry, keep, with_body = self._waiting.popleft()
            answer = entry if isinstance(entry, Answer) else await self._server.handler(entry)
            if self._transport.is_closing():
                break
            head = response_head(answer, keep)
            self._transport.write(head + answer.body if with_body else head)
            if not self._writable.is_set() and not await self._drain():
                break
            if not keep:
                # It may read why. Closing at once, with more of it unread, would reset.
                self._transport.write_eof()
                self._waited_for = self._loop.time()
                break
            if len(self._waiting) < MAX_WAITING:
                self._transport.resume_reading()
        self.answering = None
        if self._sends_no_more:
            self._transport.close()

    async def _drain(self) -> bool:
        """Wait until the client has taken what was written; False if it takes too long."""
        try:
            async with asyncio.timeout(self._server.request_seconds):
                await self._writable.wait()
        except TimeoutError:
            self._transport.abort()
            return False
        return True


def response_head(answer: Answer, keep: bool) -> bytes:
    """What goes before the body, with the request id and the checksum that SDKs look for."""
    more = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    head = (
        f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, '')}\r\n"
        "Server: Server\r\n"
        f"Date: {_date(int(time.time()))}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n"
        f"x-amzn-RequestId: {getrandbits(4 * 52):052X}\r\n"
        f"x-amz-crc32: {crc32(answer.body)}\r\n"
        f"{more}\r\n"
    )
    return head.encode()


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
