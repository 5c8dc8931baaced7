"""Numbers as words."""

from __future__ import annotations

import math

import pytest

from tweetlab.charts import wording


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.684, "0.68 ms"),
        (4.52, "4.5 ms"),
        (10, "10 ms"),
        (999, "999 ms"),
        (12_345, "12.3 s"),
        (math.nan, "unknown"),
    ],
)
def test_a_duration_has_two_or_three_digits(ms, text):
    assert wording.duration(ms) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0%"), (0.0005, "0.05%"), (0.5, "50%"), (0.825, "82%"), (0.9998, "99.98%"), (1, "100%")],
)
def test_a_few_are_not_none_and_nearly_all_are_not_all(part, text):
    assert wording.percent(part) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 reads"), (1, "1 read"), (2018, "2,018 reads")])
def test_one_is_singular(number, text):
    assert wording.quantity(number, "read") == text
