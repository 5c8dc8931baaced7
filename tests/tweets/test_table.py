"""Tweets in a table, through the endpoint: in front of moto, and of Amazon's DynamoDB Local."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import free_port
from tests.support.serving import client
from tweetlab import (
    InvalidCapacity,
    InvalidTweet,
    TableMismatch,
    TableNotFound,
    TableUnavailable,
    Tweet,
    TweetlabError,
    TweetNotFound,
    TweetTable,
    UnreadableTweet,
)


@pytest.fixture
def tweets(server):
    table = TweetTable(server.dynamodb, read_capacity=1000, write_capacity=1000)
    table.create_table()
    yield table
    table.delete_table()


@pytest.fixture
def small(server):
    """A table of 1 RCU, whose waits let the clock go on; and the waits."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        server.clock.advance(1)

    table = TweetTable(
        server.dynamodb, write_capacity=1000, name="small", sleep=sleep, jitter=lambda: 1.0
    )
    table.create_table()
    yield table, waits
    table.delete_table()


# --- create, get, edit, delete ----------------------------------------------------------------


def test_a_tweet_is_read_as_it_was_created(tweets):
    before = datetime.now(UTC)
    tweet = tweets.create("Example tweet.")
    assert isinstance(tweet.tweet_id, UUID)
    assert tweet.text == "Example tweet."
    assert before <= tweet.created <= datetime.now(UTC)
    assert tweets.get(tweet.tweet_id) == tweet
    assert tweets.get(str(tweet.tweet_id), consistent=True) == tweet


def test_each_tweet_has_an_id_of_its_own(tweets):
    first, second = tweets.create("the same"), tweets.create("the same")
    assert first.tweet_id != second.tweet_id


@pytest.mark.parametrize(("consistent", "units"), [(False, 0.5), (True, 1)])
def test_a_read_says_what_it_took(tweets, consistent, units):
    tweet = tweets.create("Example tweet.")
    started = time.perf_counter()
    read = tweets.read(tweet.tweet_id, consistent)
    took = time.perf_counter() - started
    assert (read.tweet, read.source, read.read_units) == (tweet, "table", units)
    assert (read.retries, read.throttles) == (0, 0)
    assert 0 < read.seconds <= took


def test_a_long_tweet_consumes_more(tweets):
    tweet = tweets.create("x" * 10_000)
    assert tweets.read(tweet.tweet_id, consistent=True).read_units == 3


def test_an_edited_tweet_keeps_its_id_and_its_date(tweets):
    tweet = tweets.create("before")
    edited = tweets.edit(tweet.tweet_id, "after")
    assert edited == Tweet(tweet.tweet_id, "after", tweet.created)
    assert tweets.get(tweet.tweet_id, consistent=True) == edited


def test_a_deleted_tweet_is_gone(tweets):
    tweet = tweets.create("short-lived")
    tweets.delete(tweet.tweet_id)
    with pytest.raises(TweetNotFound):
        tweets.get(tweet.tweet_id, consistent=True)
    tweets.delete(tweet.tweet_id)


def test_a_tweet_that_is_not_there_is_not_found_and_editing_does_not_make_it(tweets):
    missing = uuid4()
    for ask in (tweets.get, tweets.read, lambda tweet_id: tweets.edit(tweet_id, "text")):
        with pytest.raises(TweetNotFound, match=str(missing)) as raised:
            ask(missing)
        assert raised.value.tweet_id == missing
    assert tweets.get_many([missing]) == {}


@pytest.mark.parametrize("tweet_id", ["", "1", "not a UUID", None, 5, b"x" * 16, "{}"], ids=repr)
def test_an_id_that_is_no_uuid_is_refused(tweets, tweet_id):
    for ask in (
        tweets.get,
        tweets.read,
        tweets.delete,
        lambda tweet_id: tweets.edit(tweet_id, "text"),
        lambda tweet_id: tweets.get_many([tweet_id]),
    ):
        with pytest.raises(InvalidTweet, match="is not a tweet's id"):
            ask(tweet_id)


