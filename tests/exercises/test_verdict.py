"""What a check's verdict looks like, and that an answer which raises is told so."""

from __future__ import annotations

from tests.support.verdicts import wrong
from tweetlab import exercises
from tweetlab.exercises import Verdict


def test_a_verdict_says_the_same_as_text_and_in_a_notebook():
    verdict = Verdict(((True, "one is `1`"), (False, "two is missing")), "count on")
    text = "Not yet: 1 of 2 right.\n✓ one is `1`\n✗ two is missing\nHint: count on"
    assert str(verdict) == repr(verdict) == text
    assert verdict._repr_markdown_().replace("**", "").split("  \n") == text.splitlines()


def test_a_right_verdict_gives_no_hint():
    verdict = Verdict(((True, "one is `1`"),), "count on")
    assert str(verdict) == "Right!\n✓ one is `1`"


def test_an_answer_that_raises_is_told_so_and_not_raised():
    def answer(read_capacity: float, item_bytes: int) -> float:
        if item_bytes > 200:
            raise TypeError("no\nidea")
        return read_capacity * 2

    verdict = exercises.check_reads_per_second(answer)
    assert [good for good, _ in verdict.remarks] == [True, True, False]
    assert wrong(verdict) == ["`TypeError` was raised: no idea"]


def test_a_learner_is_offered_the_checks_and_not_what_they_are_made_of():
    assert dir(exercises) == sorted(exercises.__all__)
    others = {name for name in dir(exercises) if not name.startswith("check_")}
    assert others == {"Verdict"} and len(dir(exercises)) > 20
