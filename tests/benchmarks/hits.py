"""Hits: wall clock and client CPU per read, against plain redis-py in alternating runs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.benchmarks.peers import ASYNC, SYNC, AsyncRead, SyncRead, Table

BASE = "plain redis-py"
READERS = [
    BASE,
    "dogpile.cache",
    "cashews",
    "cashews, GETs shared",
    "aiocache",
    "tweetlab",
    "tweetlab, first level",
]
CALLERS = [1, 16]


def run(url: str, rounds: int, reads: int) -> list[dict[str, Any]]:
    """One row for each reader and number of callers: ratios of plain redis-py's time to its own,
    medians over the rounds. Asynchronous readers have 16 tasks in place of 16 threads.
    """
    with asyncio.Runner() as runner:
        readers: dict[str, Any] = {}
        for name in READERS:
            if name in SYNC:
                readers[name] = SYNC[name](url, Table())
                readers[name]()
            else:
                readers[name] = runner.run(_made(name, url))
        times: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for callers in CALLERS:
                for name, read in readers.items():
                    many = reads * 20 if "first level" in name else reads
                    if name in SYNC:
                        took = _in_threads(read, callers, many // callers)
                    else:
                        took = _in_tasks(runner, read, callers, many // callers)
                    times.setdefault((name, callers), []).append(took)
    return list(_rows(times))


async def _made(name: str, url: str) -> AsyncRead:
    read = ASYNC[name](url, Table())
    await read()
    return read


def _in_threads(read: SyncRead, callers: int, each: int) -> tuple[float, float]:
    def work() -> None:
        start.wait()
        for _ in range(each):
            read()

    start = threading.Barrier(callers + 1)
    threads = [threading.Thread(target=work) for _ in range(callers)]
    for thread in threads:
        thread.start()
    wall, cpu = time.perf_counter(), time.process_time()
    start.wait()
    for thread in threads:
        thread.join()
    return _per_read(wall, cpu, callers * each)


def _in_tasks(
    runner: asyncio.Runner, read: AsyncRead, callers: int, each: int
) -> tuple[float, float]:
    async def work() -> None:
        for _ in range(each):
            await read()

    async def all_of_them() -> None:
        await asyncio.gather(*(work() for _ in range(callers)))

    wall, cpu = time.perf_counter(), time.process_time()
    runner.run(all_of_them())
    return _per_read(wall, cpu, callers * each)


def _per_read(wall: float, cpu: float, reads: int) -> tuple[float, float]:
    return (time.perf_counter() - wall) / reads, (time.process_time() - cpu) / reads


def _rows(times: dict[tuple[str, int], list[tuple[float, float]]]) -> Iterator[dict[str, Any]]:
    for (name, callers), own in times.items():
        base = times[BASE, callers]
        yield {
            "reader": name,
            "callers": callers,
            "wall_us": round(median(wall for wall, _ in own) * 1e6, 1),
            "cpu_us": round(median(cpu for _, cpu in own) * 1e6, 1),
            "wall_ratio": _ratio(base, own, 0),
            "cpu_ratio": _ratio(base, own, 1),
        }


def _ratio(base: list[tuple[float, float]], own: list[tuple[float, float]], which: int) -> float:
    return round(
        median(theirs[which] / ours[which] for theirs, ours in zip(base, own, strict=True)), 2
    )
