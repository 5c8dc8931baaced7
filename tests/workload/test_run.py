"""Replays, and what a run says of them. No test waits for time to pass."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import boto3
import numpy as np
import pandas as pd
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import tweetlab
from tests.support.serving import Clock
from tweetlab import workload
from tweetlab.cache import CachedTweets, encode, key
from tweetlab.errors import NothingAnswered, TweetNotFound
from tweetlab.tweets import THROTTLING_CODES, Read, Tweet, TweetTable
from tweetlab.workload.open_loop import POLL
from tweetlab.workload.run import HOPELESS

IDS = [UUID(int=number) for number in range(10)]
COLUMNS = ["at", "tweet_id", "source", "seconds", "retries", "throttled", "read_units"]


class FakeReader:
    """Hands each read to a function of its tweet's id."""

    def __init__(self, read: Callable[[UUID], Read]) -> None:
        self.read = read


def answer(tweet_id: UUID, **changes: Any) -> Read:
    fields: dict[str, Any] = {"source": "table", "seconds": 0.0, "retries": 0, "read_units": 0.5}
    return Read(Tweet(tweet_id, "text", datetime.now(UTC)), **(fields | changes))


def throttle(code: str = "ProvisionedThroughputExceededException", retries: int = 2) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"RetryAttempts": retries}},  # type: ignore[typeddict-item]
        "GetItem",
    )


def requests(*at: float) -> pd.DataFrame:
    """One read at each of the times, of a tweet of its own."""
    return pd.DataFrame({"at": at, "tweet_id": [UUID(int=n) for n in range(len(at))]})


def run(read: Callable[[UUID], Read], load: pd.DataFrame, workers: int = 1) -> pd.DataFrame:
    fake = Clock()
    return workload.replay(
        FakeReader(read), load, workers, progress=False, clock=fake, sleep=fake.advance
    )


def number(tweet_id: UUID) -> int:
    return tweet_id.int


# --- replay: what it returns ------------------------------------------------------------------


def test_a_row_for_each_request_in_the_order_of_the_requests():
    load = workload.zipf(IDS, rate=50, seconds=2)
    reads = run(answer, load, workers=4)
    assert list(reads.columns) == COLUMNS
    pd.testing.assert_frame_equal(reads[["at", "tweet_id"]], load)
    assert reads.dtypes[["at", "seconds", "retries", "throttled", "read_units"]].tolist() == [
        float,
        float,
        int,
        bool,
        float,
    ]


def test_what_the_reader_says_is_what_the_row_says():
    answers: list[dict[str, Any]] = [
        {"source": "cache", "read_units": 0.0},
        {"source": "table", "read_units": 1.5},
        {"retries": 2, "throttles": 1},
        {"retries": 2, "throttles": 0},  # retried for another reason than a throttle
    ]
    reads = run(
        lambda tweet_id: answer(tweet_id, **answers[number(tweet_id)]), requests(0, 1, 2, 3)
    )
    assert reads["source"].tolist() == ["cache", "table", "table", "table"]
    assert reads["read_units"].tolist() == [0.0, 1.5, 0.5, 0.5]
    assert reads["retries"].tolist() == [0, 0, 2, 2]
    assert reads["throttled"].tolist() == [False, False, True, False]


def test_no_requests_give_no_rows_of_the_same_columns_and_types():
    empty = run(answer, requests())
    assert list(empty.columns) == COLUMNS
    assert len(empty) == 0
    assert empty["throttled"].dtype == bool
    assert empty["seconds"].dtype == float


def test_requests_need_not_be_sorted():
    order: list[int] = []

    def note(tweet_id: UUID) -> Read:
        order.append(number(tweet_id))
        return answer(tweet_id)

    reads = run(note, requests(3, 1, 2))
    assert order == [1, 2, 0]
    assert reads["at"].tolist() == [3, 1, 2]
    assert reads["tweet_id"].map(number).tolist() == [0, 1, 2]


# --- replay: an open loop ---------------------------------------------------------------------


