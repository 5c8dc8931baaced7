"""The explorer's sliders and switches, and how they look."""

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

LOOK = """<style>
.tweetlab-explorer { --jp-widgets-font-size: 15px; }
.tweetlab-explorer .widget-html-content { line-height: 1.3; }
.tweetlab-explorer .widget-checkbox { width: auto; height: 24px; }
.tweetlab-explorer .widget-slider {
  display: grid; grid-template-columns: 1fr auto; height: auto; min-height: 42px;
}
.tweetlab-explorer .widget-slider .widget-label { text-align: left; line-height: 20px; }
.tweetlab-explorer .widget-slider .slider-container {
  grid-row: 2; grid-column: 1 / 3; height: 20px;
}
.tweetlab-explorer .widget-readout { line-height: 20px; min-width: 3em; text-align: right; }
.tweetlab-explorer :focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
.tweetlab-about { min-height: 60px; }
.tweetlab-words { min-height: 100px; }
.tweetlab-words .widget-html-content { font-size: 14pt; }
</style>"""
# What ipywidgets leaves out for those who listen, or use the keyboard: sliders and their numbers
# have no names, nothing is read out, and JupyterLab takes the arrow keys for its own.
NAMES = """
new MutationObserver((_, observer) => {
  const explorers = [...document.querySelectorAll(".tweetlab-explorer")];
  let named = explorers.length > 0;
  for (const explorer of explorers) {
    for (const own of explorer.querySelectorAll("select, button, input, [tabindex]")) {
      own.setAttribute("data-lm-suppress-shortcuts", "true");
    }
    const words = explorer.querySelector(".tweetlab-words .widget-html-content");
    words?.setAttribute("role", "status");
    for (const slider of explorer.querySelectorAll(".widget-slider")) {
      const name = slider.querySelector(".widget-label").textContent;
      const handle = slider.querySelector(".noUi-handle");
      const number = slider.querySelector(".widget-readout");
      handle?.setAttribute("aria-label", name);
      number?.setAttribute("aria-label", `${name}, as a number`);
      number?.setAttribute("role", "textbox");
      named &&= handle && number;
    }
    named &&= words;
  }
  if (named) observer.disconnect();
}).observe(document.body, {childList: true, subtree: true});
"""


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
