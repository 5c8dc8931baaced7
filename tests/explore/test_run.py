"""A run of the explorer: what it reads, and what it does to the servers."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.support.explorer_fakes import IDS, QUIET, has_read, until
from tests.support.serving import Clock
from tweetlab import workload
from tweetlab.errors import LabError
from tweetlab.explore import ScenarioEvent, Settings, run, words
from tweetlab.explore.series import STEP
from tweetlab.workload.open_loop import Reader


def test_the_load_comes_at_random_and_as_popular_as_said():
    settings = Settings(rate=50, tweets=10, skew=1.0)
    reads = list(
        itertools.islice(run.endless_reads(lambda: settings, IDS, np.random.default_rng(1)), 20_000)
    )
    gaps = np.diff([request.at for request in reads])
    assert gaps.mean() == pytest.approx(1 / 50, rel=0.05)
    assert gaps.std() == pytest.approx(1 / 50, rel=0.05)  # exponential: a Poisson process
    seen = [sum(request.tweet_id == tweet_id for request in reads) for tweet_id in IDS[:10]]
    assert np.array(seen) / len(reads) == pytest.approx(workload.popularity(10, 1.0), abs=0.01)
    assert sum(seen) == len(reads)


def test_the_load_follows_the_settings_from_the_next_read_on():
    settings = Settings(rate=10, tweets=10)
    load = run.endless_reads(lambda: settings, IDS, np.random.default_rng(2))
    next(load)
    settings = Settings(rate=300, viral=1.0)
    reads = list(itertools.islice(load, 3000))
    assert {request.tweet_id for request in reads} == {IDS[-1]}
    assert np.diff([request.at for request in reads]).mean() == pytest.approx(1 / 300, rel=0.1)


def test_a_run_reads_until_it_is_stopped(begin, lab):
    live = begin()
    until(lambda: has_read(live), "reading")
    assert live.state == "running"
    live.stop()
    assert live.state == "stopped"
    live.join(30)
    assert lab.calls == [("prepare", True), "clear"]
    until(lambda: not readers_at_work(), "the end of the workers")
    made = lab.readers[0].reads
    counted = live.series.total.total()
    live.advance()
    assert (lab.readers[0].reads, live.series.total.total()) == (made, counted)


def readers_at_work() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tweetlab-reader"]


def test_stop_does_not_wait_for_a_read_that_hangs(begin, lab):
    live = begin()
    until(lambda: has_read(live), "reading")
    lab.readers[0].may_answer.clear()
    asked = lab.readers[0].reads
    until(lambda: lab.readers[0].reads > asked, "a read that hangs")
    live.stop()
    live.join(30)
    assert "clear" in lab.calls
    assert readers_at_work()  # it hangs still, and will not be counted
    live.series.advance(500.0, live.settings)  # what was done before the stop is
    counted = live.series.total.total()
    lab.readers[0].may_answer.set()
    until(lambda: not readers_at_work(), "the end of the workers")
    live.series.advance(1000.0, live.settings)
    assert live.series.total.total() == counted


def test_a_change_reaches_the_servers_and_the_readers(begin, lab):
    live = begin()
    until(lambda: has_read(live), "reading")
    changed = replace(live.settings, read_capacity=77, cache=False)
    live.change(changed)
    until(lambda: len(lab.readers) == 2 and lab.readers[1].reads, "reads after the change")
    assert lab.calls == [("prepare", True), ("change", changed)]
    assert live.settings == changed


def test_of_many_changes_the_latest_counts(begin, lab):
    """A slider that is dragged must not leave a queue of UpdateTables behind."""
    live = begin()
    held = threading.Event()
    change = lab.change

    def slow(settings: Settings) -> Reader:
        held.wait(30)
        return change(settings)

    lab.change = slow
    until(lambda: live.state == "running", "the run")
    for units in range(1, 100):
        live.change(replace(live.settings, read_capacity=units))
    held.set()
    until(lambda: lab.calls[-1] == ("change", live.settings), "the latest change")
    assert len(lab.calls) <= 4


def test_events_happen_at_their_time(begin, lab):
    told: list[Settings] = []
    events = (
        ScenarioEvent(0.0, "It breaks.", outage=3),
        ScenarioEvent(0.05, "It grows.", {"rate": 300}),
    )
    live = begin(replace(QUIET, events=events, warm=False), on_event=told.append)
    until(lambda: len(live.news) == 2, "the events")
    until(lambda: len(lab.calls) == 3, "the change")
    assert lab.calls == [("prepare", False), ("lose_cache", 3), ("change", told[0])]
    assert told == [replace(QUIET.settings, rate=300)]
    assert live.seconds >= 0.05


def test_a_run_that_cannot_begin_says_why(begin, lab):
    lab.fails = LabError("No Valkey today.")
    live = begin()
    until(lambda: not live.going, "the end")
    live.join(30)
    assert live.state == "failed"
    assert words.now(live) == "The run ended: No Valkey today."
    assert lab.calls == [("prepare", True), "clear"]


def test_the_next_run_waits_for_the_last_to_clear_up(begin, lab):
    first = begin()
    until(lambda: has_read(first), "reading")
    second = begin()
    assert second.state == "preparing"
    assert lab.calls == [("prepare", True)]
    first.stop()
    until(lambda: has_read(second), "reading by the second run")
    assert lab.calls == [("prepare", True), "clear", ("prepare", True)]


def test_a_run_that_nobody_stops_ends(begin, lab, monkeypatch):
    monkeypatch.setattr(run, "LONGEST", 0.01)
    live = begin()
    until(lambda: not live.going, "the end")
    assert live.state == "stopped"


def test_who_gets_no_worker_in_time_leaves(begin, lab, monkeypatch):
    """The one reader finds four seconds of requests waiting: the first second's have left."""
    monkeypatch.setattr(run, "WORKERS", 1)
    clock, nothing_due = Clock(), threading.Semaphore(0)

    def sleep(_: float) -> None:
        nothing_due.release()
        time.sleep(0.001)

    live = begin(clock=clock, sleep=sleep, seed=1)
    assert nothing_due.acquire(timeout=30)
    clock.advance(run.PATIENCE + 1)
    for _ in range(2):  # the first may be of before
        while nothing_due.acquire(blocking=False):
            pass
        assert nothing_due.acquire(timeout=30)

    load = run.endless_reads(lambda: QUIET.settings, IDS, np.random.default_rng(1))
    due = [each.at for each in itertools.takewhile(lambda each: each.at <= live.seconds, load)]
    left = sum(at < 1 for at in due)
    assert lab.readers[0].reads == len(due) - left > 0
    live.series.advance(live.seconds + 2 * STEP, live.settings)
    assert live.series.total["failed"] == left > 0
    point = live.series.points[-1]
    assert point.errors == {"GaveUp": left}
    assert "this computer cannot make so many reads" in words.situation(point)
