"""A name in front of Redis servers: one port, which leads to another server after a failover."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

from tests.support.redises import Valkey


class Forwarder:
    """Forwards each new connection to the server that it leads to at that moment.

    A connection stays where it led to when it was opened. Those that are open may be made *silent*:
    nothing comes by them any more, and nobody is told.
    """

    def __init__(self, server: Valkey) -> None:
        self.leads_to = server
        self.opened = 0
        """How many connections came so far."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self._silent = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """All connections that are open now die without a word; new ones work."""
        self._silent.set()
        self._silent = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.leads_to.port))
            except OSError:
                return
            self.opened += 1
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                arguments = (source, sink, self._silent)
                threading.Thread(target=_pass_on, args=arguments, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, silent: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if not silent.is_set():
                sink.sendall(data)
    if not silent.is_set():
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
