"""What an outage costs, wherever the cache runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.outages import outage, run


@pytest.mark.parametrize("gevent", [False, True], ids=["threads", "greenlets"])
def test_nobody_waits_for_a_redis_that_hangs(tmp_path: Path, gevent: bool) -> None:
    run("hung_redis", str(tmp_path), gevent=gevent)


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ("hangs", "forked child"),
        ("dies", "gevent"),
        ("fails over", "forked child"),
        ("loses connections", "gevent"),
    ],
)
def test_all_get_their_tweets_whatever_happens(fault: str, place: str) -> None:
    """How long it took is for ``make bench``, and so are the other pairs. Where Redis is there all
    the time, few read the table."""
    found = outage(fault, place)
    assert found["reads"] > 0
    if fault in ("fails over", "loses connections"):
        assert found["table_reads"] < found["reads"]