def timed(load: pd.DataFrame, service: float) -> tuple[pd.DataFrame, list[float]]:
    """Replay with one worker whose every read takes ``service`` seconds; also when each began."""
    fake, began = Clock(), []

    def read(tweet_id: UUID) -> Read:
        began.append(fake.now - 1000)
        fake.advance(service)
        return answer(tweet_id, seconds=service)

    reads = workload.replay(
        FakeReader(read), load, 1, progress=False, clock=fake, sleep=fake.advance
    )
    return reads, began


def test_each_read_begins_when_it_is_due_if_the_reader_keeps_up():
    reads, began = timed(requests(0, 0.25, 3, 40), service=0.1)
    assert began == pytest.approx([0, 0.25, 3, 40])
    assert reads["seconds"].tolist() == pytest.approx([0.1] * 4)


def test_a_slow_reader_cannot_hide_its_queue():
    """Reads are due once a second and take three: each waits for those before it, and says so,
    although the reader itself would report three seconds for every one."""
    reads, began = timed(requests(0, 1, 2, 3), service=3)
    assert began == pytest.approx([0, 3, 6, 9])
    assert reads["seconds"].tolist() == pytest.approx([3, 5, 7, 9])


def test_a_queue_empties_when_reads_pause():
    reads, _ = timed(requests(0, 0, 0, 10), service=1)
    assert reads["seconds"].tolist() == pytest.approx([1, 2, 3, 1])


def test_a_failed_read_takes_its_time_too():
    fake = Clock()

    def fail(tweet_id: UUID) -> Read:
        fake.advance(2)
        raise throttle()

    reads = workload.replay(
        FakeReader(fail), requests(0, 1), 1, progress=False, clock=fake, sleep=fake.advance
    )
    assert reads["seconds"].tolist() == pytest.approx([2, 3])


def test_workers_read_at_the_same_time():
    """Two workers, four reads due at once, a second each: two are done after one second, two after
    two. Were there one worker, the barrier would break."""
    fake, both = Clock(), threading.Barrier(2)

    def read(tweet_id: UUID) -> Read:
        if both.wait(timeout=30) == 0:
            fake.advance(1)
        both.wait(timeout=30)
        return answer(tweet_id)

    reads = workload.replay(
        FakeReader(read),
        requests(0, 0, 0, 0),
        2,
        progress=False,
        clock=fake,
        sleep=fake.advance,
    )
    assert (reads["source"] == "table").all()
    assert sorted(reads["seconds"]) == pytest.approx([1, 1, 2, 2])


def test_no_more_reads_at_once_than_workers():
    lock, under_way, most = threading.Lock(), 0, 0

    def read(tweet_id: UUID) -> Read:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.0001)  # gives others the chance to come in
        with lock:
            under_way -= 1
        return answer(tweet_id)

    run(read, requests(*[0] * 200), workers=3)
    assert 1 <= most <= 3


# --- replay: failures -------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(THROTTLING_CODES))
def test_a_read_throttled_until_botocore_gave_up(code):
    def read(tweet_id: UUID) -> Read:
        if number(tweet_id) == 1:
            raise throttle(code, retries=2)
        return answer(tweet_id)

    reads = run(read, requests(0, 1))
    assert reads["source"].tolist() == ["table", "failed"]
    assert reads["retries"].tolist() == [0, 2]
    assert reads["throttled"].tolist() == [False, True]
    assert reads["read_units"].tolist() == [0.5, 0.0]


def test_a_run_in_which_every_read_is_throttled_is_a_result():
    def read(tweet_id: UUID) -> Read:
        raise throttle()

    reads = run(read, requests(*range(50)))
    assert len(reads) == 50
    assert reads["throttled"].all()
    assert (reads["source"] == "failed").all()


def test_other_failures_are_rows_too_and_their_reasons_are_told():
    def read(tweet_id: UUID) -> Read:
        if number(tweet_id) < 2:
            raise TweetNotFound(tweet_id)
        if number(tweet_id) == 2:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetItem")
        return answer(tweet_id)

    told = r"3 of 5 reads failed, not by throttling: 2 times TweetNotFound \(There is no tweet"
    with pytest.warns(RuntimeWarning, match=told + ".*; 1 times ClientError .*AccessDenied"):
        reads = run(read, requests(*range(5)))
    assert reads["source"].tolist() == ["failed"] * 3 + ["table"] * 2
    assert not reads["throttled"].any()


