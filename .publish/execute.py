"""Runs a lesson, for `make site` and `make slides`: execute.py LESSON.ipynb EXECUTED.ipynb

It is the solution that runs, where there is one, in its own folder; what is written is a notebook
to read: its links and paths are those of the lesson.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_output

SECONDS = 120
WIDGET = "application/vnd.jupyter.widget-view+json"
EXPLORER = Path(__file__).parent.parent / "notebooks" / "images" / "explorer.png"
"""A browser took it while the scenario "Cache outage" ran."""
SHOWS = (
    "The explorer in a cache outage, after 21 seconds: controls left, four charts right. "
    "When Redis hangs, the hit ratio falls from 97% to nothing, and reads fail"
)
CAPTION = (
    f"{SHOWS}. When it is back it is empty, and fills within seconds. This is a picture of an "
    "earlier run: start the notebook to use it."
)


def execute(lesson: Path) -> Any:
    """The lesson with its outputs, to read. Raises CellExecutionError if a cell fails."""
    path = source(lesson)
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=SECONDS, resources=folder).execute()
    return readable(notebook)


def source(lesson: Path) -> Path:
    """Its solution, or the lesson itself if it has none."""
    solution = lesson.parent / "solutions" / lesson.name
    return solution if solution.exists() else lesson


def readable(notebook: Any) -> Any:
    """The notebook with the paths and links of the lesson, and without what only works live."""
    cells = notebook.cells
    if "solution" in cells[0].metadata.get("tags", []):  # it says that these are the solutions
        del cells[0]
    for cell in cells:
        cell.source = cell.source.replace("../", "")
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_progress(output)]
            if any(WIDGET in output.get("data", {}) for output in cell.outputs):
                cell.outputs = explorer()
    notebook.metadata.pop("widgets", None)
    return notebook


def is_progress(output: Any) -> bool:
    """Whether it is a bar that showed how far a run had got."""
    words = output.get("text") or output.get("data", {}).get("text/plain", "")
    return "%|" in words


def explorer() -> list[Any]:
    """A picture, and what it shows, in place of controls, which a page cannot have."""
    png = base64.b64encode(EXPLORER.read_bytes()).decode()
    picture = {
        "text/html": f'<img src="data:image/png;base64,{png}" alt="{SHOWS}" width="900">',
        "image/png": png,
        "text/plain": SHOWS,
    }
    about = {"image/png": {"alt": SHOWS, "width": 900}}
    words = {"text/markdown": CAPTION, "text/plain": CAPTION}
    return [
        new_output("display_data", picture, metadata=about),
        new_output("display_data", words),
    ]


if __name__ == "__main__":
    lesson, executed = map(Path, sys.argv[1:])
    nbformat.write(execute(lesson), executed)
