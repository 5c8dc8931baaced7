"""The tweets in DynamoDB: one item a tweet, found by its ``tweet_id``."""

from tweetlab.tweets.table import (
    Read,
    Tweet,
    TweetTable,
    from_item,
    to_item,
    valid_id,
    valid_text,
)
from tweetlab.tweets.throttles import THROTTLING_CODES

__all__ = [
    "THROTTLING_CODES",
    "Read",
    "Tweet",
    "TweetTable",
    "from_item",
    "to_item",
    "valid_id",
    "valid_text",
]
