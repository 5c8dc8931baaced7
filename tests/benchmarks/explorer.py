"""``python -m tests.benchmarks.explorer [--json] [--quick]``

How soon the explorer answers: from a slider to the chart drawn anew, the chart's frames while 200
reads a second are made, from Stop to its end. In the kernel, which draws; and, where Chromium is
there, in JupyterLab, as its user sees it.
"""

from __future__ import annotations

import logging
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.endpoint import main, row
from tests.support.browsing import FLAGS, SIZE, Notebook, Tab, jupyterlab
from tests.support.explorer import CHART, Face
from tests.support.lessons import NOTEBOOKS
from tweetlab.explore import Explorer

RATE = 200
SLIDER, FRAMES, STOP = "<= 300 ms", ">= 4", "<= 1 s"
# Milliseconds from an event until something is there, and has been drawn.
STOPWATCH = """([event, done]) => {
  window.measured = new Promise(resolve => addEventListener(event, () => {
    const began = performance.now();
    const observer = new MutationObserver(() => {
      if (!new Function(`return ${done}`)()) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
    });
    observer.observe(document.body, {childList: true, subtree: true, characterData: true});
  }, {capture: true, once: true}));
}"""


def summary(seconds: list[float]) -> str:
    middle, most = 1000 * statistics.median(seconds), 1000 * max(seconds)
    return f"{middle:.1f} ms, at most {most:.1f} ms of {len(seconds)}"


def until(condition: Callable[[], object], every: float = 0.005) -> None:
    while not condition():
        time.sleep(every)


def in_the_kernel(rounds: int, seconds: float) -> Iterator[dict[str, str]]:
    with Explorer() as explorer:
        rate, chart, words = explorer.controls["rate"], explorer.chart, explorer.words
        moved = []
        for step in range(rounds):
            before, began = chart.value, time.perf_counter()
            rate.value = 100 + 10 * (step % 20)
            moved.append(time.perf_counter() - began)
            assert step == 0 or chart.value != before
        yield row("kernel: from slider to chart", summary(moved), SLIDER)

        rate.value = RATE
        frames = 0

        def count(_: object) -> None:
            nonlocal frames
            frames += 1

        chart.observe(count, "value")
        said, ended = [], []
        for cache in (True, False):
            explorer.controls["cache"].value = cache
            explorer.run.click()
            until(lambda: "of its" in words.value)
            frames, began = 0, time.perf_counter()
            time.sleep(seconds)
            a_second = frames / (time.perf_counter() - began)
            how = f"{RATE} reads/s, {'a warm cache' if cache else 'no cache, most throttled'}"
            yield row(f"kernel: frames a second, {how}", f"{a_second:.1f}", FRAMES)
            began = time.perf_counter()
            explorer.stop.click()
            assert words.value.startswith("Stopped.")
            said.append(time.perf_counter() - began)
            until(lambda: not any(t.name == "tweetlab-reader" for t in threading.enumerate()))
            ended.append(time.perf_counter() - began)
        yield row("kernel: from Stop to the result", summary(said), STOP)
        yield row("kernel: from Stop until the last read under way is through", summary(ended))


@contextmanager
def in_jupyterlab(chromium: str) -> Iterator[Face]:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        scratch = Path(name)
        shutil.copytree(NOTEBOOKS, scratch / "notebooks")
        with (
            jupyterlab(scratch / "notebooks", scratch) as server,
            playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser,
        ):
            tab = Tab(browser.new_context(viewport=SIZE))
            notebook = Notebook(tab.open_lab(server, "bench"), "explore")
            notebook.run_all()
            notebook.wait_until_done()
            yield Face(notebook.page)


def in_the_browser(rounds: int, seconds: float) -> Iterator[dict[str, str]]:
    chromium = shutil.which("chromium")
    if chromium is None:
        yield row("JupyterLab", "not measured: apt-get install chromium")
        return
    with in_jupyterlab(chromium) as face:

        def timed(event: str, done: str, act: Callable[[], None]) -> float:
            """Seconds from an event of the page until that is so, by the page's own clock."""
            face.page.evaluate(STOPWATCH, [event, done])
            act()
            return float(face.page.evaluate("window.measured")) / 1000

        chart = f'document.querySelector("{CHART}")'
        words = 'document.querySelector(".tweetlab-explorer [role=status]").textContent'
        slider = face.slider("Reads a second")
        slider.focus()
        moved = []
        for step in range(rounds):
            key = "ArrowRight" if step % 20 < 10 else "ArrowLeft"
            offered = face.page.evaluate(f"{chart}.textContent")
            done = f"{chart}.textContent !== {offered!r}"
            moved.append(timed("keydown", done, lambda key=key: slider.press(key)))  # type: ignore[misc]
        yield row("JupyterLab: from key to chart", summary(moved), SLIDER)

        face.number("Reads a second").fill(f"{RATE}")
        face.number("Reads a second").press("Enter")
        face.shows("offered", f"{RATE}")
        said = []
        for cache in (True, False):
            face.switch("Cache").set_checked(cache)
            face.button("Run").click()
            face.says("of its")
            frames, began = face.frames, time.perf_counter()
            face.page.wait_for_timeout(1000 * seconds)
            a_second = (face.frames - frames) / (time.perf_counter() - began)
            how = f"{RATE} reads/s, {'a warm cache' if cache else 'no cache, most throttled'}"
            yield row(f"JupyterLab: frames a second, {how}", f"{a_second:.1f}", FRAMES)
            stop = face.button("Stop")
            said.append(timed("click", f'{words}.startsWith("Stopped.")', stop.click))
        yield row("JupyterLab: from Stop to the result", summary(said), STOP)


def run(quick: bool = False) -> list[dict[str, str]]:
    """One row for each figure."""
    logging.disable()
    some = (10, 3) if quick else (100, 15)
    return [*in_the_kernel(*some), *in_the_browser(*some)]


if __name__ == "__main__":
    main(run, __doc__)
