"""tweetlab: throttled reads and caching, on a laptop."""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_PUBLIC = {
    "cache": ["CacheStats", "CachedTweets"],
    "errors": [
        "InvalidCapacity",
        "InvalidPolicy",
        "InvalidTweet",
        "LabError",
        "NothingAnswered",
        "TableBusy",
        "TableMismatch",
        "TableNotFound",
        "TableUnavailable",
        "TweetNotFound",
        "TweetlabError",
        "UnreadableTweet",
    ],
    "lab": ["Lab", "start"],
    "simulate": ["timeline"],
    "tweets": ["Read", "Tweet", "TweetTable", "sample_texts"],
}
"""What a lesson finds in ``tweetlab`` itself, by the room that has it."""

if TYPE_CHECKING:  # a type checker sees all that these rooms have
    from tweetlab.cache import *  # noqa: F403
    from tweetlab.errors import *  # noqa: F403
    from tweetlab.lab import *  # noqa: F403
    from tweetlab.simulate import *  # noqa: F403
    from tweetlab.tweets import *  # noqa: F403
else:
    _ROOMS = {name: room for room, names in _PUBLIC.items() for name in names}
    __all__ = ["__version__", *_ROOMS]

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used: ``tweetlab doctor`` must run on a machine
        where a package is missing that another part of tweetlab needs.
        """
        if name not in _ROOMS:
            raise AttributeError(f"module 'tweetlab' has no attribute {name!r}")
        value = getattr(import_module(f"tweetlab.{_ROOMS[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
