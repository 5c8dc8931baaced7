"""The Redis that a lesson breaks: it does break, it comes back, and it leaves nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pandas as pd
import pytest
import redis

from tests.support.processes import children, gone
from tweetlab.cache import connect
from tweetlab.lab.breakable import BreakableRedis, replay_outage
from tweetlab.tweets.table import Read, Tweet


@pytest.fixture
def doomed() -> Iterator[BreakableRedis]:
    with BreakableRedis() as doomed:
        yield doomed


def test_hung_it_answers_nothing_and_resumed_it_knows_what_it_knew(doomed):
    with connect(doomed.url, timeout=10) as patient, connect(doomed.url) as impatient:
        patient.set("key", "value")
        doomed.hang()
        with pytest.raises(redis.TimeoutError):
            impatient.get("key")
        doomed.resume()
        assert patient.get("key") == b"value"


def test_killed_it_refuses_and_started_again_it_is_empty(doomed):
    with connect(doomed.url, timeout=10) as client:
        client.set("key", "value")
        doomed.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("key")
        doomed.start()
        assert client.get("key") is None


def test_starting_one_that_runs_changes_nothing(doomed):
    with connect(doomed.url, timeout=10) as client:
        client.set("key", "value")
        doomed.start()
        assert client.get("key") == b"value"


@pytest.mark.parametrize("state", ["running", "hung", "killed"])
def test_closed_it_leaves_no_process(state):
    before = children()
    doomed = BreakableRedis()
    started = children() - before
    assert len(started) >= 2
    if state == "hung":
        doomed.hang()
    if state == "killed":
        doomed.kill()
    doomed.close()
    doomed.close()
    assert gone(started)


class Reader:
    """Its second read waits for the outage, and the outage for that read, however slow they are."""

    def __init__(self) -> None:
        self.broken, self.noticed = threading.Event(), threading.Event()

    def fail(self) -> None:
        self.broken.set()

    def mend(self) -> None:
        assert self.noticed.wait(30)
        self.broken.clear()

    def read(self, tweet_id: UUID) -> Read:
        second = tweet_id.int == 1
        if second:
            assert self.broken.wait(30)
            self.noticed.set()
        tweet = Tweet(tweet_id, "Example tweet.", datetime.now(UTC))
        return Read(tweet, "table" if second else "cache", 0.0, retries=0, read_units=0.0)


def test_an_outage_says_which_reads_were_due_while_it_lasted():
    reader = Reader()
    requests = pd.DataFrame({"at": [0, 0.6], "tweet_id": [UUID(int=0), UUID(int=1)]})
    reads = replay_outage(reader, requests, reader.fail, reader.mend, begin=0.1, end=0.1)
    assert reads["down"].tolist() == [False, True]
    assert reads["source"].tolist() == ["cache", "table"]
    assert not reader.broken.is_set()
