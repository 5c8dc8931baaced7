"""What a lesson's kernel is given, so that a busy machine does not change what the lesson shows.

Its clock, and that of its lab's servers, stands still while the machine does: it goes on in short
steps, each of which waits until every process has seen the one before. So nothing comes into a
table's buckets while readers are kept from reading. Redis is given up when it hangs, but not when
it is slow. Nothing of this is seen in the lesson, and all that happens in it is real.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import redis.retry

STEP = 0.01
"""Seconds that the clock goes on at a time, at most; on a quiet machine it takes shorter steps."""
PAUSE = 0.002
"""Seconds between two steps."""
NOW = struct.Struct("d")
SLOW = 30
"""Seconds that a Redis which runs may take over a command."""
IMPORTS = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); "
PREPARE = IMPORTS + "from tests.support import busy_machine; busy_machine.prepare()"
"""To be run in a kernel, or in a process of the command line, before all else."""

_monotonic, _sleep, _time = time.monotonic, time.sleep, time.time


def prepare_kernels(ipython: Path) -> None:
    """Prepare each kernel that has this directory of IPython's as its IPYTHONDIR."""
    startup = ipython / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "busy_machine.py").write_text(PREPARE)


def prepare(port: int | None = None) -> None:
    """Prepare this kernel, and the servers that its labs will start; with the clock of the process
    that leads at the ``port``, if there is one."""
    assert "tweetlab" not in sys.modules, "it took the machine's own clock already"
    redis.retry.Retry = PatientRetry  # type: ignore[misc]
    clock = SteppedClock()
    if port:
        clock.follow(port)
    else:
        clock.install()
        port = clock.lead()

    from tweetlab.lab import servers

    follow = f"from tests.support.busy_machine import SteppedClock; SteppedClock().follow({port}); "
    servers._CHILD = IMPORTS + follow + servers._CHILD


class SteppedClock:
    """Seconds that pass in steps, the same in the process that leads and in those that follow."""

    def __init__(self) -> None:
        self.now = _monotonic()

    def __call__(self) -> float:
        return self.now

    def install(self) -> None:
        """Take the place of the machine's clock in all that is imported from now on."""
        clock, since = self, _time() - _monotonic()

        class Timer(threading.Timer):
            def run(self) -> None:
                clock._wait(self.interval, self.finished.wait)
                if not self.finished.is_set():
                    self.function(*self.args, **self.kwargs)
                self.finished.set()

        time.monotonic, time.time = self, lambda: since + self.now
        time.sleep = self.sleep  # type: ignore[assignment]
        threading.Timer = Timer  # type: ignore[misc]

    def sleep(self, seconds: float) -> None:
        """Wait until so many seconds have passed."""
        self._wait(seconds, _sleep)

    def _wait(self, seconds: float, wait: Callable[[float], object]) -> None:
        """Wait by a function that returns something when it is to be the last time."""
        until = self.now + seconds
        left = seconds
        while not wait(left) and (left := until - self.now) > 0:
            pass

    def lead(self) -> int:
        """Go on, together with those who connect to the port that is returned."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        threading.Thread(target=self._lead, args=(listener,), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def _lead(self, listener: socket.socket) -> None:
        followers: list[socket.socket] = []
        before = _monotonic()
        while True:
            _sleep(PAUSE)
            with suppress(BlockingIOError):
                followers.append(listener.accept()[0])
            real = _monotonic()
            self.now += min(real - before, STEP)
            before = real
            followers = [follower for follower in followers if self._was_seen(follower)]

    def _was_seen(self, follower: socket.socket) -> bool:
        """Wait until a follower has seen the time; whether it still lives."""
        try:
            follower.sendall(NOW.pack(self.now))
            return follower.recv(1) != b""
        except OSError:
            return False

    def follow(self, port: int) -> None:
        """Go on with the process that leads there, and alone when it has ended."""
        leader = socket.create_connection(("127.0.0.1", port))
        self._see(leader)
        self.install()
        threading.Thread(target=self._follow, args=(leader,), daemon=True).start()

    def _follow(self, leader: socket.socket) -> None:
        with suppress(OSError):
            while self._see(leader):
                pass
        while True:  # to stop the servers takes time, too
            self.now = _monotonic()
            _sleep(PAUSE)

    def _see(self, leader: socket.socket) -> bool:
        step = leader.recv(NOW.size, socket.MSG_WAITALL)
        if len(step) < NOW.size:
            return False
        [self.now] = NOW.unpack(step)
        leader.sendall(b".")
        return True


class PatientRetry(redis.retry.Retry):
    """Asks a slow Redis again, for as long as no server that this process started is suspended."""

    def call_with_retry(self, do: Any, fail: Any, *arguments: Any, **options: Any) -> Any:
        """What ``do`` returns, or the error that it raises at last."""
        give_up = _monotonic() + SLOW
        while True:
            try:
                return super().call_with_retry(do, fail, *arguments, **options)
            except redis.TimeoutError:
                if _monotonic() > give_up or _a_child_is_suspended():
                    raise


def _a_child_is_suspended() -> bool:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if child.status() == psutil.STATUS_STOPPED:
                return True
    return False
