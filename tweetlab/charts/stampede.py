"""Charts of a stampede: what became of readers who came at the same moment, and when tweets that
were cached together expire."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tweetlab.charts import drawing
from tweetlab.charts.drawing import GREY, WITH, WITHOUT, Chart
from tweetlab.charts.wording import duration, plain_number, quantity

USUAL_MS = 1.0, 10_000.0
"""What the axis shows at least, so that the charts of several runs can be held side by side."""
TOGETHER = 10
"""Tweets that expire within so many seconds count as expiring together."""
OUTCOMES = (
    ("cache", "from the cache", WITH, "s", "-"),
    ("table", "from the table", WITHOUT, "o", "--"),
    ("failed", "got no tweet", GREY, "x", ":"),
)


@drawing.styled()
def readers(reads: pd.DataFrame) -> Chart:
    """How long each reader of a crowd took, and who gave it the tweet: a line for each reader.

    ``reads`` is a result of ``workload.replay``. A reader that got no tweet had asked the table.
    """
    drawing.require_columns(reads, "source", "seconds", "throttled")
    chart = Chart(figsize=(12, 6.5))
    axes = chart.subplots()
    axes.set(xlabel="time until the reader was done (ms, log scale)", xscale="log")
    axes.set(ylabel="readers", ylim=(0, len(reads) + 1))
    axes.xaxis.set_major_formatter(plain_number)
    axes.yaxis.set_major_locator(drawing.whole_numbers())
    left, right = drawing.decades(np.append(drawing.latency_ms(reads), USUAL_MS))
    axes.set_xlim(left, right)

    labels, sentences, below = [], [], 0
    for source, name, color, marker, style in OUTCOMES:
        ms = np.sort(drawing.latency_ms(reads[reads["source"] == source]))
        if not len(ms):
            continue
        places = below + 1 + np.arange(len(ms))
        axes.hlines(places, left, ms, color=color, ls=style, lw=1.5)
        axes.plot(ms, places, marker, color=color, ms=7, mew=2, label=name)
        words = f"median {duration(drawing.quantile(ms, 0.5))}"
        labels.append((places.mean(), f"{len(ms)} {name}:\n{words}", color))
        sentences.append(f"{len(ms)} {name}: {words}, the slowest {duration(ms[-1])}.")
        below += len(ms)
    drawing.label_right(axes, *labels)
    return chart.tell(_finding(reads), *sentences)


def _finding(reads: pd.DataFrame) -> str:
    if reads.empty:
        return "Nobody read"
    went, failed = (reads["source"] != "cache").sum(), (reads["source"] == "failed").sum()
    throttled = reads["throttled"].sum()
    crowd = quantity(len(reads), "reader")
    slowest = duration(drawing.latency_ms(reads).max())
    if not went:
        return f"None of {crowd} went to the table; the slowest was done in {slowest}"
    finding = f"{went} of {crowd} went to the table"
    if throttled:
        finding += f": it throttled {throttled}, and {failed or 'none'} got no tweet"
    return f"{finding}; the slowest was done in {slowest}"


@drawing.styled()
def expiries(without_jitter: Sequence[float], with_jitter: Sequence[float]) -> Chart:
    """How many tweets expire together that were cached together, without jitter and with it.

    Both are the seconds that each tweet has to live. Raises ValueError if one of them is empty.
    """
    if not (len(without_jitter) and len(with_jitter)):
        raise ValueError("There is nothing that expires: cache some tweets before.")
    everything = np.concatenate([without_jitter, with_jitter]).astype(float)
    first, last = everything.min(), everything.max()
    edges = np.arange(first // TOGETHER, last // TOGETHER + 2) * TOGETHER
    chart = Chart(figsize=(12, 7))
    panels = chart.subplots(2, 1, sharex=True, sharey=True)
    peaks, sentences = [], []
    for axes, name, seconds, color, hatch in (
        (panels[0], "without jitter", without_jitter, WITHOUT, "///"),
        (panels[1], "with jitter", with_jitter, WITH, ""),
    ):
        together, _ = np.histogram(seconds, edges)
        most = int(together.max())
        axes.stairs(together, edges / 60, color=color, fill=True, hatch=hatch, alpha=0.5)
        axes.stairs(together, edges / 60, color=color, lw=2, label=name)
        axes.set(title=name.capitalize(), ylabel=f"tweets per {TOGETHER} s")
        axes.yaxis.set_major_locator(drawing.whole_numbers())
        drawing.label_right(axes, (most, f"at most {most:,}\nin {TOGETHER} s", color))
        peaks.append(f"{most:,}")
        sentences.append(
            f"{name} {quantity(len(seconds), 'tweet')} expire between "
            f"{min(seconds):,.0f} s and {max(seconds):,.0f} s from now."
        )
    panels[1].set(xlabel="time until a tweet expires (min)")
    panels[1].set_xlim(max(0, first / 60 - 1), last / 60 + 1)
    panels[1].xaxis.set_major_locator(drawing.whole_numbers())
    without, with_ = peaks
    finding = f"At most {without} tweets expire in the same {TOGETHER} s without jitter, "
    return chart.tell(f"{finding}{with_} with it", *sentences)
