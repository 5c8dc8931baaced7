"""Calls to a Redis that may fail: they end in an answer, or in one of two exceptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis

from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.client import Client
from tweetlab.cache.leases import Command
from tweetlab.cache.quick import QuickGet
from tweetlab.cache.stats import CacheStats

T = TypeVar("T")


class Unavailable(Exception):
    """Redis did not answer, or was not asked. It never leaves this package."""


class Refused(Unavailable):
    """Redis answered, but would not do it: it is read-only, or full, or the type is wrong."""


class Calls:
    """Runs commands while the circuit breaker is closed.

    When Redis may be back, ``catch_up`` is called in the background.
    """

    def __init__(
        self,
        client: Client,
        breaker: CircuitBreaker,
        stats: CacheStats,
        background: Callable[[Callable[[], None]], None],
    ) -> None:
        self._client: Any = client  # execute_command has no types
        self._breaker = breaker
        self._stats = stats
        self._background = background
        self._quick_get = QuickGet(client)

    def catch_up(self) -> None:
        """Try whether Redis is back, and close the breaker; raises if it is not."""
        raise NotImplementedError

    def get_value(self, key: str) -> bytes | None:
        """The value at a key, or None."""
        return self.guarded(self._quick_get, key)

    def run(self, command: Command, understand: Callable[[Any], T]) -> T:
        """What ``understand`` makes of the answer to a command."""
        return self.guarded(lambda: understand(self.execute(command)))

    def run_all(self, commands: Sequence[Command], understand: Callable[[Any], T]) -> list[T]:
        """The same for many, sent in one go. One answer may be an exception, which is counted."""
        if not commands:
            return []

        def call() -> list[T]:
            answers = self.execute_all(commands)
            for answer in answers:
                if isinstance(answer, Exception):
                    self._fail(answer)
            return list(map(understand, answers))

        return self.guarded(call)

    def execute(self, command: Command) -> Any:
        """Run a command whatever the breaker says; values come as bytes, however they look."""
        return self._client.execute_command(*command, NEVER_DECODE=True)

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """The same for many; an answer may be an exception."""
        with self._client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command, NEVER_DECODE=True)
            answers = pipeline.execute(raise_on_error=False)
        return in_full(answers, len(commands))

    def guarded(self, call: Callable[..., T], *args: Any) -> T:
        """Call it, unless the breaker is open; raises Unavailable for whatever goes wrong."""
        if self._breaker.state != "closed":
            if self._breaker.should_probe():
                self._background(self._probe)
            raise Unavailable
        try:
            answer = call(*args)
        except redis.ResponseError as error:
            self._fail(error)
            self._breaker.worked()
            raise Refused from error
        except Exception as error:
            self._fail(error)
            self._breaker.failed()
            raise Unavailable from error
        self._breaker.worked()
        return answer

    def _probe(self) -> None:
        try:
            self.catch_up()
        except Exception:
            self._breaker.trip()

    def _fail(self, error: Exception) -> None:
        self._stats.fail(f"{type(error).__name__}: {error}")


def in_full(answers: Any, count: int) -> list[Any]:
    """The answers, if there are so many; raises if there are not."""
    if not isinstance(answers, list) or len(answers) != count:
        raise redis.InvalidResponse(f"Expected {count} answers")
    return answers
