"""What may be said to the cache: what holds where nothing is said, and what is refused with which
words."""

from __future__ import annotations

import inspect
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from tests.support.redises import Gate, MemoryTable, in_threads, join, lease_of, wait_until
from tweetlab import CachedTweets
from tweetlab.cache import CircuitBreaker, Client, connect
from tweetlab.cache.local import LocalTweets
from tweetlab.cache.refresh import Refresher
from tweetlab.cache.table import BoundedReads


def defaults(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def test_where_nothing_is_said_the_cache_is_as_the_lessons_say() -> None:
    said = defaults(CachedTweets)
    assert {name: value for name, value in said.items() if not callable(value)} == {
        "ttl": 3600,
        "single_flight": True,
        "lease_seconds": 5,
        "missing_ttl": 5,
        "refresh_ahead": 0,
        "jitter": 0,
        "local_ttl": 0,
        "local_size": 1000,
        "breaker_failures": 3,
        "breaker_pause": 1,
        "max_table_reads": 64,
        "background": None,
        "prefix": "",
    }
    assert defaults(connect) == {"timeout": 0.06}
    breaker = defaults(CircuitBreaker)
    assert (breaker["failures"], breaker["pause"]) == (3, 1)
    assert defaults(BoundedReads) == {"patience": 0.1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ttl": 0}, "ttl is a whole number of seconds, at least 1, not 0"),
        ({"ttl": True}, "ttl is a whole number of seconds, at least 1, not True"),
        ({"lease_seconds": 0}, "lease_seconds is more than 0, not 0"),
        ({"missing_ttl": -1}, "missing_ttl is 0 or more seconds, not -1"),
        (
            {"ttl": 10, "refresh_ahead": 10},
            "refresh_ahead is 0 or more seconds, below the ttl, not 10",
        ),
        ({"jitter": 1}, "jitter is a share of the ttl, 0 or more and below 1, not 1"),
        ({"max_table_reads": 0}, "max_table_reads is at least 1, or None, not 0"),
        ({"breaker_failures": 0}, "breaker_failures is at least 1, or None, not 0"),
        ({"prefix": "{a}"}, "prefix has no braces: a cluster counts them, not '{a}'"),
        (
            {"local_ttl": 5, "local_size": 0},
            "local_ttl is more than 0 seconds, or 0 for no first level, and local_size is at "
            "least 1, not 5 and 0",
        ),
    ],
)
def test_what_means_nothing_is_refused_with_a_reason(
    table: MemoryTable, client: Client, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="not") as raised:
        CachedTweets(table, client, **options)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "options",
    [
        {"ttl": 1},
        {"lease_seconds": 0.0001},
        {"missing_ttl": 0},
        {"ttl": 10, "refresh_ahead": 9.9},
        {"jitter": 0.99},
        {"max_table_reads": 1},
        {"breaker_failures": 1},
        {"local_ttl": 0.1, "local_size": 1},
    ],
)
def test_the_least_that_means_something_will_do(
    table: MemoryTable, client: Client, options: dict[str, Any]
) -> None:
    cached = CachedTweets(table, client, **options)
    tweet = table.create("Example tweet.")
    for _ in range(3):
        assert cached.get(tweet.tweet_id) == tweet
    assert cached.stats.errors == 0


@pytest.mark.parametrize(("ttl", "size"), [(0, 1), (-1, 1), (1, 0)])
def test_a_first_level_that_keeps_nothing_is_refused(ttl: float, size: int) -> None:
    with pytest.raises(ValueError, match="local_ttl is more than 0"):
        LocalTweets(ttl, size)


