"""Reads as many readers make them: which tweet, when, and what became of each.

requests   which tweet is read when: zipf(), by Zipf's law
run        replay() makes these reads, with a row for each, and summary() gives a few numbers
open_loop  each read is made at its own time, whether or not those before it are done
outage     replay_outage(): the same while something fails
"""

from tweetlab.workload.open_loop import Reader
from tweetlab.workload.outage import replay_outage
from tweetlab.workload.requests import popularity, times_and_ids, zipf
from tweetlab.workload.run import replay, summary

__all__ = [
    "Reader",
    "popularity",
    "replay",
    "replay_outage",
    "summary",
    "times_and_ids",
    "zipf",
]
