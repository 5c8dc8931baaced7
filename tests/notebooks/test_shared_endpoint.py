"""Lessons of several learners, at the same time on one ``tweetlab endpoint``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.support.busy_machine import IMPORTS
from tests.support.lessons import SOLUTIONS, kernel_for, tags
from tweetlab.lab.lab import DYNAMODB_VARIABLE

ENDPOINT = f"""
{IMPORTS}
from tests.support.busy_machine import SteppedClock
clock = SteppedClock()
clock.install()
print(clock.lead(), flush=True)
from tweetlab.commands.main import main
main(["endpoint", "--port", "0"])
"""
"""An endpoint by whose clock others may go."""
FOLLOW = IMPORTS + "from tests.support import busy_machine; busy_machine.prepare({port})"


@pytest.fixture
def clock_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An endpoint that all labs use: the port where its clock is followed."""
    process = subprocess.Popen([sys.executable, "-c", ENDPOINT], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        monkeypatch.setenv(DYNAMODB_VARIABLE, process.stdout.readline().strip())
        yield port
    finally:
        process.kill()
        process.communicate()


def run(path: Path, clock_port: int) -> list[str]:
    """Run a lesson from top to bottom: what its checks say."""
    with kernel_for(path, FOLLOW.format(port=clock_port)) as book:
        book.execute()
        checks = [cell for cell in book.cells if "check" in tags(cell)]
        return [cell.outputs[0]["data"]["text/plain"] for cell in checks]


def test_lessons_02_03_and_04_pass_at_once(clock_port):
    paths = [path for path in SOLUTIONS if path.name[:2] in ("02", "03", "04")]
    with ProcessPoolExecutor(len(paths), get_context("spawn")) as pool:
        said = list(pool.map(run, paths, [clock_port] * len(paths)))
    assert len(said) == 3 and all(said)
    assert all(words.startswith("Right!") for of_lesson in said for words in of_lesson), said
