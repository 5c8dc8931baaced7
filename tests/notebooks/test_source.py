"""The notebooks as files: clean, in the lessons' shape, made from their solutions, well named."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import statistics
from pathlib import Path

import nbformat
import pytest

import tweetlab
from tests.support.lessons import (
    BOTH,
    LESSONS,
    NOTEBOOKS,
    OTHERS,
    SOLUTIONS,
    generator,
    name,
    tags,
)
from tweetlab import charts

ROOT = NOTEBOOKS.parent
TWEETLAB = ROOT / "tweetlab"
ROOMS = {path.parent.name for path in TWEETLAB.glob("*/__init__.py")}
PART = re.compile(r"^(#+) (.*)$", re.MULTILINE)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)]+)\)")
SEVERAL = {"starter", "solution", "check"}
"""Tags of more than one cell; all the others name one."""

every_notebook = pytest.mark.parametrize(
    "path", [path for path in [*BOTH, *OTHERS] if path.exists()], ids=name
)
both = pytest.mark.parametrize("path", BOTH, ids=name)
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=name)
every_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=name)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def headings(path: Path) -> list[tuple[int, str]]:
    """Level and text of each heading, in their order."""
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    return [(len(marks), title) for marks, title in PART.findall(text)]


def code_of(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")


def test_every_notebook_is_a_lesson_with_its_solution_or_named_here():
    assert LESSONS
    assert set(NOTEBOOKS.glob("*.ipynb")) <= {*LESSONS, *OTHERS}
    assert [path.name for path in LESSONS] == [path.name for path in SOLUTIONS]


def shown_charts(path: Path) -> set[str]:
    """The charts that a lesson shows, of those that are made for the lessons."""
    return set(re.findall(r"\bcharts\.([a-z]\w*)", code_of(path)))


@every_lesson
def test_a_lesson_has_one_name_everywhere(path):
    """Its checks, its charts and their tests are called like it."""
    lesson = path.stem[len("00_") :]
    wanted = [f"tweetlab/exercises/{lesson}.py", f"tests/exercises/test_{lesson}.py"]
    if shown_charts(path):
        wanted += [f"tweetlab/charts/{lesson}.py", f"tests/charts/test_{lesson}.py"]
    assert [file for file in wanted if not (ROOT / file).exists()] == []
    homes = {getattr(charts, chart).__module__ for chart in shown_charts(path)}
    assert homes <= {f"tweetlab.charts.{lesson}"}


@pytest.mark.parametrize(
    ("room", "shared"), [("exercises", {"verdict"}), ("charts", {"drawing", "wording"})]
)
def test_checks_and_charts_are_those_of_a_lesson(room, shared):
    lessons = {path.stem[len("00_") :] for path in LESSONS}
    files = {path.stem for path in (TWEETLAB / room).glob("*.py")}
    tests = {path.stem for path in (ROOT / "tests" / room).glob("test_*.py")}
    assert files <= {"__init__", *shared, *lessons}
    assert {f"test_{file}" for file in files - {"__init__"}} == tests


def offered(module: str) -> set[str]:
    """The names that tweetlab, or a room of it, says that it offers; "" is the module itself."""
    if module == "tweetlab":
        return {"", *ROOMS, *vars(tweetlab)["__all__"]}
    room = module.removeprefix("tweetlab.")
    return set(importlib.import_module(module).__all__) if room in ROOMS else set()


def back_doors(code: str) -> list[tuple[str, str]]:
    """The names that code takes from tweetlab, by an import or a dot, and that are not offered."""
    nodes = list(ast.walk(ast.parse(code)))
    taken: list[tuple[str, str]] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            taken += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            taken += [(str(node.module), alias.name) for alias in node.names]
    imported = {word for module, word in taken if module == "tweetlab"}
    modules = {"tweetlab": "tweetlab"} | {room: f"tweetlab.{room}" for room in imported & ROOMS}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            taken.append((modules.get(node.value.id, ""), node.attr))
    ours = [(module, word) for module, word in taken if module.split(".")[0] == "tweetlab"]
    return [(module, word) for module, word in ours if word not in offered(module)]


@every_notebook
def test_it_enters_by_the_front_doors(path):
    assert back_doors(code_of(path)) == []


@pytest.mark.parametrize(
    "code",
    [
        "from tweetlab.lab.lab import local_client",
        "from tweetlab.tweets import table",
        "from tweetlab.charts import drawing",
        "import tweetlab.charts",
        "import tweetlab; tweetlab.drawing.STYLE",
        "from tweetlab import charts; charts.drawing.STYLE",
        "from tweetlab import nothing",
    ],
)
def test_a_back_door_is_noticed(code):
    assert back_doors(code)


@every_solution
def test_making_the_lessons_changes_nothing(path):
    make = generator()
    solution = read(path)
    assert path.read_text(encoding="utf-8") == make.text(make.tidy(solution))
    lesson = NOTEBOOKS / path.name
    assert lesson.read_text(encoding="utf-8") == make.text(make.lesson(solution))


def test_making_the_lessons_tidies_what_was_run(tmp_path, monkeypatch):
    make = generator()
    path = SOLUTIONS[0]
    notebook = read(path)
    notebook.metadata["language_info"]["version"] = "3.99"
    for cell in notebook.cells:
        cell.metadata["trusted"] = True
        if cell.cell_type == "code":
            cell.execution_count = 7
            cell.outputs = [nbformat.v4.new_output("stream", text="ran")]
    solutions = tmp_path / "solutions"
    solutions.mkdir()
    nbformat.write(notebook, solutions / path.name)
    monkeypatch.setattr(make, "SOLUTIONS", solutions)
    make.write()
    assert (solutions / path.name).read_text() == path.read_text()
    assert (tmp_path / path.name).read_text() == (NOTEBOOKS / path.name).read_text()


@every_notebook
def test_it_is_committed_clean(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@every_notebook
def test_ids_are_words_and_tags_name_one_cell(path):
    cells = read(path).cells
    ids = [cell.id for cell in cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) for one in ids)
    names = [tag for cell in cells for tag in tags(cell) if tag not in SEVERAL]
    assert len(names) == len(set(names))


@every_notebook
def test_headings_are_in_order(path):
    levels = [level for level, _ in headings(path)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))


@every_lesson
def test_a_lesson_has_the_shape_of_a_lesson(path):
    wanted = iter(["Predict", "Run", "What happened", "Your turn", "Where this bites"])
    part = next(wanted)
    for _, title in headings(path):
        if title.startswith(part):
            part = next(wanted, "")
    assert part == ""


@every_lesson
def test_a_lesson_says_how_long_it_takes(path):
    first = read(path).cells[0].source
    minutes = re.search(r"\*\*What you will see\*\* \((\d+) minutes\)", first)
    assert minutes
    row = re.search(rf"\({path.name}\) \| (\d+) \|", (NOTEBOOKS / LESSONS[0].name).read_text())
    if path != LESSONS[0]:
        assert row and row[1] == minutes[1]


@both
def test_it_starts_the_lab_first_and_closes_it_last(path):
    """Only the check-up, whether this computer is ready, may come before."""
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    if "check-up" in tags(code[0]):
        assert path.name == LESSONS[0].name and "doctor.check()" in code.pop(0).source
    assert "tweetlab.start(" in code[0].source and "__version__" in code[0].source
    assert code[-1].source == "lab.close()" and tags(code[-1]) == ["close"]


@every_lesson
def test_cells_are_short(path):
    cells = [cell.source.splitlines() for cell in read(path).cells if cell.cell_type == "code"]
    assert statistics.median(map(len, cells)) <= 4
    assert max(map(len, cells)) <= 20


@every_solution
def test_every_exercise_has_an_answer_and_a_check(path):
    parts = [
        tag for cell in read(path).cells for tag in tags(cell) if tag in SEVERAL - {"solution"}
    ]
    assert parts == ["starter", "check"] * (len(parts) // 2)
    order = [tag for cell in read(path).cells for tag in tags(cell) if tag in SEVERAL]
    exercises = " ".join(order).split("check")
    assert all(re.search(r"starter( solution)+ $", exercise) for exercise in exercises[:-1])
    assert 2 <= len(exercises[:-1]) <= 3


def test_there_are_bugs_to_find():
    titles = [title for path in LESSONS for _, title in headings(path)]
    assert titles.count("Your turn: a bug to find") >= 1


@every_lesson
def test_a_lesson_holds_no_answer(path):
    assert not any("solution" in tags(cell) for cell in read(path).cells)


@every_notebook
def test_links_lead_somewhere_and_pictures_have_words(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for picture, words, target in LINK.findall(cell.source):
                assert (path.parent / target).exists(), target
                assert len(words) > (40 if picture else 0)


READS_FILES = re.compile(r"\bopen\(|\bPath\(|read_csv|read_text|\.csv\b|loadtxt|os\.")


@every_notebook
def test_no_cell_reads_a_file_since_its_kernel_may_be_in_any_folder(path):
    """As VS Code's is, in the project's."""
    assert READS_FILES.search("pd.read_csv(name)")
    assert not READS_FILES.search(code_of(path))