def test_a_client_that_cannot_work_is_refused_with_a_reason(
    table: MemoryTable, valkey_url: str
) -> None:
    awaited: Any = redis.asyncio.Redis.from_url(valkey_url)
    with pytest.raises(ValueError, match="asyncio") as raised:
        CachedTweets(table, awaited)
    assert str(raised.value) == (
        "The cache's methods wait: it takes a redis.Redis, not a redis.asyncio's."
    )
    config = redis.cache.CacheConfig()
    caching = redis.Redis.from_url(valkey_url, protocol=3, cache_config=config)
    with caching, pytest.raises(ValueError, match="cache") as raised:
        CachedTweets(table, caching)
    assert str(raised.value) == (
        "This client has redis-py's own client-side cache, which may answer with a tweet that was "
        "edited since. Make one without cache and cache_config; for a first level in the process "
        "there is local_ttl."
    )


def test_a_client_gives_up_soon_and_asks_once(valkey_url: str) -> None:
    with connect(valkey_url) as client:
        options = client.connection_pool.connection_kwargs
        assert client.connection_pool.max_connections == 1024
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (0.06, 0.06)
    assert (options["protocol"], options["driver_info"]) == (2, None)
    assert options["retry"].get_retries() == 0


def test_four_threads_refresh_at_most() -> None:
    gate = threading.Event()
    begun: list[bool] = []

    def refresh() -> bool:
        begun.append(True)
        return gate.wait(30)

    before = set(threading.enumerate())
    refresher = Refresher()
    for _ in range(6):
        refresher.start(uuid4(), refresh)
    ours = [one.name for one in threading.enumerate() if one not in before]
    assert sorted(ours) == [f"tweetlab-cache_{number}" for number in range(4)]
    gate.set()
    wait_until(lambda: len(begun) == 6)


def test_threads_of_the_cache_have_its_name(table: MemoryTable, client: Any) -> None:
    """And none keeps the interpreter from ending."""
    seen: list[threading.Thread] = []
    cached = CachedTweets(table, client, breaker_pause=0)
    cached._store._breaker.trip()
    ask = cached._store._connections.ask

    def note(command: Any) -> Any:
        seen.append(threading.current_thread())
        return ask(command)

    cached._store._connections.ask = note  # type: ignore[method-assign]
    cached.get(table.create("Example tweet.").tweet_id)
    wait_until(lambda: cached.stats.breaker == "closed")
    assert [(one.name, one.daemon) for one in seen] == [("tweetlab-cache-probe", True)]


def test_a_lease_lasts_as_long_as_was_said(table: MemoryTable, client: Any) -> None:
    cached = CachedTweets(table, client, lease_seconds=500.5)
    tweet = table.create("Example tweet.")
    table.before_answer = gate = Gate()
    threads, _ = in_threads(1, lambda: cached.get(tweet.tweet_id))
    gate.wait_for_reader()
    assert 400_000 < client.pttl(lease_of(tweet.tweet_id)) <= 500_500
    gate.open()
    join(threads)


def test_of_ten_thousand_tweets_it_is_known_that_they_were_tried() -> None:
    tried: list[UUID] = []
    refresher = Refresher(lambda job: job(), lambda: 0.0)
    ids = [UUID(int=number) for number in range(10_001)]

    def start(tweet_id: UUID) -> None:
        def fail() -> bool:
            tried.append(tweet_id)
            return False

        refresher.start(tweet_id, fail)

    for tweet_id in ids:
        start(tweet_id)
    assert len(tried) == 10_001
    start(ids[1])
    assert len(tried) == 10_001
    start(ids[0])  # one more than it keeps
    assert len(tried) == 10_002


@pytest.mark.parametrize(("timeout", "at_the_start"), [(0.06, 1), (5, 5)])
def test_at_the_start_nobody_waits_for_a_tweet_and_redis_has_a_second(
    valkey_url: str, monkeypatch: pytest.MonkeyPatch, timeout: float, at_the_start: float
) -> None:
    seen: list[float] = []
    make = redis.Redis.from_url

    def note(url: str, **options: Any) -> Any:
        seen.append(options["socket_timeout"])
        return make(url, **options)

    monkeypatch.setattr(redis.Redis, "from_url", note)
    connect(valkey_url, timeout).close()
    assert seen == [at_the_start, timeout]
