"""Checks of the lessons' exercises: a module for each lesson, named like it.

A check looks at what an answer *does*: it calls the function, or asks DynamoDB and Redis what is
there now. It never raises because of an answer: it says what is right, what is not yet, and gives a
hint.
"""

from tweetlab.exercises.cache_hits_and_misses import *
from tweetlab.exercises.create_the_table import *
from tweetlab.exercises.defend_the_timeline import *
from tweetlab.exercises.hot_tweets import *
from tweetlab.exercises.post_tweets import *
from tweetlab.exercises.stampede import *
from tweetlab.exercises.start_here import *
from tweetlab.exercises.throttled_reads import *
from tweetlab.exercises.verdict import Verdict
from tweetlab.exercises.when_the_cache_dies import *

__all__ = ["Verdict", *(name for name in dir() if name.startswith("check_"))]


def __dir__() -> list[str]:
    return __all__  # not what the lessons' files import
