"""What the cache promises, on every kind of Redis that it may be given."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from tests.support.redises import MemoryTable, lease_of
from tweetlab import CachedTweets, InvalidTweet, TweetNotFound
from tweetlab.cache import connect, encode, key
from tweetlab.cache.leases import SETTLING_MS


@pytest.fixture(params=["valkey_url", "redis_server", "cluster_url"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The lab's Valkey, the operating system's Redis, and a cluster of three."""
    with connect(request.getfixturevalue(request.param), timeout=10) as client:
        yield client
        client.flushall()


@pytest.fixture
def cached(table: MemoryTable, client: Any) -> CachedTweets:
    """Also of what is missing it knows for as long as a slow test takes."""
    return CachedTweets(table, client, missing_ttl=600)


def is_kept_for(seconds: float, client: Any, tweet_id: UUID, before: float) -> bool:
    """Whether the cache, which did not know a tweet at a time before, keeps it for so long. Redis'
    clock is that of this machine; it counts milliseconds."""
    stored = client.pexpiretime(key(tweet_id)) / 1000 - seconds
    return before - 0.002 <= stored <= time.time() + 0.002


def test_the_url_of_any_server_of_a_cluster_gives_a_client_of_the_cluster(
    valkey_url: str, cluster_url: str
) -> None:
    with connect(cluster_url) as client:
        assert isinstance(client, redis.RedisCluster)
        assert len(client.get_primaries()) == 3
    with connect(valkey_url) as client:
        assert isinstance(client, redis.Redis)


def test_the_first_read_misses_and_the_second_hits(
    cached: CachedTweets, table: MemoryTable
) -> None:
    tweet = table.create("Example tweet.")
    first, second = cached.read(tweet.tweet_id), cached.read(str(tweet.tweet_id))
    assert (first.tweet, first.source, first.read_units) == (tweet, "table", 0.5)
    assert (second.tweet, second.source, second.read_units) == (tweet, "cache", 0.0)
    assert (cached.stats.hits, cached.stats.misses, cached.stats.hit_ratio) == (1, 1, 0.5)
    assert cached.stats.errors == 0


def test_the_value_is_json_and_expires(
    cached: CachedTweets, table: MemoryTable, client: Any
) -> None:
    tweet = table.create("Example tweet.")
    before = time.time()
    cached.get(tweet.tweet_id)
    assert is_kept_for(3600, client, tweet.tweet_id, before)
    assert json.loads(client.get(f"tweet:{tweet.tweet_id}")) == {
        "tweet_id": str(tweet.tweet_id),
        "text": "Example tweet.",
        "created": tweet.created.isoformat(),
    }
    client.delete(f"tweet:{tweet.tweet_id}")
    assert cached.read(tweet.tweet_id).source == "table"


def test_nothing_but_the_value_is_left_behind(
    cached: CachedTweets, table: MemoryTable, client: Any
) -> None:
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    cached.get_many([tweet.tweet_id, table.create("Another.").tweet_id])
    assert all(name.startswith(b"tweet:") for name in client.keys("*"))


def test_an_edit_is_seen_at_once_and_read_consistently(
    cached: CachedTweets, table: MemoryTable
) -> None:
    tweet = table.create("Before.")
    cached.get(tweet.tweet_id)
    assert cached.edit(tweet.tweet_id, "After.").text == "After."
    assert cached.get(tweet.tweet_id).text == "After."
    assert cached.get(tweet.tweet_id).text == "After."
    assert table.consistent == [False, True]


def test_a_deleted_tweet_is_gone_at_once(cached: CachedTweets, table: MemoryTable) -> None:
    tweet = table.create("Example tweet.")
    cached.get(tweet.tweet_id)
    cached.delete(tweet.tweet_id)
    for _ in range(2):
        with pytest.raises(TweetNotFound):
            cached.get(tweet.tweet_id)
    assert table.reads == [tweet.tweet_id] * 2
    assert cached.stats.negative_hits == 1


