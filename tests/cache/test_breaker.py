"""When Redis is asked, and when it is left alone."""

from __future__ import annotations

import pytest

from tests.support.serving import Clock
from tweetlab.cache import CircuitBreaker


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states() -> list[str]:
    return []


@pytest.fixture
def breaker(clock: Clock, states: list[str]) -> CircuitBreaker:
    return CircuitBreaker(failures=3, pause=1.0, clock=clock, on_change=states.append)


def test_failures_in_a_row_open_it(breaker: CircuitBreaker, states: list[str]) -> None:
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.worked()
    assert breaker.state == "closed" and states == []
    for _ in range(3):
        breaker.failed()
    assert breaker.state == "open" and states == ["open"]


def test_after_a_pause_one_caller_probes(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.trip()
    clock.advance(0.999)
    assert not breaker.should_probe()
    clock.advance(0.001)
    assert [breaker.should_probe() for _ in range(3)] == [True, False, False]
    assert breaker.state == "half-open"


def test_a_probe_that_fails_opens_it_for_another_pause(
    breaker: CircuitBreaker, clock: Clock, states: list[str]
) -> None:
    breaker.trip()
    clock.advance(1)
    assert breaker.should_probe()
    breaker.trip()
    assert breaker.state == "open" and not breaker.should_probe()
    clock.advance(1)
    assert breaker.should_probe()
    breaker.close()
    assert states == ["open", "half-open", "open", "half-open", "closed"]


def test_a_late_answer_does_not_close_it(breaker: CircuitBreaker) -> None:
    breaker.trip()
    breaker.worked()
    assert breaker.state == "open"


def test_late_failures_do_not_put_the_probe_off(breaker: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.failed()
    clock.advance(1)
    breaker.failed()
    assert breaker.should_probe()


def test_once_closed_it_takes_as_many_failures_again(breaker: CircuitBreaker, clock: Clock) -> None:
    for _ in range(3):
        breaker.failed()
    clock.advance(1)
    assert breaker.should_probe()
    breaker.close()
    breaker.failed()
    breaker.failed()
    assert breaker.state == "closed"
    breaker.failed()
    assert breaker.state == "open"


def test_of_those_that_were_under_way_together_one_counts(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    for _ in range(2):
        asked_at = clock()
        clock.advance(0.06)
        for _ in range(32):
            breaker.failed(asked_at)
        assert breaker.state == "closed"
    breaker.failed(asked_at)
    assert breaker.state == "closed"
    breaker.failed(clock())
    assert breaker.state == "open"


def test_without_a_number_no_failure_opens_it(clock: Clock) -> None:
    breaker = CircuitBreaker(failures=None, clock=clock)
    for _ in range(1000):
        breaker.failed()
    assert breaker.state == "closed"
    breaker.trip()
    assert breaker.state == "open"


def test_where_nothing_is_said_three_failures_open_it_for_a_second(clock: Clock) -> None:
    breaker = CircuitBreaker(clock=clock)
    for state in ("closed", "closed", "open"):
        breaker.failed()
        assert breaker.state == state
    clock.advance(0.999)
    assert not breaker.should_probe()
    clock.advance(0.001)
    assert breaker.should_probe()
