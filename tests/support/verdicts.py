"""An answer that is none, and what a check finds missing in one."""

from __future__ import annotations

from typing import Any

from tweetlab.exercises import Verdict


def empty(*_: object) -> Any:
    """The answer of a learner who has not begun."""


def wrong(verdict: Verdict) -> list[str]:
    """What a check finds missing in an answer that is not right."""
    assert not verdict.right
    assert str(verdict).startswith("Not yet: ")
    return [sentence for good, sentence in verdict.remarks if not good]