def test_an_id_that_is_not_there_is_remembered_for_its_own_short_time(
    cached: CachedTweets, table: MemoryTable, client: Any
) -> None:
    tweet_id = uuid4()
    before = time.time()
    for _ in range(3):
        with pytest.raises(TweetNotFound):
            cached.get(tweet_id)
    assert table.reads == [tweet_id]
    assert (cached.stats.hits, cached.stats.negative_hits, cached.stats.misses) == (2, 2, 1)
    assert is_kept_for(600, client, tweet_id, before)
    assert cached.get_many([tweet_id]) == {}
    assert table.batches == []


def test_for_five_seconds_unless_told(table: MemoryTable, client: Any) -> None:
    before = time.time()
    tweet_id = uuid4()
    with pytest.raises(TweetNotFound):
        CachedTweets(table, client).get(tweet_id)
    gone = client.pexpiretime(key(tweet_id)) == -2
    assert is_kept_for(5, client, tweet_id, before) or (gone and time.time() >= before + 4.998)


def test_it_need_not_be_remembered(table: MemoryTable, client: Any) -> None:
    cached = CachedTweets(table, client, missing_ttl=0)
    tweet_id = uuid4()
    for _ in range(2):
        with pytest.raises(TweetNotFound):
            cached.get(tweet_id)
    assert cached.get_many([tweet_id]) == {}
    assert len(table.reads) == 2 and len(table.batches) == 1
    assert client.keys("*") == []


