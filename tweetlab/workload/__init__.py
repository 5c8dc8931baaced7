"""Reads as many readers make them: which tweet, when, and what became of each."""

from tweetlab.workload.run import Summary, popularity, replay, summary, times_and_ids, zipf

__all__ = ["Summary", "popularity", "replay", "summary", "times_and_ids", "zipf"]
