"""The explorer's sliders and switches, and how they look."""

from importlib import resources
from typing import Any

import ipywidgets as ipw

from tweetlab.explore.settings import RANGES, Settings

LABELS = {
    "read_capacity": "Read capacity (RCU)",
    "rate": "Reads a second",
    "skew": "Popularity skew",
    "tweets": "Tweets",
    "ttl": "Time to live (s)",
    "cache": "Cache",
    "single_flight": "Single flight",
    "adaptive": "Adaptive capacity",
}
OPTIONS: dict[str, Any] = {
    "rate": {"step": 10},
    "skew": {"step": 0.1, "readout_format": ".1f"},
    "tweets": {"step": 10},
}

_FILES = resources.files("tweetlab.explore")
LOOK = f"<style>{(_FILES / 'look.css').read_text('utf-8')}</style>"
NAMES = (_FILES / "names.js").read_text("utf-8")


def control(name: str) -> Any:
    """The slider or the switch for that field of the settings."""
    value = getattr(Settings(), name)
    if isinstance(value, bool):
        return ipw.Checkbox(value, description=LABELS[name], indent=False)
    low, high = RANGES[name]
    make = ipw.FloatSlider if isinstance(value, float) else ipw.IntSlider
    return make(
        value,
        min=low,
        max=high,
        description=LABELS[name],
        style={"description_width": "initial"},
        layout={"width": "auto"},
        **OPTIONS.get(name, {}),
    )
