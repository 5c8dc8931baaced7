"""What the explorer's settings are expected to ask of the table, and what the sliders can show."""

from __future__ import annotations

from dataclasses import fields, replace
from uuid import UUID

import numpy as np
import pytest

from tests.support.explorer_fakes import IDS
from tweetlab import workload
from tweetlab.capacity import read_units
from tweetlab.explore import SCENARIOS, ScenarioEvent, Settings, run
from tweetlab.explore.controls import LABELS
from tweetlab.explore.settings import RANGES


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
    for request in run.endless_reads(lambda: settings, IDS, rng):
        if request.at > 40 * settings.ttl + 400:
            break
        hit = request.at < expires.get(request.tweet_id, 0)
        if not hit:
            expires[request.tweet_id] = request.at + settings.ttl
        if request.at > 3 * settings.ttl:  # once it is warm
            hits, reads = hits + hit, reads + 1
    assert hits / reads == pytest.approx(settings.hit_ratio, abs=0.01)
    assert settings.needed == pytest.approx(
        settings.rate * (1 - hits / reads) * read_units(1), rel=0.05
    )


def test_shares_are_those_of_the_workload_and_the_viral_tweet_takes_its_own():
    settings = Settings(tweets=20, skew=0.7, viral=0.25)
    assert settings.shares[:-1] == pytest.approx(0.75 * workload.popularity(20, 0.7))
    assert settings.shares[-1] == 0.25


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_can_be_shown_by_the_sliders(scenario):
    settings = scenario.settings
    for event in (ScenarioEvent(0, ""), *scenario.events):
        settings = replace(settings, **event.changes)
        for name, (low, high) in RANGES.items():
            assert low <= getattr(settings, name) <= high
    assert list(scenario.events) == sorted(scenario.events, key=lambda event: event.at)


def test_every_setting_but_the_viral_share_has_a_control():
    assert {*LABELS, "viral"} == {field.name for field in fields(Settings)}
