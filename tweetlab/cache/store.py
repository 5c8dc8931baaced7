"""The tweets in Redis, and the writes that it could not be told of yet."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import redis
from redis.exceptions import ClusterDownError

from tweetlab.cache import leases
from tweetlab.cache.breaker import CircuitBreaker
from tweetlab.cache.client import Client
from tweetlab.cache.connections import Command, Connections
from tweetlab.cache.forks import begin_in_each_process
from tweetlab.cache.leases import Claim
from tweetlab.cache.stats import CacheStats

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
        key: Callable[[UUID], str],
        lease_seconds: float,
        background: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        if lease_seconds <= 0:
            raise ValueError(f"lease_seconds is more than 0, not {lease_seconds!r}")
        self._connections = Connections(client)
        self._is_cluster = isinstance(client, redis.RedisCluster)
        self._breaker = breaker
        self._stats = stats
        self._lease_ms = max(1, round(lease_seconds * 1000))
        self._background = background or _in_a_thread
        self._key = key
        self._latest: UUID | None = None
        self._owed: set[UUID] = set()
        self._telling: set[UUID] = set()
        begin_in_each_process(self._begin)

    def _begin(self) -> None:
        self._owing = threading.Lock()
        self._owed |= self._telling  # nobody in this process is telling Redis of those

    def get(self, tweet_id: UUID) -> bytes | None:
        """The value, or None."""
        self._latest = tweet_id
        answer: bytes | None = self._guarded(self._connections.ask, ("GET", self._key(tweet_id)))
        return answer

    def get_many(self, tweet_ids: Sequence[UUID]) -> list[bytes | None]:
        """The values of those ids, in their order: one MGET; in a cluster, one GET each."""
        self._latest = tweet_ids[0]
        keys = list(map(self._key, tweet_ids))
        if self._is_cluster:
            return self._run_all([("GET", one) for one in keys], _value)
        return self._run(("MGET", *keys), lambda answers: _values(answers, len(keys)))

    def claim(self, tweet_id: UUID, seen: bytes | None = None) -> Claim:
        """Ask for the lease, having found nothing, or nothing of use: the value ``seen``."""
        return self._run(
            leases.claim(self._key(tweet_id), seen, self._lease_ms), leases.parse_claim
        )

    def claim_many(self, seen: Mapping[UUID, bytes | None]) -> dict[UUID, Claim]:
        """The same for many tweets; those that Redis refuses get an empty claim."""
        commands = [
            leases.claim(self._key(one), value, self._lease_ms) for one, value in seen.items()
        ]
        return dict(zip(seen, self._run_all(commands, leases.parse_claim), strict=True))

    def fill(self, tweet_id: UUID, claim: Claim, value: bytes, ttl_ms: int) -> bool:
        """Store a value for ``ttl_ms`` if the lease is still good; whether it was."""
        return self._run(leases.fill(self._key(tweet_id), claim, value, ttl_ms), bool)

    def fill_many(self, values: Iterable[tuple[UUID, Claim, bytes, int]]) -> None:
        """The same for many tweets."""
        self._run_all([leases.fill(self._key(one[0]), *one[1:]) for one in values], bool)

    def release(self, claims: Mapping[UUID, Claim]) -> None:
        """Give leases back unused, so that others need not wait until they end."""
        own = [leases.release(self._key(one), claim) for one, claim in claims.items() if claim.mine]
        self._run_all(own, bool)

    def drop(self, tweet_id: UUID) -> None:
        """The tweet was written: delete it, and with it all right to store an older one.

        If Redis fails, the breaker opens and stays open until that is made up for: a cache that
        could not be told of a write is not read from by the process that knows.
        """
        try:
            self._run(leases.drop(self._key(tweet_id)), int)
        except Unavailable:
            with self._owing:
                self._owed.add(tweet_id)
                self._breaker.trip()

    def _try_in_the_background(self) -> None:
        try:
            self._background(self._probe)
        except Exception as error:  # there may be no thread left, or the interpreter is ending
            self._stats.note(f"Redis was not tried: {error!r}")
            self._breaker.trip()

    def _probe(self) -> None:
        try:
            self._catch_up()
        except Exception:
            self._breaker.trip()

    def _catch_up(self) -> None:
        """Try Redis, tell it of the writes it has missed, and close the breaker; raises if not."""
        if self._latest:
            self._connections.ask(("EXISTS", self._key(self._latest)))
        while True:
            with self._owing:
                self._telling, self._owed = self._owed, set()
                if not self._telling:
                    self._breaker.close()
                    return
            try:
                drops = [leases.drop(self._key(one)) for one in self._telling]
                for answer in self._connections.ask_all(drops):
                    int(answer)  # an exception is none, and nor is nonsense
            except BaseException:
                with self._owing:
                    self._owed |= self._telling
                raise

    def _run(self, command: Command, understand: Callable[[Any], T]) -> T:
        """What ``understand`` makes of the answer to a command."""
        return self._guarded(lambda: understand(self._connections.ask(command)))

    def _run_all(self, commands: Sequence[Command], understand: Callable[[Any], T]) -> list[T]:
        """The same for many, sent in one go. One answer may be an exception, which is counted."""
        if not commands:
            return []

        def call() -> list[T]:
            answers = self._connections.ask_all(commands)
            for answer in answers:
                if isinstance(answer, Exception):
                    self._fail(answer)
            return list(map(understand, answers))

        return self._guarded(call)

    def _guarded(self, call: Callable[..., T], *args: Any) -> T:
        """Call it, unless the breaker is open; raises Unavailable for whatever goes wrong."""
        if self._breaker.state != "closed":
            if self._breaker.should_probe():
                self._try_in_the_background()
            raise Unavailable
        asked_at = self._breaker.clock()
        try:
            answer = call(*args)
        except Exception as error:
            self._fail(error)
            if isinstance(error, redis.ResponseError) and not isinstance(error, ClusterDownError):
                self._breaker.worked()
                raise Refused from error
            self._breaker.failed(asked_at)
            raise Unavailable from error
        self._breaker.worked()
        return answer

    def _fail(self, error: Exception) -> None:
        self._stats.fail(f"{type(error).__name__}: {error}")


def _values(answers: Any, count: int) -> list[bytes | None]:
    if not isinstance(answers, list) or len(answers) != count:
        raise redis.InvalidResponse(f"Expected {count} values")
    return list(map(_value, answers))


def _value(answer: object) -> bytes | None:
    return answer if isinstance(answer, bytes) else None


def _in_a_thread(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="tweetlab-cache-probe", daemon=True).start()
