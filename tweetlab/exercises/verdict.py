"""What a check says of an answer, and how a check is written."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ParamSpec

P = ParamSpec("P")
Remark = tuple[bool, str]
"""Whether one thing is right, and a sentence (Markdown) that says so, or says what is wrong."""


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer: a notebook shows it as a list, ``print`` as lines of text."""

    remarks: tuple[Remark, ...]
    hint: str

    @property
    def right(self) -> bool:
        """Whether all of it is right."""
        return all(good for good, _ in self.remarks)

    def __str__(self) -> str:
        lines = [f"{'✓' if good else '✗'} {sentence}" for good, sentence in self.remarks]
        if self.right:
            return "\n".join(["Right!", *lines])
        done = sum(good for good, _ in self.remarks)
        head = f"Not yet: {done} of {len(lines)} right."
        return "\n".join([head, *lines, f"Hint: {self.hint}"])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        head, *rest = str(self).splitlines()
        return "  \n".join([f"**{head}**", *rest])


def check(hint: str) -> Callable[[Callable[P, Iterator[Remark]]], Callable[P, Verdict]]:
    """Make a check of a function that yields remarks; it gives the ``hint`` until all are right.

    If an answer raises an exception, that becomes the last remark: a check never raises.
    """

    def decorate(remarks_on: Callable[P, Iterator[Remark]]) -> Callable[P, Verdict]:
        @functools.wraps(remarks_on)
        def judge(*args: P.args, **kwargs: P.kwargs) -> Verdict:
            remarks: list[Remark] = []
            try:
                for remark in remarks_on(*args, **kwargs):
                    remarks.append(remark)
            except Exception as error:
                message = " ".join(str(error).split())
                remarks.append((False, f"`{type(error).__name__}` was raised: {message}"))
            return Verdict(tuple(remarks), hint)

        return judge

    return decorate


def expect_number(
    answer: Callable[..., Any], arguments: tuple[Any, ...], expected: float
) -> Remark:
    """Whether a function gives the number that is expected for these arguments."""
    call = f"`{answer.__name__}({', '.join(map(str, arguments))})`"
    given = answer(*arguments)
    if isinstance(given, int | float) and math.isclose(given, expected, rel_tol=1e-6):
        return True, f"{call} is {expected:g}"
    return False, f"{call} should be {expected:g}; yours gives `{given}`"


def lifetime(seconds: int) -> str:
    """How long Redis keeps a key, in words; ``seconds`` is its answer to TTL."""
    return {-2: "not at all", -1: "for ever"}.get(seconds, f"for {seconds:,} s")
