"""What a check says, and how one is written."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ParamSpec

P = ParamSpec("P")
Finding = tuple[bool, str]
"""Whether a thing is as it should be, and a sentence (Markdown) that says so, or what is wrong."""


@dataclass(frozen=True)
class Verdict:
    """What a check found: a notebook shows it as a list, ``print`` as lines of text."""

    findings: tuple[Finding, ...]
    hint: str

    @property
    def right(self) -> bool:
        """Whether nothing is missing."""
        return all(good for good, _ in self.findings)

    def __str__(self) -> str:
        lines = [f"{'✓' if good else '✗'} {sentence}" for good, sentence in self.findings]
        if self.right:
            return "\n".join(["Right!", *lines])
        done = sum(good for good, _ in self.findings)
        head = f"Not yet: {done} of {len(lines)} right."
        return "\n".join([head, *lines, f"Hint: {self.hint}"])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        head, *rest = str(self).splitlines()
        return "  \n".join([f"**{head}**", *rest])


def check(hint: str) -> Callable[[Callable[P, Iterator[Finding]]], Callable[P, Verdict]]:
    """Turn a generator of findings into a check. An exception becomes the last finding: it is the
    answer that raised it.
    """

    def decorate(look: Callable[P, Iterator[Finding]]) -> Callable[P, Verdict]:
        @functools.wraps(look)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Verdict:
            findings: list[Finding] = []
            try:
                for finding in look(*args, **kwargs):
                    findings.append(finding)
            except Exception as error:
                message = " ".join(str(error).split())
                findings.append((False, f"`{type(error).__name__}` was raised: {message}"))
            return Verdict(tuple(findings), hint)

        return checked

    return decorate


def says(answer: Callable[..., Any], arguments: tuple[Any, ...], expected: float) -> Finding:
    """Whether a function of numbers gives the number expected of it."""
    call = f"`{answer.__name__}({', '.join(map(str, arguments))})`"
    given = answer(*arguments)
    if isinstance(given, int | float) and math.isclose(given, expected, rel_tol=1e-6):
        return True, f"{call} is {expected:g}"
    return False, f"{call} should be {expected:g}; yours gives `{given}`"


def kept(seconds: int) -> str:
    """How long Redis keeps a key, in words; ``seconds`` is its answer to TTL."""
    return {-2: "not at all", -1: "for ever"}.get(seconds, f"for {seconds:,} s")
