"""The worked examples of capacity and throttling that AWS has published, and what our rules make of
them. ``python -m tests.support.conformance`` writes tests/conformance.md from what is below.

Each function works one example out with tweetlab.capacity, on a clock that only it moves. Where the
documents contradict each other, or are silent, its docstring says which reading was taken. Guide is
the DynamoDB Developer Guide of the year named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.draining import keys_of_each_partition
from tests.support.serving import Clock
from tweetlab.capacity import (
    OnDemandCapacity,
    PartitionedCapacity,
    TableCapacity,
    read_units,
    write_units,
)
from tweetlab.endpoint import Limits

KB = 1024
PAGE = Path(__file__).parents[1] / "conformance.md"


@dataclass(frozen=True)
class Example:
    """A worked example: where it stands, what it says, and what ours comes to."""

    number: str
    source: str
    given: str
    expected: str
    ours: Callable[[], str]


EXAMPLES: list[Example] = []


def example(number: str, source: str, given: str, expected: str):
    """Note a worked example; the function gives our result, in the words of the expected one."""

    def note(ours: Callable[[], str]) -> Callable[[], str]:
        EXAMPLES.append(Example(number, source, given, expected, ours))
        return ours

    return note


def strong_and_eventual(size: float) -> str:
    """What a read of that many bytes costs."""
    strong, eventual = read_units(int(size), consistent=True), read_units(int(size))
    return f"{strong:g} units strongly, {eventual:g} eventually consistent"


def shares(table: TableCapacity) -> str:
    """The read and write units a second of each partition, as 2015 divided them."""
    rates = zip(table.reads._shares, table.writes._shares, strict=True)
    counted = Counter((reads.rate, writes.rate) for reads, writes in rates)
    return ", ".join(f"{n} of ({r:,.0f} R, {w:,.0f} W)" for (r, w), n in counted.items())


def sustained(table: PartitionedCapacity, clock: Clock, units: float, write: bool = False) -> int:
    """Calls of that many units that a table serves in one second, when it has nothing saved up."""
    take = table.write if write else table.read
    keys = keys_of_each_partition(table)

    def served() -> int:
        count = 0
        while open_keys := [key for key in keys if take(key, units) is None]:
            count += len(open_keys)
        return count

    served()
    clock.advance(1)
    return served()


@example("E1", "re:Post", "150 RCU, idle for 300 s", "45,000 units of burst")
def e1() -> str:
    clock = Clock()
    table = TableCapacity(150, 1, clock=clock)
    clock.advance(300)
    return f"{table.reads.units(clock()):,.0f} units of burst"


@example("E2", "re:Post", "then 200 units a second", "they last 900 s")
def e2() -> str:
    """The burst pays only for what goes beyond the 150: 45,000 / 50, and not 45,000 / 200."""
    clock = Clock()
    table = TableCapacity(150, 1, clock=clock)
    clock.advance(300)
    return f"they last {seconds_served(table.read, clock, 200):.0f} s"


def seconds_served(take: Callable[[str, float], object], clock: Clock, rate: int) -> float:
    """How long a table serves one key that many units a second, until it refuses one."""
    seconds = 0.0
    while all(take("key", 1) is None for _ in range(rate // 10)):
        clock.advance(1 / 10)
        seconds += 1 / 10
    return seconds


@example(
    "E3",
    "Guide now",
    "400 WCU on 4 partitions, which are sent 50, 50, 50 and 150 units a second",
    "100 each: the fourth serves 100, and 150 with adaptive capacity",
)
def e3() -> str:
    """Without a burst, which would put the throttling off: see E3'."""

    def served(adaptive: bool) -> list[int]:
        clock = Clock()
        table = TableCapacity(1, 400, burst_seconds=0, partitions=4, adaptive=adaptive, clock=clock)
        keys = keys_of_each_partition(table)
        for _ in range(10):
            clock.advance(1)
            result = [
                sum(table.write(key, 1) is None for _ in range(load))
                for key, load in zip(keys, (50, 50, 50, 150), strict=True)
            ]
        return result

    clock = Clock()
    table = TableCapacity(1, 400, burst_seconds=0, partitions=4, adaptive=False, clock=clock)
    each = sustained(table, clock, 1, write=True) / 4
    fourth, adapted = served(adaptive=False)[3], served(adaptive=True)[3]
    return f"{each:g} each: the fourth serves {fourth}, and {adapted} with adaptive capacity"


