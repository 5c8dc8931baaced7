"""Checks of the lessons' exercises: a module for each lesson, named like it.

A check looks at what an answer *does*: it calls the function, or asks DynamoDB and Redis what is
there now. It never raises because of an answer: it says what is right, what is not yet, and gives a
hint.
"""

from tweetlab.exercises.cache_hits_and_misses import check_edit_aside, check_remember
from tweetlab.exercises.create_the_table import (
    check_like_table,
    check_reads_per_second,
    check_was_throttled,
)
from tweetlab.exercises.defend_the_timeline import check_defended, check_one_ttl, check_shift
from tweetlab.exercises.hot_tweets import check_burst_lasts, check_copy_key
from tweetlab.exercises.post_tweets import check_longest_text, check_write_cost
from tweetlab.exercises.stampede import (
    check_keep_about,
    check_read_once,
    check_text_or_nothing,
)
from tweetlab.exercises.start_here import check_hello, check_own_client
from tweetlab.exercises.throttled_reads import (
    check_capacity_needed,
    check_cold_start,
    check_hit_ratio,
)
from tweetlab.exercises.verdict import Verdict
from tweetlab.exercises.when_the_cache_dies import check_read_anyway, check_reads_at_a_time

__all__ = [
    "Verdict",
    "check_burst_lasts",
    "check_capacity_needed",
    "check_cold_start",
    "check_copy_key",
    "check_defended",
    "check_edit_aside",
    "check_hello",
    "check_hit_ratio",
    "check_keep_about",
    "check_like_table",
    "check_longest_text",
    "check_one_ttl",
    "check_own_client",
    "check_read_anyway",
    "check_read_once",
    "check_reads_at_a_time",
    "check_reads_per_second",
    "check_remember",
    "check_shift",
    "check_text_or_nothing",
    "check_was_throttled",
    "check_write_cost",
]
