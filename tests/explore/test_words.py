"""What the explorer says."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace

import pytest

from tests.support.explorer_fakes import QUIET, has_read, point, until
from tweetlab.errors import TableBusy
from tweetlab.explore import ScenarioEvent, Settings, words


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


def test_the_words_tell_of_an_event_and_of_the_result(begin, lab, monkeypatch):
    monkeypatch.setattr("tweetlab.explore.run.PATIENCE", math.inf)  # a busy machine is no reason
    with lab.turn:
        live = begin(replace(QUIET, events=(ScenarioEvent(0.0, "Redis hangs.", outage=3),)))
        assert words.now(live).startswith("Getting a new table")
    until(lambda: has_read(live) and live.news, "reading")
    assert words.now(live).startswith("Redis hangs. 100% of the answers come from the cache")
    live.stop()
    assert re.fullmatch(
        r"Stopped\. Of [\d,]+ reads?, 100% came from the cache, 0% were throttled, and 0% failed\.",
        words.now(live),
    )