@example(
    "E3'",
    "arithmetic on E3",
    "the same without adaptive capacity, after 300 idle seconds",
    "30,000 units of burst, which last 600 s",
)
def e3_with_burst() -> str:
    clock = Clock()
    table = TableCapacity(1, 400, partitions=4, adaptive=False, clock=clock)
    clock.advance(300)
    held = table.writes.units(clock()) / 4
    seconds = seconds_served(table.write, clock, 150)
    return f"{held:,.0f} units of burst, which last {seconds:.0f} s"


@example(
    "E4",
    "Guide now",
    "strongly consistent reads of a 20 KB item",
    "5 units; 600 a second from one partition",
)
def e4() -> str:
    clock = Clock()
    table = TableCapacity(40_000, 1, clock=clock)
    units = read_units(20 * KB, consistent=True)
    clock.advance(300)
    while table.read("key", units) is None:
        pass
    clock.advance(1)
    served = 0
    while table.read("key", units) is None:
        served += 1
    return f"{units:g} units; {served} a second from one partition"


@example("E5", "Guide 2023", "reads of 3,500 bytes and of 10 KB", "1 and 3 units")
def e5() -> str:
    small, large = (read_units(size, consistent=True) for size in (3500, 10 * KB))
    return f"{small:g} and {large:g} units"


@example("E6", "Guide 2023", "BatchGetItem of 1.5 KB and 6.5 KB", "12 KB: 3 units")
def e6() -> str:
    """Strongly consistent; the Guide gives the 12 KB."""
    units = sum(read_units(int(size * KB), consistent=True) for size in (1.5, 6.5))
    return f"{units * 4:g} KB: {units:g} units"


@example(
    "E7",
    "Guide 2023",
    "Query of 10 items, 40.8 KB together",
    "11 units strongly, 5.5 eventually consistent",
)
def e7() -> str:
    return strong_and_eventual(40.8 * KB)


@example(
    "E8",
    "Guide 2023",
    "Query of 1,500 items of 64 bytes",
    "24 units strongly, 12 eventually consistent",
)
def e8() -> str:
    """The Guide calls this 96 KB, with 1 KB of 1,000 bytes; elsewhere 1 KB is 1,024 bytes, which we
    take. The 93.75 KB are rounded up to 96 KB, so the units are the same."""
    return strong_and_eventual(1500 * 64)


@example("E9", "Guide 2023", "eventually consistent reads, 80 KB together", "10 units")
def e9() -> str:
    return f"{read_units(80 * KB):g} units"


@example("E10", "Guide 2023", "BatchWriteItem of 500 bytes and 3.5 KB", "5 units")
def e10() -> str:
    return f"{write_units(500) + write_units(int(3.5 * KB)):g} units"


@example("E11", "Guide 2023", "writes of 1.6 KB and of 512 bytes", "2 and 1 units")
def e11() -> str:
    return f"{write_units(int(1.6 * KB)):g} and {write_units(512):g} units"


@example(
    "E12",
    "Guide 2023",
    "6 RCU and 6 WCU",
    "reads 24 KB a second strongly, 48 eventually consistent, 12 in transactions; "
    "writes 6 KB, 3 in transactions",
)
def e12() -> str:
    def kilobytes(units: float, block: int, write: bool = False) -> int:
        clock = Clock()
        table = TableCapacity(6, 6, burst_seconds=0, clock=clock)
        return block * sustained(table, clock, units, write)

    strong = kilobytes(read_units(4 * KB, consistent=True), 4)
    eventual = kilobytes(read_units(4 * KB), 4)
    transactional = kilobytes(read_units(4 * KB, transactional=True), 4)
    written = kilobytes(write_units(KB), 1, write=True)
    in_transactions = kilobytes(write_units(KB, transactional=True), 1, write=True)
    return (
        f"reads {strong} KB a second strongly, {eventual} eventually consistent, "
        f"{transactional} in transactions; writes {written} KB, {in_transactions} in transactions"
    )


@example(
    "E13",
    "USENIX ATC 2022",
    "3,200 WCU, then 3,600, 6,000 and 5,000",
    "4 of 800, 4 of 900, 8 of 750, 8 of 625",
)
def e13() -> str:
    """The paper prints 675 for the last: an erratum, since 5,000 / 8 is 625. Its reads are not
    given; one RCU changes no number here."""
    table = TableCapacity(1, 3200, adaptive=False, clock=Clock())
    steps = [3200, 3600, 6000, 5000]
    found = []
    for write_capacity in steps:
        table.update(1, write_capacity)
        (rate,) = {bucket.rate for bucket in table.writes._shares}
        found.append(f"{table.partitions} of {rate:g}")
    return ", ".join(found)


