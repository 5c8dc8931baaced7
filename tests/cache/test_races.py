"""An edit or a deletion is never undone by a reader that read the table before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.redises import Gate, MemoryTable, Valkey, in_threads, join, wait_until
from tweetlab import CachedTweets, TweetNotFound
from tweetlab.cache import Client, connect, key


class TimedOut(Exception):
    """The table did not answer in time, which does not say whether it did as told."""


@pytest.fixture
def other(valkey_url: str) -> Iterator[Client]:
    """Another process' client."""
    with connect(valkey_url, timeout=10) as client:
        yield client


@pytest.fixture(params=[True, False], ids=["single_flight", "each_for_itself"])
def here(request: pytest.FixtureRequest, table: MemoryTable, client: Client) -> CachedTweets:
    return CachedTweets(table, client, single_flight=request.param)


@pytest.fixture
def there(table: MemoryTable, other: Client) -> CachedTweets:
    """Another process' cache of the same table."""
    return CachedTweets(table, other)


@pytest.mark.parametrize("writer", ["here", "there"])
def test_a_slow_reader_does_not_put_back_what_an_edit_replaced(
    here: CachedTweets, table: MemoryTable, writer: str, request: pytest.FixtureRequest
) -> None:
    tweet = table.create("Before.")
    table.before_answer = gate = Gate()
    threads, results = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    request.getfixturevalue(writer).edit(tweet.tweet_id, "After.")
    gate.open()
    join(threads)
    assert results == [tweet]  # it began before the edit
    assert not here.redis.exists(key(tweet.tweet_id))
    assert here.get(tweet.tweet_id).text == "After."


def test_a_slow_reader_does_not_put_back_a_deleted_tweet(
    here: CachedTweets, there: CachedTweets, table: MemoryTable
) -> None:
    tweet = table.create("Before.")
    table.before_answer = gate = Gate()
    threads, _ = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    there.delete(tweet.tweet_id)
    gate.open()
    join(threads)
    with pytest.raises(TweetNotFound):
        here.get(tweet.tweet_id)


def test_a_slow_reader_that_found_nothing_does_not_hide_a_tweet_created_since(
    here: CachedTweets, there: CachedTweets, table: MemoryTable
) -> None:
    tweet = table.create("Example tweet.")
    table.delete(tweet.tweet_id)
    table.before_answer = gate = Gate()
    threads, results = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    table.tweets[tweet.tweet_id] = tweet
    there.edit(tweet.tweet_id, "Created.")
    gate.open()
    join(threads)
    assert isinstance(results[0], TweetNotFound)
    assert here.get(tweet.tweet_id).text == "Created."


def test_a_slow_batch_does_not_put_back_what_an_edit_replaced(
    here: CachedTweets, there: CachedTweets, table: MemoryTable
) -> None:
    tweet, untouched = table.create("Before."), table.create("Untouched.")
    ids = [tweet.tweet_id, untouched.tweet_id]
    table.before_answer = gate = Gate()
    threads, _ = in_threads(1, lambda: here.get_many(ids))
    gate.wait_for_reader()
    there.edit(tweet.tweet_id, "After.")
    gate.open()
    join(threads)
    assert not here.redis.exists(key(tweet.tweet_id))
    assert here.redis.exists(key(untouched.tweet_id))
    assert [one.text for one in here.get_many(ids).values()] == ["After.", "Untouched."]


def test_a_slow_refresh_does_not_put_back_what_an_edit_replaced(
    table: MemoryTable, client: Client, there: CachedTweets
) -> None:
    now = [0.0]
    here = CachedTweets(table, client, ttl=100, refresh_ahead=50, clock=lambda: now[0])
    tweet = table.create("Before.")
    here.get(tweet.tweet_id)
    now[0] = 60
    table.before_answer = gate = Gate()
    here.get(tweet.tweet_id)
    gate.wait_for_reader()
    there.edit(tweet.tweet_id, "After.")
    gate.open()
    wait_until(lambda: here.stats.refreshes)
    assert here.get(tweet.tweet_id).text == "After."


def test_who_reads_after_an_edit_does_not_share_a_read_from_before(
    table: MemoryTable, client: Client
) -> None:
    here = CachedTweets(table, client)
    tweet = table.create("Before.")
    table.before_answer = gate = Gate()
    early, _ = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    here.edit(tweet.tweet_id, "After.")
    late, results = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    gate.open()
    join(early + late)
    assert [one.text for one in results] == ["After."]


def test_who_reads_after_an_edit_elsewhere_does_not_share_a_read_from_before(
    table: MemoryTable, client: Client, there: CachedTweets
) -> None:
    here = CachedTweets(table, client)
    tweet = table.create("Before.")
    table.before_answer = gate = Gate()
    early, _ = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    there.edit(tweet.tweet_id, "After.")
    late, results = in_threads(8, lambda: here.get(tweet.tweet_id))
    wait_until(lambda: here.stats.misses == 9)
    gate.open()
    join(early + late)
    assert {one.text for one in results} == {"After."}


