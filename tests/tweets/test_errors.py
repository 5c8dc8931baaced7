"""What each error says, in full: whoever reads one is in the middle of something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from tests.support.serving import Server, client
from tweetlab import InvalidTweet, TableMismatch, Tweet, TweetlabError, TweetTable, UnreadableTweet
from tweetlab.tweets import valid_id, valid_text

ID = UUID(int=1)
NOWHERE: Any = client("http://127.0.0.1:9")
FOREIGN = (
    ". Another program wrote it: have that give it what a tweet has, the strings 'text' and "
    "'created' (as 2015-05-17T14:17:10+00:00), or delete it: tweets.delete(tweet_id)."
)


def item(**attributes: Any) -> dict[str, Any]:
    return {"tweet_id": {"S": str(ID)}, "text": {"S": "Example tweet."}, **attributes}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: TweetTable(NOWHERE, read_capacity=0),
            "Provision a whole number of capacity units, at least 1, not 0.",
        ),
        (
            lambda: TweetTable(NOWHERE).create_many("a text"),
            "create_many takes a list of texts; for one there is create(text).",
        ),
        (
            lambda: valid_text(" "),
            "A tweet needs a text of at least one character that is not a space.",
        ),
        (
            lambda: valid_text("x" * 26_000),
            "A tweet has 25,000 characters at most; this has 26,000.",
        ),
        (
            lambda: valid_text("half \ud83d a pair"),
            "The text holds half of a surrogate pair: it is not Unicode.",
        ),
        (
            lambda: valid_id("my first tweet"),
            "'my first tweet' is not a tweet's id: an id is a UUID, such as tweet.tweet_id.",
        ),
        (
            lambda: valid_id("x" * 100),
            f"'{'x' * 59} is not a tweet's id: an id is a UUID, such as tweet.tweet_id.",
        ),
        (
            lambda: Tweet.from_item({"text": {"S": "Example tweet."}}),
            f"The item of unknown id is not a tweet's: 'tweet_id' is missing{FOREIGN}",
        ),
        (
            lambda: Tweet.from_item({"tweet_id": {"S": "42"}}),
            f"The item 42 is not a tweet's: 'tweet_id' is not a UUID{FOREIGN}",
        ),
        (
            lambda: Tweet.from_item(item(created={"N": "5"})),
            f"The item {ID} is not a tweet's: 'created' is of type N, not S, a string{FOREIGN}",
        ),
        (
            lambda: Tweet.from_item(item(created={"S": "\ud83d"})),
            f"The item {ID} is not a tweet's: 'created' holds half of a surrogate pair: it is not "
            f"Unicode{FOREIGN}",
        ),
        (
            lambda: Tweet.from_item(item(created={"S": "once upon a time" * 9})),
            f"The item {ID} is not a tweet's: 'created' is not a date and a time: "
            f"'{('once upon a time' * 9)[:59]}{FOREIGN}",
        ),
    ],
)
def test_an_error_says_what_to_do(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((InvalidTweet, UnreadableTweet, TweetlabError)) as raised:
        call()
    assert str(raised.value) == message


def test_a_table_that_is_not_one_of_tweets_is_named(moto_server: Server) -> None:
    name = moto_server.create_table()  # with a key ``id``
    with pytest.raises(TableMismatch) as raised:
        TweetTable(moto_server.dynamodb, name=name).create_table()
    moto_server.delete_tables()
    assert str(raised.value) == (
        f"A table {name!r} with another key exists already; delete it, or choose another name: "
        "TweetTable(..., name='my_tweets')."
    )


@pytest.mark.parametrize(
    ("operation", "call", "what"),
    [
        ("BatchGetItem", lambda table, ids: table.get_many(ids), "17 keys"),
        (
            "BatchWriteItem",
            lambda table, ids: table.create_many(map(str, ids)),
            "11 of 20 tweets were stored; the next 9",
        ),
    ],
)
def test_keys_that_stay_unprocessed_are_a_throttle(
    moto_server: Server,
    operation: str,
    call: Callable[[TweetTable, list[UUID]], object],
    what: str,
) -> None:
    """The table serves two reads, or a write, at once and for each of ten waits."""

    def sleep(seconds: float) -> None:
        moto_server.clock.advance(1)

    table = TweetTable(moto_server.dynamodb, name="busy", sleep=sleep)
    table.create_table()
    try:
        with pytest.raises(ClientError) as raised:
            call(table, [UUID(int=number) for number in range(39 if "Get" in operation else 20)])
    finally:
        table.delete_table()
    assert raised.value.operation_name == operation
    error = cast(dict[str, Any], raised.value.response)["Error"]
    assert error == {
        "Code": "ProvisionedThroughputExceededException",
        "Message": f"{what} were still unprocessed after 10 retries.",
    }
