"""Charts of what a workload met. Each makes one point, says it in its title, and can be read
without colour; its ``caption`` says the same in words, with the numbers behind it."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from tweetlab.charts.drawing import (
    GREEN,
    GREY,
    STYLE,
    WITH,
    WITHOUT,
    Chart,
    beside,
    count,
    decades,
    each_second,
    ink,
    label_right,
    latency_ms,
    need,
    percent,
    plain,
    quantile,
    time,
    whole_numbers,
)


@mpl.rc_context(STYLE)
def throttling(
    without_cache: pd.DataFrame, with_cache: pd.DataFrame, read_capacity: float
) -> Chart:
    """The headline: what the same reads meet without a cache and with one.

    Takes two results of ``workload.replay`` and the table's provisioned read capacity (RCU).
    Three panels over time: reads throttled, in the second they were due; read units consumed, in
    the second they were done, against the provisioned line; the latency of each read.
    """
    if not read_capacity > 0:
        raise ValueError(f"read_capacity must be above 0, not {read_capacity!r}.")
    chart = Chart(figsize=(12, 10.5))
    panels = throttles, consumption, latency = chart.subplots(3, 1, sharex=True)
    throttles.set(title="Reads throttled at least once", ylabel="reads per second")
    consumption.set(title="Read capacity consumed (RCU: read units per second)", ylabel="RCU")
    consumption.axhline(read_capacity, color="black", ls="--", lw=2, label="provisioned")
    latency.set(title="Latency of each read (x = failed)", ylabel="ms, log scale", yscale="log")
    latency.yaxis.set_major_formatter(FuncFormatter(plain))
    latency.set(xlabel="time (s)")
    latency.xaxis.set_major_locator(whole_numbers())

    labels: dict[Axes, list[tuple[float, str, str]]] = {panel: [] for panel in panels}
    labels[consumption].append((read_capacity, f"provisioned: {read_capacity:,g} RCU", "black"))
    sentences = [f"The table is provisioned with {read_capacity:,g} read capacity units (RCU)."]
    shares, latencies = [], []
    for reads, name, color, hatch, marker in (
        (without_cache, "without the cache", WITHOUT, "///", "o"),
        (with_cache, "with the cache", WITH, "", "s"),
    ):
        need(reads, "at", "seconds", "source", "throttled", "read_units")
        at, units = reads["at"].to_numpy(float), reads["read_units"].to_numpy(float)
        throttled = reads["throttled"].to_numpy(bool)
        failed = (reads["source"] == "failed").to_numpy(bool)
        ms = latency_ms(reads)
        used = each_second(at + reads["seconds"].to_numpy(float), units)
        hit = f"{throttled.sum():,} of {len(reads):,} reads"
        spent = f"{units.sum():,.4g} read units"
        for panel, values, text in (
            (throttles, each_second(at, throttled.astype(float)), hit),
            (consumption, used, spent),
        ):
            panel.stairs(values, color=color, lw=2.5, label=name)
            panel.stairs(values, color=color, alpha=0.25, fill=True, hatch=hatch)
            labels[panel].append((values.mean(), f"{name}:\n{text}", color))
        latency.plot(at[~failed], ms[~failed], marker, color=color, ms=3, alpha=0.4, label=name)
        latency.plot(at[failed], ms[failed], "x", color=color, ms=5, alpha=0.4)
        latencies.append(ms)
        p50, p99 = (quantile(ms[~failed], q) for q in (0.5, 0.99))
        text = f"median {time(p50)}, p99 {time(p99)}\n{failed.sum():,} failed"
        labels[latency].append((p50, f"{name}:\n{text}", color))

        shares.append(percent(throttled.mean()) if len(reads) else "none")
        sentences.append(
            f"{name.capitalize()}, {hit} were throttled at least once and {failed.sum():,} failed; "
            f"the table spent {spent}, {used.max():,.4g} in the busiest second; the median read "
            f"took {time(p50)}, the 99th percentile {time(p99)}."
        )
    latency.set(xlim=(0, None), ylim=decades(np.concatenate(latencies)))
    for panel in panels:
        label_right(panel, labels[panel])
    without, with_ = ({"0%": "none", "100%": "all"}.get(part, part) for part in shares)
    return chart.tell(
        f"Without the cache {without} of the reads were throttled, with it {with_}",
        *sentences,
    )


@mpl.rc_context(STYLE)
def hit_ratio(reads: pd.DataFrame) -> Chart:
    """How the hit ratio grows as the cache fills: in each second, and since the start.

    ``reads`` is a result of ``workload.replay``; failed reads count as neither hit nor miss.
    """
    need(reads, "at", "source")
    chart = Chart(figsize=(11, 6))
    axes = chart.subplots()
    axes.set(xlabel="time (s)", ylabel="reads answered by the cache", ylim=(0, 1.05))
    axes.xaxis.set_major_locator(whole_numbers())
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    answered = reads[reads["source"] != "failed"].sort_values("at")
    if answered.empty:
        return chart.tell("No read was answered: there is no hit ratio")

    at = answered["at"].to_numpy(float)
    hit = np.asarray(answered["source"] == "cache", dtype=float)
    total = each_second(at)
    busy = np.flatnonzero(total)
    ratio = np.full(len(total), np.nan)  # a second without reads has no hit ratio
    ratio[busy] = each_second(at, hit)[busy] / total[busy]
    since_start = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    axes.stairs(ratio, baseline=None, color=GREY, lw=2, ls="--", label="each second")
    axes.plot(at, since_start, color=WITH, lw=3, label="since the start")
    axes.set(xlim=(0, None))
    first, last, overall = ratio[busy[0]], ratio[busy[-1]], since_start[-1]
    label_right(
        axes,
        [
            (last, f"each second:\n{percent(last)} in the last", GREY),
            (overall, f"since the start:\n{percent(overall)}", WITH),
        ],
    )
    return chart.tell(
        f"Hit ratio: {percent(first)} in the first second, {percent(last)} in the last",
        f"Of {count(len(hit), 'read')} that were answered, the cache answered {hit.sum():,.0f} "
        f"({percent(overall)}) and the table {len(hit) - hit.sum():,.0f}; "
        f"{len(reads) - len(hit):,} failed and count as neither.",
    )


@mpl.rc_context(STYLE)
def hits_and_misses(reads: pd.DataFrame) -> Chart:
    """Latency of hits (source "cache") against misses ("table"): a dot a read, on a log scale."""
    need(reads, "source", "seconds")
    chart = Chart(figsize=(11, 5))
    axes = chart.subplots()
    axes.set(xlabel="latency (ms, log scale)", xscale="log", ylim=(-0.6, 1.75))
    axes.set_xlim(decades(latency_ms(reads[reads["source"] != "failed"])))
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    medians, sentences = [], []
    for row, (source, name, color, marker) in enumerate(
        (("table", "from the table", WITHOUT, "o"), ("cache", "from the cache", WITH, "s"))
    ):
        ms = latency_ms(reads[reads["source"] == source])
        spread = np.random.default_rng(0).uniform(-0.3, 0.3, len(ms))  # or dots hide each other
        axes.plot(ms, row + spread, marker, color=color, ms=4, alpha=0.35, label=name)
        median = quantile(ms, 0.5)
        medians.append(median)
        if len(ms):
            axes.vlines(median, row - 0.38, row + 0.38, color="black", lw=3)
            axes.text(median, row + 0.43, f"median {time(median)}", ha="center", weight="bold")
        sentences.append(
            f"{count(len(ms), 'read')} {name}: median {time(median)}, "
            f"99th percentile {time(quantile(ms, 0.99))}."
        )
    hits, misses, failed = (
        (reads["source"] == source).sum() for source in ("cache", "table", "failed")
    )
    axes.set_yticks([0, 1], [f"{misses:,} misses\n(the table)", f"{hits:,} hits\n(the cache)"])
    finding = f"A hit took {time(medians[1])}, a miss {time(medians[0])} (medians)"
    if not (hits and misses):
        finding = f"There were {hits:,} hits and {misses:,} misses: nothing to compare"
    return chart.tell(finding, *sentences, f"{failed:,} failed and are not shown.")


@mpl.rc_context(STYLE)
def provisioned(trials: pd.DataFrame) -> Chart:
    """How small a provisioned throughput suffices, without the cache and with it.

    ``trials`` has a row for each run: ``read_capacity`` (RCU), ``cache`` (bool), ``reads``, and
    ``throttled`` (how many were, at least once). Enough is the smallest capacity tried at which,
    and above which, no read was throttled.
    """
    need(trials, "read_capacity", "cache", "reads", "throttled")
    chart = Chart(figsize=(11, 6))
    axes = chart.subplots()
    axes.set(xlabel="provisioned read capacity (RCU, log scale)", xscale="log")
    axes.set(ylabel="reads throttled at least once", ylim=(-0.05, 1.12))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(sorted(set(trials["read_capacity"])))

    answers, sentences = [], []
    for cache, name, color, style in (
        (False, "without the cache", WITHOUT, "o--"),
        (True, "with the cache", WITH, "s-"),
    ):
        runs = trials[trials["cache"].astype(bool) == cache]
        totals = runs.groupby("read_capacity")[["reads", "throttled"]].sum()
        capacity = totals.index.to_numpy(float)
        part = (totals["throttled"] / totals["reads"].clip(lower=1)).to_numpy(float)
        axes.plot(capacity, part, style, color=color, lw=2.5, ms=9, label=name)
        enough = capacity[capacity > capacity[part > 0].max(initial=0)].min(initial=math.inf)
        first = len(runs) and enough == capacity[0]
        if enough < math.inf:
            axes.plot(enough, 0, "*", color=color, mec="black", ms=24, zorder=3)
            beside(axes, f"{enough:,g} RCU", (enough, 0), color)
            # Less than the least that was tried might do; less than 1 RCU there is not.
            answers.append(f"{'at most ' if first and enough > 1 else ''}{enough:,g} RCU")
        else:
            answers.append("more than was tried")
        if len(runs):
            beside(axes, name, (capacity[0], part[0]), color, line=int(first))
            tried = (f"{percent(p)} at {c:,g}" for c, p in zip(capacity, part, strict=True))
            sentences.append(f"Throttled {name}, by RCU provisioned: {', '.join(tried)}.")
    if len(sentences) < 2:
        return chart.tell("Try it both without the cache and with it to compare", *sentences)
    return chart.tell(
        f"To throttle no read takes {answers[0]} without the cache, {answers[1]} with it",
        *sentences,
    )


@mpl.rc_context(STYLE)
def popularity(requests: pd.DataFrame) -> Chart:
    """Reads of each tweet that was read, the most read tenth apart: it takes most of them.

    ``requests`` has a column ``tweet_id``, as from ``workload.zipf`` or ``workload.replay``.
    """
    need(requests, "tweet_id")
    chart = Chart(figsize=(11, 6))
    axes = chart.subplots()
    axes.set(xlabel="tweets by rank, the most read first", ylabel="reads")
    axes.xaxis.set_major_locator(whole_numbers())
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
    words = f"the {count(top, 'tweet')} most read:\n{percent(part)} of all reads"
    axes.text(edges[0], 1.22 * reads[0], words, color=ink(GREEN), weight="bold", va="top")
    if rest:
        words = f"the other {count(rest, 'tweet')}:\n{percent(1 - part)}"
        above = reads[top] + 0.02 * reads[0]
        axes.text(edges[-1], above, words, color=GREY, weight="bold", ha="right", va="bottom")
    return chart.tell(
        f"{top:,} of {count(len(reads), 'tweet')} took {percent(part)} of the reads",
        f"The most read tenth took {reads[:top].sum():,.0f} of {count(reads.sum(), 'read')}, the "
        f"first tweet alone {reads[0]:,.0f} ({percent(reads[0] / reads.sum())}).",
    )