@example(
    "E14",
    "Guide 2018",
    "(1,000 RCU, 500 WCU); (1,000, 1,000); (5,000, 2,000)",
    "1 of (1,000 R, 500 W); 2 of (500 R, 500 W); 4 of (1,250 R, 500 W)",
)
def e14() -> str:
    """The formula adds reads and writes, although a partition serves them independently; it was
    marked as subject to change and is no longer in the Guide. No other was published."""
    tables = [(1000, 500), (1000, 1000), (5000, 2000)]
    return "; ".join(shares(TableCapacity(*each, adaptive=False, clock=Clock())) for each in tables)


@example("E15", "Guide 2018", "(5,000, 2,000) raised to 8,000 RCU", "8 of (1,000 R, 250 W)")
def e15() -> str:
    """Partitions double when they cannot carry the new throughput, although the formula for a new
    table gives 5."""
    table = TableCapacity(5000, 2000, adaptive=False, clock=Clock())
    table.update(8000, 2000)
    return shares(table)


@example(
    "E16",
    "Guide 2018",
    "(5,000, 2,000), and one of the 4 grows beyond 10 GB",
    "3 of (1,250 R, 500 W), 2 of (625 R, 250 W)",
)
def e16() -> str:
    """The endpoint never does this by itself: no local table grows so large."""
    table = TableCapacity(5000, 2000, adaptive=False, clock=Clock())
    table.split(3)
    return shares(table)


@example(
    "E17",
    "Guide 2023",
    "a second, 80 strongly consistent reads of 3 KB and 100 writes of 512 bytes",
    "80 RCU and 100 WCU",
)
def e17() -> str:
    reads, writes = 80 * read_units(3 * KB, consistent=True), 100 * write_units(512)
    return f"{reads:g} RCU and {writes:g} WCU"


@example(
    "E18",
    "Guide now",
    "on-demand, after a peak of 50,000 reads a second",
    "100,000 a second at once, then 200,000",
)
def e18() -> str:
    """How long a peak must be past is said only as "within 30 minutes": we count peaks in periods
    of 30 minutes. A read here is one unit."""
    clock = Clock()
    table = OnDemandCapacity(previous_reads=50_000, clock=clock)
    units = 50
    at_once = units * sustained(table, clock, units)
    clock.advance(1800)
    table.read("key", units)
    then = units * sustained(table, clock, units)
    return f"{at_once:,} a second at once, then {then:,}"


@example(
    "E19",
    "Guide now",
    "100 RCU and 100 WCU, switched to on-demand",
    "12,000 reads and 4,000 writes a second",
)
def e19() -> str:
    """At least that, says the Guide: half of what was provisioned counts as the previous peak, or
    what a new table starts with, if that is more."""
    clock = Clock()
    provisioned = TableCapacity(100, 100, clock=clock)
    table = Limits(clock=clock).on_demand({}, provisioned, index=False, warm=(0, 0))
    reads = 10 * sustained(table, clock, 10)
    writes = 10 * sustained(table, clock, 10, write=True)
    return f"{reads:,} reads and {writes:,} writes a second"


@example(
    "E20",
    "Guide 2023",
    "60 WCU, sent 3,600 writes within a minute",
    "all served if they are spread; throttled after 60 if sent in one second",
)
def e20() -> str:
    """Only without a burst: with a full one of 18,000 units, the second would serve up to the 1,000
    writes of one partition, of which the example says nothing."""
    clock = Clock()
    table = TableCapacity(1, 60, burst_seconds=0, clock=clock)
    at_once = sum(table.write("key", 1) is None for _ in range(3600))
    spread = 0
    for _ in range(60):
        clock.advance(1)
        spread += sum(table.write("key", 1) is None for _ in range(60))
    all_served = "all" if spread == 3600 else f"{spread:,}"
    return (
        f"{all_served} served if they are spread; throttled after {at_once} if sent in one second"
    )


def page() -> str:
    """The worked examples in Markdown."""
    lines = [
        "# Conformance",
        "",
        "Each worked example of capacity and throttling that AWS has published, and what the",
        "endpoint's rules make of it; `make conformance` writes this page from the tests' data.",
        "",
        "| worked example | expected | ours |",
        "|---|---|---|",
    ]
    lines += [
        f"| {each.number}, {each.source}: {each.given} | {each.expected} | {each.ours()} |"
        for each in EXAMPLES
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