# --- texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x", id="one character"),
        pytest.param("x" * 25_000, id="25,000 characters"),
        pytest.param("🐦" * 25_000, id="25,000 emoji, 100 KB"),
        pytest.param("👩‍👩‍👧‍👦 Ünïcödé \u202e العربية", id="joined emoji, right to left"),
        pytest.param("a\0b", id="zero byte"),
        pytest.param("\0", id="nothing but a zero byte"),
        pytest.param(' "quotes" \\ \n\t ', id="quotes and spaces"),
    ],
)
def test_texts_that_a_tweet_may_have(tweets, text):
    tweet = tweets.create(text)
    assert tweets.get(tweet.tweet_id, consistent=True).text == text
    assert tweets.edit(tweet.tweet_id, text).text == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "at least one character", id="empty"),
        pytest.param(" \n\t\u2003", "at least one character", id="blank"),
        pytest.param(None, "at least one character", id="none"),
        pytest.param(b"bytes", "at least one character", id="bytes"),
        pytest.param("x" * 25_001, "25,000 characters at most; this has 25,001", id="25,001"),
        pytest.param("🐦" * 25_001, "25,000 characters at most", id="25,001 emoji"),
        pytest.param("half \ud83d a pair", "half of a surrogate pair", id="lone surrogate"),
    ],
)
def test_texts_that_no_tweet_may_have_and_nothing_is_stored(server, tweets, text, message):
    tweet = tweets.create("before")
    with pytest.raises(InvalidTweet, match=message):
        tweets.create(text)
    with pytest.raises(InvalidTweet, match=message):
        tweets.edit(tweet.tweet_id, text)
    assert tweets.get(tweet.tweet_id, consistent=True) == tweet
    assert server.dynamodb.scan(TableName=tweets.name)["Count"] == 1


texts = st.text(min_size=1, max_size=200).filter(str.strip)


@pytest.fixture(scope="module")
def lasting(moto_server):
    """A table that lives through all examples."""
    tweets = TweetTable(moto_server.dynamodb, 1000, 1000, name="lasting")
    tweets.create_table()
    yield tweets
    tweets.delete_table()


@given(texts)
def test_any_text_comes_back_from_dynamodb_as_it_was(lasting, text):
    tweet = lasting.create(text)
    assert lasting.get(tweet.tweet_id) == tweet


# --- get_many ---------------------------------------------------------------------------------


def test_many_tweets_are_read_in_the_order_asked_each_once(tweets):
    made = [tweets.create(f"tweet {number}") for number in range(5)]
    ids = [tweet.tweet_id for tweet in reversed(made)]
    missing = uuid4()
    found = tweets.get_many([*ids, ids[0], str(ids[1]), missing], consistent=True)
    assert list(found.items()) == [(tweet.tweet_id, tweet) for tweet in reversed(made)]


def test_more_than_a_hundred_tweets_take_several_batches(server, tweets):
    made = [tweets.create(f"tweet {number}") for number in range(205)]
    with server.charged(tweets.name) as charged:
        found = tweets.get_many(tweet.tweet_id for tweet in made)
    assert found == {tweet.tweet_id: tweet for tweet in made}
    assert charged.reads == 205 * 0.5


def test_no_tweets_take_no_request():
    nowhere = TweetTable(client(f"http://127.0.0.1:{free_port()}"))
    assert nowhere.get_many([]) == {}


def test_what_dynamodb_leaves_unprocessed_is_asked_for_again(small):
    table, waits = small
    made = [table.create(f"tweet {number}") for number in range(7)]
    found = table.get_many([tweet.tweet_id for tweet in made])
    assert found == {tweet.tweet_id: tweet for tweet in made}
    # Two keys a second: of the unit there is, and of each second that passes.
    assert waits == [1, 2, 4]


def test_it_gives_up_on_keys_that_stay_unprocessed(small):
    table, waits = small
    made = [table.create(f"tweet {number}") for number in range(23)]
    with pytest.raises(ClientError, match="1 keys were still unprocessed") as raised:
        table.get_many([tweet.tweet_id for tweet in made])
    assert raised.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert waits == [1, 2, 4, 8, 16, 20, 20, 20, 20, 20]


# --- create_many ------------------------------------------------------------------------------


