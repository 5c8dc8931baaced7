"""Throttled attempts are counted behind botocore's back, in the thread that makes the call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.redises import in_threads, join
from tests.support.serving import client
from tweetlab.tweets import ATTEMPTS
from tweetlab.tweets.throttles import count_throttles, watch


def met(dynamodb: Any, code: str | None) -> None:
    """What botocore does with each answer, to see whether to try again."""
    response = None if code is None else (None, {"Error": {"Code": code}} if code else {})
    dynamodb.meta.events.emit(
        "needs-retry.dynamodb.GetItem",
        response=response,
        endpoint=None,
        operation=None,
        attempts=ATTEMPTS,
        caught_exception=None,
        request_dict={"context": {}},
    )


@pytest.fixture
def dynamodb() -> Any:
    watched = client("http://127.0.0.1:9")
    watch(watched)
    watch(watched)
    return watched


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("ProvisionedThroughputExceededException", 2),
        ("ThrottlingException", 2),
        ("InternalServerError", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_each_throttle_counts_once_and_no_other_answer(
    dynamodb: Any, code: Any, count: int
) -> None:
    met(dynamodb, code)
    with count_throttles() as throttles:
        met(dynamodb, code)
        met(dynamodb, code)
    met(dynamodb, code)
    assert throttles.count == count


def test_each_block_counts_its_own(dynamodb: Any) -> None:
    for _ in range(2):
        with count_throttles() as throttles:
            met(dynamodb, "ThrottlingException")
            others, _ = in_threads(2, lambda: met(dynamodb, "ThrottlingException"))
            join(others)
        assert throttles.count == 1


def test_a_call_is_tried_three_times() -> None:
    assert ATTEMPTS == 3
