"""Each worked example that AWS has published, by its number, on a fake clock."""

from __future__ import annotations

import pytest

from tests.support.conformance import EXAMPLES, PAGE, Example, page


@pytest.mark.parametrize("example", EXAMPLES, ids=[each.number for each in EXAMPLES])
def test_a_worked_example(example: Example):
    assert example.ours() == example.expected


def test_the_page_is_what_the_examples_give():
    assert PAGE.read_text("utf-8") == page(), "write it anew with: make conformance"
