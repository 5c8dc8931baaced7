"""Runs without servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.explorer_fakes import QUIET, FakeLab
from tweetlab.explore import Scenario
from tweetlab.explore.run import LiveRun


@pytest.fixture
def lab() -> FakeLab:
    return FakeLab()


@pytest.fixture
def begin(lab: FakeLab) -> Iterator[Callable[..., LiveRun]]:
    """Starts runs on the fake lab, and ends them all."""
    begun = []

    def start(scenario: Scenario = QUIET, **options: Any) -> LiveRun:
        begun.append(LiveRun(lab, scenario, scenario.settings, **options))
        begun[-1].start()
        return begun[-1]

    yield start
    for live in begun:
        live.stop()
    for reader in lab.readers:
        reader.may_answer.set()
    for live in begun:
        live.join(30)
