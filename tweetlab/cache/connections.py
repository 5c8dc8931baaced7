"""The connections to Redis: which are kept at hand, and which are not to be trusted any more."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import AskError, ClusterDownError

from tweetlab.cache.client import Client
from tweetlab.cache.forks import begin_in_each_process

Command = tuple[Any, ...]

_AT_HAND = 64
"""Connections kept at hand at most, and at most a quarter of the pool's."""

_ANEW_SECONDS = 1
"""All connections are opened anew at most so often. A name may lead to a replica for long."""


class Connections:
    """Sends commands, and gives what the client gives; values come as bytes, however they look.

    redis-py takes a connection from its pool for each command, behind a lock, and looks whether it
    is still good: a third of what a hit costs. Here some clients with a connection of their own are
    kept at hand, as ``client.client()`` of redis-py makes them. If one fails, or is interrupted
    between question and answer, its connection is closed, since the answer may still come. If it is
    Redis that had closed it, the question is asked once more.

    That goes for a plain pool. A cluster, a pool that blocks and one that follows a Sentinel have
    reasons of their own to choose a connection: there, and where all that may be kept are in use,
    the client is asked in its own way.

    Other connections are closed, too:

    - One that *times out* is reason to distrust those that were not used since it was asked: a
      firewall, or a server that has gone, forgets many without a word.
    - An answer such as READONLY means that they lead to a server which is not, or not now, the one
      to ask. The next connections go to the name anew, which after a failover leads to another.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        _refuse_what_cannot_work(client)
        self._client: Any = client  # execute_command has no types
        self._pool = pool = getattr(self._client, "connection_pool", None)
        self._most = 0
        if type(client) is redis.Redis and type(pool) is redis.ConnectionPool:
            self._most = min(_AT_HAND, pool.max_connections // 4)
        self._clock = clock
        self._anew_at = -math.inf
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._at_hand: list[tuple[Any, float]] = []
        """Clients, and when each was answered last."""
        self._room = threading.Semaphore(self._most)

    def ask(self, command: Command) -> Any:
        """The answer to a command; raises as the client does."""
        asked_at = self._clock()
        try:
            client, _ = self._at_hand.pop()
            is_new = False
        except IndexError:
            client = self._new_client()
            is_new = True
        if client is None:
            return self._ask_client(command, asked_at)
        try:
            answer = _ask(client, command)
        except redis.ResponseError as error:
            if _condemns(error):
                self._close(client)
                self._judge(error, asked_at)
            else:
                self._keep(client, asked_at)
            raise
        except BaseException as error:
            self._close(client)
            self._judge(error, asked_at)
            if is_new or not isinstance(error, redis.ConnectionError):
                raise
            return self._ask_client(command, asked_at)
        self._keep(client, asked_at)
        return answer

    def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to many, sent in one go; each may be an exception."""
        asked_at = self._clock()
        try:
            if isinstance(self._client, redis.RedisCluster):
                answers = self._ask_servers(commands)
            else:
                answers = _ask_in_one_go(self._client, commands)
        except BaseException as error:
            self._judge(error, asked_at)
            raise
        for answer in answers:
            if isinstance(answer, redis.RedisError):
                self._judge(answer, asked_at)
        return answers

    def _ask_servers(self, commands: Sequence[Command]) -> list[Any]:
        """The same in a cluster, each server in one go. redis-py's own way asks a server that hangs
        again for each command, and each waits.
        """
        answers: dict[int, Any] = {}
        numbers: dict[str, list[int]] = {}
        for number, command in enumerate(commands):
            node = self._client.get_node_from_key(command[3 if command[0] == "EVAL" else 1])
            numbers.setdefault(node.name, []).append(number)
        for name, its in numbers.items():
            server = self._client.get_redis_connection(self._client.get_node(node_name=name))
            try:
                found = _ask_in_one_go(server, [commands[number] for number in its])
                again = [number for number, one in zip(its, found, strict=True) if _moved(one)]
            except (redis.ConnectionError, redis.TimeoutError) as error:
                found = [error] * len(its)
                again = its[:1]  # the client then looks which servers there are
            answers.update(zip(its, found, strict=True))
            for number in again:
                try:
                    answers[number] = _ask(self._client, commands[number])
                except redis.RedisError as error:
                    answers[number] = error
        return [answers[number] for number in range(len(commands))]

    def _ask_client(self, command: Command, asked_at: float) -> Any:
        """Ask by a connection of the client's choice."""
        try:
            return _ask(self._client, command)
        except BaseException as error:
            self._judge(error, asked_at)
            raise

    def _new_client(self) -> Any:
        """One more client with a connection of its own; None if there are enough."""
        if not self._room.acquire(blocking=False):
            return None
        try:
            return self._client.client()
        except BaseException as error:
            self._room.release()
            self._judge(error, self._clock())
            raise

    def _keep(self, client: Any, asked_at: float) -> None:
        if asked_at < self._anew_at:  # condemned meanwhile
            self._close(client)
        else:
            self._at_hand.append((client, self._clock()))

    def _close(self, client: Any) -> None:
        if client.connection:
            client.connection.disconnect()
        client.close()
        self._room.release()

    def _judge(self, error: BaseException, asked_at: float) -> None:
        """Close the connections that an error makes suspect; it came to a question asked then."""
        if _condemns(error):
            now = self._clock()
            if now >= self._anew_at + _ANEW_SECONDS:
                self._anew_at = now
                self._close_idle(math.inf)
        elif not isinstance(error, (redis.ResponseError, redis.ConnectionError)):
            # Also when interrupted: the client's pool has that connection, and may not know.
            self._close_idle(asked_at)

    def _close_idle(self, not_used_since: float) -> None:
        """Close what nobody uses; of the pool all, since it does not say when each was used."""
        kept = []
        with suppress(IndexError):
            while True:
                client, answered_at = self._at_hand.pop()
                if answered_at < not_used_since:
                    self._close(client)
                else:
                    kept.append((client, answered_at))
        self._at_hand += reversed(kept)
        if self._pool is not None:  # a cluster's client does so by itself
            self._pool.disconnect(inuse_connections=False)


