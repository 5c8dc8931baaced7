"""A lab that all the exercises' tests share: each leaves the table and Redis as it found them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tweetlab
from tests.support.labs import patient_lab, roomy_table


@pytest.fixture(scope="session")
def lab() -> Iterator[tweetlab.Lab]:
    with patient_lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def tweets(lab: tweetlab.Lab) -> tweetlab.TweetTable:
    return roomy_table(lab)
