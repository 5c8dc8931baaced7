"""Whether an endpoint gives readers in many processes what a table has: no more, and no less."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

from tests.conftest import ROOT
from tests.support.serving import STRING_KEY, client, item
from tweetlab.lab import metrics

RATE = 40
BURST_SECONDS = 2
UNITS = 1.5
"""What a read costs: 10 KB, eventually consistent."""
THREADS = (6, 5, 5)


def check_accounting(url: str, seconds: float) -> None:
    """Check it of an endpoint with a burst of BURST_SECONDS, for so long or longer."""
    dynamodb = client(url)
    began = time.monotonic()
    dynamodb.create_table(
        TableName="table",
        ProvisionedThroughput={"ReadCapacityUnits": RATE, "WriteCapacityUnits": 100},
        **STRING_KEY,
    )
    dynamodb.put_item(TableName="table", Item=item("a", 10 * 1024))
    results = read_from_many_processes(url, "table", seconds)
    ended = time.monotonic()
    dynamodb.close()

    served = sorted(tuple(read) for result in results for read in result["served"])
    throttled = sorted(tuple(read) for result in results for read in result["throttled"])
    total = sum(units for _, _, units in served)
    assert {units for _, _, units in served} == {UNITS}
    # A new table holds one second's worth.
    assert RATE <= total <= RATE * (1 + ended - began) + UNITS
    assert_no_more_than_the_table_has(served)
    assert_no_less_than_the_table_has(served, throttled)

    rows = metrics.fetch(url).query("table == 'table'")
    assert rows["read_consumed"].sum() == total
    assert rows["read_throttled"].sum() == len(throttled)


def read_from_many_processes(url: str, table: str, seconds: float) -> list[dict[str, Any]]:
    """What 16 threads in 3 processes are told."""
    command = [sys.executable, "-m", "tests.support.readers", url, table]
    processes = [
        subprocess.Popen(
            [*command, str(threads), str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for threads in THREADS
    ]
    outputs = [process.communicate(timeout=seconds + 120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(THREADS)
    return [json.loads(output) for output in outputs]


def assert_no_more_than_the_table_has(served: list[Any]) -> None:
    """In no interval is more granted than the rate and the burst allow, and one overdraft. A read
    was admitted after it was sent and before it was answered."""
    for first in range(len(served)):
        sent = served[first][0]
        granted = 0.0
        for _, answered, units in sorted(served[first:], key=lambda read: read[1]):
            granted += units
            assert granted <= RATE * (BURST_SECONDS + answered - sent) + UNITS


def assert_no_less_than_the_table_has(served: list[Any], throttled: list[Any]) -> None:
    """From one throttle to another, the reads took all that came in: the bucket was empty at both.
    Nothing was lost in between, if the throttles came too fast for the bucket to fill up."""
    start = throttled[0]
    for one, following in pairwise([*throttled, None]):
        if following is None or following[1] - one[0] >= BURST_SECONDS:
            granted = sum(
                u for sent, answered, u in served if answered > start[0] and sent < one[1]
            )
            assert granted >= RATE * (one[0] - start[1]) - UNITS
            start = following
