"""Under real concurrency, in real time: nobody gets more than the table has, and all is counted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.commands.test_command_line import serving
from tests.conftest import ROOT
from tests.support.serving import STRING_KEY, client, item
from tweetlab.lab import metrics

RATE = 40
BURST_SECONDS = 2
SECONDS = 8
"""The benchmark does the same for 30 seconds."""
UNITS = 1.5
"""What a read costs: 10 KB, eventually consistent."""
THREADS = (6, 5, 5)


def read_from_many_processes(url: str, table: str, seconds: float) -> list[dict[str, Any]]:
    """What 16 threads in 3 processes are told."""
    command = [sys.executable, "-m", "tests.support.readers", url, table]
    processes = [
        subprocess.Popen(
            [*command, str(threads), str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for threads in THREADS
    ]
    outputs = [process.communicate(timeout=seconds + 60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(THREADS)
    return [json.loads(output) for output in outputs]


@pytest.mark.usefixtures("leaves_no_process")
def test_readers_in_many_processes_get_no_more_than_the_table_has():
    with serving("--burst-seconds", str(BURST_SECONDS)) as (_, url):
        check_accounting(url, SECONDS)


def check_accounting(url: str, seconds: float) -> None:
    """Check it of an endpoint with a burst of BURST_SECONDS."""
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
    total = sum(units for _, _, units in served)
    assert {units for _, _, units in served} == {UNITS}
    # A new table holds one second's worth.
    assert total <= RATE * (1 + ended - began) + UNITS
    assert total >= RATE * seconds / 2, "they hardly read at all"
    assert_within_bounds(served)

    rows = metrics.fetch(url).query("table == 'table'")
    assert rows["read_consumed"].sum() == total
    assert rows["read_throttled"].sum() == sum(result["throttled"] for result in results) > 0


def assert_within_bounds(served: list[Any]) -> None:
    """In no interval is more granted than the rate and the burst allow, and one overdraft. A read
    was admitted after it was sent and before it was answered."""
    for first in range(len(served)):
        sent = served[first][0]
        granted = 0.0
        for _, answered, units in sorted(served[first:], key=lambda read: read[1]):
            granted += units
            assert granted <= RATE * (BURST_SECONDS + answered - sent) + UNITS
