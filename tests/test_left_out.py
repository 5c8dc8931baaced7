"""Where something is missing, the run says which tests were left out; in CI they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.left_out import summary

ROOT = Path(__file__).parent.parent
NEEDS_REDIS = "tests/test_setup.py::test_compose_redis_keeps_nothing_on_disk"


def test_the_summary_counts_by_what_is_missing():
    chromium = "Skipped: for want of Chromium (apt-get install chromium)"
    redis = "Skipped: for want of Debian's redis-server (apt-get install redis-server)"
    assert summary([]) is None
    assert summary(["Skipped: no reason of ours"]) is None
    assert summary([redis, "Skipped: no reason of ours"]) == (
        "1 test was left out: 1 for want of Debian's redis-server (apt-get install redis-server)."
    )
    assert summary([chromium] * 1030 + [redis] * 17) == (
        "1,047 tests were left out: 1,030 for want of Chromium (apt-get install chromium), "
        "17 for want of Debian's redis-server (apt-get install redis-server)."
    )


def run_without_redis(empty: Path, *arguments: str, **environment: str):
    """Run a test that needs a Redis, where no program can be found."""
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, NEEDS_REDIS],
        cwd=ROOT,
        env=inherited | {"PATH": str(empty)} | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("processes", [[], ["--numprocesses=1"]], ids=["alone", "xdist"])
def test_the_last_line_of_a_run_says_what_was_left_out(tmp_path, processes):
    done = run_without_redis(tmp_path, *processes)
    assert done.returncode == 0
    *_, last = done.stdout.splitlines()
    assert last == (
        "1 test was left out: 1 for want of Debian's redis-server (apt-get install redis-server)."
    )
    assert done.stdout.count("redis-server") == 2  # nothing but that line


def test_in_ci_nothing_is_left_out(tmp_path):
    done = run_without_redis(tmp_path, CI="true")
    assert done.returncode == 1
    assert "Failed: for want of Debian's redis-server" in done.stdout
    assert "left out" not in done.stdout.splitlines()[-1]
