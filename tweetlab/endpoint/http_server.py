"""Listens, and holds the connections."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Iterable

from tweetlab.endpoint.http_connection import FRAMING, Connection, HttpRequest
from tweetlab.endpoint.wire import Answer

BACKLOG = 1024
"""Clients that may connect at once: those beyond would be dropped, and try again after seconds."""
STOP_SECONDS = 1
ATTEMPTS = 20
"""Times that a free port is looked for in both families of addresses."""


class HttpServer:
    """Answers requests on a port of 127.0.0.1, and of ::1 where there is one: a client may look for
    localhost there first.

    The handler is given the ``headers`` that are named. A client has ``request_seconds`` to send a
    request, and as long to take an answer: who needs longer is disconnected. Between requests a
    connection may rest for ever.
    """

    def __init__(
        self,
        handler: Callable[[HttpRequest], Awaitable[Answer]],
        headers: Iterable[str],
        request_seconds: float,
    ) -> None:
        self.handler = handler
        self.headers = {name.lower().encode(): name.lower() for name in (*headers, *FRAMING)}
        self.request_seconds = request_seconds
        self.connections: set[Connection] = set()
        self._listening: list[asyncio.Server] = []
        self._sweeping: asyncio.TimerHandle | None = None

    async def listen(self, port: int) -> str:
        """Begin (port 0: on a free one), and give the URL. Raises OSError if it is in use."""
        loop = asyncio.get_running_loop()
        attempts = 1 if port else ATTEMPTS
        while not self._listening:
            attempts -= 1
            server = await loop.create_server(self._connect, "127.0.0.1", port, backlog=BACKLOG)
            number: int = server.sockets[0].getsockname()[1]
            self._listening = [server]
            try:
                self._listening.append(
                    await loop.create_server(self._connect, "::1", number, backlog=BACKLOG)
                )
            except OSError as error:
                if error.errno == errno.EADDRINUSE:  # else this machine has no ::1
                    self._listening.clear()
                    server.close()
                    if not attempts:
                        raise
        self._sweep(loop)
        return f"http://127.0.0.1:{number}"

    def _connect(self) -> asyncio.Protocol:
        return Connection(self)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let go of who takes too long. (A timer for each request would cost each request.)"""
        for connection in list(self.connections):
            connection.hurry(loop.time() - self.request_seconds)
        self._sweeping = loop.call_later(self.request_seconds / 4, self._sweep, loop)

    async def close(self) -> None:
        """Listen no longer, give the last answers, and close the connections."""
        for listening in self._listening:
            listening.close()
        if self._sweeping:
            self._sweeping.cancel()
        answering = [each.answering for each in self.connections if each.answering]
        if answering:
            _, late = await asyncio.wait(answering, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
        for connection in list(self.connections):
            connection.close()
