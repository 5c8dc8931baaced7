"""The explorer in JupyterLab, by mouse and by keyboard.

With EXPLORER_PNG, the name of a file, a picture of a run is written there: it is the README's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.support.browsing import SIZE, Notebook, Tab
from tests.support.explorer import Face
from tests.support.notebook_servers import Served
from tests.support.processes import gone
from tweetlab.explore import SCENARIOS
from tweetlab.explore.controls import LABELS
from tweetlab.explore.settings import RANGES

SWITCHES = ["Cache", "Single flight", "Adaptive capacity", "Compare"]
WHO_HAS_THE_FOCUS = """(element => element.getAttribute("aria-label")
  || (element.labels?.length ? element.labels[0].textContent : element.textContent)
)(document.activeElement).trim()"""


@pytest.fixture(scope="module")
def processes_before(lab: Served) -> set[int]:
    return lab.started()


@pytest.fixture(scope="module")
def tab(context: BrowserContext) -> Tab:
    return Tab(context)


@pytest.fixture(scope="module")
def notebook(tab: Tab, lab: Served, processes_before: set[int]) -> Notebook:
    opened = Notebook(tab.open_lab(lab, "explore"), "explore")
    opened.run_all()
    opened.wait_until_done()
    return opened


@pytest.fixture
def face(notebook: Notebook, tab: Tab) -> Iterator[Face]:
    """The explorer, as if nobody had touched it."""
    seen = Face(notebook.page)
    seen.button("Reset").click()
    seen.says("Press Run")  # as it may have before: the sliders tell when it is done
    for field in RANGES:
        number = f"{getattr(SCENARIOS[0].settings, field):g}"
        expect(seen.number(LABELS[field])).to_have_text(re.compile(rf"^{number}(\.0+)?$"))
    yield seen
    expect(notebook.errors).to_have_count(0)
    assert tab.complaints == []


def test_everything_has_a_name_and_the_picture_has_words(face):
    expect(face.box.get_by_role("combobox", name="Scenario").get_by_role("option")).to_have_text(
        [scenario.name for scenario in SCENARIOS]
    )
    for name in ("Run", "Stop", "Reset"):
        expect(face.button(name)).to_be_enabled()
    for name in SWITCHES:
        expect(face.switch(name)).to_be_enabled()
    for field in RANGES:
        name = LABELS[field]
        said = face.slider(name).get_attribute("aria-valuetext") or ""
        assert float(said) == float(face.number(name).text_content() or "")
    words = face.words.text_content()
    assert words and face.box.get_by_role("img", name=words, exact=True).count() == 2


def test_a_click_on_a_slider_moves_it_and_the_numbers_follow(face):
    before = face.picture
    track = face.box.locator(".widget-slider", has_text="Reads a second").locator(".noUi-target")
    place = track.bounding_box()
    assert place
    track.click(position={"x": place["width"] * 0.95, "y": place["height"] / 2})
    face.says("^2[5-9]0 reads a second take")
    expect(face.number("Reads a second")).to_have_text("290")
    face.shows("offered", "290")
    assert face.picture != before


def test_it_can_be_used_by_keyboard_alone(face):
    """From the scenario on, by Tab, in the order in which the controls are seen."""
    press, focus = face.page.keyboard.press, face.box.get_by_role("combobox")
    sliders = [
        name for field in RANGES for name in (LABELS[field], f"{LABELS[field]}, as a number")
    ]
    focus.focus()
    reached = []
    for name in ["Run", "Stop", "Reset", *sliders, *SWITCHES]:
        press("Tab")
        reached.append(face.page.evaluate(WHO_HAS_THE_FOCUS))
        if name == "Reads a second":
            press("ArrowRight")
            face.shows("offered", "110")
            press("ArrowLeft")
            face.shows("offered", "100")
        elif name == "Reads a second, as a number":
            press("Control+a")
            face.page.keyboard.type("150")
            press("Enter")
            face.shows("offered", "150")
        elif name == "Cache":
            press("Space")
            face.says("without a cache")
            press("Space")
            face.says("with a warm cache")
    assert reached == ["Run", "Stop", "Reset", *sliders, *SWITCHES]

    focus.focus()
    press("ArrowDown")  # the next scenario
    face.says("80 reads a second")
    press("ArrowUp")
    face.says("100 reads a second")
    press("Tab")
    press("Space")  # Run
    face.says("of the answers come from the cache")
    press("Tab")
    press("Enter")  # Stop
    face.says("^Stopped. Of ")


def test_a_run_moves_the_picture_and_follows_the_switches_until_it_is_stopped(face):
    path = os.environ.get("EXPLORER_PNG")
    frames = 40 if path else 5  # a picture to show has some seconds of each
    face.button("Run").click()
    face.says("of the answers come from the cache; the table spends")
    face.moves_on(frames)
    face.switch("Cache").uncheck()
    face.says("Every read goes to the table; .* reads were throttled")
    face.shows("when warm", "-")
    face.shows("failed", "[1-9].*")
    face.moves_on(frames)
    face.switch("Cache").check()
    face.says("No read is throttled|Hardly a read is throttled")
    face.shows("failed", "0")
    assert face.illegible() == []
    if path:
        face.moves_on(frames)
        face.page.set_viewport_size({"width": 1500, "height": 1000})
        face.box.screenshot(path=path)
        face.page.set_viewport_size(SIZE)

    face.button("Stop").click()
    face.says(r"^Stopped\. Of [\d,]+ reads, \d+% came from the cache")
    stopped = face.picture
    face.slider("Time to live (s)").press("ArrowRight")
    face.says("Press Run")  # the kernel has had time for another frame, and drew none
    assert face.picture == stopped


def test_every_text_is_legible(face):
    assert face.illegible() == []
    face.button("Run").click()
    face.says("of the answers")
    face.button("Run").click()
    face.switch("Compare").check()
    face.says("of the answers")
    expect(face.box.get_by_text("consumed, last run")).to_be_visible()
    assert face.illegible() == []


def test_the_servers_are_gone_with_the_kernel(notebook, lab, processes_before):
    started = lab.started() - processes_before
    assert len(started) >= 3  # the kernel, the endpoint, and Valkey
    notebook.shut_down_kernel()
    assert gone(started)
