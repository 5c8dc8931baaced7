"""The processes that a test started, and whether they ended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil


def children() -> set[int]:
    """Ids of all the processes that this one started, and of all that those started."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def listening_at(pid: int) -> set[tuple[str, int]]:
    """Addresses and ports that a process, and those it started, listen at. Others may end now."""
    found: set[tuple[str, int]] = set()
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            connections = process.net_connections("inet")
            servers = [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
            found |= {(one.ip, one.port) for one in servers}
    return found


def gone(pids: Iterable[int]) -> bool:
    """Whether these processes end, within a time that even a busy machine keeps."""
    waited_for = list(pids)
    deadline = time.monotonic() + 60
    while any(map(alive, waited_for)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    """Whether it runs; an orphan that nobody waits for stays behind as a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def in_child(work: Callable[[], object]) -> None:
    """Do it in a forked process, and fail unless it is done, and true, within a minute."""
    child = os.fork()
    if not child:
        done = False
        try:
            done = bool(work())
        finally:
            os._exit(0 if done else 1)
    deadline = time.monotonic() + 60
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            raise AssertionError("The child did not end.")
        time.sleep(0.01)
