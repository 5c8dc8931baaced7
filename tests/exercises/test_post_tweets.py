"""What the checks of lesson 02 say of no answer, of wrong ones, and of a right one."""

from __future__ import annotations

import math

import pytest

from tests.support.verdicts import empty, wrong
from tweetlab import exercises
from tweetlab.capacity import write_units


@pytest.mark.parametrize(
    ("longest", "missing"),
    [
        (None, "`longest` is `None`, not a number of letters"),
        (936, "for 937 letters DynamoDB charges 1 WCU, not 2: try more"),
        (938, "for 938 letters DynamoDB charges 2 WCU, not 1: try fewer"),
    ],
)
def test_longest_text_that_is_not(lab, tweets, longest, missing):
    assert wrong(exercises.check_longest_text(longest, lab.dynamodb)) == [missing]


def test_longest_text(lab, tweets):
    assert exercises.check_longest_text(937, lab.dynamodb).right
    assert lab.dynamodb.scan(TableName="tweet")["Count"] == 0


def test_write_cost(lab, tweets):
    def characters(item):
        return write_units(sum(len(name) + len(value["S"]) for name, value in item.items()))

    def text_alone(item):
        return write_units(len(item["text"]["S"].encode()))

    def right(item):
        size = sum(len((name + value["S"]).encode()) for name, value in item.items())
        return math.ceil(size / 1024)

    def check(answer):
        return exercises.check_write_cost(answer, lab.dynamodb)

    assert len(wrong(check(empty))) == 3
    assert wrong(check(characters)) == ["300 owls: DynamoDB charges 2 WCU, you say `1.0`"]
    assert wrong(check(text_alone)) == ["2,000 letters: DynamoDB charges 3 WCU, you say `2.0`"]
    assert check(right).right
