"""Whatever is asked and whenever: no bucket grants more than it was given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.serving import Clock
from tweetlab.capacity import TableCapacity

steps = st.lists(
    st.tuples(
        st.integers(0, 5000).map(lambda milliseconds: milliseconds / 1024),
        st.sampled_from(["a", "b", "c", "d", "e", None]),
        st.sampled_from([0.5, 1, 2, 12.5, 100, 3000]),
    ),
    max_size=60,
)
tables = st.fixed_dictionaries(
    {
        "read_capacity": st.sampled_from([1, 7, 100, 2500, 20_000]),
        "burst_seconds": st.sampled_from([0, 1, 60, 300]),
        "initial_burst_seconds": st.sampled_from([0, 5, 300]),
        "partitions": st.sampled_from([None, 1, 2, 5]),
        "adaptive": st.booleans(),
    }
)


@given(tables, steps)
def test_no_bucket_grants_more_than_rate_times_time_and_burst_and_one_overdraft(settings, steps):
    clock = Clock()
    table = TableCapacity(write_capacity=1, clock=clock, **settings)
    granted: list[tuple[float, int | None, float]] = []
    for seconds, key, units in steps:
        clock.advance(seconds)
        if table.read(key, units) is None:
            granted.append((clock(), None if key is None else table.partition_of(key), units))

    kept = max(1, settings["burst_seconds"])
    rate = settings["read_capacity"]
    if settings["adaptive"]:
        within_bounds(granted, rate, rate * kept)
    for partition in range(table.partitions):
        of_partition = [
            (at, number, units if number is not None else units / table.partitions)
            for at, number, units in granted
            if number in (partition, None)
        ]
        within_bounds(of_partition, 3000, 3000)
        if not settings["adaptive"]:
            share = rate / table.partitions
            within_bounds(of_partition, share, share * kept)


def within_bounds(granted: list[tuple[float, int | None, float]], rate: float, size: float) -> None:
    """Check every interval that begins and ends with a grant; the last may overdraw."""
    for first in range(len(granted)):
        total = 0.0
        for at, _, units in granted[first:]:
            total += units
            assert total - units < size + rate * (at - granted[first][0]) + 1e-6


@given(tables, steps, st.lists(st.sampled_from([1, 50, 5000]), min_size=1, max_size=5))
def test_nothing_is_gained_by_changing_the_throughput(settings, steps, rates):
    """However often it is changed, a table serves what the rates in force earned it."""
    clock = Clock()
    table = TableCapacity(write_capacity=1, clock=clock, **settings)
    earned = table.reads.units(clock())
    rate = settings["read_capacity"]
    served = 0.0
    for number, (seconds, key, units) in enumerate(steps):
        clock.advance(seconds)
        earned += seconds * rate
        if number % 7 == 6:
            rate = rates[number % len(rates)]
            table.update(rate, 1)
        served += units if table.read(key, units) is None else 0
    assert table.reads.units(clock()) <= earned - served + 1e-6
