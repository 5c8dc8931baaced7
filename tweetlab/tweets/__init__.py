"""The tweets in DynamoDB: one item a tweet, found by its ``tweet_id``.

tweet      Tweet, Read, and which texts and ids are valid
table      TweetTable: creates the table, and reads and writes tweets there
throttles  which errors are throttles, and how many there were
samples    texts to post, from tweets.csv
"""

from tweetlab.tweets.samples import sample_texts
from tweetlab.tweets.table import TweetTable
from tweetlab.tweets.throttles import ATTEMPTS, THROTTLING_CODES
from tweetlab.tweets.tweet import FoundTweets, Read, Tweet, valid_id, valid_text

__all__ = [
    "ATTEMPTS",
    "THROTTLING_CODES",
    "FoundTweets",
    "Read",
    "Tweet",
    "TweetTable",
    "sample_texts",
    "valid_id",
    "valid_text",
]