def test_creating_a_tweet_clears_what_was_known_of_its_id(
    cached: CachedTweets, table: MemoryTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    tweet = table.create("Example tweet.")
    table.delete(tweet.tweet_id)
    with pytest.raises(TweetNotFound):
        cached.get(tweet.tweet_id)

    def create(text: str) -> object:
        table.tweets[tweet.tweet_id] = tweet
        return tweet

    monkeypatch.setattr(table, "create", create)
    cached.create("Example tweet.")
    assert cached.get(tweet.tweet_id) == tweet
    assert table.consistent[-1]


def test_get_many_reads_the_misses_in_one_batch(cached: CachedTweets, table: MemoryTable) -> None:
    tweets = {one.tweet_id: one for one in (table.create(str(n)) for n in range(250))}
    ids = list(tweets)
    missing = uuid4()
    cached.get(ids[7])
    assert cached.get_many([*ids, str(ids[0]), missing]) == tweets
    assert [len(batch) for batch in table.batches] == [250]
    assert (cached.stats.hits, cached.stats.misses) == (1, 251)
    again = cached.get_many([missing, *reversed(ids)])
    assert list(again) == ids[::-1] and again == tweets
    assert len(table.batches) == 1
    assert cached.stats.errors == 0


def test_get_many_of_nothing_asks_nobody(cached: CachedTweets, table: MemoryTable) -> None:
    assert cached.get_many([]) == {}
    assert cached.get_many([], consistent=True) == {}
    assert table.batches == []


def test_get_many_reads_consistently_what_was_just_written(
    cached: CachedTweets, table: MemoryTable
) -> None:
    first, second = table.create("One."), table.create("Two.")
    cached.edit(first.tweet_id, "Uno.")
    found = cached.get_many([first.tweet_id, second.tweet_id])
    assert [tweet.text for tweet in found.values()] == ["Uno.", "Two."]
    assert sorted(map(len, table.batches)) == [1, 1]


def test_a_consistent_read_goes_past_the_cache(cached: CachedTweets, table: MemoryTable) -> None:
    tweet = table.create("Before.")
    cached.get(tweet.tweet_id)
    table.edit(tweet.tweet_id, "After.")
    assert cached.get(tweet.tweet_id).text == "Before."
    assert cached.get(tweet.tweet_id, consistent=True).text == "After."
    assert cached.get_many([tweet.tweet_id], consistent=True)[tweet.tweet_id].text == "After."


def test_get_many_asks_the_table_as_consistently_as_it_must(
    cached: CachedTweets, table: MemoryTable
) -> None:
    tweet, other, written = (table.create(str(number)) for number in range(3))
    cached.get_many([tweet.tweet_id, other.tweet_id], consistent=True)
    assert table.consistent_batches == [True]
    assert (cached.stats.hits, cached.stats.misses) == (0, 2)
    cached.edit(written.tweet_id, "Written.")
    cached.get_many([tweet.tweet_id, written.tweet_id, other.tweet_id])
    assert table.consistent_batches == [True, False, True]
    assert table.batches[1:] == [[tweet.tweet_id, other.tweet_id], [written.tweet_id]]
    assert (cached.stats.hits, cached.stats.misses, cached.stats.waits) == (0, 5, 0)
    cached.get(tweet.tweet_id, consistent=True)
    assert (cached.stats.hits, cached.stats.misses) == (0, 6)


def test_a_batch_takes_what_came_while_it_looked(
    cached: CachedTweets, table: MemoryTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    tweet, other, gone = table.create("Example tweet."), table.create("Other."), uuid4()
    cached.get_many([tweet.tweet_id, gone])
    monkeypatch.setattr(cached._store, "get_many", lambda ids: [None] * len(ids))
    found = cached.get_many([tweet.tweet_id, other.tweet_id, gone])
    assert found == {tweet.tweet_id: tweet, other.tweet_id: other}
    assert table.batches[1:] == [[other.tweet_id]]
    assert (cached.stats.hits, cached.stats.misses, cached.stats.waits) == (0, 5, 2)


def test_a_batch_that_the_table_fails_gives_its_leases_back(
    cached: CachedTweets, table: MemoryTable, client: Any
) -> None:
    tweets = [table.create(str(number)).tweet_id for number in range(3)]

    def throttle(tweet_id: UUID) -> None:
        assert client.exists(lease_of(tweet_id))
        raise RuntimeError("throttled")

    table.before_answer = throttle
    with pytest.raises(RuntimeError, match="throttled"):
        cached.get_many(tweets)
    assert not any(client.exists(lease_of(one)) for one in tweets)
    with pytest.raises(RuntimeError, match="throttled"):
        cached.get(tweets[0])
    assert not client.exists(lease_of(tweets[0]))


def test_for_two_seconds_after_a_write_the_table_is_read_consistently(
    cached: CachedTweets, table: MemoryTable, client: Any
) -> None:
    """Here for as long as a slow test takes: by the fixture ``written_just_now``."""
    assert SETTLING_MS == 2000
    tweet = table.create("Before.")
    cached.edit(tweet.tweet_id, "After.")
    written = lease_of(tweet.tweet_id).replace("lease", "written")
    assert 500_000 < client.pttl(written) <= 600_000
    client.delete(written)  # as its end would
    cached.get(tweet.tweet_id)
    assert table.consistent == [False]


def test_bad_ids_and_texts_are_refused_before_anything_is_asked(
    cached: CachedTweets, table: MemoryTable
) -> None:
    tweet = table.create("Example tweet.")
    for call in (
        lambda: cached.get("no id"),
        lambda: cached.get_many([tweet.tweet_id, "no id"]),
        lambda: cached.delete("no id"),
        lambda: cached.edit(tweet.tweet_id, " "),
    ):
        with pytest.raises(InvalidTweet):
            call()
    with pytest.raises(TweetNotFound):
        cached.edit(uuid4(), "There is none.")
    assert table.reads == []


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b"{}",
        b'{"tweet_id": 1}',
        b"[" * 100_000,
        b'{"version": 2, "tweet_id": "ID", "text": "No.", "created": "2026-01-01T00:00:00+00:00"}',
        b'{"tweet_id": "ID", "text": 5, "created": "2026-01-01T00:00:00+00:00"}',
        b'{"tweet_id": "ID", "text": "No.", "created": "2026-01-01T00:00:00"}',
        b'{"tweet_id": "ID", "text": "No.", "created": "yesterday"}',
        b'{"tweet_id": "ID", "missing": 1}',
    ],
)
def test_nonsense_is_read_over_and_mended(
    cached: CachedTweets, table: MemoryTable, client: Any, value: bytes
) -> None:
    tweet = table.create("Example tweet.")
    client.set(key(tweet.tweet_id), value.replace(b"ID", str(tweet.tweet_id).encode()))
    assert cached.read(tweet.tweet_id).tweet == tweet
    assert cached.stats.errors >= 1
    assert cached.read(tweet.tweet_id).source == "cache"
    client.set(key(tweet.tweet_id), value.replace(b"ID", str(tweet.tweet_id).encode()))
    assert cached.get_many([tweet.tweet_id]) == {tweet.tweet_id: tweet}
    assert client.get(key(tweet.tweet_id)) == encode(tweet)


