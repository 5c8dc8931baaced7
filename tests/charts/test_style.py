"""Every chart looks the same, whatever its user has set in a matplotlibrc."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pandas as pd
import pytest
from cycler import cycler

from tests.support.charts import WITH, WITHOUT
from tweetlab import charts
from tweetlab.capacity.meters import COLUMNS
from tweetlab.charts import STYLE, Chart

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
