"""A real browser, the JupyterLab that it is pointed at, and what a user does in it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, Request, ViewportSize, expect

from tests.conftest import ROOT, free_port
from tests.support.notebook_servers import Served, served

SECONDS = 300
"""How long a busy machine may take over anything."""
FLAGS = [
    "--no-sandbox",  # which root cannot have
    # Whatever Chromium itself would like to know stays unasked.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
SIZE: ViewportSize = {"width": 1280, "height": 1000}
QUIET = '{"fetchNews": "false", "checkForUpdates": false}'
"""As `make lab` sets it: no pop-up about JupyterLab's news."""

expect.set_options(timeout=1000 * SECONDS)


@contextmanager
def jupyterlab(directory: Path, scratch: Path) -> Iterator[Served]:
    """JupyterLab over the notebooks of a directory. It saves them while they are looked at."""
    settings = scratch / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(QUIET)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={free_port()}", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={directory}"]
    places = {f"JUPYTERLAB_{kind}_DIR": kind.lower() for kind in ("SETTINGS", "WORKSPACES")}
    more = {name: str(scratch / place) for name, place in places.items()}
    with served(command, ROOT, scratch, more) as server:
        yield server


class Tab:
    """A page that takes down what should not have happened in it."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        """Errors of the page's scripts, and requests to another machine."""
        context.set_default_timeout(1000 * SECONDS)
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfinished", self._look_at)
        self.page.on("requestfailed", self._look_at)

    def open_lab(self, server: Served, workspace: str) -> Page:
        """JupyterLab, in a workspace of its own."""
        root = server.url.partition("/lab")[0]
        self.page.goto(f"{root}/lab/workspaces/{workspace}")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        return self.page

    def close(self) -> None:
        """Close the page as a user does: it may say goodbye to its server."""
        self.page.close(run_before_unload=True)

    def _look_at(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if request.failure == "csp":  # the page's own policy let it not be made
            return
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.complaints.append(f"{request.method} {request.url}")


class Notebook:
    """A notebook, opened in a page of JupyterLab from its list of files, as a user does."""

    ERRORS = '[data-mime-type$="jupyter.stderr"], [data-mime-type$="jupyter.error"]'

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        file = f"{name}.ipynb"
        page.locator(".jp-DirListing-item", has_text=file).dblclick()
        current = page.locator(".jp-mod-current.lm-TabBar-tab", has_text=file)
        self._id = current.get_attribute("data-id")
        panel = page.locator(f'[id="{self._id}"]')  # hidden behind others, or not
        self.cells = panel.locator(".jp-CodeCell")
        self.errors = panel.locator(f":is({self.ERRORS})")
        self.pictures = panel.locator(".jp-OutputArea-output img")
        self.cells.first.wait_for()
        # What is run before its kernel is there is not run at all.
        expect(panel.locator(".jp-Toolbar-kernelName")).to_contain_text("Python 3")
        expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")

    def show(self) -> None:
        """Bring it to the front."""
        self.page.locator(f'.lm-TabBar-tab[data-id="{self._id}"]').click()

    def run_all(self) -> None:
        """*Run → Run All Cells*; returns at once."""
        self._menu("Run", "runmenu:run-all")

    def wait_until_done(self) -> None:
        """Until the last cell is done, or another has failed."""
        done = self.cells.last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]:"))
        expect(done.or_(self.errors).first).to_be_attached()

    def shut_down_kernel(self) -> None:
        """*Kernel → Shut Down Kernel*; returns at once."""
        self._menu("Kernel", "kernelmenu:shutdown")

    def _menu(self, name: str, command: str) -> None:
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        self.page.locator(f'.lm-Menu [data-command="{command}"]').click()
