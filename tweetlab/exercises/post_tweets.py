"""Checks of lesson 02."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tweetlab.exercises.verdict import Remark, check
from tweetlab.tweets import Tweet, valid_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def _tweet(text: str) -> Tweet:
    """A tweet of that text; all have equally long dates, which now() has not."""
    return Tweet(uuid4(), valid_text(text), datetime(2015, 7, 1, 12, 0, 0, 1, UTC))


def _charge(dynamodb: DynamoDBClient, text: str) -> float:
    """Write units that DynamoDB charges for a tweet of that text. It does not stay."""
    item = _tweet(text).item
    answer = dynamodb.put_item(TableName="tweet", Item=item, ReturnConsumedCapacity="TOTAL")
    dynamodb.delete_item(TableName="tweet", Key={"tweet_id": item["tweet_id"]})
    return answer["ConsumedCapacity"]["CapacityUnits"]


@check(
    "a write unit pays for 1,024 bytes of the whole item. What is the `item_size` of a tweet with "
    "a text of one letter?"
)
def check_longest_text(longest: int | None, dynamodb: DynamoDBClient) -> Iterator[Remark]:
    """The most letters a tweet may have to be written with one write unit."""
    if not isinstance(longest, int):
        yield False, f"`longest` is `{longest}`, not a number of letters"
        return
    for letters, expected in ((longest, 1), (longest + 1, 2)):
        charged = _charge(dynamodb, "a" * letters)
        sentence = f"for {letters:,} letters DynamoDB charges {charged:g} WCU"
        if charged != expected:
            sentence += f", not {expected}: try {'fewer' if expected == 1 else 'more'}"
        yield charged == expected, sentence


@check("what does `len` count in a string, and what does DynamoDB count? Try `'🦉'.encode()`.")
def check_write_cost(
    answer: Callable[[dict[str, Any]], float], dynamodb: DynamoDBClient
) -> Iterator[Remark]:
    """The write units an item costs, against what DynamoDB charges."""
    for name, text in (
        ("a short tweet", "Good morning."),
        ("2,000 letters", "a" * 2000),
        ("300 owls", "🦉" * 300),
    ):
        charged = _charge(dynamodb, text)
        given = answer(_tweet(text).item)
        yield given == charged, f"{name}: DynamoDB charges {charged:g} WCU, you say `{given}`"
