"""The processes that a test started, and whether they ended."""

from __future__ import annotations

import time
from collections.abc import Iterable
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
