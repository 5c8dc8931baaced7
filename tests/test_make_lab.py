"""`make lab`, the learner's first command, for real."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import psutil
import pytest

ROOT = Path(__file__).parent.parent
LESSON = "notebooks/00_start_here.ipynb"


def test_make_lab_serves_the_lessons_to_this_machine_and_to_its_token_only(tmp_path):
    with make_lab(tmp_path) as (process, url):
        assert url.path == f"/lab/tree/{LESSON}"
        [token] = parse_qs(url.query)["token"]
        assert len(token) >= 32
        server = f"http://{url.netloc}"

        assert get(f"{server}/api/status", token)["kernels"] == 0
        assert get(f"{server}/api/contents/{LESSON}?content=0", token)["type"] == "notebook"
        with pytest.raises(HTTPError, match="403"):
            get(f"{server}/api/status", token="")

        assert listening_addresses(process.pid) == {"127.0.0.1"}


@contextmanager
def make_lab(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], SplitResult]]:
    """Run `make lab` without a browser, in the environment of this test; give process and URL."""
    venv = os.path.relpath(sys.prefix, ROOT)
    # The environment is the one that runs this test: --old-file takes it as installed.
    command = ["make", f"--old-file={venv}/.installed", "lab", f"VENV={venv}"]
    # The learner's own Jupyter settings stay out of the test, and its traces out of theirs.
    outside = ("JUPYTER", "MAKE", "MFLAGS")
    environment = {name: v for name, v in os.environ.items() if not name.startswith(outside)}
    environment |= {
        f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "JUPYTER_ARGS=--no-browser"],
            cwd=ROOT,
            env=environment,
            start_new_session=True,  # a process group of its own, to end it whole
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: process.poll() is not None or printed_url(log))
        url = printed_url(log)
        assert url is not None, f"`make lab` ended without printing a URL:\n{log.read_text()}"
        wait_until(lambda: connects(url))  # it prints the URL a moment before it listens
        yield process, url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
        wait_until(lambda: not group_exists(process.pid))


def printed_url(log: Path) -> SplitResult | None:
    """The URL that JupyterLab prints for its reader to open, once it has."""
    found = re.search(r"(http://127\.0\.0\.1:\d+/lab\S*token=\w+)\n", log.read_text())
    return urlsplit(found[1]) if found else None


def connects(url: SplitResult) -> bool:
    """Whether something listens where that URL points."""
    with socket.socket() as probe:
        return probe.connect_ex((url.hostname, url.port)) == 0


def get(url: str, token: str) -> Any:
    """The JSON at that URL of the server; HTTPError when it refuses. Never through a proxy."""
    request = Request(url, headers={"Authorization": f"token {token}"} if token else {})
    with build_opener(ProxyHandler({})).open(request, timeout=30) as response:
        return json.load(response)


def listening_addresses(pid: int) -> set[str]:
    """The addresses that a process and those it started listen on."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    connections = [each for process in family for each in process.net_connections("inet")]
    return {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}


def group_exists(process_group: int) -> bool:
    """Whether any process is left in that group."""
    try:
        os.killpg(process_group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Return as soon as the condition holds; fail the test when it still does not in the end."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"still not after {seconds} s")
        time.sleep(0.05)
