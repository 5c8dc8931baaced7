"""The processes that a test started, and whether they ended."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil


def children() -> set[int]:
    """Ids of all the processes that this one started, and of all that those started."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


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