def test_a_run_without_any_answer_is_no_result():
    def read(tweet_id: UUID) -> Read:
        raise ConnectionError("nobody home")

    with pytest.raises(NothingAnswered, match=r"first 3 reads.*nobody home") as raised:
        run(read, requests(0, 1, 2))
    assert isinstance(raised.value.__cause__, ConnectionError)


def test_a_hopeless_run_is_given_up_after_twenty_reads():
    """The twenty-first read is never due, for this clock stands still."""
    calls = 0

    def read(tweet_id: UUID) -> Read:
        nonlocal calls
        calls += 1
        raise ConnectionError("nobody home")

    load = requests(*[0] * HOPELESS, 1)
    with pytest.raises(NothingAnswered, match="first 20 reads"):
        workload.replay(
            FakeReader(read), load, 4, progress=False, clock=lambda: 0, sleep=lambda _: None
        )
    assert calls == HOPELESS == 20


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("outcome", ["answered", "throttled"])
def test_a_run_with_any_other_outcome_is_not_given_up(outcome, monkeypatch):
    monkeypatch.setattr("tweetlab.workload.run.POLL", 0.0001)

    def read(tweet_id: UUID) -> Read:
        if number(tweet_id) == 50:
            time.sleep(0.05)  # lets the run look, many times over, at how it goes
        if number(tweet_id) == 3:
            if outcome == "throttled":
                raise throttle()
            return answer(tweet_id)
        raise ConnectionError("nobody home")

    reads = run(read, requests(*range(100)), workers=1)  # so the fourth is among the first 20
    assert len(reads) == 100
    assert reads["throttled"].sum() == (outcome == "throttled")
    assert (reads["source"] == "failed").sum() == (100 if outcome == "throttled" else 99)


def test_what_is_no_failed_read_ends_the_run():
    def read(tweet_id: UUID) -> Read:
        raise SystemExit("stop everything")

    with pytest.raises(SystemExit, match="stop everything"):
        run(read, requests(0, 1, 2))
    assert not workers_left()


def workers_left() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("tweetlab-replay")]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python ignores SIGINT if its parent did, as a shell's background does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_the_run_and_leaves_no_worker_behind(interruptible):
    """As Stop in a notebook does. Time stands still: without the interrupt, the run would never
    end, since its second read is never due."""
    calls = 0
    naps: set[float] = set()
    napping = threading.Event()

    def read(tweet_id: UUID) -> Read:
        nonlocal calls
        calls += 1
        assert napping.wait(30)  # another worker has begun to wait for the second read
        os.kill(os.getpid(), signal.SIGINT)
        return answer(tweet_id)

    def sleep(seconds: float) -> None:
        naps.add(seconds)
        napping.set()
        time.sleep(0)

    with pytest.raises(KeyboardInterrupt):
        workload.replay(
            FakeReader(read),
            requests(0, *[3600] * 20),
            8,
            progress=False,
            clock=lambda: 0,
            sleep=sleep,
        )
    assert calls == 1
    assert naps == {POLL}  # however far the next read, a worker soon looks up
    assert not workers_left()


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (pd.DataFrame({"at": [0.0]}), r"lack \['tweet_id'\].*workload.zipf"),
        (pd.DataFrame({"tweet_id": IDS}), r"lack \['at'\]"),
        (requests(0, -1), "0 s or later"),
        (requests(0, float("nan")), "0 s or later"),
        (requests(0, float("inf")), "0 s or later"),
    ],
)
def test_requests_that_are_none_are_refused(load, message):
    with pytest.raises(ValueError, match=message):
        run(answer, load)


@pytest.mark.parametrize("workers", [0, -1, 1.5, None])
def test_a_pool_needs_workers(workers):
    with pytest.raises(ValueError, match="workers must be a whole number, at least 1"):
        run(answer, requests(0), workers)


