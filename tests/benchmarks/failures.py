"""Redis is killed, or hangs, or holds nonsense: what a read costs then, in ms."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import redis

from tests.benchmarks.peers import ASYNC, SYNC, TWEET_ID, Table
from tests.support.redises import Valkey
from tweetlab.cache import key

READERS = ["plain redis-py", "dogpile.cache", "cashews, lock", "aiocache", "tweetlab"]
KEYS = {"plain redis-py": "plain", "tweetlab": key(TWEET_ID)}
PATIENCE = 6.0
"""Seconds until a reader that does not come back is left alone."""
FIRST = 5
"""Reads that count as the first ones."""
LATER = 50


def run() -> list[dict[str, Any]]:
    """One row for each reader and fault. The table takes no time, so all of it is the cache's.

    ``first_ms`` is the worst of the first reads, ``later_ms`` the median and ``worst_later_ms``
    the worst of those after, with a probe of Redis among them; ``recovery_s`` is the time from
    when Redis is back until a read is answered by it.
    """
    return [_row(name, fault) for name in READERS for fault in ("killed", "hung", "corrupt")]


def _row(name: str, fault: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        server = Valkey(Path(directory))
        try:
            return {"reader": name, "fault": fault} | _measure(name, fault, server)
        finally:
            server.resume()
            server.kill()


def _measure(name: str, fault: str, server: Valkey) -> dict[str, Any]:
    table = Table()
    loop = asyncio.new_event_loop()
    if name in SYNC:
        read: Any = SYNC[name](server.url, table)
    else:
        threading.Thread(target=loop.run_forever, daemon=True).start()
        task = asyncio.run_coroutine_threadsafe(_made(ASYNC[name], server.url, table), loop)
        coroutine = task.result()

        def read() -> Any:
            return asyncio.run_coroutine_threadsafe(coroutine(), loop).result()

    read()
    read()
    if fault == "killed":
        server.kill()
    elif fault == "hung":
        server.pause()
    else:
        _corrupt(server)
    took, errors = [], 0
    for number in range(FIRST + LATER):
        if number == FIRST + LATER // 2:
            time.sleep(1.1)  # until a breaker would try again
        seconds, error = _timed(read)
        errors += error is not None
        took.append(seconds * 1000)
        if seconds >= PATIENCE or sum(took) > 3 * PATIENCE * 1000:
            break
    later = took[FIRST:] or took
    row: dict[str, Any] = {
        "first_ms": round(max(took[:FIRST]), 1),
        "later_ms": round(median(later), 2),
        "worst_later_ms": round(max(later), 1),
        "raised": errors,
        "reads": len(took),
        "recovery_s": None,
    }
    if fault == "corrupt" or took[-1] >= PATIENCE * 1000:
        return row
    if fault == "killed":
        server.start()
    else:
        server.resume()
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        before = table.reads
        if _timed(read)[1] is None and table.reads == before:
            row["recovery_s"] = round(time.perf_counter() - began, 2)
            break
        time.sleep(0.01)
    return row


async def _made(make: Any, url: str, table: Table) -> Any:
    return make(url, table)


def _corrupt(server: Valkey) -> None:
    with redis.Redis.from_url(server.url) as client:
        for name in client.scan_iter():
            if client.type(name) == b"string":
                client.set(name, b"\xff\xfe nonsense")


def _timed(read: Any) -> tuple[float, Exception | None]:
    """How long a read took, or PATIENCE if it did not end before, and what it raised."""
    result: list[tuple[float, Exception | None]] = []

    def call() -> None:
        began, error = time.perf_counter(), None
        try:
            read()
        except Exception as raised:
            error = raised
        with contextlib.suppress(Exception):
            result.append((time.perf_counter() - began, error))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return result[0] if result else (PATIENCE, None)
