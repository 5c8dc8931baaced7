"""The explorer without a browser: what it expects, counts, draws, says, and does to the servers.

Where time passes for real, no test waits for a set time, only for what it asks for.
"""

from __future__ import annotations

import itertools
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import numpy as np
import pytest
import redis

import tweetlab
from tests.support.lessons import OTHERS, kernel_for
from tests.support.processes import children, gone
from tests.support.serving import Clock
from tweetlab import workload
from tweetlab.cache import CachedTweets, key
from tweetlab.errors import LabError, TableBusy
from tweetlab.explore import SCENARIOS, Event, Explorer, Scenario, Settings, figure, run, words
from tweetlab.explore.bench import PARTITIONS, Bench, warm_cache
from tweetlab.explore.controls import LABELS
from tweetlab.explore.run import LiveRun
from tweetlab.explore.series import STEP, Point, Series
from tweetlab.explore.settings import LIMITS, MOST_TWEETS, READ_UNITS
from tweetlab.tweets import Read, Tweet, TweetTable
from tweetlab.workload.open_loop import Reader, Row

IDS = [UUID(int=number) for number in range(1, MOST_TWEETS + 2)]
QUIET = Scenario("Quiet", "Nothing happens.", Settings())
NOW = datetime.now(UTC)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that other threads do, as long as a busy machine may take."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.01)


# --- settings: what is to be expected -----------------------------------------------------------


def test_without_a_cache_each_read_takes_half_a_unit():
    settings = Settings(rate=100, cache=False)
    assert settings.needed == 50
    assert settings.hit_ratio == 0


@pytest.mark.parametrize(
    "settings",
    [Settings(ttl=1), Settings(ttl=20, skew=1.4), Settings(ttl=5, tweets=30, viral=0.5)],
    ids=["short", "skewed", "viral"],
)
def test_the_expected_hit_ratio_is_that_of_a_cache(settings):
    """A cache is played through, with a clock of its own, by a load long enough to tell."""
    rng = np.random.default_rng(0)
    expires: dict[UUID, float] = {}
    hits = reads = 0
    for request in run.load(lambda: settings, IDS, rng):
        if request.at > 40 * settings.ttl + 400:
            break
        hit = request.at < expires.get(request.tweet_id, 0)
        if not hit:
            expires[request.tweet_id] = request.at + settings.ttl
        if request.at > 3 * settings.ttl:  # once it is warm
            hits, reads = hits + hit, reads + 1
    assert hits / reads == pytest.approx(settings.hit_ratio, abs=0.01)
    assert settings.needed == pytest.approx(
        settings.rate * (1 - hits / reads) * READ_UNITS, rel=0.05
    )


def test_shares_are_those_of_the_workload_and_the_viral_tweet_takes_its_own():
    settings = Settings(tweets=20, skew=0.7, viral=0.25)
    assert settings.shares[:-1] == pytest.approx(0.75 * workload.popularity(20, 0.7))
    assert settings.shares[-1] == 0.25


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_can_be_shown_by_the_sliders(scenario):
    settings = scenario.settings
    for event in (Event(0, ""), *scenario.events):
        settings = replace(settings, **event.changes)
        for name, (low, high) in LIMITS.items():
            assert low <= getattr(settings, name) <= high
    assert list(scenario.events) == sorted(scenario.events, key=lambda event: event.at)


def test_every_setting_but_the_viral_share_has_a_control():
    assert {*LABELS, "viral"} == {field.name for field in fields(Settings)}


# --- load ---------------------------------------------------------------------------------------


def test_the_load_comes_at_random_and_as_popular_as_said():
    settings = Settings(rate=50, tweets=10, skew=1.0)
    reads = list(
        itertools.islice(run.load(lambda: settings, IDS, np.random.default_rng(1)), 20_000)
    )
    gaps = np.diff([request.at for request in reads])
    assert gaps.mean() == pytest.approx(1 / 50, rel=0.05)
    assert gaps.std() == pytest.approx(1 / 50, rel=0.05)  # exponential: a Poisson process
    seen = [sum(request.tweet_id == tweet_id for request in reads) for tweet_id in IDS[:10]]
    assert np.array(seen) / len(reads) == pytest.approx(workload.popularity(10, 1.0), abs=0.01)
    assert sum(seen) == len(reads)


