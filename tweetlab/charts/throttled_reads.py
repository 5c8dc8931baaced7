"""Charts of throttled reads: without the cache and with it, and how small the table may be."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, PercentFormatter

from tweetlab.charts import drawing
from tweetlab.charts.drawing import WITH, WITHOUT, Chart
from tweetlab.charts.wording import duration, percent, plain_number


@drawing.styled()
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
    latency.set(title="Latency of each read (x = failed)", xlabel="time (s)")
    latency.set(ylabel="ms, log scale", yscale="log")
    latency.yaxis.set_major_formatter(plain_number)
    latency.xaxis.set_major_locator(drawing.whole_numbers())

    labels: dict[Axes, list[tuple[float, str, str]]] = {panel: [] for panel in panels}
    labels[consumption].append((read_capacity, f"provisioned: {read_capacity:,g} RCU", "black"))
    sentences = [f"The table is provisioned with {read_capacity:,g} read capacity units (RCU)."]
    shares, latencies = [], []
    for reads, name, color, hatch, marker in (
        (without_cache, "without the cache", WITHOUT, "///", "o"),
        (with_cache, "with the cache", WITH, "", "s"),
    ):
        drawing.require_columns(reads, "at", "seconds", "source", "throttled", "read_units")
        at, units = reads["at"].to_numpy(float), reads["read_units"].to_numpy(float)
        throttled = reads["throttled"].to_numpy(bool)
        failed = (reads["source"] == "failed").to_numpy(bool)
        ms = drawing.latency_ms(reads)
        used = drawing.each_second(at + reads["seconds"].to_numpy(float), units)
        hit = f"{throttled.sum():,} of {len(reads):,} reads"
        spent = f"{units.sum():,.4g} read units"
        for panel, values, text in (
            (throttles, drawing.each_second(at, throttled.astype(float)), hit),
            (consumption, used, spent),
        ):
            panel.stairs(values, color=color, lw=2.5, label=name)
            panel.stairs(values, color=color, alpha=0.25, fill=True, hatch=hatch)
            labels[panel].append((values.mean(), f"{name}:\n{text}", color))
        latency.plot(at[~failed], ms[~failed], marker, color=color, ms=3, alpha=0.4, label=name)
        latency.plot(at[failed], ms[failed], "x", color=color, ms=5, alpha=0.4)
        latencies.append(ms)
        p50, p99 = (drawing.quantile(ms[~failed], q) for q in (0.5, 0.99))
        text = f"median {duration(p50)}, p99 {duration(p99)}\n{failed.sum():,} failed"
        labels[latency].append((p50, f"{name}:\n{text}", color))

        shares.append(percent(throttled.mean()) if len(reads) else "none")
        sentences.append(
            f"{name}, {hit} were throttled at least once and {failed.sum():,} failed; "
            f"the table spent {spent}, {used.max():,.4g} in the busiest second; the median read "
            f"took {duration(p50)}, the 99th percentile {duration(p99)}."
        )
    latency.set(xlim=(0, None), ylim=drawing.decades(np.concatenate(latencies)))
    for panel in panels:
        drawing.label_right(panel, *labels[panel])
    without, with_ = ({"0%": "none", "100%": "all"}.get(part, part) for part in shares)
    finding = f"Without the cache {without} of the reads were throttled, with it {with_}"
    return chart.tell(finding, *sentences)


@drawing.styled()
def provisioned(trials: pd.DataFrame) -> Chart:
    """How small a provisioned throughput is enough, without the cache and with it.

    ``trials`` has a row for each run: ``read_capacity`` (RCU), ``cache`` (bool), ``reads``, and
    ``throttled`` (how many were, at least once). Enough is the smallest capacity tried at which,
    and above which, no read was throttled.
    """
    drawing.require_columns(trials, "read_capacity", "cache", "reads", "throttled")
    chart = Chart(figsize=(11, 6))
    axes = chart.subplots()
    axes.set(xlabel="provisioned read capacity (RCU, log scale)", xscale="log")
    axes.set(ylabel="reads throttled at least once", ylim=(-0.05, 1.12))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.xaxis.set_major_formatter(plain_number)
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
            drawing.label_point(axes, f"{enough:,g} RCU", (enough, 0), color)
            # Less than the least that was tried might do; less than 1 RCU there is not.
            answers.append(f"{'at most ' if first and enough > 1 else ''}{enough:,g} RCU")
        else:
            answers.append("more than was tried")
        if len(runs):
            drawing.label_point(axes, name, (capacity[0], part[0]), color, line=int(first))
            tried = (f"{percent(p)} at {c:,g}" for c, p in zip(capacity, part, strict=True))
            sentences.append(f"Throttled {name}, by RCU provisioned: {', '.join(tried)}.")
    if len(sentences) < 2:
        return chart.tell("Try it both without the cache and with it to compare", *sentences)
    finding = f"To throttle no read takes {answers[0]} without the cache, {answers[1]} with it"
    return chart.tell(finding, *sentences)
