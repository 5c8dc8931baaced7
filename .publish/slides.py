"""Makes slides of executed lessons, for `make slides`: slides.py SLIDES_FOLDER EXECUTED.ipynb…

A lesson becomes one HTML file with everything in it, pictures and reveal.js too, so that it can be
shown without a network, or from a stick. A section of the lesson is a column of slides: to the
right goes to the next section, down through this one. What a chart says in words is in the
speaker's notes (key S). Left out are answers, checks, and the cells that start and stop the lab.
"""

from __future__ import annotations

import html
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import sphinx_revealjs  # brings a copy of reveal.js
from nbconvert import SlidesExporter
from nbformat.v4 import new_code_cell, new_markdown_cell
from traitlets.config import Config

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
REVEAL = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
PICTURE, WORDS = "image/png", "text/markdown"
LEFT_OUT = {"start", "solution", "check", "close"}
LINES = 14.5
"""Lines of text on a slide of 1280 by 720, under its heading."""
LETTERS = 74
TITLE = 6
"""Lines that the title of a lesson takes."""
ASKS = ("## Predict", "## Your turn")
ASKING = "#fff6dc"
"""Background of a slide at which the room is asked to do something."""
CODE = 0.72
"""Height of a line of code, in lines of text."""


@dataclass
class Slide:
    """What is shown together, under the heading of its section."""

    heading: str
    blocks: list[tuple[Any, float]] = field(default_factory=list)
    """Cells, each with the lines it takes."""
    notes: list[str] = field(default_factory=list)

    @property
    def lines(self) -> float:
        """Lines that the blocks take together."""
        return sum(lines for _, lines in self.blocks)

    def cells(self, kind: str) -> list[Any]:
        """The slide's cells; ``kind`` is "slide", to the right, or "subslide", below."""
        data = {"background_color": ASKING} if self.heading.startswith(ASKS) else {}
        if self.lines > LINES + 1:  # as of a long table: in smaller letters
            data["tight"] = "yes"
        about = {"slide_type": kind, "data": data}
        first = new_markdown_cell(self.heading, metadata={"slideshow": about})
        notes = [
            new_markdown_cell(text, metadata={"slideshow": {"slide_type": "notes"}})
            for text in self.notes
        ]
        return [first, *(cell for cell, _ in self.blocks), *notes]


def deck(lesson: Any) -> Any:
    """The lesson as a notebook whose cells say where a slide begins."""
    columns: list[list[Slide]] = []
    for cell in lesson.cells:
        tags = cell.metadata.get("tags", [])
        if "close" in tags:  # the section that tidies up: its words will do
            for slide in columns[-1]:
                slide.blocks = [block for block in slide.blocks if block[0].cell_type != "code"]
        if LEFT_OUT & set(tags):
            continue
        for cell_block, lines in blocks(cell):
            text = cell_block.source if cell_block.cell_type == "markdown" else ""
            if text.startswith(("# ", "## ")):
                columns.append([Slide(text)])
            elif cell_block.metadata.get("notes"):
                columns[-1][-1].notes.append(text)
            else:
                add(columns[-1], cell_block, lines)
    cells = [
        cell
        for column in columns
        for number, slide in enumerate(slide for slide in column if slide.blocks)
        for cell in slide.cells("subslide" if number else "slide")
    ]
    return nbformat.v4.new_notebook(cells=cells, metadata=lesson.metadata)


def add(column: list[Slide], block: Any, lines: float) -> None:
    """Put the block on the column's last slide, or on a new one if it is full."""
    slide = column[-1]
    title = slide.heading.startswith("# ")
    room = LINES - (TITLE if title else 0) - slide.lines
    # A text that ends in a colon stays with what it announces, even if that makes it tight.
    announces = bool(slide.blocks) and slide.blocks[-1][0].source.rstrip().endswith(":")
    if slide.blocks and lines > room + (1 if announces and len(slide.blocks) == 1 else 0):
        column.append(Slide(f"#{slide.heading}" if title else slide.heading))
        if announces and len(slide.blocks) > 1:
            column[-1].blocks.append(slide.blocks.pop())
    column[-1].blocks.append((block, lines))


