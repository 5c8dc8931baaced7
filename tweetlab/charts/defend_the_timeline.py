"""Charts of the defence of the timeline: who meets which target, and what the shift does."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from tweetlab.charts import drawing
from tweetlab.charts.drawing import GREEN, GREY, WITH, WITHOUT, Chart
from tweetlab.charts.wording import duration, percent
from tweetlab.simulate import timeline

CUT = 2.0
"""Bars end at so many times the target: how far beyond is in the words."""
AFTER = "in the minute after the shift"
WINDOW = 20
"""Seconds over which a hit ratio is taken."""
LINES = ((WITH, "o"), (WITHOUT, "s"), (GREEN, "^"), (GREY, "D"))
COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "throttled": ("Throttled reads", lambda part: f"{part:.1%}"),
    "p99_ms": (
        "Latency, 99th percentile",
        lambda ms: duration(ms) if ms < math.inf else "no answer",
    ),
    "stale_s": ("Out of date, 99th percentile", lambda seconds: f"{seconds:.0f} s"),
    "dollars": ("Dollars a month", lambda dollars: f"${dollars:,.0f}"),
}


@drawing.styled()
def scoreboard(board: pd.DataFrame) -> Chart:
    """Each policy against each target: bars as parts of the target, with the values in words.

    ``board`` is of ``timeline.scoreboard``, best first, with a row at least.
    """
    drawing.require_columns(board, *timeline.TARGETS, "points")
    chart = Chart(figsize=(14, 1.9 + 0.75 * len(board)))
    panels = chart.subplots(1, len(COLUMNS), sharey=True, sharex=True)
    places = np.arange(len(board))[::-1]
    panels[0].set_yticks(places, [f"{n}\n{p:.0f} points" for n, p in board["points"].items()])
    chart.supxlabel(f"part of the target (dashed line: 1; bars are cut off at {CUT:g})")
    for axes, (name, target) in zip(panels, timeline.TARGETS.items(), strict=True):
        what, words = COLUMNS[name]
        axes.set(title=f"{what}\ntarget: {words(target)}", xlim=(0, CUT))
        axes.set_xticks([0, 0.5, 1, 1.5])
        axes.axvline(1, color="black", ls="--", lw=2)
        for place, value in zip(places, board[name], strict=True):
            _bar(axes, place, value / target, words(value))
    met = pd.DataFrame({name: board[name] <= target for name, target in timeline.TARGETS.items()})
    best, *others = met.sum(axis=1).items()
    finding = f"{best[0]} meets {best[1]} of {len(met.columns)} targets"
    if others:
        finding += f", the others {' and '.join(map(str, sorted({n for _, n in others})))}"
    sentences = []
    for policy, row in board.iterrows():
        values = [
            f"{what.lower()} {words(row[column])}"
            f" ({'met' if row[column] <= timeline.TARGETS[column] else 'missed'})"
            for column, (what, words) in COLUMNS.items()
        ]
        sentences.append(f"{policy}: {row['points']:.0f} points; {', '.join(values)}.")
    return chart.tell(finding, *sentences)


def _bar(axes: Axes, place: float, part: float, words: str) -> None:
    """One value: blue up to the line if it is met, hatched and beyond it if not."""
    met = part <= 1
    color = WITH if met else WITHOUT
    axes.barh(place, min(part, CUT), 0.62, color=color, alpha=0.3)
    axes.barh(place, min(part, CUT), 0.62, fill=False, edgecolor=color, hatch="" if met else "///")
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
    text = f"{'✓' if met else '✗'} {words}"
    axes.text(0.05, place, text, va="center", bbox=behind, **drawing.bold(color))


@drawing.styled()
def shift(runs: Mapping[str, pd.DataFrame]) -> Chart:
    """The share of reads that the cache answered, over time, while other tweets become popular.

    ``runs`` are of ``timeline.play``: a line for each, called by its key; four at most.
    """
    if not 0 < len(runs) <= len(LINES):
        raise ValueError(f"This chart takes 1 to {len(LINES)} runs, not {len(runs)}.")
    chart = Chart(figsize=(12, 6))
    axes = chart.subplots()
    axes.set(xlabel="time at which the read was due (s, in virtual time)", ylim=(0, 1))
    axes.set(ylabel=f"answered by the cache, in {WINDOW} s")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.axvline(timeline.SHIFT, color="black", ls="--", lw=2)
    axes.text(timeline.SHIFT, 0.02, " other tweets are popular")
    labels, after, sentences = [], [], []
    for (name, reads), (color, marker) in zip(runs.items(), LINES, strict=False):
        drawing.require_columns(reads, "at", "source")
        hits = reads["source"] == "cache"
        ratio = hits.groupby(reads["at"] // WINDOW).mean()
        times = (ratio.index + 0.5) * WINDOW
        axes.plot(times, ratio, color=color, marker=marker, ms=7, lw=2, label=name)
        labels.append((float(ratio.iloc[-3:].mean()), name, color))
        shares = {
            when: percent(hits[reads["at"].between(begin, begin + 60, "left")].mean())
            for when, begin in minutes().items()
        }
        after.append(f"{shares[AFTER]} with {name}")
        by_minute = ", ".join(f"{share} {when}" for when, share in shares.items())
        sentences.append(f"{name}: {by_minute}.")
    axes.set_xlim(0, timeline.SECONDS)
    drawing.label_right(axes, *labels)
    return chart.tell(f"{AFTER} the cache answered {', '.join(after)}", *sentences)


def minutes() -> dict[str, float]:
    """The minutes to compare, in words, and when each begins."""
    return {
        "in the minute before the shift": timeline.SHIFT - 60,
        AFTER: timeline.SHIFT,
        "in the last minute": timeline.SECONDS - 60,
    }
