"""The lessons' files, and kernels to run them in."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from testbook import testbook
from traitlets.config import Config

from tests.support.busy_machine import PREPARE

SECONDS = 300
"""A cell may take so long on a busy machine."""
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))
BOTH = [*LESSONS, *SOLUTIONS]
OTHERS = [NOTEBOOKS / "explore.ipynb"]
"""No lessons: the explorer is tried by tests of its own, and in a browser."""


def name(path: Path) -> str:
    """As ``notebooks/01_create_the_table``, for the names of tests."""
    return f"{path.parent.name}/{path.stem}"


def tags(cell: Any) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


@contextmanager
def kernel_for(path: Path, prepare: str = PREPARE) -> Iterator[Any]:
    """A fresh kernel in the notebook's own folder, with nothing executed yet. What happens in it
    does not depend on how busy the machine is, as ``prepare`` has it."""
    resources = {"metadata": {"path": str(path.parent)}}
    with TemporaryDirectory() as sockets:
        # A kernel is told its ports before it listens there, and another program may be quicker.
        config = Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"})
        with testbook(
            path, timeout=SECONDS, kernel_name="python3", resources=resources, config=config
        ) as book:
            book.inject(prepare, pop=True)
            yield book


def run_until(book: Any, tag: str, after: str | None = None) -> None:
    """Run the cells up to the one with that tag: from the first, or from the one after a tag."""
    first = 0 if after is None else index(book, after) + 1
    book.execute_cell(list(range(first, index(book, tag) + 1)))


def index(book: Any, tag: str) -> int:
    """The place of the one cell with that tag."""
    [place] = [place for place, cell in enumerate(book.cells) if tag in tags(cell)]
    return place


def holds(book: Any, claim: str) -> bool:
    """Whether an expression is true in the notebook's kernel."""
    return bool(book.value(f"bool({claim})"))


def generator() -> Any:
    """``make_lessons.py``, which is a script beside the solutions and no part of the package."""
    path = NOTEBOOKS / "solutions" / "make_lessons.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