def test_many_tweets_are_created_in_the_order_of_their_texts(server, tweets):
    texts = [f"tweet {number}" for number in range(60)]
    with server.charged(tweets.name) as charged:
        made = tweets.create_many(iter(texts))
    assert [tweet.text for tweet in made] == texts
    assert len({tweet.tweet_id for tweet in made}) == 60
    dates = [tweet.created for tweet in made]
    assert dates == sorted(dates) and {date.tzinfo for date in dates} == {UTC}
    assert tweets.get_many([one.tweet_id for one in made], True) == {t.tweet_id: t for t in made}
    assert charged.writes == 60


def test_creating_many_takes_a_call_for_twenty_five(server, tweets):
    calls = []
    server.dynamodb.meta.events.register(
        "before-send.dynamodb", lambda **_: calls.append(1), unique_id="calls"
    )
    tweets.create_many(f"tweet {number}" for number in range(51))
    server.dynamodb.meta.events.unregister("before-send.dynamodb", unique_id="calls")
    assert len(calls) == 3


def test_creating_none_takes_no_request():
    nowhere = TweetTable(client(f"http://127.0.0.1:{free_port()}"))
    assert nowhere.create_many([]) == []


@pytest.mark.parametrize(
    "texts", [["fine", ""], ["fine"] * 30 + [None], ["x" * 25_001, "fine"], ["\ud83d"], "a text"]
)
def test_one_text_that_no_tweet_may_have_and_none_is_stored(server, tweets, texts):
    with pytest.raises(InvalidTweet):
        tweets.create_many(texts)
    assert server.dynamodb.scan(TableName=tweets.name)["Count"] == 0


def test_the_longest_texts_fit_into_a_call(tweets):
    made = tweets.create_many(["🐦" * 25_000] * 10)  # 98 WCU each
    assert tweets.get(made[9].tweet_id, consistent=True) == made[9]


