"""Servers of notebooks, as their users start them: JupyterLab, Voila, and make's targets."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import psutil
import pytest

from tests.conftest import ROOT
from tests.support.busy_machine import prepare_kernels


class Served(NamedTuple):
    """A server of notebooks: its process, and the URL that it printed."""

    pid: int
    url: str

    def started(self) -> set[int]:
        """The processes that it started, and those that they did: kernels, and their servers."""
        return {child.pid for child in psutil.Process(self.pid).children(recursive=True)}


@contextmanager
def served(
    command: list[str], directory: Path, scratch: Path, more: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Run a server of notebooks; the user's own Jupyter settings stay out of it, and its traces
    out of theirs. What happens in its kernels does not depend on how busy the machine is."""
    outside = ("JUPYTER", "MAKE", "MFLAGS")
    environment = {name: v for name, v in os.environ.items() if not name.startswith(outside)}
    environment |= {"IPYTHONDIR": str(scratch / "ipython"), **(more or {})}
    prepare_kernels(scratch / "ipython")
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"JUPYTER_{kind}_DIR"] = str(scratch / kind.lower())
    log = scratch / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            start_new_session=True,  # a process group of its own, to end it whole
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: process.poll() is not None or _printed_url(log))
        url = _printed_url(log)
        assert url, f"{command} ended without printing a URL:\n{log.read_text()}"
        wait_until(lambda: connects(urlsplit(url)))  # it prints the URL a moment before it listens
        yield Served(process.pid, url)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=120)
        wait_until(lambda: not group_exists(process.pid))


def _printed_url(log: Path) -> str | None:
    found = re.search(r"(http://127\.0\.0\.1:\d+/\S*)\n", log.read_text())
    return found and found[1]


@contextmanager
def made(target: str, stamp: str, arguments: str, scratch: Path) -> Iterator[Served]:
    """Run a target of the Makefile that serves, in the environment of this test."""
    venv = os.path.relpath(sys.prefix, ROOT)
    # The environment is the one that runs this test: --old-file takes it as installed.
    command = ["make", f"--old-file={venv}/{stamp}", target, f"VENV={venv}"]
    with served([*command, f"JUPYTER_ARGS={arguments}"], ROOT, scratch) as server:
        yield server


def connects(url: SplitResult) -> bool:
    """Whether something listens where that URL points."""
    with socket.socket() as probe:
        return probe.connect_ex((url.hostname, url.port)) == 0


def group_exists(process_group: int) -> bool:
    """Whether any process is left in that group."""
    try:
        os.killpg(process_group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    """Return as soon as the condition holds; fail the test when it still does not in the end."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"still not after {seconds} s")
        time.sleep(0.05)
