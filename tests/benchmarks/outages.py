"""Redis hangs, dies, fails over, loses connections: in threads, under gevent, in a forked child."""

from __future__ import annotations

from typing import Any

from tests.support.outages import FAULTS, PLACES, outage


def run() -> list[dict[str, Any]]:
    """One row for each fault and place; each is a process of its own.

    32 readers of 50 tweets, 50 reads a second each; the table takes 5 ms. ``worst_ms`` is the worst
    read; ``table_reads`` of the ``reads`` since the fault went to the table, the last of them
    ``last_table_read_s`` after it. What hangs or died is back after 1 s; a failover has lost a
    fifth of the tweets.
    """
    return [
        {"fault": fault, "in": place} | outage(fault, place) for fault in FAULTS for place in PLACES
    ]