def test_a_bar_shows_how_many_reads_are_done(capsys):
    fake = Clock()

    def bar(progress: bool | str) -> str:
        workload.replay(
            FakeReader(answer),
            requests(0, 1, 2),
            progress=progress,
            clock=fake,
            sleep=fake.advance,
        )
        return str(capsys.readouterr().err)

    assert "Reading tweets: 100%" in bar(True)
    assert "3/3" in bar("with the cache")
    assert "with the cache: 100%" in bar("with the cache")
    assert bar(False) == ""


def test_dynamodb_throttles_and_the_rows_say_so():
    """On real servers: a new table of 1 RCU has two eventually consistent reads to give at once.
    Then it serves an item of 400 KB, and owes what comes in over a minute and a half."""
    with tweetlab.start(redis_timeout=10) as lab:
        once = Config(retries={"mode": "standard", "total_max_attempts": 1})
        dynamodb = boto3.client(
            "dynamodb",
            endpoint_url=lab.dynamodb_url,
            region_name="us-east-1",
            aws_access_key_id="tweetlab",
            aws_secret_access_key="tweetlab",
            config=once,
        )
        tweets = TweetTable(dynamodb, read_capacity=1)
        tweets.create_table()
        tweet_id = tweets.create("Example tweet.").tweet_id
        load = pd.DataFrame({"at": 0.0, "tweet_id": [tweet_id] * 20})
        before = workload.replay(tweets, load.head(2), workers=2, progress=False)
        large = {"tweet_id": {"S": "large"}}
        dynamodb.put_item(TableName="tweet", Item={**large, "text": {"S": "x" * 400_000}})
        dynamodb.get_item(TableName="tweet", Key=large, ConsistentRead=True)
        reads = workload.replay(tweets, load, workers=4, progress=False)
        cached = CachedTweets(tweets, lab.redis)
        lab.redis.set(key(tweet_id), encode(Tweet(tweet_id, "Example.", datetime.now(UTC))))
        hits = workload.replay(cached, load, workers=4, progress=False)

    assert (before["source"] == "table").all()
    assert not before["throttled"].any()
    assert (before["read_units"] == 0.5).all()
    assert (reads["source"] == "failed").all()
    assert reads["throttled"].all()
    assert (reads["read_units"] == 0).all()
    assert (hits["source"] == "cache").all()
    assert not hits["throttled"].any()


# --- summary ----------------------------------------------------------------------------------


def rows(*made: tuple[str, float, bool, float]) -> pd.DataFrame:
    """Rows of (source, seconds, throttled, read_units), a second apart."""
    table = [(at, UUID(int=at), s, sec, 0, thr, u) for at, (s, sec, thr, u) in enumerate(made)]
    return pd.DataFrame(table, columns=COLUMNS)


def test_a_summary_counts_what_the_rows_say():
    reads = rows(
        ("table", 0.004, False, 0.5),
        ("table", 1.5, True, 2.0),
        ("cache", 0.001, False, 0.0),
        ("cache", 0.002, False, 0.0),
        ("cache", 0.003, False, 0.0),
        ("failed", 9.0, True, 0.0),
    )
    assert workload.summary(reads) == {
        "reads": 6,
        "failed": 1,
        "throttled": 2,
        "p50_ms": 3.0,  # of the five that were answered
        "p99_ms": pytest.approx(np.quantile([1, 2, 3, 4, 1500], 0.99), abs=0.001),
        "table_reads": 2,
        "consumed_rcu": 2.5,
        "hit_ratio": 0.6,
    }


def test_a_summary_is_json():
    text = json.dumps(workload.summary(rows(("cache", 0.001, False, 0.0))), allow_nan=False)
    assert json.loads(text)["hit_ratio"] == 1.0


@pytest.mark.parametrize(
    "reads", [rows(), rows(("failed", 1.0, True, 0.0))], ids=["none", "failed"]
)
def test_without_an_answer_there_is_no_latency_and_no_hit_ratio(reads):
    found = workload.summary(reads)
    assert (found["p50_ms"], found["p99_ms"], found["hit_ratio"]) == (None, None, None)
    assert found["reads"] == found["failed"] == len(reads)
    json.dumps(found, allow_nan=False)
