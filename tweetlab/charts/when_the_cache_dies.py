"""Charts of reads while Redis fails, and after it has lost everything."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from tweetlab.charts import drawing
from tweetlab.charts.drawing import GREY, WITH, WITHOUT, Chart
from tweetlab.charts.wording import duration, plain_number, quantity

SOURCES = (
    ("cache", "from the cache", WITH, "s"),
    ("table", "from the table", WITHOUT, "o"),
    ("failed", "failed", "black", "x"),
)


@drawing.styled()
def outage(runs: Mapping[str, pd.DataFrame]) -> Chart:
    """The latency of each read over time, while Redis works, is down, and works again.

    A panel for each run, with its key as title. A run is a result of ``workload.replay_outage``:
    its column ``down`` says whether Redis was down when the read was due, from which moment
    latencies count.
    """
    chart, panels = _panels(runs, "down")
    findings, sentences = [], []
    for axes, (name, reads) in zip(panels, runs.items(), strict=True):
        down = reads[reads["down"]]
        ms = drawing.latency_ms(down)
        medians = duration(drawing.quantile(ms, 0.5))
        findings.append(f"{medians} {name}")
        if down.empty:
            sentences.append(f"{name}, no read was due while Redis was down.")
            continue
        begin, end = down["at"].min(), down["at"].max()
        axes.axvspan(begin, end, color=GREY, alpha=0.2, lw=0)
        axes.text(begin, 0.03, " Redis is down", transform=axes.get_xaxis_transform())
        hits = reads.loc[(reads["at"] > end) & (reads["source"] == "cache"), "at"]
        wait = duration((hits.min() - end) * 1000)
        back = f"the first hit came {wait}" if len(hits) else "no hit came"
        sentences.append(
            f"{name}, {quantity(len(down), 'read')} came while Redis was down: the median took "
            f"{medians}, the slowest {duration(ms.max())}, and "
            f"{(down['source'] == 'failed').sum():,} failed; {back} after the last of them."
        )
    finding = f"While Redis was down, a read took {', '.join(findings)} (medians)"
    return chart.tell(finding, *sentences)


@drawing.styled()
def cold_start(runs: Mapping[str, pd.DataFrame]) -> Chart:
    """The latency of each read over time, from the moment at which the cache was lost.

    A panel for each run, with its key as title. A run is a result of ``workload.replay``. A read
    that failed took the time until its error came.
    """
    chart, panels = _panels(runs, "throttled")
    findings, sentences = [], []
    for axes, (name, reads) in zip(panels, runs.items(), strict=True):
        slow = drawing.quantile(drawing.latency_ms(reads), 0.9)
        axes.axhline(slow, color=GREY, ls="--", lw=2)
        words = f" a tenth of the reads: longer than {duration(slow)} "
        behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        axes.text(0, slow * 1.3, words, weight="bold", va="bottom", bbox=behind)
        findings.append(f"{duration(slow)} {name}")
        hits, misses, failed = ((reads["source"] == source).sum() for source, *_ in SOURCES)
        sentences.append(
            f"{name}, of {quantity(len(reads), 'read')} the cache answered {hits:,} "
            f"and the table {misses:,}, and {failed:,} failed; the table throttled "
            f"{reads['throttled'].sum():,} at least once; the slowest tenth took {duration(slow)} "
            f"or more, the slowest read {duration(drawing.latency_ms(reads).max(initial=0))}."
        )
    return chart.tell(f"A tenth of the reads took longer than {', '.join(findings)}", *sentences)


def _panels(runs: Mapping[str, pd.DataFrame], extra: str) -> tuple[Chart, list[Axes]]:
    """A panel for each run: a dot for each read, at the time it was due."""
    for reads in runs.values():
        drawing.require_columns(reads, "at", "seconds", "source", extra)
    chart = Chart(figsize=(12, 1.2 + 3.4 * len(runs)))
    panels = list(chart.subplots(len(runs), 1, squeeze=False, sharex=True, sharey=True)[:, 0])
    everything = np.concatenate([drawing.latency_ms(reads) for reads in runs.values()])
    panels[-1].set(xlabel="time at which the read was due (s)")
    panels[0].xaxis.set_major_locator(drawing.whole_numbers())
    panels[0].set(yscale="log", ylim=drawing.decades(everything))
    for axes, (name, reads) in zip(panels, runs.items(), strict=True):
        axes.set(title=name.capitalize(), ylabel="latency (ms, log scale)")
        axes.yaxis.set_major_formatter(plain_number)
        axes.yaxis.set_minor_formatter(NullFormatter())
        labels = []
        for source, words, color, marker in SOURCES:
            some = reads[reads["source"] == source]
            if len(some):
                ms = drawing.latency_ms(some)
                axes.plot(some["at"], ms, marker, color=color, ms=5, alpha=0.6, label=words)
                labels.append(
                    (drawing.quantile(ms, 0.5), f"{words}:\n{quantity(len(some), 'read')}", color)
                )
        axes.set_xlim(0, None)
        drawing.label_right(axes, *labels)
    return chart, panels
