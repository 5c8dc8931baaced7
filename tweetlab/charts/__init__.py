"""The figures, a file for each lesson, named like it. Each chart makes one point, says it in its
title, and can be read without colour; its ``caption`` says the same in words, with the numbers
behind it. Each raises ValueError for rows without the columns that it needs.

drawing  the figure, its style and its labels, for all of them
wording  numbers as words
"""

from tweetlab.charts.cache_hits_and_misses import hit_ratio, hits_and_misses, popularity
from tweetlab.charts.defend_the_timeline import scoreboard, shift
from tweetlab.charts.drawing import STYLE, Chart
from tweetlab.charts.hot_tweets import heat_map, minute, remedies
from tweetlab.charts.stampede import expiries, readers
from tweetlab.charts.throttled_reads import provisioned, throttling
from tweetlab.charts.when_the_cache_dies import cold_start, outage

__all__ = [
    "STYLE",
    "Chart",
    "cold_start",
    "expiries",
    "heat_map",
    "hit_ratio",
    "hits_and_misses",
    "minute",
    "outage",
    "popularity",
    "provisioned",
    "readers",
    "remedies",
    "scoreboard",
    "shift",
    "throttling",
]
