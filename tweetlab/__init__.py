"""tweetlab: throttled reads and caching, on a laptop."""

from tweetlab.cache import CachedTweets, CacheStats
from tweetlab.errors import (
    InvalidCapacity,
    InvalidTweet,
    LabError,
    NothingAnswered,
    TableMismatch,
    TableNotFound,
    TableUnavailable,
    TweetlabError,
    TweetNotFound,
)
from tweetlab.lab import Lab, start
from tweetlab.tweets import Read, Tweet, TweetTable

__version__ = "0.1.0"

__all__ = [
    "CacheStats",
    "CachedTweets",
    "InvalidCapacity",
    "InvalidTweet",
    "Lab",
    "LabError",
    "NothingAnswered",
    "Read",
    "TableMismatch",
    "TableNotFound",
    "TableUnavailable",
    "Tweet",
    "TweetNotFound",
    "TweetTable",
    "TweetlabError",
    "__version__",
    "start",
]
