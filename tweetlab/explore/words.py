"""What is happening, in words."""

import math

from tweetlab.charts import wording
from tweetlab.explore.run import PATIENCE, LiveRun
from tweetlab.explore.series import Point
from tweetlab.explore.settings import Settings

NEWS_SECONDS = 4
"""For how long the words name an event."""
FEW = 0.02
"""A share of the reads that is too small to be worth a word."""


def preview(settings: Settings) -> str:
    """What the settings ask for."""
    need, have = settings.needed, settings.read_capacity
    who = "with a warm cache" if settings.cache else "without a cache"
    asks = f"{settings.rate} reads a second take {number(need)} RCU {who}"
    if need > have:
        return f"{asks}. The table has {have}: too few. Press Run to see what happens then."
    return f"{asks}. The table has {have}. Press Run to see whether that is enough."


def now(run: LiveRun) -> str:
    """What a run is doing, or what it came to."""
    if run.state == "failed":
        return f"The run ended: {run.error}"
    if run.state == "preparing":
        return "Getting a new table and its tweets ready …"
    if run.state == "stopped":
        return _result(run)
    if not run.series.points:
        return "The first reads are on their way …"
    point = run.series.points[-1]
    news = [event.words for event in run.news if point.at - event.at < NEWS_SECONDS]
    return " ".join([*news, situation(point, run.redis_answers)])


def situation(point: Point, redis_answers: bool = True) -> str:
    """What the last second was like, and why."""
    settings = point.settings
    reads = point.failed + point.late + point.table + point.cache
    if not reads:
        return "No read was done in the last second: all are waiting."
    spent = f"{number(point.consumed)} of its {settings.read_capacity} RCU"
    parts = [f"{_answers(point, redis_answers)}; the table spends {spent}."]
    waiting, refused = point.errors["GaveUp"], point.errors["TableBusy"]
    throttled = point.late + point.failed - point.errors.total()
    if waiting > FEW * reads:
        parts.append(
            f"{waiting} readers left the queue after {PATIENCE:g} seconds: this computer cannot "
            "make so many reads."
        )
    if refused > FEW * reads:
        parts.append(f"{refused} were turned away: too many reads of the table are under way.")
    if throttled > FEW * reads:
        parts.append(_throttling(point, throttled))
    elif point.consumed > 1.1 * settings.read_capacity:
        parts.append("The table lives on burst capacity that it saved up: that will not last.")
    elif not (waiting or refused):
        parts.append("Hardly a read is throttled." if throttled else "No read is throttled.")
    return " ".join(parts)


def _answers(point: Point, redis_answers: bool) -> str:
    settings = point.settings
    if not settings.cache:
        return "Every read goes to the table"
    if not redis_answers:
        shared = ", or waits for one that does" if settings.single_flight else ""
        return f"Redis does not answer: every read goes to the table{shared}"
    if math.isnan(point.hit_ratio):
        return "No read was answered"
    hits = f"{wording.percent(point.hit_ratio)} of the answers come from the cache"
    if point.hit_ratio < settings.hit_ratio - 0.1:
        return f"{hits}, which still fills, towards {settings.hit_ratio:.0%}"
    return hits


def _throttling(point: Point, throttled: float) -> str:
    """How many are throttled, what becomes of them, and by which rule."""
    settings = point.settings
    failed = point.failed - point.errors.total()
    whom = "all" if failed == throttled else f"{failed:.0f}" if failed else "none"
    fate = f"{throttled:.0f} reads were throttled, and {whom} of them failed"
    if point.unretried > failed / 2:
        fate += ", at once, for boto3's retry quota is spent"
    if not settings.adaptive and point.consumed < 0.9 * settings.read_capacity:
        return (
            f"{fate}. A popular tweet has a quarter of the units, those of its own partition, and "
            "may not use what the others leave."
        )
    return f"{fate}."


def _result(run: LiveRun) -> str:
    total = run.series.total
    reads = total["cache"] + total["table"] + total["late"] + total["failed"]
    if not reads:
        return "Stopped before the first read was done."
    hits = f"{wording.percent(total['cache'] / reads)} came from the cache"
    throttled = f"{wording.percent(total['throttled'] / reads)} were throttled"
    failed = f"{wording.percent(total['failed'] / reads)} failed"
    return f"Stopped. Of {wording.quantity(reads, 'read')}, {hits}, {throttled}, and {failed}."


def number(value: float) -> str:
    """A value with two or three digits; a hyphen where there is none."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