def test_a_reader_slower_than_its_lease_does_not_put_back_what_an_edit_replaced(
    table: MemoryTable, client: Client, there: CachedTweets
) -> None:
    here = CachedTweets(table, client)
    tweet = table.create("Before.")
    table.before_answer = gate = Gate()
    threads, _ = in_threads(1, lambda: here.get(tweet.tweet_id))
    gate.wait_for_reader()
    there.edit(tweet.tweet_id, "After.")
    table.before_answer = lambda tweet_id: None
    assert there.get(tweet.tweet_id).text == "After."  # with a lease of its own
    gate.open()
    join(threads)
    assert here.get(tweet.tweet_id).text == "After."


def test_a_write_that_may_have_been_made_drops_the_cached_tweet(
    here: CachedTweets, table: MemoryTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    tweet = table.create("Before.")
    here.get(tweet.tweet_id)

    def edit(tweet_id: Any, text: str) -> Any:
        MemoryTable.edit(table, tweet_id, text)
        raise TimedOut

    monkeypatch.setattr(table, "edit", edit)
    with pytest.raises(TimedOut):
        here.edit(tweet.tweet_id, "After.")
    assert here.get(tweet.tweet_id).text == "After."

    def delete(tweet_id: Any) -> None:
        MemoryTable.delete(table, tweet_id)
        raise TimedOut

    monkeypatch.setattr(table, "delete", delete)
    with pytest.raises(TimedOut):
        here.delete(tweet.tweet_id)
    with pytest.raises(TweetNotFound):
        here.get(tweet.tweet_id)


@pytest.mark.parametrize("fault", ["hung", "read-only"])
def test_a_write_that_redis_could_not_be_told_of_is_made_up_for(
    table: MemoryTable, server: Valkey, fault: str
) -> None:
    with connect(server.url) as mine, connect(server.url, 10) as theirs:
        here = CachedTweets(table, mine, breaker_pause=0.001)
        there = CachedTweets(table, theirs)
        tweet, gone = table.create("Before."), table.create("Gone.")
        for reader in (here, there):
            reader.get_many([tweet.tweet_id, gone.tweet_id])
        if fault == "hung":
            server.pause()
        else:
            theirs.execute_command("REPLICAOF", "127.0.0.1", 1)
        here.edit(tweet.tweet_id, "After.")
        here.delete(gone.tweet_id)
        assert here.stats.breaker != "closed"
        assert here.get(tweet.tweet_id).text == "After."
        with pytest.raises(TweetNotFound):
            here.get(gone.tweet_id)
        assert here.get_many([tweet.tweet_id, gone.tweet_id])[tweet.tweet_id].text == "After."
        if fault == "hung":
            server.resume()
        else:
            theirs.execute_command("REPLICAOF", "NO", "ONE")
        wait_until(lambda: here.get(tweet.tweet_id) and here.stats.breaker == "closed")
        assert there.get(tweet.tweet_id).text == "After."
        assert there.get_many([gone.tweet_id]) == {}


def test_what_a_hung_redis_does_late_is_made_up_for(table: MemoryTable, server: Valkey) -> None:
    """The reader's SET and the writer's DEL lie in its sockets when it hangs."""
    with connect(server.url) as mine, connect(server.url) as theirs:
        writer = CachedTweets(table, mine, breaker_pause=0.001)
        reader = CachedTweets(table, theirs, breaker_pause=0.001)
        tweet = table.create("Before.")
        table.before_answer = gate = Gate()
        threads, _ = in_threads(1, lambda: reader.get(tweet.tweet_id))
        gate.wait_for_reader()
        server.pause()
        writer.edit(tweet.tweet_id, "After.")
        gate.open()
        join(threads)
        server.resume()
        wait_until(lambda: writer.get(tweet.tweet_id) and writer.stats.breaker == "closed")
        assert reader.get(tweet.tweet_id).text == "After."


def test_what_is_owed_to_a_redis_that_fails_again_is_still_owed(
    table: MemoryTable, server: Valkey
) -> None:
    jobs: list[Any] = []
    with connect(server.url) as client:
        here = CachedTweets(table, client, breaker_pause=0, background=jobs.append)
        tweet = table.create("Before.")
        here.get(tweet.tweet_id)
        server.pause()
        here.edit(tweet.tweet_id, "After.")
        here.get(tweet.tweet_id)
        jobs.pop()()
        assert here.stats.breaker == "open"
        server.resume()
        here.get(tweet.tweet_id)
        assert here.stats.breaker == "half-open"
        here.edit(tweet.tweet_id, "At last.")  # while it is being tried

        def is_back() -> bool:
            here.get(tweet.tweet_id)
            jobs.pop()()
            return here.stats.breaker == "closed"

        wait_until(is_back)
        assert here.get(tweet.tweet_id).text == "At last."
