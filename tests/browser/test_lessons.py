"""Every lesson in JupyterLab: it is opened, and all of it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browsing import Notebook, Tab
from tests.support.lessons import LESSONS, name
from tests.support.notebook_servers import Served

AT_A_TIME = 2
"""Lessons mostly wait, so that two get on together; what they claim is tried elsewhere, one
at a time."""


class Running:
    """The lessons that are to be tried, in a page, of which the next ones run already."""

    def __init__(self, page: Page, paths: list[Path]) -> None:
        self._page = page
        self._waiting = list(paths)
        self._open: dict[Path, Notebook] = {}

    def done(self, path: Path) -> Notebook:
        """That lesson, as soon as it is through."""
        while self._waiting and (len(self._open) < AT_A_TIME or path not in self._open):
            one = self._waiting.pop(0)
            self._open[one] = Notebook(self._page, one.stem)
            self._open[one].run_all()
        lesson = self._open[path]
        lesson.wait_until_done()
        lesson.show()
        return lesson

    def leave(self, path: Path) -> None:
        self._open.pop(path).shut_down_kernel()


@pytest.fixture(scope="module")
def tab(context: BrowserContext) -> Tab:
    return Tab(context)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tab: Tab, lab: Served) -> Running:
    tests = [item for item in request.session.items if item.path == request.path]
    paths = [test.callspec.params["path"] for test in tests]  # type: ignore[attr-defined]
    return Running(tab.open_lab(lab, "lessons"), paths)


@pytest.fixture
def lesson(running: Running, path: Path) -> Iterator[Notebook]:
    yield running.done(path)
    running.leave(path)


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_it_runs_without_an_error_and_shows_its_charts(lesson, tab, path):
    expect(lesson.errors).to_have_count(0)
    prompts = lesson.cells.locator(".jp-InputPrompt").all_text_contents()
    assert all(re.fullmatch(r"\[\d+\]:", prompt) for prompt in prompts)

    if draws(path):
        expect(lesson.pictures.first).to_be_visible()
    for chart in lesson.pictures.all():
        assert len(chart.get_attribute("alt") or "") > 20
        assert chart.evaluate("image => image.complete && image.naturalWidth") > 300
    assert tab.complaints == []


def draws(path: Path) -> bool:
    """Whether a lesson has a chart."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return re.search(r"charts\.|Chart\(", code) is not None
