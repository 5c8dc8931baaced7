"""Tweets in a DynamoDB table: one item a tweet, found by its ``tweet_id``."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from tweetlab.capacity import BATCH_KEYS, BATCH_WRITES
from tweetlab.errors import (
    InvalidCapacity,
    InvalidTweet,
    TableMismatch,
    TableNotFound,
    TableUnavailable,
    TweetNotFound,
    UnreadableTweet,
)
from tweetlab.tweets.forks import begin_in_each_child
from tweetlab.tweets.throttles import THROTTLING_CODES, count_throttles, watch
from tweetlab.tweets.tweet import FoundTweets, Read, Tweet, item_key, valid_id, valid_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_RETRIES = 10


class TweetTable:
    """The tweets in DynamoDB, through a boto3 low-level client.

    A request that DynamoDB throttles until botocore gives up raises botocore's own
    ``ClientError`` with the code ``ProvisionedThroughputExceededException``. Every method raises
    TableNotFound before ``create_table()`` and TableUnavailable when the server does not answer.
    """

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        read_capacity: int = 1,
        write_capacity: int = 1,
        name: str = "tweet",
        sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds),  # or gevent's
        jitter: Callable[[], float] = random.random,
    ) -> None:
        for units in (read_capacity, write_capacity):
            if not isinstance(units, int) or isinstance(units, bool) or units < 1:
                raise InvalidCapacity(
                    f"Provision a whole number of capacity units, at least 1, not {units!r}."
                )
        self.name = name
        self.read_capacity = read_capacity
        self.write_capacity = write_capacity
        self._dynamodb = dynamodb
        watch(dynamodb)
        self._sleep = sleep
        self._jitter = jitter
        begin_in_each_child(self._forget_connections)

    def _forget_connections(self) -> None:
        """They are the parent's: each would read the other's answers."""
        self._dynamodb.close()  # botocore opens others when it needs them

    def create_table(self) -> None:
        """Create the table and wait until it is ACTIVE; do nothing where it already is.

        An existing table gets this object's throughput. Raises TableMismatch for a table of the
        same name with another key.
        """
        key_schema: list[Any] = [{"AttributeName": "tweet_id", "KeyType": "HASH"}]
        attribute: Any = {"AttributeName": "tweet_id", "AttributeType": "S"}
        throughput: Any = {
            "ReadCapacityUnits": self.read_capacity,
            "WriteCapacityUnits": self.write_capacity,
        }
        with self._errors():
            with suppress(self._dynamodb.exceptions.ResourceInUseException):
                self._dynamodb.create_table(
                    TableName=self.name,
                    KeySchema=key_schema,
                    AttributeDefinitions=[attribute],
                    ProvisionedThroughput=throughput,
                )
            self._wait_for("table_exists")
            table = self._dynamodb.describe_table(TableName=self.name)["Table"]
            if table["KeySchema"] != key_schema or attribute not in table["AttributeDefinitions"]:
                raise TableMismatch(
                    f"A table {self.name!r} with another key exists already; delete it, or choose "
                    "another name: TweetTable(..., name='my_tweets')."
                )
            provisioned = table["ProvisionedThroughput"]
            if any(provisioned.get(name) != units for name, units in throughput.items()):
                self._dynamodb.update_table(
                    TableName=self.name,
                    BillingMode="PROVISIONED",
                    ProvisionedThroughput=throughput,
                )
                self._wait_for("table_exists")

    def delete_table(self) -> None:
        """Delete the table with its tweets; do nothing where there is none."""
        with self._errors():
            try:
                self._dynamodb.delete_table(TableName=self.name)
            except self._dynamodb.exceptions.ResourceNotFoundException:
                return
            self._wait_for("table_not_exists")

    def _wait_for(self, state: Literal["table_exists", "table_not_exists"]) -> None:
        waiter = self._dynamodb.get_waiter(state)
        waiter.wait(TableName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    def create(self, text: str) -> Tweet:
        """Store a new tweet of 1 to 25,000 characters; raises InvalidTweet for any other text."""
        tweet = Tweet(uuid4(), valid_text(text), datetime.now(UTC))
        with self._errors():
            self._dynamodb.put_item(TableName=self.name, Item=tweet.item)
        return tweet

    def create_many(self, texts: Iterable[str]) -> list[Tweet]:
        """Store new tweets by BatchWriteItem, 25 a call; in the order of their texts.

        All texts are checked before the first tweet is stored. What DynamoDB leaves unprocessed is
        sent again as in ``get_many``. An error says how many tweets were stored before.
        """
        if isinstance(texts, str):
            raise InvalidTweet("create_many takes a list of texts; for one there is create(text).")
        checked = [valid_text(text) for text in texts]
        tweets = [Tweet(uuid4(), text, datetime.now(UTC)) for text in checked]
        self.put_many(tweets)
        return tweets

    def put_many(self, tweets: Sequence[Tweet]) -> None:
        """Store tweets that there are already, as in another table, with their ids and dates, by
        the same calls.
        """
        stored = 0

        def put(requests: list[Any]) -> list[Any]:
            nonlocal stored
            try:
                answer = self._dynamodb.batch_write_item(RequestItems={self.name: requests})
            except ClientError as error:
                if error.response["Error"]["Code"] not in THROTTLING_CODES:
                    raise
                return requests  # not one of them could be written
            left = answer.get("UnprocessedItems", {}).get(self.name, [])
            stored += len(requests) - len(left)
            return list(left)

        requests: list[Any] = [{"PutRequest": {"Item": tweet.item}} for tweet in tweets]
        try:
            left = self._in_batches(requests, BATCH_WRITES, put)
        except Exception as error:
            error.add_note(f"{stored} of {len(tweets)} tweets were stored before.")
            raise
        if left:
            done = f"{stored} of {len(tweets)} tweets were stored"
            raise _gave_up("BatchWriteItem", f"{done}; the next {len(left)}")

    def get(self, tweet_id: UUID | str, consistent: bool = False) -> Tweet:
        """The tweet of that id; raises TweetNotFound, InvalidTweet if it is not a UUID, and
        UnreadableTweet if what another program stored there is no tweet.

        An eventually consistent read costs half the units but may miss the latest second's writes.
        """
        return self.read(tweet_id, consistent).tweet

    def read(self, tweet_id: UUID | str, consistent: bool = False) -> Read:
        """The same, with the time, the retries and the units it took."""
        tweet_id = valid_id(tweet_id)
        started = time.perf_counter()
        with self._errors(), count_throttles() as throttles:
            answer = self._dynamodb.get_item(
                TableName=self.name,
                Key=item_key(tweet_id),
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
            )
        if "Item" not in answer:
            raise TweetNotFound(tweet_id)
        return Read(
            tweet=Tweet.from_item(answer["Item"]),
            source="table",
            seconds=time.perf_counter() - started,
            retries=answer["ResponseMetadata"]["RetryAttempts"],
            read_units=answer["ConsumedCapacity"]["CapacityUnits"],
            throttles=throttles.count,
        )

    def get_many(self, tweet_ids: Iterable[UUID | str], consistent: bool = False) -> FoundTweets:
        """The tweets of those ids that exist, by BatchGetItem; each id is read once.

        What DynamoDB leaves unprocessed because of throttling is asked for again, after a wait
        that doubles, up to ten times; then ClientError is raised as for any throttled call. Items
        that are no tweets are left out: ``unreadable`` of what is returned has them.
        """
        wanted = list(dict.fromkeys(map(valid_id, tweet_ids)))
        found = FoundTweets()

        def get(keys: list[Any]) -> list[Any]:
            answer = self._dynamodb.batch_get_item(
                RequestItems={self.name: {"Keys": keys, "ConsistentRead": consistent}}
            )
            for item in answer["Responses"].get(self.name, []):
                tweet_id = UUID(item["tweet_id"]["S"])
                try:
                    found[tweet_id] = Tweet.from_item(item)
                except UnreadableTweet as error:
                    found.unreadable[tweet_id] = error
            unprocessed = answer.get("UnprocessedKeys", {}).get(self.name)
            return list(unprocessed["Keys"]) if unprocessed else []

        left = self._in_batches(list(map(item_key, wanted)), BATCH_KEYS, get)
        if left:
            raise _gave_up("BatchGetItem", f"{len(left)} keys")
        return found.in_order(wanted)

    def _in_batches(
        self, requests: list[Any], size: int, call: Callable[[list[Any]], list[Any]]
    ) -> list[Any]:
        """Have ``call`` process the requests, so many at a time, and again those that it returns.

        Gives those of the first batch that were still not processed after the last try, if any.
        """
        with self._errors():
            for start in range(0, len(requests), size):
                left = requests[start : start + size]
                for attempt in range(BATCH_RETRIES + 1):
                    if attempt:
                        # botocore does not retry what is unprocessed. Jitter keeps clients apart.
                        self._sleep(self._jitter() * min(2 ** (attempt - 1), 20))
                    left = call(left)
                    if not left:
                        break
                else:
                    return left
        return []

    def edit(self, tweet_id: UUID | str, text: str) -> Tweet:
        """Give an existing tweet a new text; raises as ``create`` and ``get`` do. If it raises
        UnreadableTweet, the text was changed all the same.
        """
        tweet_id = valid_id(tweet_id)
        with self._errors():
            try:
                answer = self._dynamodb.update_item(
                    TableName=self.name,
                    Key=item_key(tweet_id),
                    UpdateExpression="SET #text = :text",
                    ConditionExpression="attribute_exists(tweet_id)",
                    ExpressionAttributeNames={"#text": "text"},
                    ExpressionAttributeValues={":text": {"S": valid_text(text)}},
                    ReturnValues="ALL_NEW",
                )
            except self._dynamodb.exceptions.ConditionalCheckFailedException:
                raise TweetNotFound(tweet_id) from None
        return Tweet.from_item(answer["Attributes"])

    def delete(self, tweet_id: UUID | str) -> None:
        """Delete a tweet; do nothing where there is none, as DynamoDB does."""
        with self._errors():
            self._dynamodb.delete_item(TableName=self.name, Key=item_key(valid_id(tweet_id)))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._dynamodb.exceptions.ResourceNotFoundException:
            raise TableNotFound(self.name) from None
        except (ConnectionError, HTTPClientError) as error:
            raise TableUnavailable(self._dynamodb.meta.endpoint_url) from error


def _gave_up(operation: str, what: str) -> ClientError:
    message = f"{what} were still unprocessed after {BATCH_RETRIES} retries."
    error: Any = {"Code": "ProvisionedThroughputExceededException", "Message": message}
    return ClientError({"Error": error}, operation)