def test_the_load_follows_the_settings_from_the_next_read_on():
    settings = Settings(rate=10, tweets=10)
    load = run.load(lambda: settings, IDS, np.random.default_rng(2))
    next(load)
    settings = Settings(rate=300, viral=1.0)
    reads = list(itertools.islice(load, 3000))
    assert {request.tweet_id for request in reads} == {IDS[-1]}
    assert np.diff([request.at for request in reads]).mean() == pytest.approx(1 / 300, rel=0.1)


# --- series -------------------------------------------------------------------------------------


def row(at: float, source: str = "cache", **changes: Any) -> Row:
    given = {"seconds": 0.001, "retries": 0, "throttled": False, "read_units": 0.0}
    return Row(at, IDS[0], source, **(given | changes))


def points(*rows: Row, seconds: float = 2.0, settings: Settings = QUIET.settings) -> list[Point]:
    series = Series()
    for each in rows:
        series.add(each)
    series.advance(seconds, settings)
    return series.points


def test_a_point_tells_of_the_second_before_it():
    made = points(
        row(0.5),
        row(1.1),
        row(1.2, "table", read_units=0.5),
        row(1.3, "table", read_units=0.5, throttled=True, retries=1, seconds=0.2),
        row(1.4, "failed", throttled=True, retries=2),
        row(1.6, "failed", throttled=True, retries=0),
    )
    assert [point.at for point in made] == [STEP * n for n in range(1, 17)]
    last = made[-1]
    assert (last.cache, last.table, last.late, last.failed) == (1, 1, 1, 2)
    assert last.consumed == 1.0
    assert last.hit_ratio == pytest.approx(1 / 3)  # of the answers
    assert last.p50 == pytest.approx(1.0)
    assert last.p99 == pytest.approx(np.quantile([1, 1, 200], 0.99))
    assert last.unretried == 1
    assert not last.errors


def test_in_the_first_second_there_is_less_than_a_second():
    [first] = points(row(0.01), row(0.02), seconds=STEP)
    assert first.cache == 2 / STEP


def test_a_read_counts_when_it_is_done():
    made = points(row(0.2, "table", seconds=1.2))
    assert [point.at for point in made if point.table] == [1.5, 1.625, 1.75, 1.875, 2.0]


def test_a_read_that_is_told_of_late_is_not_lost():
    series = Series()
    series.advance(3.0, QUIET.settings)
    series.add(row(0.5))
    series.advance(3.0 + STEP, QUIET.settings)
    assert series.points[-1].cache == 1
    assert series.total["cache"] == 1
    assert not any(point.cache for point in series.points[:-1])


def test_where_there_is_nothing_there_is_no_number():
    last = points()[-1]
    assert math.isnan(last.hit_ratio) and math.isnan(last.p50) and math.isnan(last.p99)
    failed = points(row(1.5, "failed", throttled=True))[-1]
    assert math.isnan(failed.hit_ratio) and math.isnan(failed.p50)
    no_cache = points(row(1.5, "table"), settings=Settings(cache=False))[-1]
    assert math.isnan(no_cache.hit_ratio)


def test_totals_count_each_read_once():
    series = Series()
    for n in range(100):
        series.add(row(n / 10, ("cache", "table", "failed", "table")[n % 4], throttled=n % 4 > 1))
    for second in range(1, 12):
        series.advance(second, QUIET.settings)
    assert dict(series.total) == {
        "cache": 25, "table": 25, "failed": 25, "late": 25, "throttled": 50
    }  # fmt: skip


# --- run ----------------------------------------------------------------------------------------