def _ask(client: Any, command: Command) -> Any:
    return client.execute_command(*command, NEVER_DECODE=True)


def _ask_in_one_go(client: Any, commands: Sequence[Command]) -> list[Any]:
    with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command, NEVER_DECODE=True)
        answers = pipeline.execute(raise_on_error=False)
    if not isinstance(answers, list) or len(answers) != len(commands):
        raise redis.InvalidResponse(f"Expected {len(commands)} answers")
    return answers


def _moved(answer: object) -> bool:
    return isinstance(answer, AskError)  # or a MovedError, which is one


def _condemns(error: BaseException) -> bool:
    """Whether Redis says that it is not the server to ask: it is a replica, or has lost its
    replicas or its cluster, or begins. A script's error may have the code within its text.

    Others are about the command (WRONGTYPE, NOPERM), or would be the same by a new connection
    (OOM, MISCONF, BUSY).
    """
    kinds = redis.ReadOnlyError, redis.BusyLoadingError, ClusterDownError
    return isinstance(error, kinds) or (
        isinstance(error, redis.ResponseError)
        and any(code in str(error) for code in ("NOREPLICAS", "-READONLY", "-MASTERDOWN"))
    )


def _refuse_what_cannot_work(client: Client) -> None:
    """Raise ValueError for a client that would break what the cache promises."""
    if isinstance(client, (redis.asyncio.Redis, redis.asyncio.RedisCluster)):
        raise ValueError("The cache's methods wait: it takes a redis.Redis, not a redis.asyncio's.")
    if isinstance(client, redis.RedisCluster):
        cluster: Any = client  # one method has no types
        client = cluster.get_redis_connection(cluster.get_default_node())
    if isinstance(client, redis.Redis) and client.get_cache() is not None:
        raise ValueError(
            "This client has redis-py's own client-side cache, which may answer with a tweet that "
            "was edited since. Make one without cache and cache_config; for a first level in the "
            "process there is local_ttl."
        )
