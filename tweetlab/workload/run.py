"""A load is replayed, and what became of each read is summed up."""

import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from tweetlab.errors import NothingAnswered
from tweetlab.workload import open_loop
from tweetlab.workload.open_loop import POLL, DueRead, Reader, Row
from tweetlab.workload.requests import times_and_ids

HOPELESS = 20
"""A run of which the first so many reads all failed, and not by throttling, is given up."""


def replay(
    reader: Reader,
    requests: pd.DataFrame,
    workers: int = 32,
    *,
    progress: bool | str = True,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> pd.DataFrame:
    """Read the tweets of ``requests``, each at its own time, with a pool of worker threads.

    The load is an open loop, as it is in production: a read is due at its time ``at`` whether or
    not the reads before it are done; if all workers are busy, it waits its turn. Its ``seconds``
    count from the moment it was *due*, so a slow reader cannot hide its own queue (the mistake
    called coordinated omission).

    Returns one row for each request, in the order of the requests:

    - ``at``, ``tweet_id``: as requested
    - ``source``: "cache", "table", or "failed" for a read that got no tweet
    - ``seconds``: from when it was due until its tweet, or its error, came
    - ``retries``: attempts after the first; 0 where an error does not say
    - ``throttled``: whether DynamoDB throttled it at least once, even if it was answered later
    - ``read_units``: read capacity units it consumed; 0 from the cache, or when it failed

    No single failure ends a run. A RuntimeWarning gives the reasons of those that were not
    throttling; if there are only such failures, NothingAnswered is raised instead, after the
    first 20. An interrupt (Stop in a notebook, Ctrl-C) begins no new read, waits for the few under
    way, and leaves no worker behind. ``progress`` shows a bar; a string is its label.
    """
    at, tweet_ids = times_and_ids(requests)
    if not isinstance(workers, int) or workers < 1:
        raise ValueError(f"workers must be a whole number, at least 1, not {workers!r}.")

    rows: dict[int, Row] = {}
    errors: list[Exception] = []
    order = sorted(range(len(at)), key=at.__getitem__)
    stop = threading.Event()
    worthwhile = threading.Event()

    def finish(due: DueRead, row: Row, error: Exception | None) -> None:
        if error is None:
            worthwhile.set()
        else:
            errors.append(error)
        rows[due.place] = row

    label = progress if isinstance(progress, str) else "Reading tweets"
    with (
        tqdm(total=len(at), desc=label, unit=" reads", disable=not progress) as bar,
        ThreadPoolExecutor(workers, thread_name_prefix="tweetlab-replay") as pool,
    ):
        try:
            working = open_loop.begin(
                reader,
                (DueRead(place, at[place], tweet_ids[place]) for place in order),
                finish,
                workers=min(workers, len(at)),
                spawn=pool.submit,
                stop=stop,
                clock=clock,
                sleep=sleep,
            )
            while working:
                done, working = wait(working, timeout=POLL)
                for worker in done:
                    worker.result()  # raises what is no failed read, such as SystemExit
                bar.update(len(rows) - bar.n)
                if len(rows) >= HOPELESS and not worthwhile.is_set():
                    stop.set()
        finally:
            stop.set()

    if len(rows) < len(at) or 0 < len(rows) == len(errors):
        raise NothingAnswered(
            f"None of the first {len(errors)} reads was answered: {_reasons(errors)}"
        ) from errors[0]
    if errors:
        warnings.warn(
            f"{len(errors)} of {len(rows)} reads failed, not by throttling: {_reasons(errors)}",
            RuntimeWarning,
            stacklevel=2,
        )
    frame = pd.DataFrame([rows[place] for place in range(len(at))], columns=list(Row._fields))
    return frame.astype({"at": float, "seconds": float, "retries": int, "throttled": bool})


def _reasons(errors: list[Exception]) -> str:
    """How often each kind of error happened, with the words of the first of its kind."""
    first = {type(error).__name__: error for error in reversed(errors)}
    counts = Counter(type(error).__name__ for error in errors)
    return "; ".join(
        f"{count} times {name} ({first[name]})" for name, count in counts.most_common()
    )


def summary(reads: pd.DataFrame) -> dict[str, Any]:
    """A run in a few numbers, ready for JSON.

    - ``reads``: all of them; ``failed``: those that got no tweet
    - ``throttled``: reads that DynamoDB throttled at least once
    - ``p50_ms``, ``p99_ms``: latency of the *answered* reads in milliseconds, since a failure may
      be quick; None if none was answered
    - ``table_reads``: reads answered by the table; ``consumed_rcu``: read capacity units in all
    - ``hit_ratio``: answers from the cache among all answers, 0 to 1; None if there was none
    """
    answered = reads[reads["source"] != "failed"]
    latency = answered["seconds"] * 1000
    return {
        "reads": len(reads),
        "failed": len(reads) - len(answered),
        "throttled": int(reads["throttled"].sum()),
        "p50_ms": round(float(latency.quantile(0.5)), 3) if len(answered) else None,
        "p99_ms": round(float(latency.quantile(0.99)), 3) if len(answered) else None,
        "table_reads": int((reads["source"] == "table").sum()),
        "consumed_rcu": float(reads["read_units"].sum()),
        "hit_ratio": float((answered["source"] == "cache").mean()) if len(answered) else None,
    }
