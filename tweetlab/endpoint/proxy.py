"""Another server that speaks DynamoDB, over kept-alive connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools
from botocore.credentials import Credentials

from tweetlab.endpoint.owners import Owner
from tweetlab.endpoint.signing import REFUSALS, Sign, host_of, sign_as_known, sign_with
from tweetlab.endpoint.upstream import json_answer, upstream_headers
from tweetlab.endpoint.wire import Answer, internal_error

SECONDS = 30
"""How long the upstream may take over one request."""


class Proxy:
    """Another server that speaks DynamoDB, over kept-alive connections.

    With ``credentials`` it signs all that it sends. Without, what comes is passed on with the
    client's own signature, which most servers do not look at; for an access key whose signature was
    refused, all is signed anew from then on (``signing.sign_as_known``).
    """

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        self.url = url
        self._sign: Sign | None = sign_with(credentials) if credentials else None
        self._refused: set[str] = set()
        parts = urlsplit(url)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._start = f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {host_of(url)}\r\n"
        self._idle: list[_Exchange] = []

    async def send(self, operation: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        sign = self._sign
        if self._refused and Owner.of(headers).access_key in self._refused:
            sign = sign_as_known
        answer = await self._send(operation, body, headers, sign)
        signed_by = Owner.of(headers).access_key if answer.error in REFUSALS else ""
        if sign is None and signed_by:
            self._refused.add(signed_by)
            answer = await self._send(operation, body, headers, sign_as_known)
        return answer

    async def _send(
        self, operation: str, body: bytes, headers: Mapping[str, str], sign: Sign | None
    ) -> Answer:
        fields = upstream_headers(operation, headers)
        if sign:
            fields = sign(self.url, body, fields, Owner.of(headers))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"{self._start}{lines}Content-Length: {len(body)}\r\n\r\n"
        try:
            exchange = await self._connection()
            status, content = await exchange.post(head.encode("latin-1") + body)
        except (OSError, TimeoutError) as error:
            raise internal_error(f"The DynamoDB at {self.url} does not answer: {error}") from error
        if exchange.keeps_alive:
            self._idle.append(exchange)
        else:
            exchange.close()
        return json_answer(operation, status, content)

    async def _connection(self) -> _Exchange:
        while self._idle:
            exchange = self._idle.pop()
            if exchange.is_open:
                return exchange
        connecting = asyncio.get_running_loop().create_connection(
            _Exchange, self._host, self._port, ssl=self._tls
        )
        _, exchange = await asyncio.wait_for(connecting, SECONDS)
        return exchange

    async def close(self) -> None:
        for exchange in self._idle:
            exchange.close()


class _Exchange(asyncio.Protocol):
    """One connection to the upstream: a request, its answer, and then perhaps the next."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._has_length = self._in_body = False
        self.keeps_alive = False
        self._asked_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether the upstream has not closed it meanwhile."""
        return not self._transport.is_closing()

    async def post(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; the status and the body of the answer. Raises OSError for none."""
        loop = asyncio.get_running_loop()
        self._body, self.keeps_alive = [], False
        self._has_length = self._in_body = False
        self._answer = loop.create_future()
        self._transport.write(request)
        self._asked_at = loop.time()
        if self._timer is None:
            self._give_up(loop)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait no longer for an answer that is late; look again when the next could be. (A timer
        for each request would cost each request.)"""
        self._timer = None
        if self._answer and not self._answer.done():
            if loop.time() >= self._asked_at + SECONDS:
                self._fail(TimeoutError(f"no answer in {SECONDS} s"))
            else:
                self._timer = loop.call_at(self._asked_at + SECONDS, self._give_up, loop)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(ConnectionError(f"it does not speak HTTP ({error})"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._in_body and not self._has_length and exc is None:
            self.on_message_complete()  # as HTTP/1.0 says that it ends
        self._fail(exc or ConnectionError("it closed the connection"))

    def on_header(self, name: bytes, _: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._in_body = False
        if status < 200:
            return  # such as 100 Continue: the answer is still to come
        self.keeps_alive = self._parser.should_keep_alive()
        if self._answer and not self._answer.done():
            self._answer.set_result((status, b"".join(self._body)))

    def _fail(self, error: Exception) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(error)
