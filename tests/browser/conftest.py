"""Chromium, and one JupyterLab for all the tests here; a picture of what a test failed at."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, sync_playwright

from tests.support.browsing import FLAGS, SIZE, jupyterlab
from tests.support.left_out import unavailable
from tests.support.lessons import NOTEBOOKS
from tests.support.notebook_servers import Served

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.fixture(scope="session")
def no_old_screenshots() -> None:
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)


# Not for the session: Playwright keeps an event loop in the main thread, where other tests run
# theirs.
@pytest.fixture(scope="module")
def browser(no_old_screenshots: None) -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    chromium = shutil.which("chromium")
    if chromium is None:
        unavailable("Chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> BrowserContext:
    """One user of it, who has JupyterLab's scripts in their cache but for the first time."""
    return browser.new_context(viewport=SIZE)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """JupyterLab, over a copy of the notebooks."""
    scratch = tmp_path_factory.mktemp("jupyterlab")
    shutil.copytree(NOTEBOOKS, scratch / "notebooks")
    with jupyterlab(scratch / "notebooks", scratch) as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test fails, keep a picture of each page that is open."""
    report = yield
    browser: Browser | None = getattr(item, "funcargs", {}).get("browser")
    if report.failed and browser:
        pages = [page for context in browser.contexts for page in context.pages]
        for number, page in enumerate(pages, 1):
            name = re.sub(r"\W+", "-", f"{item.name}-{number}")
            with suppress(Error):  # it may have been closed, or hang: the test's report tells more
                page.screenshot(path=SCREENSHOTS / f"{name}.png", timeout=5000)
    return report