class FakeReader:
    """Answers from nowhere, unless a test holds it up."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reads = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def read(self, tweet_id: UUID) -> Read:
        self.reads += 1
        self.may_answer.wait(30)
        source: Any = "cache" if self.settings.cache else "table"
        return Read(Tweet(tweet_id, "Text.", NOW), source, 0.0, 0, 0.0)


class FakeServers:
    """Notes what a run asks of it."""

    owns_redis = True

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.tweet_ids = IDS
        self.calls: list[Any] = []
        self.readers: list[FakeReader] = []
        self.fails: Exception | None = None

    def prepare(self, settings: Settings, warm: bool) -> Reader:
        self.calls.append(("prepare", warm))
        if self.fails:
            raise self.fails
        return self._reader(settings)

    def change(self, settings: Settings) -> Reader:
        self.calls.append(("change", settings))
        return self._reader(settings)

    def lose_cache(self, seconds: float) -> None:
        self.calls.append(("lose_cache", seconds))

    def clear(self) -> None:
        self.calls.append("clear")

    def close(self) -> None:
        self.calls.append("close")

    def _reader(self, settings: Settings) -> FakeReader:
        self.readers.append(FakeReader(settings))
        return self.readers[-1]


@pytest.fixture
def servers() -> FakeServers:
    return FakeServers()


@pytest.fixture
def begin(servers: FakeServers) -> Iterator[Callable[..., LiveRun]]:
    """Starts runs on fake servers, and ends them all."""
    begun = []

    def start(scenario: Scenario = QUIET, **options: Any) -> LiveRun:
        begun.append(LiveRun(servers, scenario, scenario.settings, **options))
        begun[-1].start()
        return begun[-1]

    yield start
    for live in begun:
        live.stop()
    for reader in servers.readers:
        reader.may_answer.set()
    for live in begun:
        live.join(30)


def reading(live: LiveRun) -> bool:
    live.advance()
    return live.series.total.total() > 0


def test_a_run_reads_until_it_is_stopped(begin, servers):
    live = begin()
    until(lambda: reading(live), "reading")
    assert live.state == "running"
    live.stop()
    assert live.state == "stopped"
    live.join(30)
    assert servers.calls == [("prepare", True), "clear"]
    until(lambda: not readers_at_work(), "the end of the workers")
    made = servers.readers[0].reads
    counted = live.series.total.total()
    live.advance()
    assert (servers.readers[0].reads, live.series.total.total()) == (made, counted)


def readers_at_work() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tweetlab-reader"]


def test_stop_does_not_wait_for_a_read_that_hangs(begin, servers):
    live = begin()
    until(lambda: reading(live), "reading")
    servers.readers[0].may_answer.clear()
    asked = servers.readers[0].reads
    until(lambda: servers.readers[0].reads > asked, "a read that hangs")
    live.stop()
    live.join(30)
    assert "clear" in servers.calls
    assert readers_at_work()  # it hangs still, and will not be counted
    counted = live.series.total.total()
    servers.readers[0].may_answer.set()
    until(lambda: not readers_at_work(), "the end of the workers")
    live.series.advance(1000.0, live.settings)
    assert live.series.total.total() == counted


def test_a_change_reaches_the_servers_and_the_readers(begin, servers):
    live = begin()
    until(lambda: reading(live), "reading")
    changed = replace(live.settings, read_capacity=77, cache=False)
    live.change(changed)
    until(lambda: len(servers.readers) == 2 and servers.readers[1].reads, "reads after the change")
    assert servers.calls == [("prepare", True), ("change", changed)]
    assert live.settings == changed


def test_of_many_changes_the_latest_counts(begin, servers):
    """A slider that is dragged must not leave a queue of UpdateTables behind."""
    live = begin()
    held = threading.Event()
    change = servers.change

    def slow(settings: Settings) -> Reader:
        held.wait(30)
        return change(settings)

    servers.change = slow
    until(lambda: live.state == "running", "the run")
    for units in range(1, 100):
        live.change(replace(live.settings, read_capacity=units))
    held.set()
    until(lambda: servers.calls[-1] == ("change", live.settings), "the latest change")
    assert len(servers.calls) <= 4


def test_events_happen_at_their_time(begin, servers):
    told: list[Settings] = []
    events = (Event(0.0, "It breaks.", outage=3), Event(0.05, "It grows.", {"rate": 300}))
    live = begin(replace(QUIET, events=events, warm=False), on_event=told.append)
    until(lambda: len(live.news) == 2, "the events")
    until(lambda: len(servers.calls) == 3, "the change")
    assert servers.calls == [("prepare", False), ("lose_cache", 3), ("change", told[0])]
    assert told == [replace(QUIET.settings, rate=300)]
    assert live.seconds >= 0.05


def test_a_run_that_cannot_begin_says_why(begin, servers):
    servers.fails = LabError("No Valkey today.")
    live = begin()
    until(lambda: not live.going, "the end")
    live.join(30)
    assert live.state == "failed"
    assert words.now(live) == "The run ended: No Valkey today."
    assert servers.calls == [("prepare", True), "clear"]


def test_the_next_run_waits_for_the_last_to_clear_up(begin, servers):
    first = begin()
    until(lambda: reading(first), "reading")
    second = begin()
    assert second.state == "preparing"
    assert servers.calls == [("prepare", True)]
    first.stop()
    until(lambda: reading(second), "reading by the second run")
    assert servers.calls == [("prepare", True), "clear", ("prepare", True)]


def test_a_run_that_nobody_stops_ends(begin, servers, monkeypatch):
    monkeypatch.setattr(run, "LONGEST", 0.01)
    live = begin()
    until(lambda: not live.going, "the end")
    assert live.state == "stopped"


def test_who_gets_no_worker_in_time_leaves(begin, servers, monkeypatch):
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

    load = run.load(lambda: QUIET.settings, IDS, np.random.default_rng(1))
    due = [each.at for each in itertools.takewhile(lambda each: each.at <= live.seconds, load)]
    left = sum(at < 1 for at in due)
    assert servers.readers[0].reads == len(due) - left > 0
    live.series.advance(live.seconds + 2 * STEP, live.settings)
    assert live.series.total["failed"] == left > 0
    point = live.series.points[-1]
    assert point.errors == {"GaveUp": left}
    assert "this computer cannot make so many reads" in words.situation(point)


# --- words --------------------------------------------------------------------------------------


def point(settings: Settings = QUIET.settings, **values: Any) -> Point:
    nothing = Point.blank(10.0, settings)
    none = {"failed": 0.0, "late": 0.0, "table": 0.0, "cache": 0.0, "consumed": 0.0}
    return nothing._replace(**(none | values))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (point(), "all are waiting"),
        (
            point(cache=97, table=3, consumed=1.5, hit_ratio=0.97),
            "97% of the answers come from the",
        ),
        (
            point(cache=97, table=3, consumed=1.5, hit_ratio=0.97),
            "spends 1.5 of its 10 RCU. No read",
        ),
        (point(cache=50, table=50, consumed=10, hit_ratio=0.5), "which still fills, towards 97%"),
        (point(Settings(cache=False), table=100, consumed=50), "Every read goes to the table; the"),
        (point(Settings(cache=False), table=100, consumed=50), "burst capacity that it saved up"),
        (
            point(cache=98, table=1, late=1, consumed=9, hit_ratio=0.98),
            "Hardly a read is throttled",
        ),
        (point(table=10, late=5, failed=20, consumed=9), "25 reads were throttled, and 20 of them"),
        (point(table=10, failed=20, unretried=15, consumed=9), "all of them failed, at once, for"),
        (point(late=20, consumed=10, hit_ratio=0.0), "20 reads were throttled, and none of them"),
        (point(failed=5), "No read was answered"),
        (
            point(Settings(cache=False, adaptive=False), table=10, failed=50, consumed=4),
            "a quarter of the units",
        ),
        (
            point(failed=9, cache=9, hit_ratio=1.0, errors=Counter({TableBusy.__name__: 9})),
            "9 were turned away",
        ),
    ],
)
def test_the_words_say_what_the_last_second_was_like(now, said):
    assert said in words.situation(now)


def test_in_an_outage_nothing_is_said_to_come_from_the_cache():
    shared = point(cache=60, table=10, consumed=5, hit_ratio=0.86)
    said = words.situation(shared, redis_answers=False)
    assert said.startswith(
        "Redis does not answer: every read goes to the table, or waits for one that does; "
    )
    alone = shared._replace(settings=Settings(single_flight=False))
    said = words.situation(alone, redis_answers=False)
    assert said.startswith("Redis does not answer: every read goes to the table; ")


def test_the_words_say_beforehand_what_the_reads_ask_for():
    assert "take 50 RCU without a cache. The table has 10: too few" in words.preview(
        Settings(cache=False)
    )
    assert "take 1.5 RCU with a warm cache. The table has 10." in words.preview(Settings())


def test_the_words_tell_of_an_event_and_of_the_result(begin):
    live = begin(replace(QUIET, events=(Event(0.0, "Redis hangs.", outage=3),)))
    assert words.now(live).startswith(("Getting a new table", "The first reads"))
    until(lambda: reading(live) and live.news, "reading")
    assert words.now(live).startswith("Redis hangs. 100% of the answers come from the cache")
    live.stop()
    assert re.fullmatch(
        r"Stopped\. Of [\d,]+ reads?, 100% came from the cache, 0% were throttled, and 0% failed\.",
        words.now(live),
    )


# --- figure -------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: str) -> tuple[ElementTree.Element, list[str]]:
    """The picture, and the texts in it."""
    root = ElementTree.fromstring(picture)
    return root, [element.text or "" for element in root.iter(f"{SVG}text")]


def some_points(seconds: int, settings: Settings = QUIET.settings) -> list[Point]:
    return [
        point(settings, cache=90.0, table=6.0, late=3.0, failed=1.0, consumed=4.5, hit_ratio=0.9,
              p50=0.8, p99=250.0)._replace(at=STEP * n)
        for n in range(1, int(seconds / STEP) + 1)
    ]  # fmt: skip


def test_the_picture_has_the_numbers_and_a_description():
    root, texts = drawn(figure.live(some_points(5), [], QUIET.settings, "All <is> “well” & good."))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "All <is> “well” & good."
    for number, name in pairwise(texts):
        expected = {
            "offered": "100", "cache, or shared": "90", "table": "6", "after throttle": "3",
            "failed": "1", "provisioned": "10", "needed": "1.5", "consumed": "4.5",
            "when warm": "97", "now": "90", "99th percentile": "250", "median": "0.8",
        }  # fmt: skip
        assert number == expected.get(name, number), name
        expected.pop(name, None)
    assert "seconds since the start" in texts


def test_without_a_run_the_picture_shows_what_to_expect():
    _, texts = drawn(figure.live([], [], Settings(rate=200, cache=False), ""))
    numbers = dict(zip(texts[1:], texts, strict=False))
    assert numbers["offered"] == "200" and numbers["needed"] == "100"
    assert numbers["consumed"] == numbers["median"] == numbers["when warm"] == "-"


def test_the_last_run_is_grey_and_behind():
    alone = figure.live(some_points(5), [], QUIET.settings, "")
    compared = figure.live(some_points(5), some_points(9), QUIET.settings, "")
    assert "last run" not in alone and figure.LAST.color not in alone
    _, texts = drawn(compared)
    assert [text for text in texts if "last run" in text] == [
        "throttled, last run", "consumed, last run", "last run", "last run"
    ]  # fmt: skip
    consumed = compared[compared.index("Read capacity units") :]
    assert consumed.index(figure.LAST.color) < consumed.index(figure.CONSUMED.color)


@pytest.mark.parametrize(
    ("seconds", "first"), [(0, "0"), (30, "0"), (31, "10"), (40, "10"), (41, "20"), (200, "170")]
)
def test_the_time_axis_turns_pages(seconds, first):
    """It stands still for ten seconds, so that the eye can follow."""
    _, texts = drawn(figure.live(some_points(seconds), [], QUIET.settings, ""))
    ticks = texts[texts.index("seconds since the start") - 7 : -1]
    assert ticks[0] == first
    assert [int(b) - int(a) for a, b in pairwise(ticks)] == [5] * 6


def test_no_line_leaves_its_panel():
    """Not even when a value has no place on the axis, as a latency of 0 on a logarithmic one."""
    made = [each._replace(p50=0.0, p99=1e7, cache=1e6) for each in some_points(5)]
    root, _ = drawn(figure.live(made, [], QUIET.settings, ""))
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for path in root.iter(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"[-\d.]+", path.get("d", ""))]
        assert all(0 <= n <= max(width, height) for n in numbers)


def test_nothing_differs_by_its_colour_alone():
    for panel in (
        [style for _, style in figure.AREAS.values()],
        [figure.LIMIT, figure.EXPECTED, figure.CONSUMED, figure.LAST],
        [figure.EXPECTED, figure.HITS, figure.LAST],
        [figure.TAIL, figure.MEDIAN, figure.LAST, figure.LAST_TAIL],
        [figure.WITHOUT, figure.WITH],
        [figure.MOST, figure.REST],
    ):
        looks = [(style.dash, style.width, style.hatch) for style in panel]
        assert len(set(looks)) == len(looks)


def test_the_preview_says_what_is_needed_and_who_is_read():
    settings = Settings(rate=200, skew=0.0, tweets=50, read_capacity=30)
    root, texts = drawn(figure.preview(settings, "In words."))
    assert root.get("aria-label") == "In words."
    assert "100 without a cache" in texts and "30 provisioned" in texts
    assert "10% for the tenth of the" in texts


# --- explorer on fake servers -------------------------------------------------------------------


@pytest.fixture
def explorer(servers: FakeServers) -> Iterator[Explorer]:
    with Explorer(servers) as made:
        yield made
        for reader in servers.readers:
            reader.may_answer.set()
    assert servers.calls[-1] == "close"


def said(explorer: Explorer) -> str:
    return str(explorer.words.value)


def test_idle_it_shows_what_the_settings_ask_for(explorer):
    before = explorer.chart.value, explorer.preview.value, said(explorer)
    explorer.controls["rate"].value = 200
    after = explorer.chart.value, explorer.preview.value, said(explorer)
    assert all(a != b for a, b in zip(after, before, strict=True))
    assert said(explorer).startswith("200 reads a second take")
    assert explorer.settings == replace(SCENARIOS[0].settings, rate=200)


@pytest.mark.parametrize("name", LABELS)
def test_each_control_changes_what_is_seen_or_run(explorer, servers, name):
    slider = explorer.controls[name]
    moved = not slider.value if isinstance(slider.value, bool) else slider.min
    explorer.run.click()
    until(lambda: servers.readers and servers.readers[-1].reads, "reading")
    slider.value = moved
    until(
        lambda: ("change", replace(SCENARIOS[0].settings, **{name: moved})) in servers.calls, name
    )


def test_run_moves_the_chart_and_stop_tells_the_result(explorer, servers):
    idle = explorer.chart.value
    seen: list[str] = []
    explorer.chart.observe(lambda change: seen.append(change["new"]), "value")
    explorer.run.click()
    until(lambda: len(seen) > 10, "frames")
    until(lambda: "of the answers come from the cache" in said(explorer), "words")
    assert idle not in seen[5:]
    explorer.stop.click()
    assert said(explorer).startswith("Stopped. Of ")
    frames = len(seen)
    until(lambda: servers.calls[-1] == "clear", "the clearing up")
    assert len(seen) <= frames + 1
    assert "Stopped. Of " in explorer.chart.value  # the chart's description


def test_compare_keeps_the_last_run(explorer):
    for _ in range(2):
        explorer.run.click()
        until(lambda: "of the answers come from the cache" in said(explorer), "words")
        explorer.stop.click()
    assert "last run" not in explorer.chart.value
    explorer.compare.value = True
    assert "last run" in explorer.chart.value
    explorer.reset.click()
    assert "last run" not in explorer.chart.value


def test_reset_puts_the_scenario_back(explorer):
    explorer.scenario.value = scenario = SCENARIOS[2]
    assert explorer.settings == scenario.settings
    explorer.controls["ttl"].value = 7
    explorer.run.click()
    until(lambda: "of the answers" in said(explorer), "words")
    explorer.reset.click()
    assert explorer.settings == scenario.settings
    assert said(explorer) == words.preview(scenario.settings)
    assert explorer.chart.value == figure.live(
        [], [], scenario.settings, words.preview(scenario.settings)
    )


def test_an_event_moves_the_sliders(explorer, servers):
    events = (Event(0.0, "All at once.", {"rate": 300, "viral": 0.5}),)
    scenario = Scenario("Sudden", "", Settings(rate=20), events=events)
    explorer.scenario.options = [("Sudden", scenario)]
    explorer.run.click()
    until(lambda: explorer.controls["rate"].value == 300, "the event")
    explorer.controls["ttl"].value = 9  # the learner's change keeps what the event began
    expected = Settings(rate=300, ttl=9, viral=0.5)
    until(lambda: servers.calls[-1] == ("change", expected), "the change")
    explorer.stop.click()
    explorer.run.click()
    until(lambda: servers.calls[-1] == ("prepare", True), "the next run")
    assert explorer.settings.viral == 0


def test_another_run_takes_the_place_of_the_first(explorer, servers):
    explorer.run.click()
    until(lambda: servers.readers and servers.readers[0].reads, "reading")
    explorer.run.click()
    until(lambda: len(servers.readers) == 2 and servers.readers[1].reads, "reading anew")
    assert servers.calls == [("prepare", True), "clear", ("prepare", True)]


def test_close_stops_all_and_says_so(servers):
    explorer = Explorer(servers)
    explorer.run.click()
    until(lambda: servers.readers and servers.readers[0].reads, "reading")
    explorer.close()
    explorer.close()
    assert servers.calls == [("prepare", True), "clear", "close", "close"]
    assert "closed" in said(explorer)
    assert explorer.run.disabled and explorer.controls["rate"].disabled


# --- bench: the real servers --------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def bench(real: Bench) -> Iterator[Bench]:
    yield real
    real.clear()


def described(reader: Reader) -> Any:
    table = reader.table if isinstance(reader, CachedTweets) else reader
    assert isinstance(table, TweetTable)
    return table._dynamodb.describe_table(TableName=table.name)["Table"]


def test_a_run_gets_a_table_of_its_own_with_all_the_tweets(bench):
    reader = bench.prepare(Settings(read_capacity=100, cache=False), warm=True)
    assert len(set(bench.tweet_ids)) == MOST_TWEETS + 1
    for tweet_id in (bench.tweet_ids[0], bench.tweet_ids[-1]):
        assert reader.read(tweet_id).source == "table"
    assert described(reader)["ProvisionedThroughput"]["ReadCapacityUnits"] == 100
    name = described(reader)["TableName"]
    bench.clear()
    with pytest.raises(tweetlab.TweetlabError):
        reader.read(bench.tweet_ids[0])
    assert described(bench.prepare(Settings(), warm=False))["TableName"] != name


def test_a_table_has_saved_up_nothing_and_throttles(bench):
    reader = bench.prepare(Settings(read_capacity=1, cache=False), warm=False)
    requests = workload.zipf(bench.tweet_ids[:10], rate=60, seconds=0.5)
    reads = workload.replay(reader, requests, progress=False)
    assert reads["throttled"].mean() > 0.8


def test_a_warm_cache_holds_what_it_would_after_a_long_time():
    settings = Settings(ttl=60, tweets=1000, rate=20)
    tweets = [Tweet(tweet_id, "Text.", NOW) for tweet_id in IDS]
    rng = np.random.default_rng(0)
    warm = [dict(warm_cache(tweets, settings, rng)) for _ in range(100)]
    seen = np.array([[tweet in cache for tweet in tweets] for cache in warm]).mean(axis=0)
    chances = settings.hit_chances
    assert np.abs(seen - chances).max() < 5 * np.sqrt(1 / 4 / 100)
    assert seen.sum() == pytest.approx(chances.sum(), rel=0.01)
    left = np.array([left for cache in warm for left in cache.values()])
    assert left.min() >= 1 and left.max() <= 60_000
    tenths, _ = np.histogram(left, 10, (0, 60_000))
    assert tenths == pytest.approx(len(left) / 10, rel=0.1)
    assert tweets[-1] not in set().union(*warm)  # nobody knew the viral one


def test_a_warm_cache_is_put_into_redis_before_the_run(bench):
    """Redis tells when a key expires, however long it takes to ask for it."""
    settings = Settings(ttl=60, tweets=1000, rate=20)
    bench._random = np.random.default_rng(3)
    store = bench._redis

    def now_ms() -> int:
        seconds, microseconds = store.time()
        return seconds * 1000 + microseconds // 1000

    before = now_ms()
    reader = bench.prepare(settings, warm=True)
    after = now_ms()
    expires = {one: store.pexpiretime(key(one)) for one in bench.tweet_ids}
    asked = now_ms()
    expected = dict(warm_cache(bench._tweets, settings, np.random.default_rng(3)))
    for tweet in bench._tweets:
        at, left = expires[tweet.tweet_id], expected.get(tweet)
        if at == -2:  # not there: never was, or not any more
            assert left is None or before + left <= asked
        else:
            assert left is not None and before + left <= at <= after + left
    longest = max(expected, key=expected.__getitem__)
    hit = reader.read(longest.tweet_id)
    assert (hit.source, hit.tweet) == ("cache", longest)


def test_a_cold_cache_is_empty(bench):
    reader = bench.prepare(Settings(), warm=False)
    assert [reader.read(bench.tweet_ids[0]).source for _ in range(2)] == ["table", "cache"]


def test_new_read_capacity_is_an_update_of_the_table(bench):
    reader = bench.prepare(Settings(read_capacity=5), warm=False)
    name = described(reader)["TableName"]
    changed = bench.change(Settings(read_capacity=120, ttl=9, single_flight=False))
    table = described(changed)
    assert (table["TableName"], table["ProvisionedThroughput"]["ReadCapacityUnits"]) == (name, 120)
    assert isinstance(changed, CachedTweets) and changed.ttl == 9


def test_without_adaptive_capacity_a_popular_tweet_has_a_quarter(bench):
    """How often one tweet can be read, of a table that has 40 RCU to give at once."""
    most = 200
    reads = {}
    for adaptive in (True, False):
        reader = bench.prepare(Settings(read_capacity=40, cache=False, adaptive=adaptive), False)
        throttled = (reader.read(bench.tweet_ids[0]).throttles for _ in range(most))
        reads[adaptive] = next((n for n, throttles in enumerate(throttled) if throttles), most)
        bench.clear()
    assert 20 <= reads[False] < 0.6 * reads[True]
    assert PARTITIONS == 4


def test_both_tables_share_the_tweets_and_the_cache(bench):
    reader = bench.prepare(Settings(), warm=False)
    tweet = reader.read(bench.tweet_ids[3]).tweet
    other = bench.change(Settings(adaptive=False))
    assert other.read(bench.tweet_ids[3]).source == "cache"
    past_the_cache = bench.change(Settings(adaptive=False, cache=False))
    assert past_the_cache.read(bench.tweet_ids[3]).tweet == tweet


def test_the_cache_is_lost_and_comes_back_empty(bench):
    reader = bench.prepare(Settings(), warm=False)
    known, unknown = bench.tweet_ids[:2]
    assert [reader.read(known).source for _ in range(2)] == ["table", "cache"]
    bench.lose_cache(0.5)
    with pytest.raises(redis.TimeoutError):
        reader.redis.ping()
    assert reader.read(unknown).source == "table"
    bench.clear()
    reader = bench.prepare(Settings(), warm=False)  # waits until Redis answers
    # It may have got what the read sent it meanwhile; what it had before is gone.
    assert not reader.redis.exists(key(known))


def test_a_redis_of_the_user_is_never_broken(bench, monkeypatch):
    reader = bench.prepare(Settings(), warm=True)
    reader.redis.set("theirs", "precious")
    arguments = reader.redis.get_connection_kwargs()
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{arguments['port']}/0")
    other = Bench()
    with Explorer(other) as explorer:
        assert not other.owns_redis
        with pytest.raises(LabError, match="unset REDIS_URL"):
            other.lose_cache(1)
        assert "Cache outage" not in dict(explorer.scenario.options)
        assert len(explorer.scenario.options) == len(SCENARIOS) - 1
    assert reader.redis.get("theirs") == b"precious"


def test_a_run_knows_whether_redis_answers(bench):
    scenario = replace(QUIET, events=(Event(0.1, "Redis hangs.", outage=1),))
    live = LiveRun(bench, scenario, scenario.settings)
    live.start()
    try:
        until(lambda: not live.redis_answers, "the breaker")
        assert "Redis does not answer: every read" in words.situation(point(table=1), False)
        until(lambda: live.redis_answers, "the recovery")
    finally:
        live.stop()
        live.join(30)


# --- all of it ----------------------------------------------------------------------------------


def test_a_live_run_throttles_without_the_cache_and_not_with_it():
    """Real readers on real servers; the cache is switched on while they read."""
    before = children()
    with Explorer() as explorer:
        servers = children() - before
        explorer.controls["cache"].value = False
        explorer.controls["read_capacity"].value = 2
        explorer.run.click()
        until(lambda: "reads were throttled" in said(explorer), "throttling")
        explorer.controls["cache"].value = True
        explorer.controls["read_capacity"].value = 150
        until(lambda: "No read is throttled" in said(explorer), "the end of it")
        assert "of the answers come from the cache" in said(explorer)
        explorer.stop.click()
        assert re.match(r"Stopped\. Of [\d,]+ reads", said(explorer))
    assert len(servers) >= 2
    assert gone(servers)


def test_the_notebook_runs_and_cleans_up():
    """As by "Run all", and then by the buttons."""
    [path] = OTHERS
    before = children()
    with kernel_for(path) as book:
        book.execute()
        started = children() - before
        book.inject("explorer.run.click()")
        book.inject(
            "import time\n"
            "while 'of the answers' not in explorer.words.value: time.sleep(0.1)\n"
            "explorer.stop.click()"
        )
        assert book.value("explorer.words.value").startswith("Stopped. Of ")
    assert len(started) >= 3  # the kernel, the endpoint, and Valkey
    assert gone(started)
