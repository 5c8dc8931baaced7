"""Which errors are throttles, and how many of them botocore met behind a call: the answer does not
tell them apart from other errors that were retried."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

ATTEMPTS = 3
"""Tries of each request, the first included: a run under overload must come to an end."""
THROTTLING_CODES = {"ProvisionedThroughputExceededException", "ThrottlingException"}


@dataclass
class Throttles:
    """How many attempts of the calls made in a ``with`` block were answered with a throttle."""

    count: int = 0


_current = threading.local()


def watch(client: Any) -> None:
    """Make the throttles of a boto3 client countable; doing it twice changes nothing."""
    client.meta.events.register("needs-retry.dynamodb", _note, unique_id="tweetlab-throttles")


@contextmanager
def count_throttles() -> Iterator[Throttles]:
    """Count the throttled attempts that watched clients make in this thread within the block."""
    throttles = _current.throttles = Throttles()
    try:
        yield throttles
    finally:
        del _current.throttles


def _note(response: tuple[Any, dict[str, Any]] | None, **_: Any) -> None:
    throttles = getattr(_current, "throttles", None)
    if throttles is not None and response is not None:
        throttles.count += response[1].get("Error", {}).get("Code") in THROTTLING_CODES