def blocks(cell: Any) -> list[tuple[Any, float]]:
    """The cell in pieces that may stand on different slides, each with the lines it takes."""
    if cell.cell_type == "markdown":
        source = re.sub(r"\((\w+)\.ipynb\)", r"(\1.html)", cell.source)
        return [(new_markdown_cell(text), text_lines(text)) for text in paragraphs(source)]
    pictures = [output for output in cell.outputs if PICTURE in output.get("data", {})]
    if not pictures:
        lines = code_lines(cell.source) + 0.7 + sum(map(output_lines, cell.outputs))
        return [(new_code_cell(cell.source, outputs=cell.outputs), lines)]
    # How a chart is drawn is not what it shows, and what it says in words is for the speaker.
    alone = {"transient": {"remove_source": True}}
    found: list[tuple[Any, float]] = [
        (new_code_cell(outputs=[picture], metadata=alone), LINES) for picture in pictures
    ]
    for output in cell.outputs:
        if WORDS in output.get("data", {}):
            note = new_markdown_cell(output["data"][WORDS], metadata={"notes": True})
            found.append((note, 0))
    return found


def paragraphs(text: str) -> list[str]:
    """Markdown cut at its empty lines, but not within code; and lists, if long, between points."""
    pieces, fenced = [""], False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if not line.strip() and not fenced:
            pieces.append("")
        elif re.match(r"(- |\d+\. )", line) and text_lines(pieces[-1]) > LINES / 3:
            pieces.append(f"{line}\n")
        else:
            pieces[-1] += f"{line}\n"
    return [piece for piece in pieces if piece]


def text_lines(text: str) -> float:
    """How many lines of a slide a piece of Markdown takes, by estimate."""
    if "![" in text:
        return LINES
    if text.startswith("|"):
        return 1.3 * text.count("\n")
    if text.startswith("```"):
        return code_lines(text)
    points = re.split(r"\n(?=- |\d+\. )", text)
    return sum(math.ceil(len(point) / LETTERS) for point in points) + 0.6


def output_lines(output: Any) -> float:
    """How many lines of a slide an output takes, by estimate."""
    data = output.get("data", {})
    if "text/html" in data:
        return data["text/html"].count("<tr") + 0.5
    return code_lines(output.get("text") or data.get("text/plain", "")) + 0.5


def code_lines(text: str) -> float:
    """A line of code is lower, and longer, than one of text."""
    return CODE * sum(max(1, math.ceil(len(line) / 95)) for line in text.rstrip().splitlines())


def exporter() -> SlidesExporter:
    """nbconvert's exporter of slides, with the template beside this file."""
    config = Config()
    config.CSSHTMLHeaderPreprocessor.style = "a11y-high-contrast-light"
    return SlidesExporter(
        config=config,
        extra_template_basedirs=[str(HERE)],
        template_name="deck",
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )


def write(folder: Path, executed: Sequence[Path]) -> None:
    """Write the slides of each executed lesson, and a page with links to them."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.html"):
        old.unlink()
    resources = {
        "metadata": {"path": str(NOTEBOOKS)},
        "deck": {
            "reveal_css": (REVEAL / "dist" / "reveal.css").read_text(encoding="utf-8"),
            "reveal_js": (REVEAL / "dist" / "reveal.js").read_text(encoding="utf-8"),
            "notes_js": (REVEAL / "plugin" / "notes" / "notes.js").read_text(encoding="utf-8"),
            "css": (HERE / "deck" / "deck.css").read_text(encoding="utf-8"),
        },
    }
    make = exporter()
    items = []
    for path in sorted(executed):
        lesson = nbformat.read(path, as_version=4)
        name = lesson.cells[0].source.partition("\n")[0].lstrip("# ")
        notebook = deck(lesson)
        notebook.metadata["title"] = name
        text, _ = make.from_notebook_node(notebook, resources)
        (folder / f"{path.stem}.html").write_text(text, encoding="utf-8")
        items.append(f'<li><a href="{path.stem}.html">{html.escape(name)}</a></li>')
    page = (HERE / "deck" / "index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(page.replace("LESSONS", "\n".join(items)), encoding="utf-8")


if __name__ == "__main__":
    folder, *executed = map(Path, sys.argv[1:])
    write(folder, executed)
