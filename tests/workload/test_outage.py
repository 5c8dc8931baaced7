"""A replay during an outage says which of its reads the outage met."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pandas as pd

from tweetlab import workload
from tweetlab.tweets import Read, Tweet


class Reader:
    """Its second read waits for the outage, and the outage for that read, however slow they are."""

    def __init__(self) -> None:
        self.broken, self.noticed = threading.Event(), threading.Event()

    def fail(self) -> None:
        self.broken.set()

    def repair(self) -> None:
        assert self.noticed.wait(60)
        self.broken.clear()

    def read(self, tweet_id: UUID) -> Read:
        second = tweet_id.int == 1
        if second:
            assert self.broken.wait(60)
            self.noticed.set()
        tweet = Tweet(tweet_id, "Example tweet.", datetime.now(UTC))
        return Read(tweet, "table" if second else "cache", 0.0, retries=0, read_units=0.0)


def test_an_outage_says_which_reads_were_due_while_it_lasted(monkeypatch):
    """By a clock that is looked at when the replay begins, and when the outage begins and ends."""
    looks = iter([100.0, 100.1, 101.0])
    clock = SimpleNamespace(monotonic=lambda: next(looks))
    monkeypatch.setattr("tweetlab.workload.outage.time", clock)
    reader = Reader()
    requests = pd.DataFrame({"at": [0, 0.6], "tweet_id": [UUID(int=0), UUID(int=1)]})
    reads = workload.replay_outage(reader, requests, reader.fail, reader.repair, begin=0.1, end=0.1)
    assert reads["down"].tolist() == [False, True]
    assert reads["source"].tolist() == ["cache", "table"]
    assert not reader.broken.is_set()
