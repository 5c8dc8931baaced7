"""The tweets in Redis, and the writes that it could not be told of yet."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import redis

from tweetlab.cache import leases
from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.client import Client, Getter
from tweetlab.cache.leases import Claim, Command
from tweetlab.cache.stats import CacheStats
from tweetlab.cache.values import key

T = TypeVar("T")


class Unavailable(Exception):
    """Redis did not answer, or was not asked. It never leaves this package."""


class Refused(Unavailable):
    """Redis answered, but would not do it: it is read-only, or full, or the type is wrong."""


class Store:
    """Values under the keys of tweets, while the circuit breaker is closed.

    Each public method but ``drop`` raises Unavailable, and nothing else, when Redis fails. When it
    may be back, that is tried in the background.
    """

    def __init__(
        self,
        client: Client,
        breaker: CircuitBreaker,
        stats: CacheStats,
        lease_seconds: float,
        background: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._client: Any = client  # execute_command has no types
        self._getter = Getter(client)
        self._is_cluster = isinstance(client, redis.RedisCluster)
        self._breaker = breaker
        self._stats = stats
        self._lease_ms = max(1, round(lease_seconds * 1000))
        self._background = background or _in_a_thread
        self._latest: UUID | None = None
        self._owed: set[UUID] = set()
        self._owing = threading.Lock()

    def get(self, tweet_id: UUID) -> bytes | None:
        """The value, or None."""
        self._latest = tweet_id
        return self._guarded(self._getter.get, key(tweet_id))

    def get_many(self, tweet_ids: Sequence[UUID]) -> list[bytes | None]:
        """The values of those ids, in their order: one MGET; in a cluster, one GET each."""
        self._latest = tweet_ids[0]
        keys = list(map(key, tweet_ids))
        if self._is_cluster:
            return self._run_all([("GET", one) for one in keys], _value)
        values = self._run(("MGET", *keys), lambda answers: _in_full(answers, len(keys)))
        return list(map(_value, values))

    def claim(self, tweet_id: UUID, seen: bytes | None = None) -> Claim:
        """Ask for the lease, having found nothing, or nothing of use: the value ``seen``."""
        return self._run(leases.claim(tweet_id, seen, self._lease_ms), leases.parse_claim)

    def claim_many(self, seen: Mapping[UUID, bytes | None]) -> dict[UUID, Claim]:
        """The same for many tweets; those that Redis refuses get an empty claim."""
        commands = [leases.claim(one, value, self._lease_ms) for one, value in seen.items()]
        return dict(zip(seen, self._run_all(commands, leases.parse_claim), strict=True))

    def fill(self, tweet_id: UUID, claim: Claim, value: bytes, ttl_ms: int) -> bool:
        """Store a value for ``ttl_ms`` if the lease is still good; whether it was."""
        return self._run(leases.fill(tweet_id, claim, value, ttl_ms), bool)

    def fill_many(self, values: Iterable[tuple[UUID, Claim, bytes, int]]) -> None:
        """The same for many tweets."""
        self._run_all([leases.fill(*value) for value in values], bool)

    def release(self, claims: Mapping[UUID, Claim]) -> None:
        """Give leases back unused, so that others need not wait until they end."""
        own = [leases.release(one, claim) for one, claim in claims.items() if claim.mine]
        self._run_all(own, bool)

    def drop(self, tweet_id: UUID) -> None:
        """The tweet was written: delete it, and with it all right to store an older one.

        If Redis fails, the breaker opens and stays open until that is made up for: a cache that
        could not be told of a write is not read from by the process that knows.
        """
        try:
            self._run(leases.drop(tweet_id), int)
        except Unavailable:
            with self._owing:
                self._owed.add(tweet_id)
                self._breaker.trip()

    def _probe(self) -> None:
        try:
            self._catch_up()
        except Exception:
            self._breaker.trip()

    def _catch_up(self) -> None:
        """Try Redis, tell it of the writes it has missed, and close the breaker; raises if not."""
        if self._latest:
            self._execute(("EXISTS", key(self._latest)))
        while True:
            with self._owing:
                owed, self._owed = self._owed, set()
                if not owed:
                    self._breaker.close()
                    return
            try:
                for answer in self._execute_all([leases.drop(one) for one in owed]):
                    int(answer)  # an exception is none, and nor is nonsense
            except BaseException:
                with self._owing:
                    self._owed |= owed
                raise

    def _run(self, command: Command, understand: Callable[[Any], T]) -> T:
        """What ``understand`` makes of the answer to a command."""
        return self._guarded(lambda: understand(self._execute(command)))

    def _run_all(self, commands: Sequence[Command], understand: Callable[[Any], T]) -> list[T]:
        """The same for many, sent in one go. One answer may be an exception, which is counted."""
        if not commands:
            return []

        def call() -> list[T]:
            answers = self._execute_all(commands)
            for answer in answers:
                if isinstance(answer, Exception):
                    self._fail(answer)
            return list(map(understand, answers))

        return self._guarded(call)

    def _guarded(self, call: Callable[..., T], *args: Any) -> T:
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

    def _execute(self, command: Command) -> Any:
        """Run a command whatever the breaker says; values come as bytes, however they look."""
        return self._client.execute_command(*command, NEVER_DECODE=True)

    def _execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """The same for many; an answer may be an exception."""
        with self._client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command, NEVER_DECODE=True)
            answers = pipeline.execute(raise_on_error=False)
        return _in_full(answers, len(commands))

    def _fail(self, error: Exception) -> None:
        self._stats.fail(f"{type(error).__name__}: {error}")


def _in_full(answers: Any, count: int) -> list[Any]:
    """The answers, if there are so many; raises if there are not."""
    if not isinstance(answers, list) or len(answers) != count:
        raise redis.InvalidResponse(f"Expected {count} answers")
    return answers


def _value(answer: object) -> bytes | None:
    return answer if isinstance(answer, bytes) else None


def _in_a_thread(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="tweetlab-cache-probe", daemon=True).start()
