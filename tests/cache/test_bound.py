"""The table is not run over when the cache is lost."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.support.redises import Gate, MemoryTable, Valkey, in_threads, join, wait_until
from tweetlab import CachedTweets, TableBusy, TweetlabError
from tweetlab.cache import Client, connect


def test_readers_beyond_the_bound_get_a_clear_error_soon(
    table: MemoryTable, server: Valkey
) -> None:
    server.kill()
    with connect(server.url) as client:
        cached = CachedTweets(table, client, max_table_reads=4)
        tweets = [table.create(str(number)) for number in range(32)]
        wanted = iter(tweets)
        table.before_answer = gate = Gate()
        threads, results = in_threads(32, lambda: cached.get(next(wanted).tweet_id))
        wait_until(lambda: len(results) == 28)  # while four are still reading
        gate.open()
        join(threads)
        assert all(isinstance(error, TableBusy) for error in results[:28])
        assert str(results[0]).startswith("The cache already has 4 reads of the table under way")
        assert set(results[28:]) < set(tweets)
        assert len(table.reads) == 4 and cached.stats.refused == 28
        assert cached.get(tweets[0].tweet_id) == tweets[0]  # its turn was given back


def test_batches_and_consistent_reads_are_bounded_too(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, max_table_reads=1)
    tweet, other = table.create("Example tweet."), table.create("Other.")
    cached.get(other.tweet_id)
    table.before_answer = gate = Gate()
    threads, _ = in_threads(1, lambda: cached.get(tweet.tweet_id, consistent=True))
    gate.wait_for_reader()
    for read in (
        lambda: cached.get_many([tweet.tweet_id, other.tweet_id]),
        lambda: cached.get_many([tweet.tweet_id], consistent=True),
        lambda: cached.get(other.tweet_id, consistent=True),
    ):
        with pytest.raises(TableBusy):
            read()
    assert cached.get(other.tweet_id) == other  # a hit needs no table
    gate.open()
    join(threads)


def test_who_was_refused_left_no_lease_behind(table: MemoryTable, client: Client) -> None:
    naps: list[float] = []
    cached = CachedTweets(table, client, max_table_reads=1, sleep=naps.append)
    tweet, other = table.create("Example tweet."), table.create("Other.")
    table.before_answer = gate = Gate()
    threads, _ = in_threads(1, lambda: cached.get(other.tweet_id))
    gate.wait_for_reader()
    with pytest.raises(TableBusy):
        cached.get(tweet.tweet_id)
    gate.open()
    join(threads)
    assert cached.get(tweet.tweet_id) == tweet
    assert naps == []


def test_a_turn_is_given_back_when_the_table_fails(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, max_table_reads=1)
    tweet = table.create("Example tweet.")

    def fail(tweet_id: UUID) -> None:
        raise RuntimeError("throttled")

    table.before_answer = fail
    for _ in range(3):
        with pytest.raises(RuntimeError):
            cached.get(tweet.tweet_id)
        with pytest.raises(RuntimeError):
            cached.get_many([tweet.tweet_id])


def test_without_a_bound_all_read(table: MemoryTable, client: Client) -> None:
    cached = CachedTweets(table, client, max_table_reads=None)
    tweets = [table.create(str(number)) for number in range(100)]
    wanted = iter(tweets)
    table.before_answer = gate = Gate()
    threads, _ = in_threads(100, lambda: cached.get(next(wanted).tweet_id))
    for _ in range(100):
        gate.wait_for_reader()
    gate.open()
    join(threads)
    assert cached.stats.refused == 0


def test_the_error_is_tweetlabs_own() -> None:
    assert issubclass(TableBusy, TweetlabError)