def test_another_tweets_value_and_half_a_value_are_nonsense(
    cached: CachedTweets, table: MemoryTable, client: Any
) -> None:
    tweet, other = table.create("Example tweet."), table.create("Another.")
    for value in (encode(other), encode(tweet)[:-1], encode(tweet)[: len(encode(tweet)) // 2]):
        client.set(key(tweet.tweet_id), value)
        assert cached.get(tweet.tweet_id) == tweet
        assert client.get(key(tweet.tweet_id)) == encode(tweet)


def test_a_value_of_the_wrong_type_is_read_over_and_mended(
    cached: CachedTweets, table: MemoryTable, client: Any
) -> None:
    tweet = table.create("Example tweet.")
    client.rpush(key(tweet.tweet_id), "a list")
    assert cached.get(tweet.tweet_id) == tweet
    assert client.get(key(tweet.tweet_id)) == encode(tweet)
    client.delete(key(tweet.tweet_id))
    client.rpush(key(tweet.tweet_id), "a list")
    assert cached.get_many([tweet.tweet_id]) == {tweet.tweet_id: tweet}
    assert client.get(key(tweet.tweet_id)) == encode(tweet)


def test_a_client_that_decodes_will_do(table: MemoryTable, valkey_url: str) -> None:
    tweet = table.create("Zoë tweets 🐦")
    with redis.Redis.from_url(valkey_url, decode_responses=True) as client:
        cached = CachedTweets(table, client)
        assert [cached.get(tweet.tweet_id), cached.get(tweet.tweet_id)] == [tweet, tweet]
        assert cached.get_many([tweet.tweet_id]) == {tweet.tweet_id: tweet}
        with redis.Redis.from_url(valkey_url) as raw:
            raw.set(key(tweet.tweet_id), b"\xff\xfe")
        assert cached.get(tweet.tweet_id) == tweet
    assert (cached.stats.misses, len(table.reads)) == (2, 2)


@pytest.mark.parametrize(
    "options",
    [
        {"ttl": 0},
        {"ttl": 1.5},
        {"ttl": True},
        {"lease_seconds": 0},
        {"missing_ttl": -1},
        {"ttl": 10, "refresh_ahead": 10},
        {"refresh_ahead": -1},
        {"jitter": 1},
        {"local_ttl": -1},
        {"max_table_reads": 0},
        {"breaker_failures": 0},
    ],
)
def test_options_that_mean_nothing_are_refused(
    table: MemoryTable, client: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"not|more|least"):
        CachedTweets(table, client, **options)


def test_ids_may_be_given_in_any_case(cached: CachedTweets, table: MemoryTable) -> None:
    tweet = table.create("Example tweet.")
    assert cached.get(str(tweet.tweet_id).upper()) == cached.get(UUID(str(tweet.tweet_id))) == tweet
    assert cached.stats.hits == 1
