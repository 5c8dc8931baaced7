"""The explorer as a page of its own: `make explore`, for real."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import free_port
from tests.support.browsing import SIZE, Tab
from tests.support.explorer import Face
from tests.support.notebook_servers import Served, made
from tests.support.processes import gone, listening_at


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Served]:
    arguments = f"--no-browser --port={free_port()}"
    scratch = tmp_path_factory.mktemp("voila")
    with made("explore", ".installed-explore", arguments, scratch) as serving:
        yield serving


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    with browser.new_context(viewport=SIZE) as context:
        yield Tab(context)


def test_it_is_served_to_this_machine_and_to_its_token_only(tab, server):
    assert {address for address, _ in listening_at(server.pid)} == {"127.0.0.1"}
    url = urlsplit(server.url)
    [token] = parse_qs(url.query)["token"]
    assert len(token) >= 32
    before = server.started()
    tab.page.goto(f"http://{url.netloc}/")
    expect(tab.page.get_by_label("Password or token")).to_be_visible()
    assert server.started() == before  # no kernel


def test_it_runs_and_stops_and_leaves_with_its_page(tab, server):
    before = server.started()
    tab.page.goto(server.url)
    face = Face(tab.page)
    assert face.illegible() == []
    face.slider("Reads a second").press("ArrowRight")
    face.shows("offered", "110")
    idle = face.picture
    face.button("Run").click()
    face.says("of the answers come from the cache")
    face.moves_on()
    assert face.picture != idle
    face.button("Stop").click()
    face.says("^Stopped. Of ")

    started = server.started() - before
    assert len(started) >= 3  # the kernel, the endpoint, and Valkey
    tab.close()
    assert gone(started)
    assert tab.complaints == []
