"""A load is replayed while something that the reader needs fails, and is repaired."""

import time
from collections.abc import Callable
from threading import Timer

import pandas as pd

from tweetlab.workload.open_loop import Reader
from tweetlab.workload.run import replay


def replay_outage(
    reader: Reader,
    requests: pd.DataFrame,
    fail: Callable[[], None],
    repair: Callable[[], None],
    *,
    begin: float = 0.4,
    end: float = 1.4,
) -> pd.DataFrame:
    """Replay the requests, and meanwhile call ``fail`` after ``begin`` seconds, ``repair`` after
    ``end`` seconds. Both are also called if the replay is interrupted: nothing is left broken.

    Returns the columns of ``workload.replay``, and ``down``: whether the read was due after
    ``fail`` was called and before ``repair`` was done. Raises as ``workload.replay`` does.
    """
    times: list[float] = []

    def begin_outage() -> None:
        times.append(time.monotonic())
        fail()

    def end_outage() -> None:
        repair()
        times.append(time.monotonic())

    timers = Timer(begin, begin_outage), Timer(end, end_outage)
    started = time.monotonic()
    for timer in timers:
        timer.start()
    try:
        reads = replay(reader, requests)
    finally:
        for timer in timers:
            timer.join()
    return reads.assign(down=reads["at"].between(times[0] - started, times[-1] - started))
