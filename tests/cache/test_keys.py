"""Whose keys are whose: tables that share a Redis, prefixes, and a user who may touch few keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from redis.crc import key_slot

from tests.support.redises import MemoryTable, Valkey
from tweetlab import CachedTweets, TweetNotFound
from tweetlab.cache import Client, connect, key
from tweetlab.cache.leases import claim, drop

RIGHTS = ["get", "mget", "set", "del", "exists", "eval"]
"""As the docstring of CachedTweets lists them."""


class NamedTable(MemoryTable):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def use(cached: CachedTweets, table: MemoryTable) -> UUID:
    """All that makes a key: a hit, a miss, a batch, a write, an id that is not there."""
    tweet, other = cached.create("Before."), table.create("Other.")
    for _ in range(2):
        assert cached.get(tweet.tweet_id) == tweet
        assert len(cached.get_many([tweet.tweet_id, other.tweet_id, uuid4()])) == 2
    assert cached.edit(tweet.tweet_id, "After.").text == "After."
    for _ in range(2):
        assert cached.get(tweet.tweet_id).text == "After."
    with pytest.raises(TweetNotFound):
        cached.get(uuid4())
    return tweet.tweet_id


def names(client: Any) -> set[str]:
    return {name.decode() for name in client.keys("*")}


def test_tables_that_share_a_redis_share_no_tweets(client: Client) -> None:
    ours, theirs = NamedTable("tweet"), NamedTable("other_tweets")
    mine, yours = CachedTweets(ours, client), CachedTweets(theirs, client)
    tweet = ours.create("Mine.")
    for cached in (yours, mine, yours):
        if cached is mine:
            assert cached.get(tweet.tweet_id) == tweet
        else:
            with pytest.raises(TweetNotFound):
                cached.get(tweet.tweet_id)
            assert cached.get_many([tweet.tweet_id]) == {}
    assert client.exists(f"tweet:{tweet.tweet_id}", f"other_tweets:{tweet.tweet_id}") == 2


def test_a_write_to_one_drops_nothing_of_the_other(client: Client) -> None:
    ours, theirs = NamedTable("tweet"), NamedTable("other_tweets")
    mine, yours = CachedTweets(ours, client), CachedTweets(theirs, client)
    tweet = ours.create("Mine.")
    theirs.tweets[tweet.tweet_id] = tweet
    assert mine.get(tweet.tweet_id) == yours.get(tweet.tweet_id)
    yours.edit(tweet.tweet_id, "Yours.")
    assert mine.read(tweet.tweet_id).source == "cache"
    assert yours.read(tweet.tweet_id).source == "table"


@pytest.mark.parametrize(
    ("table", "prefix", "begins"),
    [
        (MemoryTable(), "", "tweet:"),
        (NamedTable("tweet"), "", "tweet:"),
        (NamedTable("other_tweets"), "", "other_tweets:"),
        (NamedTable("tweet"), "staging", "staging:tweet:"),
        (NamedTable("other_tweets"), "staging", "staging:other_tweets:"),
    ],
)
def test_all_keys_begin_with_prefix_and_table(
    client: Client, table: MemoryTable, prefix: str, begins: str
) -> None:
    cached = CachedTweets(table, client, prefix=prefix)
    tweet_id = use(cached, table)
    assert client.exists(f"{begins}{tweet_id}")
    assert f"{begins}written:{{{begins}{tweet_id}}}" in names(client)
    assert all(name.startswith(begins) for name in names(client))
    assert (cached.stats.errors, cached.stats.breaker) == (0, "closed")


@pytest.mark.parametrize("prefix", ["{a}", "a{", "}"])
def test_a_prefix_that_would_move_keys_in_a_cluster_is_refused(
    table: MemoryTable, client: Client, prefix: str
) -> None:
    with pytest.raises(ValueError, match="prefix has no braces"):
        CachedTweets(table, client, prefix=prefix)


@pytest.mark.parametrize("prefix", ["tweet", "staging:other_tweets"])
def test_the_keys_of_a_tweet_live_on_one_server(prefix: str) -> None:
    for _ in range(100):
        whole = key(uuid4(), prefix)
        for command in (claim(whole, None, 5), drop(whole)):
            keys = [part for part in command if isinstance(part, str) and part.startswith(prefix)]
            assert len(keys) == 3
            assert len({key_slot(one.encode()) for one in keys}) == 1


def test_a_cluster_takes_a_prefix(table: MemoryTable, cluster_url: str) -> None:
    with connect(cluster_url, timeout=10) as client:
        cached = CachedTweets(table, client, prefix="staging")
        for _ in range(10):
            use(cached, table)
        assert cached.stats.errors == 0
        client.flushall()


def user(url: str, rights: list[str], keys: str) -> Client:
    """A client of a user who may do only that."""
    with redis.Redis.from_url(url) as admin:
        allowed = [f"+{right}" for right in rights]
        admin.execute_command(
            "ACL", "SETUSER", "app", "reset", "on", ">secret", f"~{keys}", *allowed
        )
    return connect(url.replace("//", "//app:secret@"), timeout=10)


@pytest.mark.parametrize("prefix", ["", "staging"])
def test_a_user_with_the_rights_that_are_listed(
    table: MemoryTable, server: Valkey, prefix: str
) -> None:
    keys = "staging:tweet:*" if prefix else "tweet:*"
    with user(server.url, RIGHTS, keys) as client:
        cached = CachedTweets(table, client, breaker_pause=0, prefix=prefix)
        tweet_id = use(cached, table)
        assert cached.read(tweet_id).source == "cache"
        cached._store._catch_up()  # as after an outage
        assert list(cached.stats.events) == []


@pytest.mark.parametrize("missing", RIGHTS)
def test_each_right_that_is_listed_is_needed(
    table: MemoryTable, server: Valkey, missing: str
) -> None:
    with user(server.url, [right for right in RIGHTS if right != missing], "tweet:*") as client:
        cached = CachedTweets(table, client)
        use(cached, table)
        assert cached.stats.errors > 0


def test_the_docstring_lists_the_rights() -> None:
    assert f"``~tweet:* {' '.join(f'+{right}' for right in RIGHTS)}``" in str(CachedTweets.__doc__)


@pytest.fixture
def cluster_user(cluster_url: str) -> Iterator[Callable[[list[str]], Client]]:
    """Makes a client of the cluster for a user with such rights."""
    servers: list[Any] = []
    with connect(cluster_url) as cluster:
        servers = [redis.Redis(node.host, node.port) for node in cluster.get_nodes()]

    def make(rights: list[str]) -> Client:
        for one in servers:
            user(f"redis://127.0.0.1:{one.get_connection_kwargs()['port']}", rights, "tweet:*")
        return connect(cluster_url.replace("//", "//app:secret@"), timeout=10)

    yield make
    for one in servers:
        one.execute_command("ACL", "DELUSER", "app")
        one.flushall()
        one.close()


def test_a_cluster_asks_for_more_rights(
    table: MemoryTable, cluster_user: Callable[[list[str]], Client]
) -> None:
    with cluster_user([*RIGHTS, "info", "cluster|slots", "command"]) as client:
        assert isinstance(client, redis.RedisCluster)
        cached = CachedTweets(table, client)
        use(cached, table)
        assert list(cached.stats.events) == []


def test_a_client_with_a_cache_of_its_own_is_refused(
    table: MemoryTable, valkey_url: str, cluster_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caching = redis.Redis.from_url(valkey_url, protocol=3, cache_config=redis.cache.CacheConfig())
    with caching, pytest.raises(ValueError, match="client-side cache"):
        CachedTweets(table, caching)
    with redis.Redis.from_url(valkey_url, protocol=3) as client:
        use(CachedTweets(table, client), table)
        client.flushall()
    with redis.RedisCluster.from_url(cluster_url) as cluster:
        CachedTweets(table, cluster)
        # Only Redis 7.4 and later lets a cluster's client have one.
        monkeypatch.setattr(redis.Redis, "get_cache", caching.get_cache)
        with pytest.raises(ValueError, match="client-side cache"):
            CachedTweets(table, cluster)


def test_a_client_that_is_awaited_is_refused(table: MemoryTable, valkey_url: str) -> None:
    client: Any = redis.asyncio.Redis.from_url(valkey_url)
    with pytest.raises(ValueError, match="asyncio"):
        CachedTweets(table, client)