@pytest.fixture
def slow(server):
    """A table of 1 WCU, whose waits let the clock go on by a second; and the waits."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        server.clock.advance(1)

    table = TweetTable(
        server.dynamodb, read_capacity=1000, name="slow", sleep=sleep, jitter=lambda: 1.0
    )
    table.create_table()
    yield table, waits
    table.delete_table()


def test_what_dynamodb_leaves_unwritten_is_sent_again(slow):
    table, waits = slow
    made = table.create_many(f"tweet {number}" for number in range(4))
    assert table.get_many([one.tweet_id for one in made], True) == {t.tweet_id: t for t in made}
    assert waits == [1, 2, 4]  # one at once, and one for each second


def test_it_waits_as_the_process_does_by_then(server, slow, monkeypatch):
    """gevent may replace time.sleep after this is imported: the old one stops all greenlets."""
    table, _ = slow
    by_default = TweetTable(server.dynamodb, name=table.name)
    monkeypatch.setattr("time.sleep", lambda seconds: server.clock.advance(1))
    assert len(by_default.create_many(["tweet"] * 4)) == 4


def test_a_call_of_which_nothing_can_be_written_is_sent_again_too(server, slow):
    table, waits = slow
    table.create("takes what there is")
    made = table.create_many(["tweet"])
    assert table.get(made[0].tweet_id, consistent=True) == made[0]
    assert waits == [1]


def test_it_gives_up_on_tweets_that_stay_unwritten_and_says_how_many_were_stored(server, slow):
    table, waits = slow
    with pytest.raises(ClientError) as raised:
        table.create_many(f"tweet {number}" for number in range(60))
    assert raised.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert "11 of 60 tweets were stored; the next 14 were still unproc" in str(raised.value)
    assert waits == [1, 2, 4, 8, 16, 20, 20, 20, 20, 20]
    assert server.dynamodb.scan(TableName=table.name)["Count"] == 11


def test_any_other_error_says_how_many_were_stored(tweets, monkeypatch):
    calls = iter([1, 2])

    def fail_third(**_):
        if not next(calls, None):
            raise ConnectionClosedError(endpoint_url="http://127.0.0.1")

    events = tweets._dynamodb.meta.events
    events.register("before-call.dynamodb.BatchWriteItem", fail_third, unique_id="fail")
    with pytest.raises(TableUnavailable) as raised:
        tweets.create_many(f"tweet {number}" for number in range(60))
    events.unregister("before-call.dynamodb.BatchWriteItem", unique_id="fail")
    assert raised.value.__notes__ == ["50 of 60 tweets were stored before."]


def test_tweets_that_there_are_already_are_copied_as_they_are(server, tweets):
    made = [Tweet(uuid4(), f"tweet {n}", datetime(2015, 5, 17, tzinfo=UTC)) for n in range(30)]
    tweets.put_many(made)
    assert tweets.get_many([one.tweet_id for one in made], True) == {t.tweet_id: t for t in made}


# --- items that another program wrote ---------------------------------------------------------


def put(tweets: TweetTable, **attributes: Any) -> UUID:
    """An item as another program may write it."""
    tweet_id = uuid4()
    item = {"tweet_id": {"S": str(tweet_id)}, **attributes}
    tweets._dynamodb.put_item(TableName=tweets.name, Item=item)
    return tweet_id


def test_a_date_without_a_zone_is_in_utc(tweets):
    """As the tweets of the example are that this workshop grew out of."""
    tweet_id = put(tweets, text={"S": "First!"}, created={"S": "2015-05-17 14:17:10.531644"})
    wanted = Tweet(tweet_id, "First!", datetime(2015, 5, 17, 14, 17, 10, 531644, UTC))
    assert tweets.get(tweet_id, consistent=True) == wanted
    assert tweets.get_many([tweet_id], consistent=True) == {tweet_id: wanted}
    assert tweets.edit(tweet_id, "Second!").created == wanted.created


def test_what_is_no_tweet_is_an_error_and_is_left_out_of_many(tweets):
    good = tweets.create("Example tweet.")
    no_date = put(tweets, text={"S": "When?"})
    no_text = put(tweets, created={"S": good.created.isoformat()}, text={"NULL": True})
    for ask in (tweets.get, tweets.read):
        with pytest.raises(UnreadableTweet, match=f"{no_date} is not a tweet's: 'created' is miss"):
            ask(no_date, consistent=True)
    found = tweets.get_many([no_text, good.tweet_id, no_date, uuid4()], consistent=True)
    assert found == {good.tweet_id: good}
    assert {one: error.attribute for one, error in found.unreadable.items()} == {
        no_text: "text",
        no_date: "created",
    }
    with pytest.raises(UnreadableTweet):
        tweets.edit(no_date, "Now.")
    assert tweets.edit(no_text, "Mended.") == tweets.get(no_text, consistent=True)
    tweets.delete(no_date)
    with pytest.raises(TweetNotFound):
        tweets.get(no_date, consistent=True)


# --- throttling -------------------------------------------------------------------------------


def test_a_throttled_read_raises_what_boto3_raises(server, small):
    table, _ = small
    tweet = table.create("hot")
    for _ in range(2):
        table.get(tweet.tweet_id)
    with pytest.raises(server.dynamodb.exceptions.ProvisionedThroughputExceededException):
        table.get(tweet.tweet_id)


def test_a_read_counts_its_retries_and_its_throttles(patient):
    table = TweetTable(patient, name="hot")
    table.create_table()
    tweet = table.create("hot")
    reads = [table.read(tweet.tweet_id) for _ in range(3)]
    assert {read.tweet for read in reads} == {tweet}
    # The new table has a second's worth, which is two reads. For the third boto3 has to wait.
    assert [(read.retries, read.throttles) for read in reads] == [(0, 0), (0, 0), (1, 1)]
    table.delete_table()


# --- the table --------------------------------------------------------------------------------


def throughput(server, name: str = "tweet") -> tuple[int, int]:
    provisioned = server.dynamodb.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]
    return provisioned["ReadCapacityUnits"], provisioned["WriteCapacityUnits"]


def test_creating_the_table_twice_keeps_its_tweets(server, tweets):
    tweet = tweets.create("still there")
    tweets.create_table()
    TweetTable(server.dynamodb, 1000, 1000).create_table()
    assert tweets.get(tweet.tweet_id) == tweet


def test_creating_it_with_another_throughput_changes_the_throughput(server, tweets):
    tweet = tweets.create("still there")
    TweetTable(server.dynamodb, read_capacity=7, write_capacity=8).create_table()
    assert throughput(server) == (7, 8)
    assert tweets.get(tweet.tweet_id) == tweet


def test_an_on_demand_table_gets_a_throughput(server):
    server.dynamodb.create_table(
        TableName="tweet",
        KeySchema=[{"AttributeName": "tweet_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "tweet_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tweets = TweetTable(server.dynamodb, read_capacity=2)
    tweets.create_table()
    assert throughput(server) == (2, 1)
    tweets.delete_table()


@pytest.mark.parametrize(
    ("keys", "types"),
    [
        pytest.param({"id": "HASH"}, {"id": "S"}, id="another name"),
        pytest.param({"tweet_id": "HASH"}, {"tweet_id": "N"}, id="another type"),
        pytest.param(
            {"tweet_id": "HASH", "created": "RANGE"},
            {"tweet_id": "S", "created": "S"},
            id="a sort key",
        ),
    ],
)
def test_a_table_with_another_key_is_refused_and_left_alone(server, keys, types):
    server.dynamodb.create_table(
        TableName="other",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
        ],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )
    try:
        with pytest.raises(TableMismatch, match="choose another name"):
            TweetTable(server.dynamodb, name="other").create_table()
        assert throughput(server, "other") == (5, 5)
    finally:
        server.dynamodb.delete_table(TableName="other")


def test_a_table_with_an_index_of_ones_own_is_still_a_table_of_tweets(server):
    server.dynamodb.create_table(
        TableName="tweet",
        KeySchema=[{"AttributeName": "tweet_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("author", "tweet_id")
        ],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-author",
                "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            }
        ],
    )
    tweets = TweetTable(server.dynamodb)
    tweets.create_table()
    tweet = tweets.create("Example tweet.")
    assert tweets.get(tweet.tweet_id) == tweet
    tweets.delete_table()


def test_a_deleted_table_can_be_deleted_again_and_created_anew(tweets):
    tweet = tweets.create("lost with it")
    tweets.delete_table()
    tweets.delete_table()
    tweets.create_table()
    with pytest.raises(TweetNotFound):
        tweets.get(tweet.tweet_id)


def every_call(tweets: TweetTable):
    """Each method that asks DynamoDB, ready to be called."""
    tweet_id = uuid4()
    return [
        lambda: tweets.create("text"),
        lambda: tweets.create_many(["text"]),
        lambda: tweets.get(tweet_id),
        lambda: tweets.read(tweet_id),
        lambda: tweets.get_many([tweet_id]),
        lambda: tweets.edit(tweet_id, "text"),
        lambda: tweets.delete(tweet_id),
    ]


def test_before_the_table_is_created_the_error_says_to_create_it(server):
    for call in every_call(TweetTable(server.dynamodb, name="not_yet")):
        with pytest.raises(TableNotFound, match=r"'not_yet' yet: call tweets.create_table\(\)"):
            call()


def test_a_server_that_is_down_is_named():
    url = f"http://127.0.0.1:{free_port()}"
    tweets = TweetTable(client(url))
    for call in (*every_call(tweets), tweets.create_table, tweets.delete_table):
        with pytest.raises(TableUnavailable, match=f"does not answer at {url}"):
            call()


@pytest.mark.parametrize("units", [0, -1, 1.5, True, "1", None, float("nan")], ids=repr)
def test_a_throughput_that_is_none_is_refused(moto_server, units):
    for arguments in ((units, 1), (1, units)):
        with pytest.raises(InvalidCapacity, match="whole number of capacity units, at least 1"):
            TweetTable(moto_server.dynamodb, *arguments)


def test_the_errors_can_be_caught_together_and_as_pythons_own():
    kinds = {InvalidTweet, InvalidCapacity, TweetNotFound, TableNotFound, TableMismatch}
    assert all(issubclass(kind, TweetlabError) for kind in {*kinds, TableUnavailable})
    assert issubclass(InvalidTweet, ValueError)
    assert issubclass(InvalidCapacity, ValueError)
    assert issubclass(TweetNotFound, LookupError)
