"""The program ``tweetlab``, as it is typed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
"""Where the environment of the tests has its programs."""


@contextmanager
def endpoint_process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `tweetlab endpoint`; give the process and the URL on its first line."""
    process = subprocess.Popen(
        [BIN / "tweetlab", "endpoint", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", line)
        yield process, line.strip()
    finally:
        process.kill()
        process.communicate()
