"""Tests that are left out where a machine has not what they need, and what is said of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

import pytest

WANT = "for want of "


def unavailable(thing: str, command: str) -> NoReturn:
    """Skip the test for want of a thing that the command brings; fail it in CI, where nothing may
    be missing."""
    reason = f"{WANT}{thing} ({command})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def works(*command: str) -> bool:
    """Whether a program can be run: macOS has a java that only says where to get one."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True).returncode == 0


def summary(reasons: Iterable[str]) -> str | None:
    """How many tests were left out, for want of what, and what brings it; None if there are none.
    Tests that were skipped for other reasons are not counted."""
    wants = Counter(WANT + want for _, found, want in (r.partition(WANT) for r in reasons) if found)
    if not wants:
        return None
    were = "1 test was" if wants.total() == 1 else f"{wants.total():,} tests were"
    return f"{were} left out: {', '.join(f'{count:,} {want}' for want, count in wants.items())}."
