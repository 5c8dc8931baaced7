"""tweetlab: throttled reads and caching, on a laptop."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tweetlab.cache import CachedTweets, CacheStats
    from tweetlab.errors import (
        InvalidCapacity,
        InvalidPolicy,
        InvalidTweet,
        LabError,
        NothingAnswered,
        TableBusy,
        TableMismatch,
        TableNotFound,
        TableUnavailable,
        TweetlabError,
        TweetNotFound,
    )
    from tweetlab.lab import Lab, start
    from tweetlab.simulate import timeline
    from tweetlab.tweets import Read, Tweet, TweetTable

__version__ = "0.1.0"

__all__ = [
    "CacheStats",
    "CachedTweets",
    "InvalidCapacity",
    "InvalidPolicy",
    "InvalidTweet",
    "Lab",
    "LabError",
    "NothingAnswered",
    "Read",
    "TableBusy",
    "TableMismatch",
    "TableNotFound",
    "TableUnavailable",
    "Tweet",
    "TweetNotFound",
    "TweetTable",
    "TweetlabError",
    "__version__",
    "start",
    "timeline",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used: ``tweetlab doctor`` must run on a machine
        where a package is missing that another part of tweetlab needs.
        """
        if name in __all__:
            for home in ("errors", "tweets", "cache", "lab", "simulate"):
                module = import_module(f"tweetlab.{home}")
                if hasattr(module, name):
                    globals()[name] = getattr(module, name)
                    return globals()[name]
        raise AttributeError(f"module 'tweetlab' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
