"""Charts of hits and misses: how popular tweets are, how the hit ratio grows, what a hit saves."""

import math

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from tweetlab.charts import drawing
from tweetlab.charts.drawing import GREEN, GREY, WITH, WITHOUT, Chart
from tweetlab.charts.wording import duration, percent, plain_number, quantity


@drawing.styled()
def popularity(requests: pd.DataFrame) -> Chart:
    """How many reads each tweet got, the most popular first; the most popular tenth stands out.

    ``requests`` has a column ``tweet_id``, as from ``workload.zipf`` or ``workload.replay``.
    """
    drawing.require_columns(requests, "tweet_id")
    chart = Chart(figsize=(11, 6))
    axes = chart.subplots()
    axes.set(xlabel="tweets by rank, the most read first", ylabel="reads")
    axes.xaxis.set_major_locator(drawing.whole_numbers())
    reads = requests["tweet_id"].value_counts().to_numpy(float)
    if not len(reads):
        return chart.tell("No tweet was read")

    top = math.ceil(len(reads) / 10)
    rest = len(reads) - top
    part = reads[:top].sum() / reads.sum()
    edges = np.arange(len(reads) + 1) + 0.5  # a bar around each whole rank
    axes.stairs(reads[:top], edges[: top + 1], color=GREEN, fill=True, hatch="///")
    axes.stairs(reads[top:], edges[top:], color=GREY, fill=True, alpha=0.6)
    axes.set_ylim(0, 1.25 * reads[0])  # room for words above the highest bar
    words = f"the {quantity(top, 'tweet')} most read:\n{percent(part)} of all reads"
    axes.text(edges[0], 1.22 * reads[0], words, va="top", **drawing.bold(GREEN))
    if rest:
        words = f"the other {quantity(rest, 'tweet')}:\n{percent(1 - part)}"
        above = reads[top] + 0.02 * reads[0]
        axes.text(edges[-1], above, words, ha="right", va="bottom", **drawing.bold(GREY))
    return chart.tell(
        f"{top:,} of {quantity(len(reads), 'tweet')} took {percent(part)} of the reads",
        f"The most read tenth took {reads[:top].sum():,.0f} of {quantity(reads.sum(), 'read')}, "
        f"the first tweet alone {reads[0]:,.0f} ({percent(reads[0] / reads.sum())}).",
    )


@drawing.styled()
def hit_ratio(reads: pd.DataFrame) -> Chart:
    """How the hit ratio grows as the cache fills: in each second, and since the start.

    ``reads`` is a result of ``workload.replay``; failed reads count as neither hit nor miss.
    """
    drawing.require_columns(reads, "at", "source")
    chart = Chart(figsize=(11, 6))
    axes = chart.subplots()
    axes.set(xlabel="time (s)", ylabel="reads answered by the cache", ylim=(0, 1.05))
    axes.xaxis.set_major_locator(drawing.whole_numbers())
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    answered = reads[reads["source"] != "failed"].sort_values("at")
    if answered.empty:
        return chart.tell("No read was answered: there is no hit ratio")

    at = answered["at"].to_numpy(float)
    hit = np.asarray(answered["source"] == "cache", dtype=float)
    total = drawing.each_second(at)
    busy = np.flatnonzero(total)
    ratio = np.full(len(total), np.nan)  # a second without reads has no hit ratio
    ratio[busy] = drawing.each_second(at, hit)[busy] / total[busy]
    since_start = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    axes.stairs(ratio, baseline=None, color=GREY, lw=2, ls="--", label="each second")
    axes.plot(at, since_start, color=WITH, lw=3, label="since the start")
    axes.set(xlim=(0, None))
    first, last, overall = ratio[busy[0]], ratio[busy[-1]], since_start[-1]
    drawing.label_right(
        axes,
        (last, f"each second:\n{percent(last)} in the last", GREY),
        (overall, f"since the start:\n{percent(overall)}", WITH),
    )
    return chart.tell(
        f"Hit ratio: {percent(first)} in the first second, {percent(last)} in the last",
        f"Of {quantity(len(hit), 'read')} that were answered, the cache answered {hit.sum():,.0f} "
        f"({percent(overall)}) and the table {len(hit) - hit.sum():,.0f}; "
        f"{len(reads) - len(hit):,} failed and count as neither.",
    )


@drawing.styled()
def hits_and_misses(reads: pd.DataFrame) -> Chart:
    """Latency of hits (source "cache") against misses ("table"), on a log scale: a dot for each.

    ``reads`` is a result of ``workload.replay``; failed reads are not shown.
    """
    drawing.require_columns(reads, "source", "seconds")
    chart = Chart(figsize=(11, 5))
    axes = chart.subplots()
    axes.set(xlabel="latency (ms, log scale)", xscale="log", ylim=(-0.6, 1.75))
    axes.set_xlim(drawing.decades(drawing.latency_ms(reads[reads["source"] != "failed"])))
    axes.xaxis.set_major_formatter(plain_number)
    medians, sentences = [], []
    for row, (source, name, color, marker) in enumerate(
        (("table", "from the table", WITHOUT, "o"), ("cache", "from the cache", WITH, "s"))
    ):
        ms = drawing.latency_ms(reads[reads["source"] == source])
        spread = np.random.default_rng(0).uniform(-0.3, 0.3, len(ms))  # or dots hide each other
        axes.plot(ms, row + spread, marker, color=color, ms=4, alpha=0.35, label=name)
        median = drawing.quantile(ms, 0.5)
        medians.append(median)
        if len(ms):
            axes.vlines(median, row - 0.38, row + 0.38, color="black", lw=3)
            axes.text(median, row + 0.43, f"median {duration(median)}", ha="center", weight="bold")
        sentences.append(
            f"{quantity(len(ms), 'read')} {name}: median {duration(median)}, "
            f"99th percentile {duration(drawing.quantile(ms, 0.99))}."
        )
    hits, misses, failed = (
        (reads["source"] == source).sum() for source in ("cache", "table", "failed")
    )
    axes.set_yticks([0, 1], [f"{misses:,} misses\n(the table)", f"{hits:,} hits\n(the cache)"])
    finding = f"A hit took {duration(medians[1])}, a miss {duration(medians[0])} (medians)"
    if not (hits and misses):
        finding = f"There were {hits:,} hits and {misses:,} misses: nothing to compare"
    return chart.tell(finding, *sentences, f"{failed:,} failed and are not shown.")
