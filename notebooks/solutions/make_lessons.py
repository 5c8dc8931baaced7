"""Writes the lessons from their solutions: `make lessons`.

The solution is the source, so that the two cannot drift. In it, what a learner finds in a cell
tagged `starter` is answered in the cells tagged `solution` that follow; a lesson is its solution
without those cells. It lies one folder higher: `../lab.svg` of a solution is `lab.svg` there.

Solutions are tidied on the way: run, change and save them in JupyterLab as you like.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat

SOLUTIONS = Path(__file__).parent
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


def tidy(notebook: Any) -> Any:
    """The notebook without outputs, and without what depends on who ran it last."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return notebook


def lesson(solution: Any) -> Any:
    """The learner's notebook: the solution without its answers."""
    notebook = tidy(solution)
    notebook.cells = [c for c in notebook.cells if "solution" not in c.metadata.get("tags", [])]
    for cell in notebook.cells:
        cell.source = cell.source.replace("../", "")
    return notebook


def text(notebook: Any) -> str:
    """The notebook as its file holds it."""
    return f"{nbformat.writes(notebook)}\n"


def write() -> None:
    """Write each solution anew, tidied, and its lesson."""
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        solution = nbformat.read(path, as_version=4)
        path.write_text(text(tidy(solution)), encoding="utf-8")
        (SOLUTIONS.parent / path.name).write_text(text(lesson(solution)), encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    write()
