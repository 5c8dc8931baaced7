"""The explorer: live runs on the real servers, with sliders. Nothing in them is simulated.

- ``settings.py``: what can be set, the scenarios, and what a warm cache is expected to do
- ``bench.py``: the servers, with a new table for each run
- ``run.py``: readers at work until they are stopped
- ``series.py``: what they met, eight times a second
- ``words.py``, ``figure.py``, ``svg.py``: that in words, and as a picture
- ``controls.py``, ``widgets.py``: the sliders and buttons, and what they do
"""

from tweetlab.explore.settings import SCENARIOS, Event, Scenario, Settings
from tweetlab.explore.widgets import Explorer

__all__ = ["SCENARIOS", "Event", "Explorer", "Scenario", "Settings"]
