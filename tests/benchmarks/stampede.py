"""A key expires while 64 callers want it, and the table takes 50 ms."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from multiprocessing.synchronize import Barrier
from statistics import median
from typing import Any

import redis

from tests.benchmarks import peers
from tests.benchmarks.peers import ASYNC, SYNC, Table

TABLE_SECONDS = 0.05
READERS = [
    "plain redis-py",
    "dogpile.cache",
    "cashews, lock",
    "cashews, early",
    "tweetlab",
    "tweetlab, refresh ahead",
]
SHAPES = [(1, 64), (4, 16)]


def run(url: str, rounds: int) -> list[dict[str, Any]]:
    """One row for each reader and shape: table reads of an expiry, and the worst caller's wait in
    ms, median and worst of the rounds.

    The readers that serve a value before it expires are asked when it is due.
    """
    rows = []
    for name in READERS:
        for processes, callers in SHAPES:
            with redis.Redis.from_url(url) as client:
                client.flushall()
            results = _stampedes(url, name, processes, callers, rounds)
            reads = [sum(result[0] for result in one) for one in results]
            worst = [max(result[1] for result in one) * 1000 for one in results]
            rows.append(
                {
                    "reader": name,
                    "processes": processes,
                    "callers": callers,
                    "table_reads": round(median(reads), 1),
                    "most_table_reads": max(reads),
                    "worst_ms": round(median(worst), 1),
                    "worst_of_all_ms": round(max(worst), 1),
                }
            )
    return rows


Round = list[tuple[int, float]]


def _stampedes(url: str, name: str, processes: int, callers: int, rounds: int) -> list[Round]:
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_worker, args=(url, name, callers, rounds, number, ready, results))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    found: list[Round] = [[] for _ in range(rounds)]
    for _ in range(processes * rounds):
        number, reads, worst = results.get(timeout=120)
        found[number].append((reads, worst))
    for worker in workers:
        worker.join()
    return found


def _worker(
    url: str, name: str, callers: int, rounds: int, number: int, ready: Barrier, results: Any
) -> None:
    table = Table(TABLE_SECONDS)
    early = "early" in name or "ahead" in name
    with redis.Redis.from_url(url) as client, asyncio.Runner() as runner:
        if name in SYNC:
            read: Any = SYNC[name](url, table)
            herd = _threads
        else:
            read = runner.run(_made(ASYNC[name], url, table))
            herd = lambda read, callers: runner.run(_tasks(read, callers))  # noqa: E731
        herd(read, callers)  # opens the connections
        for one in range(rounds):
            if not early and number == 0:
                client.flushall()
            peers.SKEW[0] += peers.TTL - 0.5  # due, and not over
            time.sleep(0.1)
            ready.wait()
            table.reads = 0
            worst = herd(read, callers)
            runner.run(asyncio.sleep(3 * TABLE_SECONDS))  # a refresh ends
            results.put((one, table.reads, worst))
            ready.wait()


async def _made(make: Any, url: str, table: Table) -> Any:
    return make(url, table)


def _threads(read: Any, callers: int) -> float:
    took: list[float] = []

    def call() -> None:
        start.wait()
        began = time.perf_counter()
        read()
        took.append(time.perf_counter() - began)

    start = threading.Barrier(callers)
    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(took)


async def _tasks(read: Any, callers: int) -> float:
    async def call() -> float:
        began = time.perf_counter()
        await read()
        return time.perf_counter() - began

    return max(await asyncio.gather(*(call() for _ in range(callers))))
