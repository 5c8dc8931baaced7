"""One outage of Redis, and what the reads of a cache cost meanwhile, in this process or in a child.

    python -m tests.support.outages FAULT PLACE

Prints JSON: the worst read in ms, how many reads there were since the fault, how many of the table,
and after how many seconds the last of those. ``run`` runs it in a process of its own, as gevent
needs one.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis

from tests.support.forwarder import Forwarder
from tests.support.redises import MemoryTable, Valkey, in_threads, join, wait_until
from tweetlab import CachedTweets
from tweetlab.cache import connect

ROOT = Path(__file__).parents[2]
FAULTS = ["hangs", "dies", "fails over", "loses connections"]
PLACES = ["threads", "gevent", "forked child"]
READERS = 32
TWEETS = 50
PAUSE = 0.02
"""Seconds between two reads of a reader."""
BEFORE, DURING, AFTER = 0.2, 1.0, 1.5
"""Seconds until the fault, from there until it is over, and from there until the readers end."""
TABLE_SECONDS = 0.005


class Outage:
    """A cache behind a name that leads to Redis, and its readers."""

    def __init__(self, stack: ExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.server = self._server(stack, directory / "primary")
        self.another = self._server(stack, directory / "replica")
        with redis.Redis.from_url(self.another.url) as replica:
            replica.execute_command("REPLICAOF", "127.0.0.1", self.server.port)
            wait_until(lambda: replica.info("replication")["master_link_status"] == "up")
        self.name = stack.enter_context(Forwarder(self.server))
        self.table = MemoryTable()
        self.table.before_answer = lambda tweet_id: time.sleep(TABLE_SECONDS)
        client = stack.enter_context(connect(self.name.url))
        self.cached = CachedTweets(self.table, client, ttl=3600, refresh_ahead=1800)
        self.tweets = [self.table.create(str(number)).tweet_id for number in range(TWEETS)]

    def _server(self, stack: ExitStack, directory: Path) -> Valkey:
        directory.mkdir()
        server = Valkey(directory, "--repl-diskless-sync-delay", "0")
        stack.callback(server.kill)
        stack.callback(server.resume)
        return server

    def warm_up(self) -> None:
        """Until all tweets are in the cache, and each reader has a connection."""
        self.read_until(time.monotonic() + 0.3)
        self.cached.get_many(self.tweets)

    def read_until(self, end: float) -> list[tuple[float, float]]:
        """When each read began, and the seconds that it took."""

        def work() -> None:
            drawn = random.Random(next(numbers))
            while (began := time.monotonic()) < end:
                self.cached.get(drawn.choice(self.tweets))
                took.append((began, time.monotonic() - began))
                time.sleep(PAUSE * drawn.random() * 2)

        numbers = iter(range(READERS))
        took: list[tuple[float, float]] = []
        threads, results = in_threads(READERS, work)
        join(threads)
        assert results == [None] * READERS, results
        return took

    def measure(self, fault_at: float) -> dict[str, Any]:
        """Read before, during and after the fault; what those since it came to."""
        last = [fault_at]
        answer = self.table.before_answer

        def note(tweet_id: Any) -> None:
            last.append(time.monotonic())
            answer(tweet_id)

        self.table.before_answer = note
        before = len(self.table.reads)
        reads = self.read_until(fault_at + DURING + AFTER)
        return {
            "worst_ms": round(max(took for _, took in reads) * 1000),
            "reads": sum(began >= fault_at for began, _ in reads),
            "table_reads": len(self.table.reads) - before,
            "last_table_read_s": round(last[-1] - fault_at, 1),
            "breaker": self.cached.stats.breaker,
        }

    def break_and_mend(self, fault: str, fault_at: float) -> None:
        """Break Redis at that time, and mend it."""
        time.sleep(fault_at - time.monotonic())
        if fault == "hangs":
            self.server.pause()
        elif fault == "dies":
            self.server.kill()
        elif fault == "fails over":
            self._fail_over()
        else:
            self.name.silence()
        time.sleep(max(0.0, fault_at + DURING - time.monotonic()))
        if fault == "hangs":
            self.server.resume()
        elif fault == "dies":
            self.server.start()

    def _fail_over(self) -> None:
        """The old primary becomes the replica of the new one, and the name follows."""
        with (
            redis.Redis.from_url(self.server.url) as old,
            redis.Redis.from_url(self.another.url) as new,
        ):
            new.execute_command("REPLICAOF", "NO", "ONE")
            old.execute_command("REPLICAOF", "127.0.0.1", self.another.port)
            self.name.leads_to = self.another
            new.delete(
                *(f"tweet:{tweet_id}" for tweet_id in self.tweets[::5])
            )  # as if they expired


def run(module: str, *arguments: str, gevent: bool = False) -> str:
    """What a module of the tests' support prints, in a process of its own."""
    patched = ["-m", "gevent.monkey", "--module"] if gevent else ["-m"]
    command = [sys.executable, "-W", "ignore", *patched, f"tests.support.{module}", *arguments]
    # However slow the machine is, this is far from 'without end'.
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def outage(fault: str, place: str) -> dict[str, Any]:
    """What an outage comes to in one of the places."""
    found: dict[str, Any] = json.loads(run("outages", fault, place, gevent=place == "gevent"))
    return found


def measure(fault: str, place: str) -> dict[str, Any]:
    """What the reads came to, in this process or in its child."""
    with ExitStack() as stack:
        outage = Outage(stack)
        outage.warm_up()
        fault_at = time.monotonic() + BEFORE
        if place == "forked child":
            return _in_child(
                lambda: outage.measure(fault_at), lambda: outage.break_and_mend(fault, fault_at)
            )
        breaking = threading.Thread(target=outage.break_and_mend, args=(fault, fault_at))
        breaking.start()
        result = outage.measure(fault_at)
        breaking.join()
        return result


def _in_child(work: Callable[[], dict[str, Any]], meanwhile: Callable[[], None]) -> dict[str, Any]:
    """What a forked process makes of it."""
    from_child, to_parent = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(to_parent, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(to_parent)
    meanwhile()
    with open(from_child, "rb") as answer:
        result: dict[str, Any] = json.loads(answer.read())
    os.waitpid(child, 0)
    return result


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2])))
