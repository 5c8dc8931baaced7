"""The Redis that a lesson breaks: it does break, it comes back, and it leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.support.processes import children, gone
from tweetlab.cache import connect
from tweetlab.lab.breakable import BreakableRedis


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
