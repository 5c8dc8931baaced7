"""Builds the site from executed lessons, for `make site`: pages.py SITE_FOLDER EXECUTED.ipynb…

Each becomes a page, and so does every Markdown file in notebooks/; the front page lists them, with
the chart that the cell tagged `main-chart` has drawn.
Nothing has to be entered here when a lesson is added, and nothing is fetched from anywhere.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from sphinx.cmd.build import main as sphinx

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
SHOW, HIDE, EXPLAIN = "Show the solution", "Hide the solution", "Show the explanation"
PICTURE = """
```{{image}} {file}
:alt: "{alt}"
:width: 30em
```"""
RUN = """*You are reading a run of this lesson: all numbers and charts come from it.
[Run it yourself](index.md#run-the-lessons).*"""
FRONT = """
## The lessons

{lessons}

## Run the lessons

You need Python 3.11 or newer, make, and Linux or macOS. In the project's folder:

```sh
make lab
```

It installs everything into the folder `.venv`, and opens the first lesson.

```{{toctree}}
:hidden:

{pages}
```
"""


def build(site: Path, executed: Sequence[Path]) -> None:
    """Write the site. Raises SystemExit where Sphinx warns of anything, as of a broken link."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        shutil.copytree(
            NOTEBOOKS,
            source,
            ignore=shutil.ignore_patterns("*.ipynb", "*.py", "solutions", ".*"),
            dirs_exist_ok=True,
        )
        lessons = {path.stem: page(path) for path in sorted(executed)}
        for name, notebook in lessons.items():
            nbformat.write(notebook, source / f"{name}.ipynb")
        texts = sorted(path.stem for path in source.glob("*.md"))
        charts = {
            name: chart(notebook, source / f"{name}.png") for name, notebook in lessons.items()
        }
        (source / "index.md").write_text(front(lessons, charts, texts), encoding="utf-8")
        shutil.rmtree(site, ignore_errors=True)
        options = ["-q", "-W", "--keep-going", "-c", str(Path(__file__).parent)]
        if sphinx([*options, "-d", str(source / ".doctrees"), str(source), str(site)]):
            raise SystemExit("The site was not built without warnings: see above.")


def page(path: Path) -> Any:
    """An executed lesson as a page: it says that it is one, and its solutions are folded."""
    notebook = nbformat.read(path, as_version=4)
    ran = False
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "solution" in tags:
            fold(cell)
        ran = ran or (bool(cell.get("outputs")) and "explorer" not in tags)
    if ran:
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(RUN))
    return notebook


def fold(cell: Any) -> None:
    """Hide what the cell gives away under a line that shows it on request."""
    if cell.cell_type == "code":
        cell.metadata["tags"].append("hide-input")
        cell.metadata["mystnb"] = {"code_prompt_show": SHOW, "code_prompt_hide": HIDE}
    else:
        summary = f"<summary>{EXPLAIN}</summary>"
        cell.source = f"<details>{summary}\n\n{cell.source}\n\n</details>"


def chart(notebook: Any, file: Path) -> str:
    """The lesson's main chart, written to a PNG file, as Markdown; empty if it draws none."""
    for cell in notebook.cells:
        if {"main-chart", "explorer"} & set(cell.metadata.get("tags", [])):
            for output in cell.get("outputs", []):
                if png := output.get("data", {}).get("image/png"):
                    file.write_bytes(base64.b64decode(png))
                    alt = output["metadata"]["image/png"]["alt"]
                    return PICTURE.format(file=file.name, alt=alt.replace('"', "'"))
    return ""


def front(lessons: dict[str, Any], charts: dict[str, str], texts: list[str]) -> str:
    """The front page: the README's first words, then each lesson with what its first cell says,
    and its main chart."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    words = readme.partition("\n## ")[0].replace("](notebooks/", "](")
    listed = [
        f"[{title(notebook)}]({name}.ipynb){about(notebook)}\n{charts[name]}"
        for name, notebook in lessons.items()
    ]
    listed += [f"[{title_of((NOTEBOOKS / f'{name}.md').read_text())}]({name}.md)" for name in texts]
    return words + FRONT.format(lessons="\n\n".join(listed), pages="\n".join([*lessons, *texts]))


def title(notebook: Any) -> str:
    """The lesson's heading."""
    return title_of(notebook.cells[0].source)


def title_of(text: str) -> str:
    """The first heading of a text in Markdown."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"There is no title in: {text[:80]}")
    return found[1]


def about(notebook: Any) -> str:
    """' (20 minutes): the same reads…', where the lesson's first cell says so."""
    found = re.search(
        r"\*\*What you will see\*\*( \([^)]+\): [^\n]*(?:\n[^\n]+)*)",
        notebook.cells[0].source,
    )
    return found[1] if found else ""


if __name__ == "__main__":
    site, *executed = map(Path, sys.argv[1:])
    build(site, executed)
