"""Charts of hot tweets: which partition throttles and when, what an average hides, what helps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from tweetlab.charts import drawing
from tweetlab.charts.drawing import GREEN, WITH, WITHOUT, Chart, Floats
from tweetlab.charts.wording import quantity

MINUTE = 60
"""Seconds: CloudWatch shows averages over a minute."""
HEAT = LinearSegmentedColormap.from_list("heat", ["white", WITHOUT])
"""Light enough everywhere for words in black."""


@drawing.styled()
def heat_map(
    runs: Mapping[str, pd.DataFrame], read_capacity: float, partitions: int, period: int = 1
) -> Chart:
    """What each partition served and throttled over time: a panel for each run, by its name.

    A run has the columns of ``workload.replay`` and ``partition``, from 0 to ``partitions`` - 1.
    A cell shows a partition in ``period`` seconds, 1 or 60. Its numbers are averages a second: read
    units (RCU) when they were spent and, after a ✗, reads throttled when they were due.
    """
    for reads in runs.values():
        drawing.require_columns(reads, "at", "seconds", "partition", "throttled", "read_units")
    done = {name: reads["at"] + reads["seconds"] for name, reads in runs.items()}
    last = max((at.max() for at in done.values() if len(at)), default=0.0)
    shape = partitions, int(last // period) + 1
    spent = {
        name: _cells(shape, reads["partition"], done[name] // period, reads["read_units"]) / period
        for name, reads in runs.items()
    }
    hottest = max(rcu.max() for rcu in spent.values()) or 1.0

    chart = Chart(figsize=(13, 1.4 + 3.6 * len(runs)))
    panels = chart.subplots(len(runs), 1, squeeze=False, sharex=True)[:, 0]
    unit = "min" if period == MINUTE else "s"
    findings, sentences = [], []
    for axes, (name, reads) in zip(panels, runs.items(), strict=True):
        rcu = spent[name]
        throttles = _cells(shape, reads["partition"], reads["at"] // period, reads["throttled"])
        throttled = f"{throttles.sum():,.0f} of {quantity(len(reads), 'read')} throttled"
        axes.set_title(f"{name}: {throttled} (numbers: read units a second, ✗ throttled a second)")
        _paint(axes, rcu, throttles / period, hottest)
        most = f"{rcu.sum(axis=0).max():,.3g} of {read_capacity:,g} RCU at most"
        sentences.append(
            f"{name}: {throttled}; the hottest partition served {rcu.max():,.3g} RCU at most (its "
            f"share is {read_capacity / partitions:,g}), the whole table {most}."
        )
        hot = np.flatnonzero(throttles.sum(axis=1))
        if len(hot):
            where = " and ".join(f"partition {number}" for number in hot)
            first = reads.loc[reads["throttled"], "at"].min() / period
            when = f"after {round(first, 1):,g} {unit}"
            findings.append(f"{name}: {where} throttled {when}; the table served {most}")
        else:
            findings.append(f"{name}: no read throttled")
    panels[-1].set(xlabel=f"time ({unit})", xlim=(0, shape[1]))
    return chart.tell("; ".join(findings), *sentences)


def _cells(
    shape: tuple[int, int], partition: pd.Series[int], period: pd.Series[float], weights: Any
) -> Floats:
    """Sums of ``weights``: a row for each partition, a column for each period."""
    cells = np.zeros(shape)
    np.add.at(cells, (partition.astype(int), period.astype(int)), weights.astype(float))
    return cells


def _paint(axes: Axes, rcu: Floats, throttles: Floats, hottest: float) -> None:
    """Cells with their numbers, a frame around those that throttled, and the sum underneath."""
    partitions, columns = rcu.shape
    extent = (0, columns, partitions, 0)
    axes.imshow(rcu, cmap=HEAT, vmin=0, vmax=hottest, aspect="auto", extent=extent)
    axes.hlines(range(partitions + 1), 0, columns, color="0.8", lw=1)
    for row, column in np.argwhere(rcu + throttles):
        words = f"{rcu[row, column]:,.3g}"
        if throttles[row, column]:
            words += f"\n✗{throttles[row, column]:,.3g}"
            cell: Any = {"xy": (column, row), "width": 1, "height": 1, "fill": False}
            axes.add_patch(Rectangle(**cell, hatch="///", ec=(0, 0, 0, 0.35), lw=0))
            axes.add_patch(Rectangle(**cell, lw=2.5, zorder=3))
        axes.text(column + 0.5, row + 0.5, words, ha="center", va="center", weight="bold")
    for column, units in enumerate(rcu.sum(axis=0)):
        words = f"{units:,.3g}" if units else ""
        axes.text(column + 0.5, partitions + 0.5, words, ha="center", va="center")
    names = [*(f"partition {number}" for number in range(partitions)), "whole table"]
    axes.set_yticks(np.arange(partitions + 1) + 0.5, names)
    axes.set_ylim(partitions + 1, 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


@drawing.styled()
def minute(metrics: pd.DataFrame) -> Chart:
    """The worst minute of a table as CloudWatch shows it, against each of its seconds.

    ``metrics`` is a result of ``lab.metrics()`` for one table. The worst minute is the one with
    the most throttled reads.
    """
    columns = ["read_provisioned", "read_consumed", "read_throttled"]
    drawing.require_columns(metrics, "second", *columns)
    chart = Chart(figsize=(12, 5.5))
    axes = chart.subplots()
    axes.set(xlabel="time (s)", ylabel="RCU consumed")
    if metrics.empty:
        return chart.tell("Nothing was read")
    throttles = metrics.groupby(metrics["second"] // MINUTE)["read_throttled"].sum()
    start = int(throttles.index[int(throttles.argmax())]) * MINUTE
    seconds = metrics.set_index("second").reindex(range(start, start + MINUTE))
    consumed = seconds["read_consumed"].fillna(0).to_numpy(float)
    throttled = seconds["read_throttled"].fillna(0).to_numpy(int)
    provisioned, average = seconds["read_provisioned"].dropna().iloc[-1], consumed.sum() / MINUTE
    refusing = np.flatnonzero(throttled)

    edges = np.arange(start, start + MINUTE + 1)
    axes.stairs(consumed, edges, color=WITH, fill=True, alpha=0.6, label="each second")
    axes.axhline(provisioned, color="black", ls="--", lw=2, label="provisioned")
    axes.axhline(average, color=GREEN, lw=4, label="average of the minute")
    crosses = start + refusing + 0.5, np.full(len(refusing), 1.07 * provisioned)
    axes.plot(*crosses, "x", color=WITHOUT, ms=9, mew=2.5, label="throttled")
    axes.set(xlim=(start, start + MINUTE), ylim=(0, 1.25 * max(provisioned, consumed.max())))
    refused = f"✗: these seconds had\n{quantity(throttled.sum(), 'throttle')}"
    drawing.label_right(
        axes,
        (1.1 * provisioned, refused, WITHOUT),
        (provisioned, f"provisioned:\n{provisioned:,g} RCU", "black"),
        (consumed.max(), f"busiest second:\n{consumed.max():,.3g} RCU", WITH),
        (average, f"the minute's average:\n{average:,.2g} RCU", GREEN),
    )
    return chart.tell(
        f"The minute's average is {average:,.2g} of {provisioned:,g} RCU, "
        f"and there were {throttled.sum():,} throttles",
        f"The busiest second consumed {consumed.max():,.3g} RCU; "
        f"{quantity(len(refusing), 'second')} of the minute had throttles.",
    )


@drawing.styled()
def remedies(trials: pd.DataFrame) -> Chart:
    """How many reads of one hot key each remedy answers.

    ``trials`` has a row for each remedy: ``remedy`` (its name), ``answered`` and ``refused`` (reads
    a second), ``read_units`` (spent a second) and ``read_capacity`` (RCU).
    """
    columns = ["remedy", "answered", "refused", "read_units", "read_capacity"]
    drawing.require_columns(trials, *columns)
    chart = Chart(figsize=(12, 1.8 + 0.8 * len(trials)))
    axes = chart.subplots()
    axes.set(xlabel="reads a second, all of one key")
    axes.set_yticks(range(len(trials)), trials["remedy"])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    centred: Any = {"va": "center", "ha": "center", "weight": "bold"}
    sentences, enough = [], []
    for row, trial in enumerate(trials[columns].to_numpy().tolist()):
        remedy, answered, refused, units, read_capacity = trial
        axes.barh(row, answered, color=WITH)
        axes.text(answered / 2, row, f"{answered:,.0f} answered", color="white", **centred)
        if refused:
            axes.barh(row, refused, left=answered, color="white", ec=WITHOUT, hatch="///")
            look = {"bbox": {"color": "white", "pad": 3}, **centred, **drawing.bold(WITHOUT)}
            axes.text(answered + refused / 2, row, f"{refused:,.0f} refused", **look)
        else:
            enough.append(remedy)
        spent = f"{units:,.0f} of {read_capacity:,.0f} RCU spent"
        end = answered + refused, row
        axes.annotate(spent, end, (8, 0), textcoords="offset points", va="center")
        sentences.append(f"{remedy}: {answered:,.0f} answered, {refused:,.0f} refused, {spent}.")
    most = (trials["answered"] + trials["refused"]).max()
    axes.set_xlim(0, 1.005 * most)  # or the last line is cut in half
    which = " or ".join(enough) or "nothing that was tried"
    return chart.tell(
        f"All {most:,.0f} reads a second of one key are answered by: {which}", *sentences
    )
