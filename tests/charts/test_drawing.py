"""The figure that carries its own words, its colours and labels."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import matplotlib.style
import nbformat
import numpy as np
import pandas as pd
import pytest
from cycler import cycler
from nbclient import NotebookClient
from PIL import Image

from tests.support.charts import WITH, WITHOUT
from tweetlab import charts
from tweetlab.capacity.meters import COLUMNS
from tweetlab.charts import STYLE, drawing
from tweetlab.charts.drawing import Chart

ROOT = Path(__file__).parents[2]


def chart() -> Chart:
    made = Chart(figsize=(5, 4))
    made.subplots().plot([1, 2])
    return made.tell("It rises → 2", "From 1 to 2.")


def test_a_chart_says_what_it_shows():
    assert chart().finding == "It rises → 2"
    assert chart().caption == "It rises → 2. From 1 to 2."
    assert chart().get_suptitle() == "It rises → 2"


def test_a_long_finding_is_broken_into_lines_that_fit():
    long = Chart(figsize=(5, 4)).tell("a finding of many words " * 6)
    title = long.get_suptitle()
    assert title.count("\n") >= 3
    long.savefig(io.BytesIO(), format="png")
    (text,) = (text for text in long.texts if text.get_text() == title)
    assert text.get_window_extent().x1 <= long.bbox.x1


def test_png_and_svg_files_carry_the_words(tmp_path):
    chart().savefig(tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as image:
        assert image.info["Title"] == "It rises → 2"
        assert image.info["Description"] == "It rises → 2. From 1 to 2."
    chart().savefig(tmp_path / "chart.svg", metadata={"Creator": "me"})
    svg = (tmp_path / "chart.svg").read_text()
    assert "It rises → 2. From 1 to 2." in svg
    assert "<dc:title>It rises → 2</dc:title>" in svg


def test_other_files_are_saved_as_ever(tmp_path):
    chart().savefig(tmp_path / "chart.pdf")
    assert (tmp_path / "chart.pdf").read_bytes().startswith(b"%PDF")


def test_pyplot_knows_nothing_of_a_chart():
    made = chart()
    made.savefig(io.BytesIO(), format="png")
    assert plt.get_fignums() == []
    assert plt.rcParams["font.size"] != 14


@pytest.mark.parametrize(
    "first", ["", "import matplotlib.pyplot as plt; plt.plot([1]); plt.show()"]
)
def test_a_notebook_shows_the_picture_once_with_its_caption(first):
    """In a real kernel, with and without pyplot's own way to show figures."""
    cells = [
        "from tweetlab.charts.drawing import Chart\n" + first,
        "chart = Chart(figsize=(5, 4)).tell('It rises', 'From 1 to 2.')\nchart",
        "chart",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, resources={"metadata": {"path": str(ROOT)}}).execute()
    for cell in notebook.cells[1:]:
        picture, caption = cell.outputs
        image = Image.open(io.BytesIO(base64.b64decode(picture["data"]["image/png"])))
        assert image.size == (1000, 800)
        assert picture["metadata"]["image/png"] == {"alt": "It rises", "width": 500}
        assert picture["data"]["text/html"] == (
            f'<img src="data:image/png;base64,{picture["data"]["image/png"]}" '
            'alt="It rises" width="500">'
        )
        assert caption["data"] == {
            "text/markdown": "It rises. From 1 to 2.",
            "text/plain": "It rises. From 1 to 2.",
        }


@pytest.mark.parametrize(
    ("color", "ground", "ratio"),
    [
        ("black", "white", 21),
        ("white", "white", 1),
        ("#767676", "white", 4.54),
        ("red", "blue", 2.15),
    ],
)
def test_contrast_is_that_of_wcag(color, ground, ratio):
    assert drawing.contrast(color, ground) == pytest.approx(ratio, abs=0.01)
    assert drawing.contrast(ground, color) == drawing.contrast(color, ground)


PALETTE = [drawing.WITHOUT, drawing.WITH, drawing.GREEN, drawing.GREY]


def test_lines_stand_out_from_the_ground_and_words_can_be_read():
    assert all(drawing.contrast(color) >= 3 for color in PALETTE)
    axes = Chart(figsize=(5, 4)).subplots()
    drawing.label_right(axes, *((number, "words", color) for number, color in enumerate(PALETTE)))
    for color in PALETTE:
        drawing.label_point(axes, "words", (0, 0), color)
    assert len(axes.texts) == 2 * len(PALETTE)
    assert all(drawing.contrast(str(text.get_color())) >= 4.5 for text in axes.texts)


def test_a_text_is_no_darker_than_it_must_be():
    assert drawing.text_color(drawing.WITH) == drawing.WITH
    assert 4.5 <= drawing.contrast(drawing.text_color(drawing.GREEN)) < 4.8


