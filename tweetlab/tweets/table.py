"""Tweets in a DynamoDB table: one item a tweet, found by its ``tweet_id``."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from tweetlab.capacity import BATCH_KEYS
from tweetlab.errors import (
    InvalidCapacity,
    TableMismatch,
    TableNotFound,
    TableUnavailable,
    TweetNotFound,
)
from tweetlab.tweets.forks import begin_in_each_child
from tweetlab.tweets.throttles import count_throttles, watch
from tweetlab.tweets.tweet import Read, Tweet, item_key, valid_id, valid_text

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
        sleep: Callable[[float], None] = time.sleep,
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

    def get(self, tweet_id: UUID | str, consistent: bool = False) -> Tweet:
        """The tweet of that id; raises TweetNotFound, or InvalidTweet if it is not a UUID.

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

    def get_many(
        self, tweet_ids: Iterable[UUID | str], consistent: bool = False
    ) -> dict[UUID, Tweet]:
        """The tweets of those ids that exist, by BatchGetItem; each id is read once.

        What DynamoDB leaves unprocessed because of throttling is asked for again, after a wait
        that doubles, up to ten times; then ClientError is raised as for any throttled call.
        """
        wanted = list(dict.fromkeys(map(valid_id, tweet_ids)))
        found = {}
        with self._errors():
            for start in range(0, len(wanted), BATCH_KEYS):
                keys = [item_key(tweet_id) for tweet_id in wanted[start : start + BATCH_KEYS]]
                for item in self._batch_get(keys, consistent):
                    tweet = Tweet.from_item(item)
                    found[tweet.tweet_id] = tweet
        return {tweet_id: found[tweet_id] for tweet_id in wanted if tweet_id in found}

    def _batch_get(self, keys: list[Any], consistent: bool) -> Iterator[Any]:
        for attempt in range(BATCH_RETRIES + 1):
            if attempt:
                # botocore does not retry what is unprocessed. The jitter keeps clients apart.
                self._sleep(self._jitter() * min(2 ** (attempt - 1), 20))
            answer = self._dynamodb.batch_get_item(
                RequestItems={self.name: {"Keys": keys, "ConsistentRead": consistent}}
            )
            yield from answer["Responses"].get(self.name, [])
            unprocessed = answer.get("UnprocessedKeys", {}).get(self.name)
            if not unprocessed:
                return
            keys = list(unprocessed["Keys"])
        error: Any = {
            "Code": "ProvisionedThroughputExceededException",
            "Message": f"{len(keys)} keys were still unprocessed after {BATCH_RETRIES} retries.",
        }
        raise ClientError({"Error": error}, "BatchGetItem")

    def edit(self, tweet_id: UUID | str, text: str) -> Tweet:
        """Give an existing tweet a new text; raises as ``create`` and ``get`` do."""
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
