"""Lessons to publish: two of them run, the others as they are."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from tests.support.busy_machine import prepare_kernels

ROOT = Path(__file__).parent.parent.parent
PUBLISH = ROOT / ".publish"
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect"):
        raise SystemExit(f"It tried to reach {arguments}.")

sys.addaudithook(refuse)
"""

Publish = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def publish(tmp_path_factory: pytest.TempPathFactory) -> Publish:
    """Run a script of .publish as make does, except that it ends if it tries to reach anything."""
    offline = tmp_path_factory.mktemp("offline")
    (offline / "sitecustomize.py").write_text(OFFLINE)

    def run(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, PUBLISH / script, *arguments],
            env=dict(os.environ) | {"PYTHONPATH": str(offline)},
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Each lesson as make gives it to the scripts. Run are the first one, and the first that draws:
    what becomes of an output can be seen in those, and to run the others takes minutes.
    """
    execute = runpy.run_path(str(PUBLISH / "execute.py"))
    folder = tmp_path_factory.mktemp("executed")
    drawing = next(path for path in LESSONS if "chart.tell(" in path.read_text())
    ipython = tmp_path_factory.mktemp("ipython")
    prepare_kernels(ipython)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(ipython))
        for path in LESSONS:
            if path in (LESSONS[0], drawing):
                notebook = execute["execute"](path)
            else:
                source = nbformat.read(execute["source"](path), as_version=4)
                notebook = execute["readable"](source)
            nbformat.write(notebook, folder / path.name)
    return sorted(folder.iterdir())