def test_each_second_sums_whole_seconds():
    at = np.array([0.0, 0.999, 1.0, 3.5])
    assert drawing.each_second(at).tolist() == [2, 1, 0, 1]
    assert drawing.each_second(at, np.array([0.5, 1, 2, 4])).tolist() == [1.5, 2, 0, 4]
    assert drawing.each_second(np.array([])).tolist() == [0]


@pytest.mark.parametrize(
    ("ms", "limits"),
    [
        ([2.0, 3], (1, 10)),
        ([1.0, 10], (1, 10)),
        ([10.0], (10, 100)),
        ([0.01, 2500], (0.01, 1e4)),
        ([], (1, 10)),
    ],
)
def test_decades_hold_everything_and_have_two_labels(ms, limits):
    assert drawing.decades(np.array(ms)) == pytest.approx(limits)


# --- whatever the user has set in a matplotlibrc -----------------------------------------------

RUNS = {
    name: reads.assign(partition=np.arange(len(reads)) % 2, down=reads["throttled"])
    for name, reads in (("without", WITHOUT), ("with", WITH))
}
TRIALS = pd.DataFrame({"read_capacity": [5, 5], "cache": [False, True], "reads": 9, "throttled": 3})
REMEDIES = pd.DataFrame(
    {"remedy": ["a", "b"], "answered": 9, "refused": [3, 0], "read_units": 5, "read_capacity": 5}
)
BOARD = pd.DataFrame(
    {"throttled": [0.3], "p99_ms": [9.0], "stale_s": [0.0], "dollars": [9.0], "points": [50.0]},
    index=["mine"],
)
SECOND = dict.fromkeys(COLUMNS, 7) | {"table": "tweet", "index": ""}
MAKE: dict[str, Any] = {
    "cold_start": lambda: charts.cold_start(RUNS),
    "expiries": lambda: charts.expiries([3599.5] * 20, np.linspace(3240, 3600, 20).tolist()),
    "heat_map": lambda: charts.heat_map(RUNS, 20, 2),
    "hit_ratio": lambda: charts.hit_ratio(WITH),
    "hits_and_misses": lambda: charts.hits_and_misses(WITH),
    "minute": lambda: charts.minute(pd.DataFrame([SECOND], columns=COLUMNS)),
    "outage": lambda: charts.outage(RUNS),
    "popularity": lambda: charts.popularity(WITH),
    "provisioned": lambda: charts.provisioned(TRIALS),
    "readers": lambda: charts.readers(WITHOUT.head(20)),
    "remedies": lambda: charts.remedies(REMEDIES),
    "scoreboard": lambda: charts.scoreboard(BOARD),
    "shift": lambda: charts.shift(RUNS),
    "throttling": lambda: charts.throttling(WITHOUT, WITH, 10),
}
SETTINGS: Any = {
    "text.usetex": True,  # there may be no TeX; and where there is, % and _ are its own signs
    "font.family": "serif",
    "font.size": 40,
    "mathtext.fontset": "cm",
    "axes.unicode_minus": False,
    "axes.grid": True,
    "axes.formatter.use_locale": True,
    "axes.prop_cycle": cycler(color=["red"]),
    "lines.linewidth": 9,
    "figure.dpi": 30,
    "figure.autolayout": True,
    "savefig.dpi": 30,
    "savefig.bbox": "tight",
    "savefig.facecolor": "black",
    "savefig.transparent": True,
    "hatch.color": "red",
    "image.cmap": "gray",
}
"""A matplotlibrc that is made for something else, on top of a dark theme."""


def png(chart: Chart) -> bytes:
    file = io.BytesIO()
    chart.savefig(file, format="png")
    return file.getvalue()


def test_every_chart_is_among_them():
    assert MAKE.keys() == set(charts.__all__) - {"Chart", "STYLE"}


@pytest.mark.parametrize("name", MAKE)
def test_a_chart_is_drawn_as_by_matplotlibs_defaults(name):
    wanted = png(MAKE[name]())
    with matplotlib.style.context(["dark_background", "grayscale"]), mpl.rc_context(SETTINGS):
        assert png(MAKE[name]()) == wanted
        assert mpl.rcParams["text.usetex"] and mpl.rcParams["font.size"] == 40


def test_a_lessons_own_figure_is_too():
    """As lessons 01 and 02 draw it."""

    def own() -> bytes:
        with mpl.rc_context():
            matplotlib.style.use(["default", STYLE])
            chart = Chart(figsize=(5, 4))
            axes = chart.subplots()
            axes.step([1, 2], [1_000, 2_000])
            axes.set(xlabel="50% of_all")
            return png(chart.tell("It rises", "From 1 to 2."))

    wanted = own()
    with matplotlib.style.context("dark_background"), mpl.rc_context(SETTINGS):
        assert own() == wanted
