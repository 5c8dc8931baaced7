"""Numbers as words: for titles, labels and captions, and for the explorer."""

import math


def duration(ms: float) -> str:
    """Milliseconds in two or three digits, as "0.68 ms" or "12.3 s"; "unknown" for NaN."""
    if math.isnan(ms):
        return "unknown"
    if ms >= 1000:
        return f"{ms / 1000:,.1f} s"
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.2g} ms"


def quantity(number: float, what: str) -> str:
    """As "1 read" or "2,000 reads"."""
    return f"{number:,.0f} {what}" if number == 1 else f"{number:,.0f} {what}s"


def percent(part: float) -> str:
    """A part of one as "20%"; never 0% for a few, nor 100% for nearly all."""
    return f"{part:.0%}" if part in (0, 1) or 0.01 <= part <= 0.99 else f"{part:.2%}"


def plain_number(value: float, _: object) -> str:
    """A tick label of a logarithmic axis as a plain number: 0.1, 10, 1,000."""
    return f"{value:,g}"
